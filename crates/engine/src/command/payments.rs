//! What is told of payments, and what settles them.

use crate::payment::Payment;
use crate::settlement::ShipmentState;
use crate::share::PlannedShare;
use crate::{MerchantId, Mode, PaymentId, TaskId, Timestamp};
use refundry_ledger::Money;

/// The operator's payment system tells of a payment: new, or the same with a later status. `payment.id`, `created_at` and the running sums
/// are taken from what is stored when the reference is known.
#[derive(Clone, Debug)]
pub struct RecordPayment {
    /// What is told.
    pub payment: Payment,
    /// What is not told, so that the settlement terms count it when the payment is captured.
    pub left_to_terms: LeftToTerms,
    /// Set for what was ordered here, and is not only told of.
    pub order: Option<OrderStep>,
    /// Shares that begin by themselves; told with a new payment, of which `payment.sharing` says the fee mode.
    pub plan: Vec<PlannedShare>,
}

/// A payment that was ordered here, in a dialect that has words for that: how it ends is told to the payment's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderStep {
    /// When the acquirer is asked what became of it, while it is not decided.
    pub look_at: Option<Timestamp>,
}

/// What of a payment's amounts the operator's payment system leaves to the settlement terms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftToTerms {
    /// The operator's fee.
    pub fee: bool,
    /// The part that is kept as rolling reserve.
    pub reserved: bool,
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

impl From<Payment> for RecordPayment {
    /// A payment whose amounts are all told.
    fn from(payment: Payment) -> Self {
        Self { payment, left_to_terms: LeftToTerms::default(), order: None, plan: Vec::new() }
    }
}
