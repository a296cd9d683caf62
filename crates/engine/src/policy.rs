//! What a merchant, a terminal and a payment method allow: data, not code.

mod funds;

use serde::{Deserialize, Serialize};

pub use crate::review_rule::{ReviewRule, ReviewTrigger, VelocityOf};
use crate::settlement::SettlementPatch;

pub use funds::{FundsCheck, FundsOrder};

/// Days in which a payment can be refunded when nothing else is said (Baofoo: payments older than a year cannot be refunded).
pub const REFUND_WINDOW_DAYS: u32 = 365;
/// Days that a refund waits for money before it fails (Oceanpayment: at most 30).
pub const FUNDS_WAIT_DAYS: u32 = 30;

/// Days after which an authorisation that nobody captured is voided, when nothing else is said.
pub const AUTHORISATION_DAYS: u32 = 7;

/// Days of any rule at most: ten years.
pub const DAYS_MAX: u32 = 3_650;
/// Seconds of the undo window at most: thirty days.
pub const UNDO_SECONDS_MAX: u32 = 30 * 86_400;
/// Milliseconds that an answer can wait for the acquirer at most: callers give up after fifteen seconds, and each holds a connection.
pub const SYNCHRONOUS_WAIT_MS_MAX: u32 = 15_000;

/// What happens to a refund whose money is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FundsRule {
    /// It waits, served oldest first, and fails after `funds_wait_days` (Oceanpayment).
    Wait,
    /// It is refused at once (Antom).
    Refuse,
    /// It is accepted and fails afterwards (Baofoo).
    FailLater,
}

/// What happens to a fee when what it was taken for is undone: the fee of the original payment, or that of a chargeback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeRule {
    /// The operator keeps it.
    Keep,
    /// It is given back; that of a payment in proportion, so that the parts of a full refund sum to the fee.
    GiveBack,
}

