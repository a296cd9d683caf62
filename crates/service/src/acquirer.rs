//! Who carries refunds out: a bank, a processor, the operator's own payment system.

use futures::future::BoxFuture;
use refundry_engine::payment::SettlementQuote;
use refundry_engine::refund::{AcquirerAnswer, Arn};
use refundry_engine::{MerchantId, Mode, RefundId, Timestamp};
use refundry_ledger::Money;

/// An adapter to one acquirer. It may be asked to do the same twice, but the service takes care not to unless the acquirer knows duplicates
/// by our refund id or certainly never got the first.
pub trait Acquirer: Send + Sync {
    /// Gives it a refund. Whatever goes wrong is an [`AcquirerAnswer`]: `NeverSent` only when no byte can have arrived.
    fn submit<'a>(&'a self, submission: &'a SubmittedRefund) -> BoxFuture<'a, AcquirerAnswer>;
    /// Asks what became of it.
    fn ask<'a>(&'a self, submission: &'a SubmittedRefund) -> BoxFuture<'a, Asked>;
    /// Whether a second submission of the same refund id is recognised and not paid again.
    fn recognises_duplicates(&self) -> bool;
    /// Milliseconds after the submission from which "I do not know it" is final: nothing of ours can still be on its way.
    fn unknown_is_final_after_ms(&self) -> i64;
    /// What it says next on its own; never resolves for acquirers that report in other ways.
    fn next_report(&self) -> BoxFuture<'_, AcquirerReport> {
        Box::pin(futures::future::pending())
    }
}

/// What the acquirer is told: the user part only, and our refund id as its duplicate check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmittedRefund {
    /// Ours.
    pub refund_id: RefundId,
    /// Whose.
    pub merchant_id: MerchantId,
    /// Sandbox or live.
    pub mode: Mode,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// When the attempt was committed.
    pub submitted_at: Timestamp,
    /// The payment's number.
    pub payment_reference: String,
    /// The merchant's number for the refund.
    pub number: String,
    /// How much goes to the shopper.
    pub amount: Money,
    /// Settlement rate, if there is one.
    pub quote: Option<SettlementQuote>,
    /// Why, in the merchant's words.
    pub reason: Option<String>,
    /// The acquirer's own id, when it gave one.
    pub acquirer_reference: Option<String>,
}

/// The reply to a question about a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It ended so, or it is still being worked on (`Acknowledged`), or it did not reply (`Unclear`).
    Answer(AcquirerAnswer),
    /// It does not know our refund id.
    Unknown,
}

/// What an acquirer says on its own, later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcquirerReport {
    /// How an attempt ended.
    Result {
        /// Of which merchant.
        merchant_id: MerchantId,
        /// Which refund.
        refund_id: RefundId,
        /// Which attempt.
        attempt: u32,
        /// How.
        answer: AcquirerAnswer,
    },
    /// The network's number.
    Arn {
        /// Of which merchant.
        merchant_id: MerchantId,
        /// Which refund.
        refund_id: RefundId,
        /// The number.
        arn: Arn,
    },
    /// The money came back.
    Returned {
        /// Of which merchant.
        merchant_id: MerchantId,
        /// Which refund.
        refund_id: RefundId,
        /// Why.
        reason: String,
    },
}

impl AcquirerReport {
    /// What it is about.
    pub const fn subject(&self) -> (MerchantId, RefundId) {
        match self {
            Self::Result { merchant_id, refund_id, .. }
            | Self::Arn { merchant_id, refund_id, .. }
            | Self::Returned { merchant_id, refund_id, .. } => (*merchant_id, *refund_id),
        }
    }
}
