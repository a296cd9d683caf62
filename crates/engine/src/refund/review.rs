//! A person decides about a refund in review.

use super::{FailReason, Holds, RefundInPlay, RefundState, funding, moves};
use crate::command::ReviewRefund;
use crate::draft::{About, Draft};
use crate::event::EventKind;
use crate::notify::{self, fact};
use crate::{Refusal, Snapshot, Stamp, Verdict};

/// Lets a refund pass or rejects it. What is decided about must be what the person saw, and, by policy, not the person's own application.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &ReviewRefund) -> Verdict {
    review(Draft::new(snapshot, stamp), act).unwrap_or_else(Verdict::refused)
}

fn review(mut draft: Draft<'_>, act: &ReviewRefund) -> Result<Verdict, Refusal> {
    let mut in_play = draft.find(act.merchant_id, act.refund_id, Some(act.mode))?;
    let holds = match &in_play.refund.state {
        RefundState::Pending { holds } => holds.clone(),
        other => return Err(Refusal::RefundStateForbids { state: other.name(), verb: "be reviewed".to_owned() }),
    };
    let Some(review) = &holds.review else {
        return Err(Refusal::RefundStateForbids { state: in_play.refund.state.name(), verb: "be reviewed".to_owned() });
    };
    if review.second_person && in_play.refund.applicant == *draft.actor() {
        return Err(Refusal::ReviewerIsApplicant);
    }
    if in_play.refund.amount != act.seen_amount {
        return Err(Refusal::ReviewedContentChanged);
    }
    let note = vec![fact("note", &act.note)];
    if act.approve {
        draft.audit("refund.approve", About::refund(&in_play.refund), note.clone());
        approve(&mut draft, &mut in_play, holds, note)?;
    } else {
        draft.audit("refund.reject", About::refund(&in_play.refund), note);
        let reason = FailReason::RejectedByReviewer { by: draft.actor().clone(), note: act.note.clone() };
        let failed = in_play.refund.state.fail_pending(reason, draft.now())?;
        moves::end_unpaid(&mut draft, &mut in_play, failed)?;
    }
    Ok(draft.finish_with(in_play))
}

/// Without the review, the undo window may still run; otherwise the money is looked for.
fn approve(draft: &mut Draft<'_>, in_play: &mut RefundInPlay, holds: Holds, note: Vec<(String, String)>) -> Result<(), Refusal> {
    let delay_until = holds.delay_until.filter(|until| draft.now() < *until);
    let rest = Holds { review: None, delay_until, ..holds };
    let is_free = rest.is_empty();
    in_play.refund.state = RefundState::Pending { holds: rest };
    let facts = note.into_iter().chain(notify::hold_facts(&in_play.refund)).collect();
    draft.tell_of_refund(EventKind::RefundApproved, in_play, facts);
    if !is_free {
        funding::put_next_step(draft, &in_play.refund);
        return Ok(());
    }
    let policy = draft.policy(in_play);
    funding::draw_hold_or_fail(draft, in_play, &policy)?;
    if in_play.refund.drawn.is_some() {
        draft.tell_of_refund(EventKind::RefundReleased, in_play, Vec::new());
    }
    Ok(())
}
