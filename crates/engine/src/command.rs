//! What can be asked of the engine: values, so that they can be queued, batched, run again and recorded.

mod later_life;
mod payments;
mod payouts;
mod refunds;
mod shares;

use refundry_ledger::Money;

use crate::credential::Credential;
use crate::idempotency::IdempotencyKey;
use crate::ids::IdBlock;
use crate::merchant::{Endpoint, Merchant, Terminal};
use crate::notification::DeliveryAttempt;
use crate::person::Person;
use crate::rate::PutRates;
use crate::{Actor, CredentialId, EndpointId, MerchantId, Mode, NotificationId, RefundId, Timestamp};

pub use later_life::{CapturePayment, ChangeDispute, RecordDispute, VoidPayment, VoidWhat};
pub use payments::{
    EndSettling, LeftToTerms, MarkPayment, OrderStep, PaymentMark, RecordPayment, RecordShipmentState, RecordTracking, ReleaseFixedReserve,
    ReleaseReserve, SettleDue, SettlePayment,
};
pub use payouts::{
    AdvancePayout, CollectExposure, DecideAdjustment, PayoutRun, PayoutStep, PreparePayout, ProposeAdjustment, RecordAcquirerSettlement,
};
pub use refunds::{
    CancelRefund, CreateRefund, EditRefund, RecordArn, RecordResult, RecordReturn, ReleaseRefund, ReleaseWaiting, ReviewRefund,
    StartSubmission,
};
pub use shares::{CancelShare, CreateShare, FinishShare, RecoverAdvance, StartShare};

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
    CreateShare(Box<CreateShare>),
    StartShare(StartShare),
    FinishShare(FinishShare),
    CancelShare(CancelShare),
    RecoverAdvance(RecoverAdvance),
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
    CollectExposure(CollectExposure),
    RecordAcquirerSettlement(RecordAcquirerSettlement),
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
            Act::CreateShare(act) => Some(act.merchant_id),
            Act::StartShare(act) => Some(act.merchant_id),
            Act::FinishShare(act) => Some(act.merchant_id),
            Act::CancelShare(act) => Some(act.merchant_id),
            Act::RecoverAdvance(act) => Some(act.merchant_id),
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
            Act::CollectExposure(act) => Some(act.merchant_id),
            Act::RecordAcquirerSettlement(act) => Some(act.merchant_id),
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
