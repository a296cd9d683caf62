use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::arn::{Arn, ArnState};
use super::holds::ReviewHold;
use crate::{Actor, Timestamp};

/// Where a refund stands. Each state holds what exists only in it; the transitions are methods and refuse what the diagram in
/// `docs/concepts/refund-states.md` does not draw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum RefundState {
    /// Accepted, not sent. Without holds its money is reserved and the submit worker has it next.
    Pending {
        /// Why it waits.
        holds: Holds,
    },
    /// Given to the acquirer, or about to be.
    Submitted {
        /// Number of the attempt, from 1.
        attempt: u32,
        /// When the attempt was committed.
        at: Timestamp,
        /// How far the attempt is known to have come.
        submission: Submission,
    },
    /// The acquirer's answer is not known; only asking the acquirer moves it on.
    Unresolved {
        /// Number of the attempt whose answer is missing.
        attempt: u32,
        /// When that attempt was committed.
        submitted_at: Timestamp,
        /// Since when the answer is missing.
        since: Timestamp,
        /// How often the acquirer was asked.
        asked: u32,
    },
    /// The acquirer paid it out.
    Succeeded {
        /// When.
        at: Timestamp,
        /// The network's tracing number.
        arn: ArnState,
    },
    /// It will not be paid out.
    Failed {
        /// When.
        at: Timestamp,
        /// Why.
        reason: FailReason,
        /// When the acquirer said, too late, that it had paid it out all the same; the books then hold a claim.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        paid_anyway_at: Option<Timestamp>,
    },
    /// Taken back by the merchant before it was sent.
    Cancelled {
        /// When.
        at: Timestamp,
        /// By whom.
        by: Actor,
        /// When the acquirer said that it had paid it out all the same; the books then hold a claim.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        paid_anyway_at: Option<Timestamp>,
    },
    /// It succeeded and the money came back.
    Returned {
        /// When it came back.
        at: Timestamp,
        /// Why, in the acquirer's words.
        reason: String,
        /// When it had succeeded.
        succeeded_at: Timestamp,
        /// The network's tracing number.
        arn: ArnState,
    },
}

/// The names of the states: what is stored beside the state for filters, and what the native API says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the states of RefundState, which documents them")]
pub enum RefundStateName {
    Pending,
    Submitted,
    Unresolved,
    Succeeded,
    Failed,
    Cancelled,
    Returned,
}

impl RefundStateName {
    /// All of them, in the order of a refund's life.
    pub const ALL: [Self; 7] =
        [Self::Pending, Self::Submitted, Self::Unresolved, Self::Succeeded, Self::Failed, Self::Cancelled, Self::Returned];

    /// The stored word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Submitted => "submitted",
            Self::Unresolved => "unresolved",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
        }
    }
}

/// Why a pending refund waits. Empty when nothing holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holds {
    /// A person decides.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub review: Option<ReviewHold>,
    /// Money is missing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub funds: Option<FundsHold>,
    /// It can be undone until then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delay_until: Option<Timestamp>,
}

impl Holds {
    /// Nothing holds it.
    pub const fn is_empty(&self) -> bool {
        self.review.is_none() && self.funds.is_none() && self.delay_until.is_none()
    }
}

/// The money is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundsHold {
    /// Since when.
    pub since: Timestamp,
    /// When it fails for want of money.
    pub until: Timestamp,
    /// What was missing when it was looked at last, in minor units.
    pub missing_minor: i64,
}

/// How far a committed attempt came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Submission {
    /// Sent, or being sent; no answer recorded.
    InFlight,
    /// It certainly did not reach the acquirer: safe to send again.
    NeverSent,
    /// The acquirer took it and will answer later.
    Acknowledged,
}

/// Why a refund failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum FailReason {
    /// The acquirer said no.
    DeclinedByAcquirer {
        /// The acquirer's code.
        code: String,
        /// The acquirer's words.
        text: String,
    },
    /// The reviewer said no.
    RejectedByReviewer {
        /// By whom.
        by: Actor,
        /// Why.
        note: String,
    },
    /// No money came in time.
    FundsExpired,
    /// No money was there when it was to be sent (terminals that accept first and fail later).
    NotEnoughFunds,
    /// A receiver that was to give its part back had not the money.
    ReceiverNotEnoughFunds {
        /// By which account number the request named it.
        account: String,
    },
    /// A chargeback took the money back before it was sent.
    ChargedBack,
}

