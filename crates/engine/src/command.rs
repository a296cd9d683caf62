//! What can be asked of the engine: values, so that they can be queued, batched, run again and recorded.

mod later_life;
mod payouts;

use refundry_ledger::{Currency, Money};

use crate::asked::{AskedAmount, Extent, OrderClaim};
use crate::credential::Credential;
use crate::idempotency::{ComparedFields, IdempotencyKey};
use crate::ids::IdBlock;
use crate::merchant::{Endpoint, Merchant, Terminal};
use crate::notification::DeliveryAttempt;
use crate::payment::{Payment, PaymentKey};
use crate::person::Person;
use crate::rate::PutRates;
use crate::refund::{AcquirerAnswer, Arn};
use crate::settlement::ShipmentState;
use crate::task::Task;
use crate::{
    Actor, CredentialId, DisputeId, EndpointId, MerchantId, Mode, NotificationId, PaymentId, RefundId, TaskId, TerminalId, Timestamp,
};

pub use later_life::{CapturePayment, ChangeDispute, RecordDispute, VoidPayment, VoidWhat};
pub use payouts::{AdvancePayout, DecideAdjustment, PayoutRun, PayoutStep, PreparePayout, ProposeAdjustment};

/// A command: what, by whom, when, and the ids that it may use.
#[derive(Clone, Debug)]
pub struct Command {
    /// Who, when, with which ids.
    pub stamp: Stamp,
    /// What.
    pub act: Act,
}

/// What the shell adds to an act, so that the engine needs neither clock nor ids of its own.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// The instant of the decision.
    pub now: Timestamp,
    /// Ids for what is made.
    pub ids: IdBlock,
    /// Who asks.
    pub actor: Actor,
}

/// What can be done.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each act is documented by its own type")]
pub enum Act {
    CreateRefund(Box<CreateRefund>),
    CancelRefund(CancelRefund),
    ReviewRefund(ReviewRefund),
    EditRefund(Box<EditRefund>),
    SendNow(SendNow),
    ReleaseRefund(ReleaseRefund),
    ReleaseWaiting(ReleaseWaiting),
    StartSubmission(StartSubmission),
    RecordResult(RecordResult),
    RecordArn(RecordArn),
    RecordReturn(RecordReturn),
    RecordPayment(Box<RecordPayment>),
    CapturePayment(CapturePayment),
    VoidPayment(VoidPayment),
    RecordDispute(Box<RecordDispute>),
    ChangeDispute(Box<ChangeDispute>),
    PutRates(PutRates),
    SettlePayment(SettlePayment),
    SettleDue(SettleDue),
    EndSettling(EndSettling),
    ReleaseReserve(ReleaseReserve),
    ReleaseFixedReserve(ReleaseFixedReserve),
    MarkPayment(MarkPayment),
    RecordTracking(RecordTracking),
    RecordShipmentState(RecordShipmentState),
    TopUp(TopUp),
    PreparePayout(PreparePayout),
    AdvancePayout(AdvancePayout),
    ProposeAdjustment(ProposeAdjustment),
    DecideAdjustment(DecideAdjustment),
    RecordDelivery(RecordDelivery),
    ReplayNotification(ReplayNotification),
    PutMerchant(Box<Merchant>),
    PutTerminal(Box<Terminal>),
    ChangeMerchant(Box<Change<Merchant>>),
    ChangeTerminal(Box<Change<Terminal>>),
    ChangeCredential(Box<Change<Credential>>),
    PutEndpoint(PutEndpoint),
    RemoveEndpoint(RemoveEndpoint),
    PutPerson(Box<Person>),
    ChangePerson(Box<Change<Person>>),
    PutCredential(Box<Credential>),
    RevokeCredential(RevokeCredential),
}

