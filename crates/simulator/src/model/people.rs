//! What people decided: nothing that a person must look at goes out before one did, and what goes out is what that person saw.

use refundry_engine::payment::Payment;
use refundry_engine::policy::{Policy, ReviewRule, ReviewTrigger};
use refundry_engine::refund::Refund;
use refundry_engine::{RefundId, Timestamp};

use crate::plan::RefundRequest;

use super::{Model, Violation, must};

const DAY_US: i64 = 86_400_000_000;

impl Model {
    /// A person is about to let a refund pass, and sees this amount and this content.
    pub fn approves(&mut self, refund_id: RefundId, (seen_minor, content_hash): (i64, String), who: &'static str) {
        self.approvals.entry(refund_id).or_default().insert((seen_minor, content_hash, who));
    }

    /// The end of a refund's undo window is about to be asked for.
    pub fn hurries(&mut self, refund_id: RefundId) {
        self.hurried.insert(refund_id);
    }

    /// The merchant is about to change the amount of a refund.
    pub fn edits(&mut self, request: &RefundRequest, minor: i64) {
        let known = self.requests.entry(super::key(request)).or_default();
        known.asked.insert((request.reference.clone(), minor));
        known.edited.insert(minor);
    }

    /// A refund was sent: as many people as the rules of its channel ask for had seen it as it is, and its undo window was over.
    pub(super) fn must_be_approved(
        &self,
        merchant: usize,
        refund: &Refund,
        payment: &Payment,
        sent_at: Timestamp,
    ) -> Result<(), Violation> {
        let Some(rules) = self.cast[merchant].rules.get(&refund.terminal_id) else { return Ok(()) };
        let undo_until = refund.created_at.plus_seconds(i64::from(rules.undo_seconds));
        must(sent_at >= undo_until || self.hurried.contains(&refund.id), "nothing_is_sent_in_its_undo_window", || {
            format!("{} of {} was sent at {}", refund.number, refund.created_at.us(), sent_at.us())
        })?;
        let wanted = people_wanted(rules, refund, payment);
        if wanted == 0 {
            return Ok(());
        }
        let seen = self.approvals.get(&refund.id);
        must(seen.is_some(), "nothing_in_review_is_sent", || format!("{} was sent, and nobody let it pass", refund.number))?;
        let (minor, hash) = (refund.amount.minor(), refund.content_hash());
        let by = seen.into_iter().flatten().filter(|(seen_minor, seen_hash, _)| (*seen_minor, seen_hash) == (minor, &hash)).count();
        must(by >= wanted, "an_approval_is_for_what_was_seen", || {
            format!("{} of {} was sent, {wanted} had to approve it, approved was {seen:?}", refund.number, refund.amount)
        })
    }
}

/// How many people must look at it, at least. Velocity is left out: it depends on what else was there when it was asked for.
fn people_wanted(rules: &Policy, refund: &Refund, payment: &Payment) -> usize {
    let minor = refund.amount.minor();
    let is_caught = match &rules.review {
        ReviewRule::None => false,
        ReviewRule::All => true,
        ReviewRule::Above { minor: limit } => minor > *limit,
        ReviewRule::AnyOf { rules } => rules.iter().any(|rule| match rule {
            ReviewTrigger::Above { minor: limit } => minor > *limit,
            ReviewTrigger::PaymentAge { days } => refund.created_at.us() - payment.paid_at.us() > i64::from(*days) * DAY_US,
            ReviewTrigger::Reason { one_of } => {
                refund.reason.as_ref().is_some_and(|reason| one_of.iter().any(|listed| listed.eq_ignore_ascii_case(reason)))
            }
            ReviewTrigger::Share { percent } => minor * 100 > payment.captured.minor() * i64::from(*percent),
            ReviewTrigger::Velocity { .. } => false,
        }),
    };
    match rules.second_reviewer_above_minor {
        Some(limit) if minor > limit => 2,
        Some(_) | None => usize::from(is_caught),
    }
}