impl FailReason {
    /// The stable word for facts and answers.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::DeclinedByAcquirer { .. } => "declined_by_acquirer",
            Self::RejectedByReviewer { .. } => "rejected_by_reviewer",
            Self::FundsExpired => "funds_expired",
            Self::NotEnoughFunds => "not_enough_funds",
            Self::ReceiverNotEnoughFunds { .. } => "receiver_not_enough_funds",
            Self::ChargedBack => "charged_back",
        }
    }
}

/// The acquirer's answer about one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum AcquirerAnswer {
    /// Paid out.
    Approved {
        /// The acquirer's own id.
        reference: Option<String>,
        /// The network's number, when it is known at once.
        arn: Option<Arn>,
    },
    /// Not paid out, for good.
    Declined {
        /// The acquirer's code.
        code: String,
        /// The acquirer's words.
        text: String,
    },
    /// It certainly never reached the acquirer: safe to send again.
    NeverSent,
    /// Taken, to be answered later.
    Acknowledged {
        /// The acquirer's own id.
        reference: Option<String>,
    },
    /// Nobody knows: a timeout, a broken connection, an answer that makes no sense.
    Unclear,
}

/// A transition that the state diagram does not draw. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a refund that is {from} cannot {verb}", from = from.word())]
pub struct IllegalTransition {
    /// Where it stands.
    pub from: RefundStateName,
    /// What was tried.
    pub verb: &'static str,
}

impl RefundState {
    /// The name of the state.
    pub const fn name(&self) -> RefundStateName {
        match self {
            Self::Pending { .. } => RefundStateName::Pending,
            Self::Submitted { .. } => RefundStateName::Submitted,
            Self::Unresolved { .. } => RefundStateName::Unresolved,
            Self::Succeeded { .. } => RefundStateName::Succeeded,
            Self::Failed { .. } => RefundStateName::Failed,
            Self::Cancelled { .. } => RefundStateName::Cancelled,
            Self::Returned { .. } => RefundStateName::Returned,
        }
    }

