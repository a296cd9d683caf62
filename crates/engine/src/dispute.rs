//! What happens to a payment from the shopper's bank: chargebacks, disputes with the method's provider, retrievals and reports of fraud.

pub mod change;
mod freeze;
pub mod record;
mod words;

use refundry_ledger::Money;
use serde::{Deserialize, Serialize};

use crate::{DisputeId, MerchantId, Mode, PaymentId, RefundId, TerminalId, Timestamp};

pub use words::{DisputeCategory, DisputeChange, DisputeKind, DisputeState};

pub(crate) use freeze::{accept_with_refund, check as check_freeze};

/// Letters of the network's number of a dispute.
pub const NETWORK_REFERENCE_LENGTH_MAX: usize = 64;
/// Letters of a reason, its code, or a note.
pub const DISPUTE_TEXT_LENGTH_MAX: usize = 256;

/// One chargeback, dispute, retrieval or report of fraud. The network's number makes it unique within its merchant: the same told twice is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// Ours.
    pub id: DisputeId,
    /// Whose.
    pub merchant_id: MerchantId,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// Sandbox or live.
    pub mode: Mode,
    /// What it is.
    pub kind: DisputeKind,
    /// Where it stands.
    pub state: DisputeState,
    /// What the other side wants, in the payment's currency; may be zero.
    pub amount: Money,
    /// The network's, or whoever's that told of it.
    pub network_reference: String,
    /// When the other side opened it.
    pub opened_at: Timestamp,
    /// Until when it has to be answered.
    pub reply_by: Option<Timestamp>,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// What is shown and not searched.
    pub body: DisputeBody,
}

/// What of a dispute is shown and not searched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeBody {
    /// The type within its kind, as people in finance call it.
    pub category: DisputeCategory,
    /// The payment's number that dialects answer with.
    pub payment_reference: String,
    /// The channel that took the payment.
    pub terminal_id: TerminalId,
    /// The other side's code for its reason.
    pub reason_code: String,
    /// The reason in words.
    pub reason: String,
    /// What was said with the last change.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The part of the amount that was beyond what the payment had left when it was told: booked as exposure, not taken from the merchant.
    #[serde(default)]
    pub exposed_minor: i64,
    /// The operator's fee for it, in minor units; zero again once it is given back.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub fee_minor: i64,
    /// The refund by which the merchant accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<RefundId>,
    /// When the merchant answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub represented_at: Option<Timestamp>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// When we were told of it.
    pub told_at: Timestamp,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
const fn is_nothing(minor: &i64) -> bool {
    *minor == 0
}

impl Dispute {
    /// What the operator took for it and did not give back.
    pub fn fee(&self) -> Money {
        Money::new(self.body.fee_minor, self.amount.currency())
    }

    /// What the merchant is charged: the amount without what was beyond the payment. A chargeback of a payment that was refunded already charges nothing,
    /// and so does whatever is no chargeback.
    pub fn charged(&self) -> Money {
        if !self.kind.moves_money() {
            return Money::zero(self.amount.currency());
        }
        Money::new(self.amount.minor().saturating_sub(self.body.exposed_minor), self.amount.currency())
    }

    /// Whether somebody waits for its end.
    pub const fn is_open(&self) -> bool {
        self.state.is_open()
    }
}

/// How a dispute is named: by our id, or by the network's number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DisputeKey {
    /// By our id.
    Id(DisputeId),
    /// By the number that the network gave it.
    NetworkReference(String),
}
