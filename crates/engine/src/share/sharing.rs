//! What a payment remembers of its shares: running sums, so that a share or a refund is decided without reading the others. `doctor books`
//! recomputes them.

use std::collections::BTreeMap;

use refundry_ledger::Money;
use serde::{Deserialize, Serialize};

use super::RefundSharing;
use crate::payment::Payment;
use crate::refund::Refund;
use crate::{MerchantId, ShareId};

/// Who the operator's fee of a payment is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeMode {
    /// From the merchant's available money (外扣): all of the payment can be shared.
    FromAccount,
    /// From the payment's own money (内扣): what can be shared is less.
    FromPayment,
}

impl FeeMode {
    /// Both.
    pub const ALL: [Self; 2] = [Self::FromAccount, Self::FromPayment];

    /// The word in answers.
    pub const fn word(self) -> &'static str {
        match self {
            Self::FromAccount => "from_account",
            Self::FromPayment => "from_payment",
        }
    }
}

/// What a payment remembers of its shares, in minor units of its currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sharing {
    /// Who the fee is taken from.
    pub fee_mode: FeeMode,
    /// Everybody who got something of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub receivers: BTreeMap<MerchantId, ReceiverPart>,
    /// The shares that are being carried out, each with its sum.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub running: Vec<(ShareId, i64)>,
    /// The shares whose time has not come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub planned: Vec<ShareId>,
    /// Σ what the refunds that count took from the money that was never shared.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub from_unshared_minor: i64,
    /// Σ what the giver advanced in refunds that count, less what receivers paid of it since.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub advanced_minor: i64,
    /// Refunds that are not final.
    #[serde(default, skip_serializing_if = "is_none")]
    pub open_refunds: u32,
}

/// What one receiver got of a payment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiverPart {
    /// By which account number the giver named it last.
    pub account: String,
    /// Σ of the shares that succeeded.
    pub shared_minor: i64,
    /// Σ of its lines in refunds that count, and of the advances that it paid back; never above what it got.
    #[serde(skip_serializing_if = "is_nothing")]
    pub returned_minor: i64,
    /// What of it is still unsettled in the receiver's book.
    #[serde(skip_serializing_if = "is_nothing")]
    pub unsettled_minor: i64,
    /// What of `returned_minor` it paid back of advances.
    #[serde(skip_serializing_if = "is_nothing")]
    pub recovered_minor: i64,
}

impl ReceiverPart {
    /// What it can still give back.
    pub const fn left_minor(&self) -> i64 {
        self.shared_minor.saturating_sub(self.returned_minor)
    }
}

impl Sharing {
    /// Nothing is shared yet.
    pub const fn new(fee_mode: FeeMode) -> Self {
        Self {
            fee_mode,
            receivers: BTreeMap::new(),
            running: Vec::new(),
            planned: Vec::new(),
            from_unshared_minor: 0,
            advanced_minor: 0,
            open_refunds: 0,
        }
    }

    /// Σ of the shares that succeeded.
    pub fn shared_minor(&self) -> i64 {
        self.receivers.values().fold(0, |sum, part| sum.saturating_add(part.shared_minor))
    }

    /// Σ of the shares that are being carried out.
    pub fn running_minor(&self) -> i64 {
        self.running.iter().fold(0, |sum, (_, minor)| sum.saturating_add(*minor))
    }

    /// Σ of what was returned.
    pub fn returned_minor(&self) -> i64 {
        self.receivers.values().fold(0, |sum, part| sum.saturating_add(part.returned_minor))
    }

    /// What receivers can still give back or have advanced for them, all together.
    pub fn returnable_minor(&self) -> i64 {
        self.shared_minor().saturating_sub(self.returned_minor()).saturating_sub(self.advanced_minor)
    }

    /// Nothing was ever shared, is being shared or is planned to be.
    pub fn is_untouched(&self) -> bool {
        self.receivers.is_empty() && self.running.is_empty() && self.planned.is_empty()
    }

    /// A share waits for its time. Both lists are in the order of ids, whenever what happened.
    pub(super) fn plan(&mut self, id: ShareId) {
        self.planned.push(id);
        self.planned.sort_unstable();
    }

    /// A share is being carried out, planned before or not.
    pub(super) fn begin(&mut self, id: ShareId, minor: i64) {
        self.planned.retain(|planned| *planned != id);
        self.running.push((id, minor));
        self.running.sort_unstable();
    }

    fn count(&mut self, of: &RefundSharing, sign: i64) {
        for line in &of.lines {
            let part = self.receivers.entry(line.receiver_id).or_default();
            part.returned_minor = part.returned_minor.saturating_add(sign * line.amount_minor);
        }
        self.advanced_minor = self.advanced_minor.saturating_add(sign * of.advance_minor);
        self.from_unshared_minor = self.from_unshared_minor.saturating_add(sign * of.from_unshared_minor);
    }
}

impl Payment {
    /// Who its fee is taken from; of ordinary payments the payment's own money.
    pub fn fee_mode(&self) -> FeeMode {
        self.sharing.as_ref().map_or(FeeMode::FromPayment, |sharing| sharing.fee_mode)
    }

    /// What of the captured amount is the payment's own money: all, or all but the fee.
    pub fn own_money_minor(&self) -> i64 {
        let fee = match self.fee_mode() {
            FeeMode::FromAccount => 0,
            FeeMode::FromPayment => self.fee.minor(),
        };
        self.captured.minor().saturating_sub(fee)
    }

    /// What of it can be shared at all. Where the fee is taken from the payment, marketing money goes back by itself and is not shared.
    pub fn pool(&self) -> Money {
        let marketing = match self.fee_mode() {
            FeeMode::FromAccount => 0,
            FeeMode::FromPayment => self.marketing.minor(),
        };
        Money::new(self.own_money_minor().saturating_sub(marketing).max(0), self.currency())
    }

    /// What of the pool is not shared, not being shared, and not refunded.
    pub fn unshared(&self) -> Money {
        let used = match &self.sharing {
            Some(sharing) => sharing.shared_minor().saturating_add(sharing.running_minor()).saturating_add(sharing.from_unshared_minor),
            None => self.refunded_of_pool(),
        };
        Money::new(self.pool().minor().saturating_sub(used).max(0), self.currency())
    }

    /// What the refunds that count took of the pool, while nothing was shared.
    pub(crate) fn refunded_of_pool(&self) -> i64 {
        let user_part = self.refunded.minor().saturating_sub(self.refunded_marketing.minor());
        user_part.saturating_sub(self.fee_given_back.minor())
    }

    /// The sums of the shares follow a refund that counts from now on (1) or no longer (-1).
    pub(crate) fn count_sharing(&mut self, refund: &Refund, sign: i64) {
        let Some(sharing) = &mut self.sharing else { return };
        match &refund.sharing {
            Some(of) => sharing.count(of, sign),
            // A refund that was made before anything was shared: all of it came out of the pool.
            None => {
                let from_unshared_minor = refund.user_part().minor().saturating_sub(refund.fee_given_back.minor());
                sharing.count(&RefundSharing { from_unshared_minor, ..RefundSharing::default() }, sign);
            }
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
const fn is_nothing(minor: &i64) -> bool {
    *minor == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
const fn is_none(count: &u32) -> bool {
    *count == 0
}
