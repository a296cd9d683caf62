//! Payouts: what is paid to a merchant's bank, out of which pot of its available money, and where each payout stands.

pub(crate) mod advance;
mod causes;
mod freeze;
mod pots;
pub(crate) mod prepare;
pub(crate) mod schedule;
mod statement;
mod terms;

use refundry_ledger::Money;
use serde::{Deserialize, Serialize};

use crate::{Actor, MerchantId, Mode, PayoutId, Timestamp};

pub use causes::{FIXED_RESERVE_RELEASED, Part, RESERVE_RELEASED, cause_of_preparing, pot_of};
pub(crate) use freeze::check_freeze;
pub(crate) use pots::record;
pub use pots::{InPreparation, Pot, Pots, Sums};
pub use statement::{Covered, Statement};
pub use terms::{BankAccount, PayoutDays, PayoutTerms, ReservePayouts, TERMS_MAX};

/// The number of the period before a merchant's first payout in a currency.
pub const FIRST_PERIOD: i64 = 1;
/// Letters of a note, a reason or a bank's reference.
pub const NOTE_LENGTH_MAX: usize = 256;

/// Which money is paid out. Each kind has a pot of its own within the available money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayoutKind {
    /// What was traded, less refunds, chargebacks and fees.
    Trade,
    /// What was released from the reserve.
    Reserve,
}

impl PayoutKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Trade, Self::Reserve];

    /// The stored word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Trade => "trade",
            Self::Reserve => "reserve",
        }
    }

    /// Reads the stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Where a payout stands, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayoutStateName {
    /// Its money is set aside; somebody looks at it before it is sent.
    Prepared,
    /// The bank has it.
    Sent,
    /// The bank said that it arrived.
    Paid,
    /// The bank did not carry it out; its money is available again.
    Failed,
    /// It came back after it had arrived; its money is available again.
    Returned,
    /// Taken back before it was sent; its money is available again.
    Cancelled,
}

impl PayoutStateName {
    /// All of them, in the order of a payout's life.
    pub const ALL: [Self; 6] = [Self::Prepared, Self::Sent, Self::Paid, Self::Failed, Self::Returned, Self::Cancelled];

    /// The stored word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Sent => "sent",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Returned => "returned",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// Where a payout stands, with what belongs to that place only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum PayoutState {
    /// Its money is set aside.
    Prepared,
    /// The bank has it.
    Sent,
    /// It arrived.
    Paid {
        /// When the bank said so.
        at: Timestamp,
    },
    /// The bank did not carry it out.
    Failed {
        /// Why, in the bank's words.
        reason: String,
        /// When that was recorded.
        at: Timestamp,
    },
    /// It came back after it had arrived.
    Returned {
        /// When it had arrived.
        paid_at: Timestamp,
        /// Why, in the bank's words.
        reason: String,
        /// When that was recorded.
        at: Timestamp,
    },
    /// Taken back before it was sent.
    Cancelled {
        /// By whom.
        by: Actor,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

impl PayoutState {
    /// Its name.
    pub const fn name(&self) -> PayoutStateName {
        match self {
            Self::Prepared => PayoutStateName::Prepared,
            Self::Sent => PayoutStateName::Sent,
            Self::Paid { .. } => PayoutStateName::Paid,
            Self::Failed { .. } => PayoutStateName::Failed,
            Self::Returned { .. } => PayoutStateName::Returned,
            Self::Cancelled { .. } => PayoutStateName::Cancelled,
        }
    }

    /// When the money arrived at the merchant's bank, if it did.
    pub const fn paid_at(&self) -> Option<Timestamp> {
        match self {
            Self::Paid { at } | Self::Returned { paid_at: at, .. } => Some(*at),
            Self::Prepared | Self::Sent | Self::Failed { .. } | Self::Cancelled { .. } => None,
        }
    }
}

/// How a payout came to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Origin {
    /// By the merchant's terms, on its day.
    Scheduled,
    /// By a person; another person sends it.
    Manual {
        /// Who prepared it.
        by: Actor,
    },
}

/// That the bank was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// The bank's number of it, when there is one.
    pub bank_reference: Option<String>,
}

/// One payment to a merchant's bank, with the statement of how it came about. What it pays never changes; only where it stands does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payout {
    /// Ours: the batch number that merchants see.
    pub id: PayoutId,
    /// Whose.
    pub merchant_id: MerchantId,
    /// Sandbox or live, as the merchant.
    pub mode: Mode,
    /// Out of which pot.
    pub kind: PayoutKind,
    /// What is paid.
    #[serde(with = "crate::money_text")]
    pub amount: Money,
    /// Where it stands.
    pub state: PayoutState,
    /// How it came to be.
    pub origin: Origin,
    /// When its money was set aside.
    pub prepared_at: Timestamp,
    /// When its statement begins; `None` at the beginning of the books.
    pub opened_at: Option<Timestamp>,
    /// How the amount came about.
    pub statement: Statement,
    /// To which bank account, as it stood in the terms.
    pub bank: Option<BankAccount>,
    /// That the bank was told.
    pub sending: Option<Sending>,
    /// What whoever prepared it wrote to it.
    pub note: Option<String>,
    /// When it changed last.
    pub updated_at: Timestamp,
}
