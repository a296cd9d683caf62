//! What somebody wants: of the platform, of a merchant, or of a bank.

use refundry_ledger::Money;

use crate::dice::Dice;

/// What somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The payment system records a captured payment.
    Record(PaymentWish),
    /// The payment's money becomes available.
    Settle {
        /// Of which merchant.
        merchant: usize,
        /// The payment's reference.
        reference: String,
    },
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
    /// A platform that acts for some of the merchants, over the native API; the channel is the payment's.
    Platform,
}

impl Door {
    /// Whether the bytes are Antom's. All others name their refunds over the native API, and share its numbers.
    pub const fn is_antom(self) -> bool {
        matches!(self, Self::Antom)
    }
}

/// A chargeback, or a bank's wish for documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarrel {
    /// Whose payment.
    pub merchant: usize,
    /// The payment's reference.
    pub reference: String,
    /// The bank's number.
    pub number: String,
    /// Whether money is taken.
    pub is_chargeback: bool,
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
            is_chargeback: dice.percent(75),
            minor: if dice.percent(70) { captured } else { dice.between(0, captured) },
            currency: payment.captured.currency().code(),
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
    /// Taken in all.
    pub captured: Money,
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
}