impl Command {
    /// The merchant whose lane it belongs to; `None` for what is of the installation: credentials of operators and platforms, rates.
    pub fn merchant_id(&self) -> Option<MerchantId> {
        match &self.act {
            Act::CreateRefund(act) => Some(act.merchant_id),
            Act::CancelRefund(act) => Some(act.merchant_id),
            Act::ReviewRefund(act) => Some(act.merchant_id),
            Act::EditRefund(act) => Some(act.merchant_id),
            Act::SendNow(act) => Some(act.merchant_id),
            Act::ReleaseRefund(act) => Some(act.merchant_id),
            Act::ReleaseWaiting(act) => Some(act.merchant_id),
            Act::StartSubmission(act) => Some(act.merchant_id),
            Act::RecordResult(act) => Some(act.merchant_id),
            Act::RecordArn(act) => Some(act.merchant_id),
            Act::RecordReturn(act) => Some(act.merchant_id),
            Act::RecordPayment(act) => Some(act.payment.merchant_id),
            Act::CapturePayment(act) => Some(act.merchant_id),
            Act::VoidPayment(act) => Some(act.merchant_id),
            Act::RecordDispute(act) => Some(act.merchant_id),
            Act::ChangeDispute(act) => Some(act.merchant_id),
            Act::PutRates(_) => None,
            Act::SettlePayment(act) => Some(act.merchant_id),
            Act::SettleDue(act) => Some(act.merchant_id),
            Act::EndSettling(act) => Some(act.merchant_id),
            Act::ReleaseReserve(act) => Some(act.merchant_id),
            Act::ReleaseFixedReserve(act) => Some(act.merchant_id),
            Act::MarkPayment(act) => Some(act.merchant_id),
            Act::RecordTracking(act) => Some(act.merchant_id),
            Act::RecordShipmentState(act) => Some(act.merchant_id),
            Act::TopUp(act) => Some(act.merchant_id),
            Act::PreparePayout(act) => Some(act.merchant_id),
            Act::AdvancePayout(act) => Some(act.merchant_id),
            Act::ProposeAdjustment(act) => Some(act.merchant_id),
            Act::DecideAdjustment(act) => Some(act.merchant_id),
            Act::RecordDelivery(act) => Some(act.merchant_id),
            Act::ReplayNotification(act) => Some(act.merchant_id),
            Act::PutMerchant(merchant) => Some(merchant.id),
            Act::PutTerminal(terminal) => Some(terminal.merchant_id),
            Act::ChangeMerchant(change) => Some(change.after.id),
            Act::ChangeTerminal(change) => Some(change.after.merchant_id),
            Act::ChangeCredential(change) => change.after.holder.merchant_id(),
            Act::PutEndpoint(act) => Some(act.merchant_id),
            Act::RemoveEndpoint(act) => Some(act.merchant_id),
            Act::PutPerson(person) => person.side.merchant_id(),
            Act::ChangePerson(change) => change.after.side.merchant_id(),
            Act::PutCredential(credential) => credential.holder.merchant_id(),
            Act::RevokeCredential(act) => act.merchant_id,
        }
    }
}

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

/// Ends the undo window of a refund before its time.
#[derive(Clone, Debug)]
pub struct SendNow {
    /// Whose.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks.
    pub mode: Mode,
    /// Which.
    pub refund_id: RefundId,
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

/// The operator's payment system tells of a payment: new, or the same with a later status. `payment.id`, `created_at` and the running sums
/// are taken from what is stored when the reference is known.
#[derive(Clone, Debug)]
pub struct RecordPayment {
    /// What is told.
    pub payment: Payment,
    /// What is not told, so that the settlement terms count it when the payment is captured.
    pub left_to_terms: LeftToTerms,
}

/// What of a payment's amounts the operator's payment system leaves to the settlement terms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftToTerms {
    /// The operator's fee.
    pub fee: bool,
    /// The part that is kept as rolling reserve.
    pub reserved: bool,
}

impl From<Payment> for RecordPayment {
    /// A payment whose amounts are all told.
    fn from(payment: Payment) -> Self {
        Self { payment, left_to_terms: LeftToTerms::default() }
    }
}

/// A payment's unsettled money becomes available.
#[derive(Clone, Debug)]
pub struct SettlePayment {
    /// Whose.
    pub merchant_id: MerchantId,
    /// Which.
    pub payment_id: PaymentId,
}

/// Does for a payment what is due by its terms: settles it, releases its reserve. What is not due stays.
#[derive(Clone, Debug)]
pub struct SettleDue {
    /// Whose.
    pub merchant_id: MerchantId,
    /// Which.
    pub payment_id: PaymentId,
}