    /// Whether merchants are told that it is over. A returned refund was told to have succeeded.
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Pending { .. } | Self::Submitted { .. } | Self::Unresolved { .. } => false,
            Self::Succeeded { .. } | Self::Failed { .. } | Self::Cancelled { .. } | Self::Returned { .. } => true,
        }
    }

    /// Whether its amount counts against the payment: failed, cancelled and returned refunds do not.
    pub const fn counts(&self) -> bool {
        match self {
            Self::Pending { .. } | Self::Submitted { .. } | Self::Unresolved { .. } | Self::Succeeded { .. } => true,
            Self::Failed { .. } | Self::Cancelled { .. } | Self::Returned { .. } => false,
        }
    }

    /// An attempt is committed, before the acquirer is called: from Pending without holds, or again after an attempt that never arrived.
    pub fn submit(&self, at: Timestamp) -> Result<Self, IllegalTransition> {
        let attempt = match self {
            Self::Pending { holds } if holds.is_empty() => 1,
            Self::Submitted { attempt, submission: Submission::NeverSent, .. } => attempt.saturating_add(1),
            _ => return Err(self.cannot("be submitted")),
        };
        Ok(Self::Submitted { attempt, at, submission: Submission::InFlight })
    }

    /// The acquirer's answer to the attempt, or to a question about it.
    pub fn record(&self, answer: &AcquirerAnswer, now: Timestamp) -> Result<Self, IllegalTransition> {
        let (attempt, submitted_at, unresolved) = match self {
            Self::Submitted { attempt, at, .. } => (*attempt, *at, None),
            Self::Unresolved { attempt, submitted_at, since, asked } => (*attempt, *submitted_at, Some((*since, *asked))),
            Self::Pending { .. } | Self::Succeeded { .. } | Self::Failed { .. } | Self::Cancelled { .. } | Self::Returned { .. } => {
                return Err(self.cannot("take an acquirer's answer"));
            }
        };
        Ok(match answer {
            AcquirerAnswer::Approved { arn, .. } => {
                Self::Succeeded { at: now, arn: arn.clone().map_or(ArnState::Awaited, |arn| ArnState::Known { arn, at: now }) }
            }
            AcquirerAnswer::Declined { code, text } => Self::Failed {
                at: now,
                reason: FailReason::DeclinedByAcquirer { code: code.clone(), text: text.clone() },
                paid_anyway_at: None,
            },
            AcquirerAnswer::NeverSent => Self::Submitted { attempt, at: submitted_at, submission: Submission::NeverSent },
            AcquirerAnswer::Acknowledged { .. } if unresolved.is_none() => {
                Self::Submitted { attempt, at: submitted_at, submission: Submission::Acknowledged }
            }
            AcquirerAnswer::Acknowledged { .. } | AcquirerAnswer::Unclear => {
                let (since, asked) = unresolved.map_or((now, 0), |(since, asked)| (since, asked.saturating_add(1)));
                Self::Unresolved { attempt, submitted_at, since, asked }
            }
        })
    }

    /// The network's number arrives; the same number again changes nothing, another is refused.
    pub fn with_arn(&self, arn: &Arn, now: Timestamp) -> Result<Self, IllegalTransition> {
        let known = |state: &ArnState| match state {
            ArnState::Awaited => Ok(ArnState::Known { arn: arn.clone(), at: now }),
            ArnState::Known { arn: before, at } if before == arn => Ok(ArnState::Known { arn: before.clone(), at: *at }),
            ArnState::Known { .. } => Err(self.cannot("change its ARN")),
        };
        match self {
            Self::Succeeded { at, arn } => Ok(Self::Succeeded { at: *at, arn: known(arn)? }),
            Self::Returned { at, reason, succeeded_at, arn } => {
                Ok(Self::Returned { at: *at, reason: reason.clone(), succeeded_at: *succeeded_at, arn: known(arn)? })
            }
            Self::Pending { .. } | Self::Submitted { .. } | Self::Unresolved { .. } | Self::Failed { .. } | Self::Cancelled { .. } => {
                Err(self.cannot("have an ARN"))
            }
        }
    }

    /// The money came back after success.
    pub fn bounce(&self, reason: &str, now: Timestamp) -> Result<Self, IllegalTransition> {
        match self {
            Self::Succeeded { at, arn } => Ok(Self::Returned { at: now, reason: reason.to_owned(), succeeded_at: *at, arn: arn.clone() }),
            _ => Err(self.cannot("be returned")),
        }
    }

    /// The merchant takes it back while nothing has been sent.
    pub fn cancel(&self, by: &Actor, now: Timestamp) -> Result<Self, IllegalTransition> {
        match self {
            Self::Pending { .. } => Ok(Self::Cancelled { at: now, by: by.clone(), paid_anyway_at: None }),
            _ => Err(self.cannot("be cancelled")),
        }
    }

    /// It fails while it is still pending: rejected, or no money.
    pub fn fail_pending(&self, reason: FailReason, now: Timestamp) -> Result<Self, IllegalTransition> {
        match self {
            Self::Pending { .. } => Ok(Self::Failed { at: now, reason, paid_anyway_at: None }),
            _ => Err(self.cannot("be rejected")),
        }
    }

    /// The acquirer contradicts an end without payment. The end stands, since merchants were told; that it was contradicted is kept, once.
    pub fn contradict(&self, now: Timestamp) -> Result<Self, IllegalTransition> {
        match self {
            Self::Failed { at, reason, paid_anyway_at: None } => {
                Ok(Self::Failed { at: *at, reason: reason.clone(), paid_anyway_at: Some(now) })
            }
            Self::Cancelled { at, by, paid_anyway_at: None } => Ok(Self::Cancelled { at: *at, by: by.clone(), paid_anyway_at: Some(now) }),
            _ => Err(self.cannot("be contradicted")),
        }
    }

    fn cannot(&self, verb: &'static str) -> IllegalTransition {
        IllegalTransition { from: self.name(), verb }
    }
}
