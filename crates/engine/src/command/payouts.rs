//! What can be asked about payouts and adjustments.

use refundry_ledger::{Currency, Money};

use crate::adjustment::AdjustmentKind;
use crate::idempotency::IdempotencyKey;
use crate::payment::PaymentKey;
use crate::payout::PayoutKind;
use crate::{AdjustmentId, MerchantId, Mode, PaymentId, PayoutId, Timestamp};

/// Sets aside what a merchant is paid out.
#[derive(Clone, Debug)]
pub struct PreparePayout {
    /// The id that it gets.
    pub payout_id: PayoutId,
    /// Whose.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks; `None` for our own runs.
    pub mode: Option<Mode>,
    /// Out of which pot.
    pub kind: PayoutKind,
    /// In which currency.
    pub currency: Currency,
    /// By its terms, or by a person.
    pub run: PayoutRun,
}

/// What makes a payout.
#[derive(Clone, Debug)]
pub enum PayoutRun {
    /// The terms: everything that is due, if it reaches the minimum.
    Scheduled {
        /// The run's own time: a run is made once, however often its task is carried out.
        due_at: Timestamp,
    },
    /// A person.
    Manual {
        /// How much; `None` for everything that is due, if it reaches the minimum.
        amount: Option<Money>,
        /// What the merchant reads beside it.
        note: Option<String>,
    },
}

/// Takes a payout one step on.
#[derive(Clone, Debug)]
pub struct AdvancePayout {
    /// Whose.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks; `None` for our own.
    pub mode: Option<Mode>,
    /// Which.
    pub payout_id: PayoutId,
    /// Which step.
    pub step: PayoutStep,
}

/// A step of a payout.
#[derive(Clone, Debug)]
pub enum PayoutStep {
    /// The bank was told.
    Send {
        /// The bank's number of it, when there is one.
        bank_reference: Option<String>,
    },
    /// The bank said that it arrived.
    Confirm,
    /// The bank did not carry it out, or sent it back after it had arrived.
    Fail {
        /// Why, in the bank's words.
        reason: String,
    },
    /// It is not sent.
    Cancel {
        /// Why.
        reason: String,
    },
}

impl PayoutStep {
    /// What is done, for those who are told that it cannot be.
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Send { .. } => "be sent",
            Self::Confirm => "be confirmed",
            Self::Fail { .. } => "fail",
            Self::Cancel { .. } => "be cancelled",
        }
    }
}

/// Asks that something be taken from a merchant's available money, or given to it.
#[derive(Clone, Debug)]
pub struct ProposeAdjustment {
    /// The id that it gets.
    pub adjustment_id: AdjustmentId,
    /// Whose.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks; `None` at the desk.
    pub mode: Option<Mode>,
    /// What for.
    pub kind: AdjustmentKind,
    /// How much; above zero.
    pub amount: Money,
    /// Why.
    pub reason: String,
    /// The payment that it is about; a write-off must name one.
    pub payment: Option<PaymentKey>,
    /// Names the intent, so that a repeat proposes once.
    pub key: IdempotencyKey,
}

/// Another person books a proposed adjustment, or somebody rejects it.
#[derive(Clone, Debug)]
pub struct DecideAdjustment {
    /// Whose.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks; `None` at the desk.
    pub mode: Option<Mode>,
    /// Which.
    pub adjustment_id: AdjustmentId,
    /// The payment that it is about, as its proposal says.
    pub payment_id: Option<PaymentId>,
    /// Book it, or not.
    pub book: bool,
}

/// The operator tells what the acquirer paid for a merchant's business, below zero for what it took back.
#[derive(Clone, Debug)]
pub struct RecordAcquirerSettlement {
    /// Whose business.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks.
    pub mode: Mode,
    /// How much; not zero.
    pub amount: Money,
    /// Names the settlement, so that a repeat books it once.
    pub key: IdempotencyKey,
}

/// Takes what a merchant owes for a payment out of its available money.
#[derive(Clone, Debug)]
pub struct CollectExposure {
    /// Whose.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks.
    pub mode: Mode,
    /// For which payment.
    pub payment_id: PaymentId,
    /// What is still owed afterwards, so that a repeat takes nothing more.
    pub leave: Money,
}