macro_rules! policy {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $default:expr;)*) => {
        /// The rules for one refund: the defaults, overlaid by the merchant's, the terminal's and the method's patch in this order.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct Policy {
            $($(#[$doc])* pub $name: $type,)*
        }

        /// What one level says; what it leaves out comes from the level above.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct PolicyPatch {
            $($(#[$doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $name: Option<$type>,)*
            /// When money is settled; only captures and settlements read it, so it is laid over apart from the rest.
            #[serde(default, skip_serializing_if = "SettlementPatch::is_empty")]
            pub settlement: SettlementPatch,
        }

        impl Default for Policy {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl PolicyPatch {
            /// Says in this patch what `over` says.
            pub fn overlay(&mut self, over: &Self) {
                $(if over.$name.is_some() { self.$name.clone_from(&over.$name); })*
                self.settlement.overlay(&over.settlement);
            }
        }

        impl Policy {
            /// This policy with what `patch` says in its place.
            #[must_use]
            pub fn patched(mut self, patch: &PolicyPatch) -> Self {
                $(if let Some(value) = &patch.$name { self.$name = value.clone(); })*
                self
            }
        }
    };
}

policy! {
    /// Days after the payment in which it can be refunded; the last day counts.
    refund_window_days: u32 = REFUND_WINDOW_DAYS;
    /// Whether less than the captured amount may be refunded.
    partial_allowed: bool = true;
    /// Whether one payment may have more than one refund.
    several_allowed: bool = true;
    /// How many refunds one payment may have; refunds that failed or were cancelled do not count.
    refund_count_max: Option<u32> = None;
    /// Which refunds a person looks at first.
    review: ReviewRule = ReviewRule::None;
    /// Whether the reviewer must be another person than the applicant.
    second_person: bool = true;
    /// Above so many minor units of the payment's currency a refund is reviewed by two people.
    second_reviewer_above_minor: Option<i64> = None;
    /// What happens when the money is not there.
    funds: FundsRule = FundsRule::Refuse;
    /// Days that a refund waits for money.
    funds_wait_days: u32 = FUNDS_WAIT_DAYS;
    /// What it does to those that wait behind it.
    funds_order: FundsOrder = FundsOrder::Strict;
    /// When it is looked at while it waits.
    funds_check: FundsCheck = FundsCheck::OnCredit;
    /// Whether the payment's own unsettled money may be drawn.
    draw_unsettled: bool = true;
    /// Whether the payment's own reserve may be drawn.
    draw_reserve: bool = true;
    /// Whether the merchant's available money may be drawn.
    draw_available: bool = true;
    /// What happens to the fee of the payment.
    original_fee: FeeRule = FeeRule::Keep;
    /// Whether what a refund gives back of a fee that is taken from the payment may differ by one minor unit from our rounding.
    fee_rounding_tolerance: bool = false;
    /// Fee for a refund, in minor units of the payment's currency, taken from the available money.
    refund_fee_minor: i64 = 0;
    /// Fee for a chargeback, in minor units of the payment's currency, taken from the available money.
    chargeback_fee_minor: i64 = 0;
    /// What happens to that fee when the chargeback is won or taken back.
    chargeback_fee: FeeRule = FeeRule::Keep;
    /// Days after which an authorisation that nobody captured is voided.
    authorisation_days: u32 = AUTHORISATION_DAYS;
    /// Seconds in which a refund can be undone before it is sent.
    undo_seconds: u32 = 0;
    /// Milliseconds that an answer waits for the acquirer; 0 answers at once (asynchronous).
    synchronous_wait_ms: u32 = 0;
    /// Whether a payment can be refunded only once it is reconciled with the bank.
    reconciled_only: bool = false;
    /// Whether a payment is not refunded while a payout of its money is prepared and not sent.
    refuse_in_payout: bool = false;
}

impl PolicyPatch {
    /// The first number that is out of its range, with the range.
    pub fn out_of_range(&self) -> Option<(&'static str, i64, i64)> {
        let numbers = [
            ("refund_window_days", self.refund_window_days.map(i64::from), 0, i64::from(DAYS_MAX)),
            ("second_reviewer_above_minor", self.second_reviewer_above_minor.flatten(), 0, i64::MAX),
            ("funds_wait_days", self.funds_wait_days.map(i64::from), 0, i64::from(DAYS_MAX)),
            ("refund_fee_minor", self.refund_fee_minor, 0, i64::MAX),
            ("chargeback_fee_minor", self.chargeback_fee_minor, 0, i64::MAX),
            ("authorisation_days", self.authorisation_days.map(i64::from), 1, i64::from(DAYS_MAX)),
            ("undo_seconds", self.undo_seconds.map(i64::from), 0, i64::from(UNDO_SECONDS_MAX)),
            ("synchronous_wait_ms", self.synchronous_wait_ms.map(i64::from), 0, i64::from(SYNCHRONOUS_WAIT_MS_MAX)),
        ];
        let mut numbers = numbers.into_iter().chain(self.settlement.numbers());
        let wrong = numbers.find(|(_, number, least, most)| number.is_some_and(|number| number < *least || *most < number));
        wrong.map(|(name, _, least, most)| (name, least, most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beyond_their_limits_are_named() {
        let patch = |change: fn(&mut PolicyPatch)| {
            let mut patch = PolicyPatch::default();
            change(&mut patch);
            patch.out_of_range().map(|(name, ..)| name)
        };
        assert_eq!(patch(|_| {}), None);
        assert_eq!(patch(|patch| patch.refund_window_days = Some(DAYS_MAX)), None);
        assert_eq!(patch(|patch| patch.refund_window_days = Some(DAYS_MAX + 1)), Some("refund_window_days"));
        assert_eq!(patch(|patch| patch.second_reviewer_above_minor = Some(Some(-1))), Some("second_reviewer_above_minor"));
        assert_eq!(patch(|patch| patch.funds_wait_days = Some(u32::MAX)), Some("funds_wait_days"));
        assert_eq!(patch(|patch| patch.refund_fee_minor = Some(-1)), Some("refund_fee_minor"));
        assert_eq!(patch(|patch| patch.undo_seconds = Some(UNDO_SECONDS_MAX + 1)), Some("undo_seconds"));
        assert_eq!(patch(|patch| patch.synchronous_wait_ms = Some(15_001)), Some("synchronous_wait_ms"));
    }

    #[test]
    fn the_nearest_patch_wins() {
        let merchant = PolicyPatch { refund_window_days: Some(90), partial_allowed: Some(false), ..PolicyPatch::default() };
        let terminal = PolicyPatch { refund_window_days: Some(30), ..PolicyPatch::default() };
        let policy = Policy::default().patched(&merchant).patched(&terminal);
        assert_eq!((policy.refund_window_days, policy.partial_allowed, policy.several_allowed), (30, false, true));
    }
}
