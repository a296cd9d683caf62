//! Sharing a payment's money (分账): a share, its states, and one file per command that moves it. What a payment remembers of its shares is in
//! [`Sharing`], what a refund takes back of them in [`RefundSharing`].

pub(crate) mod cancel;
pub(crate) mod create;
pub(crate) mod finish;
pub(crate) mod lines;
mod moves;
pub(crate) mod plan;
pub(crate) mod recover;
mod sharing;
pub(crate) mod start;

use refundry_ledger::Money;
use serde::{Deserialize, Serialize};

use crate::refund::RefundState;
use crate::{Actor, MerchantId, Mode, PaymentId, RefundId, ShareId, TerminalId, Timestamp, money_text};

pub use create::SHARE_WINDOW_DAYS;
pub(crate) use moves::{ReceiverShort, cancel_planned, line_draws, restore_lines, settle_receivers, take_lines, undo_recoveries};
pub use recover::ADVANCE_SCOPE;
pub use sharing::{FeeMode, ReceiverPart, Sharing};

/// Lines of one share, and receivers of one payment.
pub const RECEIVERS_MAX: usize = 50;
/// Shares of one payment that are planned or running at once.
pub const OPEN_SHARES_MAX: usize = 20;
/// The scope of the idempotency keys of shares.
pub const SHARE_SCOPE: &str = "share";

/// One order of a merchant, the giver, to share a payment's money (分账单).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Ours.
    pub id: ShareId,
    /// The giver: whose payment it is.
    pub merchant_id: MerchantId,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// The payment's number that dialects answer with.
    pub payment_reference: String,
    /// The channel that asked.
    pub terminal_id: TerminalId,
    /// Sandbox or live.
    pub mode: Mode,
    /// The dialect in which it was asked for.
    pub dialect: String,
    /// The giver's number for it.
    pub number: String,
    /// Who gets how much.
    pub lines: Vec<ShareLine>,
    /// Where it stands.
    pub state: ShareState,
    /// Where its end is announced, when the request said so; it has no other address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify_url: Option<String>,
    /// When the giver says that it asked, as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at_text: Option<String>,
    /// Who asked.
    pub applicant: Actor,
    /// When.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// What one receiver gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareLine {
    /// Who.
    pub receiver_id: MerchantId,
    /// By which account number the giver named it.
    pub account: String,
    /// How much; above zero.
    #[serde(with = "money_text")]
    pub amount: Money,
}

impl Share {
    /// What all receivers get, in minor units. It was looked at when the share was asked for, so it stays within the range.
    pub fn sum_minor(&self) -> i64 {
        self.lines.iter().fold(0, |sum, line| sum.saturating_add(line.amount.minor()))
    }
}

/// Where a share stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum ShareState {
    /// It begins by itself at its time, unless a refund of the payment comes before.
    Planned {
        /// When.
        due_at: Timestamp,
    },
    /// Being carried out; refunds of the payment have to wait.
    Running,
    /// The receivers have their money.
    Succeeded {
        /// When.
        at: Timestamp,
    },
    /// It was only planned, and will not be carried out.
    Cancelled {
        /// When.
        at: Timestamp,
        /// Why.
        why: ShareCancelReason,
    },
    /// It was not carried out; what it would have shared is unshared.
    Failed {
        /// When.
        at: Timestamp,
        /// Why.
        reason: ShareFailReason,
    },
}

/// Why a planned share will not be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ShareCancelReason {
    /// A refund of the payment came before the share's time.
    ByRefund {
        /// Which.
        refund_id: RefundId,
    },
    /// Somebody took it back.
    ByPerson {
        /// Who.
        by: Actor,
    },
}

/// Why a share was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ShareFailReason {
    /// The giver's money is not there.
    NotEnoughFunds {
        /// How much is missing.
        #[serde(with = "money_text")]
        missing: Money,
    },
    /// When its time had come, a rule forbade it.
    NotPossible {
        /// The code of the rule's refusal.
        code: String,
    },
    /// Somebody let it fail.
    Declined {
        /// Who.
        by: Actor,
        /// Why.
        note: String,
    },
}

impl ShareFailReason {
    /// The stable word for facts and answers.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotEnoughFunds { .. } => "not_enough_funds",
            Self::NotPossible { .. } => "not_possible",
            Self::Declined { .. } => "declined",
        }
    }
}

/// The names of the states: what is stored beside the share for filters, and what the native API says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the states of ShareState, which documents them")]
pub enum ShareStateName {
    Planned,
    Running,
    Succeeded,
    Cancelled,
    Failed,
}

impl ShareStateName {
    /// All of them, in the order of a share's life.
    pub const ALL: [Self; 5] = [Self::Planned, Self::Running, Self::Succeeded, Self::Cancelled, Self::Failed];

