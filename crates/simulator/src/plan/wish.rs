//! What somebody wants: of the platform, of a merchant, or of a bank.

use refundry_engine::adjustment::AdjustmentKind;
use refundry_ledger::Money;

use crate::dice::Dice;

/// What somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The payment system records a captured payment.
    Record(PaymentWish),
    /// A merchant takes the money of an authorisation, or a part of it.
    Capture {
        /// Of which merchant.
        merchant: usize,
        /// The payment's reference.
        reference: String,
        /// How much, in minor units of the payment's currency.
        minor: i64,
    },
    /// A merchant gives an authorisation up, or a sale at a till.
    Void {
        /// Of which merchant.
        merchant: usize,
        /// The payment's reference.
        reference: String,
        /// Whether it is a sale at a till.
        is_sale: bool,
    },
    /// The payment's money becomes available.
    Settle {
        /// Of which merchant.
        merchant: usize,
        /// The payment's reference.
        reference: String,
    },
    /// A merchant shares a payment with others.
    Share(ShareWish),
    /// The shopper's bank wants something, or says how it went on.
    Quarrel {
        /// What it is about.
        quarrel: Quarrel,
        /// What happens to it.
        step: QuarrelStep,
    },
    /// Somebody tells something of a payment that its settlement may wait for.
    Tell {
        /// Of which merchant.
        merchant: usize,
        /// The payment's reference.
        reference: String,
        /// What.
        goods: Goods,
    },
    /// A payment's rolling reserve becomes available before its time.
    ReleaseReserve {
        /// Of which merchant.
        merchant: usize,
        /// The payment's reference.
        reference: String,
    },
    /// The fixed reserve becomes available, but for so much.
    ReleaseFixedReserve {
        /// Of which merchant.
        merchant: usize,
        /// What is still held afterwards.
        keep: Money,
    },
    /// The operator takes something from a merchant or gives something to it: one person asks, another decides.
    Adjust(AdjustmentWish),
    /// A merchant pays money in.
    TopUp {
        /// Which.
        merchant: usize,
        /// The number of the payment-in.
        number: String,
        /// How much.
        amount: Money,
    },
    /// A merchant wants a refund, perhaps again.
    Refund(RefundRequest),
    /// A merchant asks how a refund stands, over its dialect.
    Inquire(RefundRequest),
    /// A merchant takes a refund back.
    Cancel(RefundRequest),
    /// A merchant takes back what is still pending of a batch.
    CancelBatch {
        /// Of which merchant.
        merchant: usize,
        /// The batch's name.
        batch: &'static str,
    },
    /// A merchant does not want to wait for the end of the undo window.
    SendNow(RefundRequest),
    /// A merchant changes what it asks for, while nobody has let it pass.
    Edit {
        /// As it was asked for.
        request: RefundRequest,
        /// How much it shall be, in minor units.
        minor: i64,
    },
    /// A person looks at what waits for review.
    Review {
        /// Of which merchant.
        merchant: usize,
        /// Whether it may pass.
        approve: bool,
    },
    /// The treasury prepares a payout by hand.
    PreparePayout {
        /// To which merchant.
        merchant: usize,
        /// The currency's code.
        currency: &'static str,
    },
    /// The treasury sends payouts, and writes down what the bank said of them.
    AdvancePayouts {
        /// Of which merchant.
        merchant: usize,
    },
    /// A merchant wants everything again that it was already told.
    Replay {
        /// Which.
        merchant: usize,
    },
}

/// Over which channel a refund is asked for; each has rules of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    /// The merchant's Antom terminal.
    Antom,
    /// Its first native terminal.
    Native,
    /// Its second native terminal.
    Counter,
    /// The merchant's Oceanpayment terminal.
    Oceanpayment,
    /// A platform that acts for some of the merchants, over the native API; the channel is the payment's.
    Platform,
}

impl Door {
    /// The dialect in which refunds are asked for. Those of one dialect share its numbers.
    pub const fn dialect(self) -> &'static str {
        match self {
            Self::Antom => "antom",
            Self::Oceanpayment => "oceanpayment",
            Self::Native | Self::Counter | Self::Platform => "native",
        }
    }
}

/// A payment to be shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareWish {
    /// Whose.
    pub merchant: usize,
    /// The payment's reference.
    pub reference: String,
    /// The merchant's number of the share.
    pub number: String,
    /// Who gets how much, in minor units.
    pub lines: Vec<(usize, i64)>,
    /// The currency's code.
    pub currency: &'static str,
    /// When it begins, in milliseconds after the start; left out, at once.
    pub begins_ms: Option<i64>,
}

