//! What can happen to a payment after its authorisation, beside refunds: captures, voids, and disputes.

use refundry_ledger::Money;

use crate::dispute::{DisputeCategory, DisputeChange, DisputeKind};
use crate::payment::PaymentKey;
use crate::{DisputeId, MerchantId, Mode, PaymentId, Timestamp};

/// Takes the money of an authorised payment, or a part of it; the rest is released.
#[derive(Clone, Debug)]
pub struct CapturePayment {
    /// Whose.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks.
    pub mode: Mode,
    /// Which.
    pub payment_id: PaymentId,
    /// How much of what was authorised.
    pub amount: Money,
}

/// Voids a payment: nothing was taken, or nothing has moved since.
#[derive(Clone, Debug)]
pub struct VoidPayment {
    /// Whose.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks; `None` when its time is over.
    pub mode: Option<Mode>,
    /// Which.
    pub payment_id: PaymentId,
    /// What is voided.
    pub what: VoidWhat,
}

/// What is voided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoidWhat {
    /// An authorisation that was not captured.
    Authorisation,
    /// A sale in a shop, on the day of it: captured and not settled.
    OfflineSale,
}

/// The other side tells of a chargeback, a dispute, a retrieval or a report of fraud.
#[derive(Clone, Debug)]
pub struct RecordDispute {
    /// The id that it gets when it is new.
    pub dispute_id: DisputeId,
    /// Whose.
    pub merchant_id: MerchantId,
    /// The mode of the credential that tells.
    pub mode: Mode,
    /// Of which payment.
    pub payment: PaymentKey,
    /// What it is.
    pub kind: DisputeKind,
    /// The type within its kind.
    pub category: DisputeCategory,
    /// What the other side wants; may be zero.
    pub amount: Money,
    /// The other side's number of it, unique within the merchant: the same told twice is one.
    pub network_reference: String,
    /// The other side's code for its reason.
    pub reason_code: String,
    /// The reason in words.
    pub reason: String,
    /// When the other side opened it.
    pub opened_at: Timestamp,
    /// Until when it has to be answered.
    pub reply_by: Option<Timestamp>,
}

/// A dispute moves on.
#[derive(Clone, Debug)]
pub struct ChangeDispute {
    /// Whose.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks.
    pub mode: Mode,
    /// Which.
    pub dispute_id: DisputeId,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// What is done about it.
    pub change: DisputeChange,
    /// What is said with it.
    pub note: String,
}
