//! A refund, its states, and one file per command that moves it.

mod arn;
pub mod cancel;
mod content;
pub mod create;
pub mod edit;
pub(crate) mod funding;
mod holds;
mod moves;
pub mod record_arn;
pub mod record_result;
pub mod record_return;
pub mod release;
pub mod review;
pub mod send_now;
pub mod start_submission;
mod state;

use refundry_ledger::{Currency, Money};
use serde::{Deserialize, Serialize};

use crate::payment::{Payment, SettlementQuote};
use crate::share::RefundSharing;
use crate::{Actor, MerchantId, Mode, Outcome, PaymentId, RefundId, TerminalId, Timestamp};

pub use arn::{Arn, ArnState, NotAnArn};
pub use holds::{Approval, ReviewHold};
pub use state::{AcquirerAnswer, FailReason, FundsHold, Holds, IllegalTransition, RefundState, RefundStateName, Submission};

/// Letters of a refund reason and of a note.
pub const REASON_LENGTH_MAX: usize = 1_000;
/// Letters of free metadata that comes back in answers and notifications.
pub const METADATA_LENGTH_MAX: usize = 2_048;
/// Letters of the name of a batch.
pub const BATCH_LENGTH_MAX: usize = 64;
/// Letters of an address.
pub const URL_LENGTH_MAX: usize = 1_024;

/// Money going back to the shopper, started by the merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Ours; the acquirer's duplicate check is made from it.
    pub id: RefundId,
    /// Whose.
    pub merchant_id: MerchantId,
    /// The channel that asked.
    pub terminal_id: TerminalId,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// The payment's number that dialects answer with.
    pub payment_reference: String,
    /// Sandbox or live.
    pub mode: Mode,
    /// The dialect in which it was asked for.
    pub dialect: String,
    /// The merchant's number for it: with merchant, dialect and scope it is the idempotency key. Empty when the merchant gave none.
    pub number: String,
    /// A reference of the merchant behind the merchant, kept and shown only.
    pub merchant_reference: Option<String>,
    /// How much in all, marketing part included.
    pub amount: Money,
    /// The marketing part; it goes back to the merchant's marketing money, not to the shopper.
    pub marketing: Money,
    /// Fee for this refund.
    pub refund_fee: Money,
    /// The part of the payment's fee that this refund gives back.
    pub fee_given_back: Money,
    /// What it takes back of the payment's shares; nothing where the payment knows of none.
    pub sharing: Option<Box<RefundSharing>>,
    /// The rate for settlement in another currency.
    pub quote: Option<SettlementQuote>,
    /// The amount in the settlement currency.
    pub gross_settlement: Option<Money>,
    /// Why, in the merchant's words.
    pub reason: Option<String>,
    /// Comes back as it was sent.
    pub metadata: Option<String>,
    /// Where its end is announced, when the request said so.
    pub notify_url: Option<String>,
    /// The merchant's name for the refunds that it asked for together.
    pub batch: Option<String>,
    /// How often its content was edited.
    pub edits: u32,
    /// Who asked.
    pub applicant: Actor,
    /// When.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// Where the money was drawn from; set when it was released.
    pub drawn: Option<Draw>,
    /// Which acquirer carries it out.
    pub acquirer: String,
    /// The acquirer's own id for our submission.
    pub acquirer_reference: Option<String>,
    /// How often it was submitted.
    pub attempts: u32,
    /// Where it stands.
    pub state: RefundState,
}

/// From which of the merchant's money a refund was drawn. The parts sum to the refund's amount, less what receivers give back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// From the payment's unsettled money, minor units.
    pub unsettled_minor: i64,
    /// From the payment's reserve, minor units.
    pub reserve_minor: i64,
    /// From the merchant's available money, minor units of the payment's currency.
    pub available_minor: i64,
    /// When, if that was later than the refund was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What that was, when the payment settles in another currency: minor units of it.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub settlement_minor: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
const fn is_nothing(minor: &i64) -> bool {
    *minor == 0
}

impl Refund {
    /// The currency of the available money that it is paid from.
    pub fn funding_currency(&self) -> Currency {
        self.gross_settlement.unwrap_or(self.amount).currency()
    }

    /// The part that the acquirer is sent: never the marketing part.
    pub fn user_part(&self) -> Money {
        Money::new(self.amount.minor().saturating_sub(self.marketing.minor()), self.amount.currency())
    }
}

/// A refund and the payment that it gives back: what a decision about it moves.
#[derive(Clone, Debug)]
pub(crate) struct RefundInPlay {
    pub(crate) refund: Refund,
    pub(crate) payment: Payment,
}

impl RefundInPlay {
    /// The answer: the refund as it stands, and what is left of the payment.
    pub(crate) fn outcome(&self, replayed: bool) -> Outcome {
        let order_number = self.payment.merchant_reference.clone();
        Outcome::Refund { refund: Box::new(self.refund.clone()), replayed, refundable: self.payment.refundable(), order_number }
    }
}
