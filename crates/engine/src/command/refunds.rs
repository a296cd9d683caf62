//! What moves refunds.

use crate::asked::{AskedAmount, Extent, OrderClaim};
use crate::idempotency::{ComparedFields, IdempotencyKey};
use crate::payment::PaymentKey;
use crate::refund::{AcquirerAnswer, Arn};
use crate::share::AskedSharing;
use crate::task::Task;
use crate::{DisputeId, MerchantId, Mode, RefundId, TerminalId, Timestamp};
use refundry_ledger::{Currency, Money};

/// Asks for a refund.
#[derive(Clone, Debug)]
pub struct CreateRefund {
    /// The id that it gets when it is accepted.
    pub refund_id: RefundId,
    /// Whose.
    pub merchant_id: MerchantId,
    /// The channel that asks; left out, it is the payment's.
    pub terminal_id: Option<TerminalId>,
    /// The mode of the credential that asks.
    pub mode: Mode,
    /// Names the intent.
    pub key: IdempotencyKey,
    /// Seconds after which the key is free again, for a caller that gave no number of its own: what it sent stands for one. `None` is for ever.
    pub key_seconds: Option<u32>,
    /// What is compared when the key comes again.
    pub compared: ComparedFields,
    /// Whether the dialect remembers refusals that come after the replay check (Antom: yes; Baofoo: no).
    pub remember_refusals: bool,
    /// Which payment.
    pub payment: PaymentKey,
    /// How much in all.
    pub amount: AskedAmount,
    /// How much of the payment the caller says that is, if it says so.
    pub extent: Option<Extent>,
    /// What the caller believes of the payment's order, if it says so.
    pub order: OrderClaim,
    /// The marketing part of it.
    pub marketing: Option<Money>,
    /// What it takes back of the payment's shares, if it says so.
    pub sharing: Option<Box<AskedSharing>>,
    /// What the caller believes is left, if it says so.
    pub expected_remaining: Option<Money>,
    /// A reference of the merchant behind the merchant.
    pub merchant_reference: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Comes back as it was sent.
    pub metadata: Option<String>,
    /// Where its end is announced.
    pub notify_url: Option<String>,
    /// The retrieval, dispute or report of fraud that is accepted by it (接受退款): an open retrieval freezes all other refunds.
    pub accepts_dispute: Option<DisputeId>,
    /// The merchant's name for the refunds that it asked for together.
    pub batch: Option<String>,
    /// Decide and say what would happen, change nothing.
    pub dry_run: bool,
}

/// Takes a refund back while nothing has been sent.
#[derive(Clone, Debug)]
pub struct CancelRefund {
    /// Whose.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks.
    pub mode: Mode,
    /// Which.
    pub refund_id: RefundId,
}

/// A person decides about a refund in review.
#[derive(Clone, Debug)]
pub struct ReviewRefund {
    /// Whose.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks.
    pub mode: Mode,
    /// Which.
    pub refund_id: RefundId,
    /// Let it pass, or not.
    pub approve: bool,
    /// Why.
    pub note: String,
    /// The content that the person saw, by its hash: an approval is bound to what was approved, so it needs one.
    pub seen: Option<String>,
}

/// Changes what a refund in review asks for; whoever approved it before has to look again. What is `None` stays as it is.
#[derive(Clone, Debug)]
pub struct EditRefund {
    /// Whose.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks.
    pub mode: Mode,
    /// Which.
    pub refund_id: RefundId,
    /// The content that the caller saw, by its hash, so that nobody undoes an edit unseen.
    pub seen: Option<String>,
    /// How much in all.
    pub amount: Option<Money>,
    /// The marketing part of it.
    pub marketing: Option<Money>,
    /// Why; `Some(None)` removes it.
    pub reason: Option<Option<String>>,
    /// Comes back as it was sent; `Some(None)` removes it.
    pub metadata: Option<Option<String>>,
}

/// Looks at a held refund again: its undo window or its time to wait for money ended, or money came.
#[derive(Clone, Debug)]
pub struct ReleaseRefund {
    /// Whose.
    pub merchant_id: MerchantId,
    /// Which.
    pub refund_id: RefundId,
}

/// Serves refunds that wait for money, in the order given: oldest first.
#[derive(Clone, Debug)]
pub struct ReleaseWaiting {
    /// Whose.
    pub merchant_id: MerchantId,
    /// In which currency.
    pub currency: Currency,
    /// The task that is carried out. What it says of the place in the queue holds only while it stands: a credit puts another in its place.
    pub task: Task,
    /// A page of the waiting refunds, oldest first.
    pub refund_ids: Vec<RefundId>,
    /// Whether there are more behind this page.
    pub more: bool,
}

/// Commits an attempt before the acquirer is called.
#[derive(Clone, Debug)]
pub struct StartSubmission {
    /// Whose.
    pub merchant_id: MerchantId,
    /// Which.
    pub refund_id: RefundId,
    /// When the attempt is given up on and the acquirer is asked instead.
    pub resolve_at: Timestamp,
}

/// The acquirer's answer to an attempt, to a question about it, or on its own.
#[derive(Clone, Debug)]
pub struct RecordResult {
    /// Whose.
    pub merchant_id: MerchantId,
    /// Which.
    pub refund_id: RefundId,
    /// About which attempt; a late answer to an earlier one counts only when it says how it ended.
    pub attempt: u32,
    /// The answer.
    pub answer: AcquirerAnswer,
    /// When the next step is due, if the answer is not the end.
    pub next_at: Timestamp,
}

/// The network's number of a refund.
#[derive(Clone, Debug)]
pub struct RecordArn {
    /// Whose.
    pub merchant_id: MerchantId,
    /// Which.
    pub refund_id: RefundId,
    /// The number.
    pub arn: Arn,
}

/// A refund that had succeeded came back.
#[derive(Clone, Debug)]
pub struct RecordReturn {
    /// Whose.
    pub merchant_id: MerchantId,
    /// Which.
    pub refund_id: RefundId,
    /// Why, in the acquirer's words.
    pub reason: String,
}
