//! What holds a new or edited refund before its money is looked for.

use serde::{Deserialize, Serialize};

use super::{Holds, Refund};
use crate::payment::Payment;
use crate::policy::{Policy, ReviewTrigger};
use crate::review_rule::{Measured, RecentRefunds};
use crate::{Actor, Timestamp};

/// A person must decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewHold {
    /// Since when.
    pub since: Timestamp,
    /// Whether the applicant may not decide.
    pub second_person: bool,
    /// The rules that caught it; none where every refund is looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caught_by: Vec<ReviewTrigger>,
    /// How many people must approve.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub approvals_wanted: u32,
    /// Who approved it as it stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
    /// Who edited it: like the applicant, they made it what it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edited_by: Vec<Actor>,
}

/// Somebody let a refund pass, as it stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub note: String,
}

impl ReviewHold {
    /// For every refund, by one person.
    pub const fn new(since: Timestamp, second_person: bool) -> Self {
        Self { since, second_person, caught_by: Vec::new(), approvals_wanted: 1, approvals: Vec::new(), edited_by: Vec::new() }
    }

    /// How many people must still approve.
    pub fn approvals_missing(&self) -> u32 {
        self.approvals_wanted.saturating_sub(u32::try_from(self.approvals.len()).unwrap_or(u32::MAX))
    }
}

/// What holds a refund that is new: a review, if a rule catches it, and the undo window.
pub(super) fn of_new(policy: &Policy, recent: &RecentRefunds, (refund, payment): (&Refund, &Payment), now: Timestamp) -> Holds {
    Holds {
        review: review(policy, recent, (refund, payment), now),
        funds: None,
        delay_until: (policy.undo_seconds > 0).then(|| now.plus_seconds(i64::from(policy.undo_seconds))),
    }
}

/// The review that the rules want; two people are wanted only where one is.
pub(super) fn review(
    policy: &Policy,
    recent: &RecentRefunds,
    (refund, payment): (&Refund, &Payment),
    now: Timestamp,
) -> Option<ReviewHold> {
    let (id, terminal_id, amount) = (refund.id, refund.terminal_id, refund.amount);
    let measured = Measured { id, terminal_id, amount, reason: refund.reason.as_deref(), payment, now };
    let by_two = policy.second_reviewer_above_minor.filter(|minor| amount.minor() > *minor);
    let caught_by = policy.review.catches(recent, measured).or_else(|| by_two.map(|minor| vec![ReviewTrigger::Above { minor }]))?;
    let approvals_wanted = if by_two.is_some() { 2 } else { 1 };
    Some(ReviewHold { caught_by, approvals_wanted, ..ReviewHold::new(now, policy.second_person) })
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
const fn is_one(number: &u32) -> bool {
    *number == 1
}
