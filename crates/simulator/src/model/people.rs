//! What people decided: nothing that a person must look at goes out before one did, and what goes out is what that person saw.

use refundry_engine::policy::ReviewRule;
use refundry_engine::refund::Refund;
use refundry_engine::{RefundId, TerminalId};

use crate::plan::RefundRequest;

use super::{Model, Violation, must};

impl Model {
    /// A person is about to let a refund pass, and sees this amount and this content.
    pub fn approves(&mut self, refund_id: RefundId, seen_minor: i64, content_hash: String) {
        self.approvals.entry(refund_id).or_default().insert((seen_minor, content_hash));
    }

    /// The merchant is about to change the amount of a refund.
    pub fn edits(&mut self, request: &RefundRequest, minor: i64) {
        let known = self.requests.entry(super::key(request)).or_default();
        known.asked.insert((request.reference.clone(), minor));
        known.edited.insert(minor);
    }

    /// A refund was sent: a person had seen it as it is, if the rules of its channel ask for one.
    pub(super) fn must_be_approved(&self, merchant: usize, refund: &Refund) -> Result<(), Violation> {
        if !self.needs_review(merchant, refund.terminal_id, refund.amount.minor()) {
            return Ok(());
        }
        let seen = self.approvals.get(&refund.id);
        must(seen.is_some(), "nothing_in_review_is_sent", || format!("{} was sent, and nobody let it pass", refund.number))?;
        let content = (refund.amount.minor(), refund.content_hash());
        must(seen.is_some_and(|seen| seen.contains(&content)), "an_approval_is_for_what_was_seen", || {
            format!("{} of {} was sent, approved was {seen:?}", refund.number, refund.amount)
        })
    }

    fn needs_review(&self, merchant: usize, terminal_id: TerminalId, minor: i64) -> bool {
        match self.cast[merchant].rules.get(&terminal_id).map(|rules| &rules.review) {
            Some(ReviewRule::All) => true,
            Some(ReviewRule::Above { minor: limit }) => minor > *limit,
            // The cast has no such rules: what they catch is told in scenarios.
            Some(ReviewRule::AnyOf { .. } | ReviewRule::None) | None => false,
        }
    }
}