/// A chargeback, a complaint, a bank's wish for documents, or a report of fraud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarrel {
    /// Whose payment.
    pub merchant: usize,
    /// The payment's reference.
    pub reference: String,
    /// The bank's number.
    pub number: String,
    /// What it is.
    pub about: Complaint,
    /// How much, in minor units of the payment's currency.
    pub minor: i64,
    /// The currency's code.
    pub currency: &'static str,
}

impl Quarrel {
    /// About a payment: most often about all of it.
    pub(super) fn of(payment: &PaymentWish, number: String, dice: &mut Dice) -> Self {
        let captured = payment.captured.minor();
        Self {
            merchant: payment.merchant,
            reference: payment.reference.clone(),
            number,
            about: Complaint::of(dice),
            minor: if dice.percent(70) { captured } else { dice.between(0, captured) },
            currency: payment.captured.currency().code(),
        }
    }
}

/// What a dispute is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// Money is taken, and somebody decides later who was right.
    Chargeback,
    /// Money is taken for good.
    RapidRefund,
    /// A bank wants documents.
    Retrieval,
    /// A shopper complains to the method's provider.
    Dispute,
    /// A bank calls the payment fraudulent.
    Fraud,
}

impl Complaint {
    fn of(dice: &mut Dice) -> Self {
        match dice.below(100) {
            0..66 => Self::Chargeback,
            66..75 => Self::RapidRefund,
            75..86 => Self::Retrieval,
            86..93 => Self::Dispute,
            _ => Self::Fraud,
        }
    }
}

/// What happens to a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuarrelStep {
    /// The bank tells of it.
    Open,
    /// The merchant answers.
    Represent,
    /// The merchant was right.
    Win,
    /// The merchant was wrong.
    Lose,
    /// The bank takes it back.
    Withdraw,
}

impl QuarrelStep {
    /// How it ends.
    pub(super) const ENDS: [Self; 3] = [Self::Win, Self::Lose, Self::Withdraw];
}

/// What is told of a payment on its way to settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Goods {
    /// It has a tracking number.
    Tracked,
    /// It has arrived.
    Delivered,
    /// The operator looked at it.
    Reviewed,
}

/// An adjustment that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdjustmentWish {
    /// Whose money it moves.
    pub merchant: usize,
    /// What it is called, within its merchant.
    pub number: String,
    /// What for.
    pub kind: AdjustmentKind,
    /// How much.
    pub amount: Money,
    /// Whether the second person books it.
    pub books: bool,
}

/// What has happened to a payment when it is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The money was taken.
    Captured,
    /// The money was taken face to face.
    AtTheTill,
    /// Nothing was taken yet.
    NotYet,
}

/// The rate at which a payment settles in another currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The other currency's code.
    pub currency: &'static str,
    /// Digits of the price of one major unit.
    pub mantissa: i64,
    /// Decimal places of it.
    pub scale: u32,
}

/// A payment to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentWish {
    /// Whose.
    pub merchant: usize,
    /// Over which of its terminals it came, in the order of the cast.
    pub terminal: usize,
    /// The number that the merchant was given.
    pub reference: String,
    /// When it was paid, in milliseconds after the start.
    pub paid_ms: i64,
    /// Taken in all, or authorised while nothing is taken yet.
    pub captured: Money,
    /// Which of both.
    pub taken: Taken,
    /// In which other currency it settles.
    pub rate: Option<Rate>,
    /// The operator's fee; left out, the contract counts it.
    pub fee_minor: Option<i64>,
    /// Kept as reserve; left out, the contract counts it.
    pub reserved_minor: Option<i64>,
    /// Paid by the merchant's marketing.
    pub marketing_minor: i64,
}

/// A refund as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RefundRequest {
    /// Whose.
    pub merchant: usize,
    /// Over which of the merchant's channels.
    pub door: Door,
    /// The merchant's number.
    pub number: String,
    /// The payment's reference.
    pub reference: String,
    /// How much, in minor units of the payment's currency.
    pub minor: i64,
    /// The currency's code.
    pub currency: &'static str,
    /// Whether the caller says that this is the whole payment, where its dialect asks.
    pub whole: bool,
    /// Why.
    pub reason: Option<&'static str>,
    /// Together with which others, over the native API.
    pub batch: Option<&'static str>,
}