    /// The stored word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// Reads the stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

impl ShareState {
    /// The name of the state.
    pub const fn name(&self) -> ShareStateName {
        match self {
            Self::Planned { .. } => ShareStateName::Planned,
            Self::Running => ShareStateName::Running,
            Self::Succeeded { .. } => ShareStateName::Succeeded,
            Self::Cancelled { .. } => ShareStateName::Cancelled,
            Self::Failed { .. } => ShareStateName::Failed,
        }
    }

    /// When it begins, while it is planned.
    pub const fn due_at(&self) -> Option<Timestamp> {
        match self {
            Self::Planned { due_at } => Some(*due_at),
            Self::Running | Self::Succeeded { .. } | Self::Cancelled { .. } | Self::Failed { .. } => None,
        }
    }

    /// When it ended.
    pub const fn ended_at(&self) -> Option<Timestamp> {
        match self {
            Self::Succeeded { at } | Self::Cancelled { at, .. } | Self::Failed { at, .. } => Some(*at),
            Self::Planned { .. } | Self::Running => None,
        }
    }
}

/// How a caller names a share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShareKey {
    /// By our id.
    Id(ShareId),
    /// By the giver's number, in the dialect in which it was given.
    Number {
        /// The dialect.
        dialect: String,
        /// The number.
        number: String,
    },
}

/// A share that a payment is told with, to begin by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedShare {
    /// Names the intent; with the scope of shares.
    pub key: crate::idempotency::IdempotencyKey,
    /// What is compared when the key comes again.
    pub compared: crate::idempotency::ComparedFields,
    /// Who gets how much.
    pub lines: Vec<AskedLine>,
    /// When it begins.
    pub due_at: Timestamp,
    /// Where its end is announced.
    pub notify_url: Option<String>,
    /// When the giver says that it asked, as it was sent.
    pub asked_at_text: Option<String>,
}

/// What a request for a refund says of shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedSharing {
    /// What receivers give back.
    pub lines: AskedLines,
    /// What the giver pays in their place (垫资).
    pub advance: Option<Money>,
}

/// What receivers give back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedLines {
    /// So much each.
    Named(Vec<AskedLine>),
    /// Everybody in proportion to what they have left, by largest remainder, so that it always ends at zero.
    ProRata,
}

/// A line as it is asked for, of a share or of a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedLine {
    /// The receiver's account number, as it was sent.
    pub account: String,
    /// The merchant that has it; `None` when nobody of the payment's mode has.
    pub receiver_id: Option<MerchantId>,
    /// How much.
    pub amount: Money,
}

/// What a refund takes back of its payment's shares. With the fee that it gives back and the marketing part, its parts sum to its amount as the
/// formula of `docs/concepts/shares.md` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RefundSharing {
    /// What receivers give back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<ReturnLine>,
    /// What the giver pays in their place, in minor units.
    #[serde(skip_serializing_if = "is_nothing")]
    pub advance_minor: i64,
    /// What comes out of the money that was never shared, in minor units.
    #[serde(skip_serializing_if = "is_nothing")]
    pub from_unshared_minor: i64,
}

/// What one receiver gives back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnLine {
    /// Who.
    pub receiver_id: MerchantId,
    /// By which account number the giver named it.
    pub account: String,
    /// How much, in minor units of the refund's currency; above zero.
    pub amount_minor: i64,
    /// From which of the receiver's money; set when the refund's money was drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawn: Option<LineDraw>,
}

/// From which of a receiver's money a line was drawn. The parts sum to the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineDraw {
    /// From what of the payment was still unsettled with the receiver, in minor units.
    pub unsettled_minor: i64,
    /// From the receiver's available money, in minor units.
    pub available_minor: i64,
}

/// Where a line stands, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// Its money is not drawn yet.
    Waiting,
    /// The receiver gave it back.
    Returned,
    /// The giver paid it in the receivers' place.
    Advanced,
    /// The refund did not come about, or came back: nothing is taken.
    Failed,
}

impl LineState {
    /// The word in answers.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Returned => "returned",
            Self::Advanced => "advanced",
            Self::Failed => "failed",
        }
    }
}

impl RefundSharing {
    /// What receivers give back in all, in minor units.
    pub fn lines_minor(&self) -> i64 {
        self.lines.iter().fold(0, |sum, line| sum.saturating_add(line.amount_minor))
    }
}

impl ReturnLine {
    /// Where the line stands when its refund stands at `refund`.
    pub fn state(&self, refund: &RefundState) -> LineState {
        match (refund.counts(), self.drawn) {
            (false, _) => LineState::Failed,
            (true, Some(_)) => LineState::Returned,
            (true, None) => LineState::Waiting,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
const fn is_nothing(minor: &i64) -> bool {
    *minor == 0
}
