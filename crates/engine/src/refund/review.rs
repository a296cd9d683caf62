//! A person decides about a refund in review.

use super::{Approval, FailReason, Holds, Refund, RefundInPlay, RefundState, ReviewHold, funding, moves};
use crate::command::ReviewRefund;
use crate::draft::{About, Draft};
use crate::event::{EventFacts, EventKind};
use crate::notify::{self, fact};
use crate::{Actor, Refusal, Snapshot, Stamp, Verdict};

/// Lets a refund pass or rejects it. What is approved must be what the person saw, and, by policy, not what the person applied for.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &ReviewRefund) -> Verdict {
    review(Draft::new(snapshot, stamp), act).unwrap_or_else(Verdict::refused)
}

fn review(mut draft: Draft<'_>, act: &ReviewRefund) -> Result<Verdict, Refusal> {
    let mut in_play = draft.find(act.merchant_id, act.refund_id, Some(act.mode))?;
    let mut holds = match &in_play.refund.state {
        RefundState::Pending { holds } => holds.clone(),
        other => return Err(Refusal::RefundStateForbids { state: other.name(), verb: "be reviewed".to_owned() }),
    };
    let Some(review) = &mut holds.review else {
        return Err(Refusal::RefundStateForbids { state: in_play.refund.state.name(), verb: "be reviewed".to_owned() });
    };
    let content_hash = in_play.refund.content_hash();
    check(&in_play.refund, review, draft.actor(), act)?;
    if act.seen.as_ref().map_or(act.approve, |seen| *seen != content_hash) {
        return Err(Refusal::ReviewedContentChanged);
    }
    let facts = vec![fact("note", &act.note), fact("content_hash", content_hash)];
    if act.approve {
        draft.audit("refund.approve", About::refund(&in_play.refund), facts.clone());
        review.approvals.push(Approval { by: draft.actor().clone(), at: draft.now(), note: act.note.clone() });
        match review.approvals_missing() {
            0 => pass(&mut draft, &mut in_play, holds, facts)?,
            _ => wait_for_another(&mut draft, &mut in_play, holds, facts),
        }
    } else {
        draft.audit("refund.reject", About::refund(&in_play.refund), facts);
        let reason = FailReason::RejectedByReviewer { by: draft.actor().clone(), note: act.note.clone() };
        let failed = in_play.refund.state.fail_pending(reason, draft.now())?;
        moves::end_unpaid(&mut draft, &mut in_play, failed)?;
    }
    Ok(draft.finish_with(in_play))
}

/// Whoever applied for it or edited it is not the second person; nobody approves twice.
fn check(refund: &Refund, review: &ReviewHold, reviewer: &Actor, act: &ReviewRefund) -> Result<(), Refusal> {
    let made_by = review.edited_by.iter().chain([&refund.applicant]);
    let is_first = |first: &Actor| !reviewer.is_second_person_to(first);
    let names_nobody = reviewer.principal().is_some_and(|principal| principal.person().is_none());
    if review.second_person && made_by.clone().any(is_first) {
        let is_the_same = made_by.clone().any(|first| first == reviewer);
        return Err(if names_nobody && !is_the_same { Refusal::ReviewerIsNoPerson } else { Refusal::ReviewerIsApplicant });
    }
    let mut approved_by = review.approvals.iter().map(|approval| &approval.by);
    if act.approve && approved_by.clone().any(is_first) {
        let is_the_same = approved_by.any(|first| first == reviewer);
        return Err(if names_nobody && !is_the_same { Refusal::ReviewerIsNoPerson } else { Refusal::ReviewerApprovedAlready });
    }
    Ok(())
}

/// Approved, but two people are wanted: it stays in review.
fn wait_for_another(draft: &mut Draft<'_>, in_play: &mut RefundInPlay, holds: Holds, facts: EventFacts) {
    let missing = holds.review.as_ref().map_or(0, ReviewHold::approvals_missing);
    in_play.refund.state = RefundState::Pending { holds };
    let facts = facts.into_iter().chain([fact("approvals_missing", missing)]).chain(notify::hold_facts(&in_play.refund)).collect();
    draft.tell_of_refund(EventKind::RefundApproved, in_play, facts);
}

/// Without the review, the undo window may still run; otherwise the money is looked for.
fn pass(draft: &mut Draft<'_>, in_play: &mut RefundInPlay, holds: Holds, facts: EventFacts) -> Result<(), Refusal> {
    let delay_until = holds.delay_until.filter(|until| draft.now() < *until);
    let rest = Holds { review: None, delay_until, ..holds };
    let is_free = rest.is_empty();
    in_play.refund.state = RefundState::Pending { holds: rest };
    let facts = facts.into_iter().chain(notify::hold_facts(&in_play.refund)).collect();
    draft.tell_of_refund(EventKind::RefundApproved, in_play, facts);
    if !is_free {
        funding::put_next_step(draft, &in_play.refund);
        return Ok(());
    }
    funding::look_and_tell(draft, in_play)
}