/// Ends a task that settled what was due, unless something is due still.
#[derive(Clone, Debug)]
pub struct EndSettling {
    /// Whose.
    pub merchant_id: MerchantId,
    /// The task.
    pub task_id: TaskId,
    /// When it is taken up again if something is due still.
    pub again_at: Timestamp,
}

/// What is left of a payment's rolling reserve becomes available before its time, or without one.
#[derive(Clone, Debug)]
pub struct ReleaseReserve {
    /// Whose.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks.
    pub mode: Mode,
    /// Which payment's.
    pub payment_id: PaymentId,
}

/// The fixed reserve becomes available, but for so much.
#[derive(Clone, Debug)]
pub struct ReleaseFixedReserve {
    /// Whose.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks.
    pub mode: Mode,
    /// What is still held afterwards, so that a repeat releases nothing more.
    pub keep: Money,
}

/// What the operator found out about a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentMark {
    /// A person looked at it, so that it can be settled.
    Reviewed,
    /// It stands in the bank's own list.
    Reconciled,
}

/// Marks a payment; once is enough.
#[derive(Clone, Debug)]
pub struct MarkPayment {
    /// Whose.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks.
    pub mode: Mode,
    /// Which.
    pub payment_id: PaymentId,
    /// As what.
    pub mark: PaymentMark,
}

/// The merchant tells the tracking numbers of a payment's parcels; told again, they take the place of those before.
#[derive(Clone, Debug)]
pub struct RecordTracking {
    /// Whose.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks.
    pub mode: Mode,
    /// Which payment's.
    pub payment_id: PaymentId,
    /// The carrier's numbers.
    pub numbers: Vec<String>,
    /// The carrier's own page about them.
    pub carrier_url: String,
}

/// Where a payment's parcels are.
#[derive(Clone, Debug)]
pub struct RecordShipmentState {
    /// Whose.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks.
    pub mode: Mode,
    /// Which payment's.
    pub payment_id: PaymentId,
    /// There.
    pub state: ShipmentState,
}

/// The merchant pays money in, so that refunds can be served.
#[derive(Clone, Debug)]
pub struct TopUp {
    /// Whose.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks.
    pub mode: Mode,
    /// How much.
    pub amount: Money,
    /// Names the intent, so that a repeat pays in once.
    pub key: IdempotencyKey,
}

/// How one try to deliver ended.
#[derive(Clone, Debug)]
pub struct RecordDelivery {
    /// Whose.
    pub merchant_id: MerchantId,
    /// What was tried.
    pub attempt: DeliveryAttempt,
    /// When it is tried again, if it was not acknowledged; `None` when the schedule is over.
    pub next_at: Option<Timestamp>,
}

/// Sends a notification again, whatever became of it.
#[derive(Clone, Debug)]
pub struct ReplayNotification {
    /// Whose.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks.
    pub mode: Mode,
    /// Which.
    pub notification_id: NotificationId,
}

/// A row that somebody read, changed and puts back. It is written only if it still stands as it was read, so that of two who do this at once
/// neither undoes what the other did.
#[derive(Clone, Debug)]
pub struct Change<T> {
    /// As it was read.
    pub before: T,
    /// As it shall be.
    pub after: T,
}

/// Adds or changes a native notification address.
#[derive(Clone, Debug)]
pub struct PutEndpoint {
    /// Whose.
    pub merchant_id: MerchantId,
    /// As it was read; `None` adds it.
    pub before: Option<Endpoint>,
    /// As it shall be.
    pub endpoint: Endpoint,
}

/// Removes a native notification address; what is due to it is parked.
#[derive(Clone, Debug)]
pub struct RemoveEndpoint {
    /// Whose.
    pub merchant_id: MerchantId,
    /// Which.
    pub endpoint_id: EndpointId,
}

/// Ends a credential: now, or at the end of an overlap.
#[derive(Clone, Debug)]
pub struct RevokeCredential {
    /// The merchant that it belongs to; `None` for those of operators and platforms.
    pub merchant_id: Option<MerchantId>,
    /// Which.
    pub credential_id: CredentialId,
    /// When it stops.
    pub at: Timestamp,
}
