//! Committing an attempt before the acquirer is called.

use super::{AcquirerAnswer, RefundInPlay, RefundState, Submission, funding, moves};
use crate::command::StartSubmission;
use crate::draft::Draft;
use crate::event::EventKind;
use crate::notify::fact;
use crate::task::{Task, TaskKind};
use crate::{Outcome, Refusal, Snapshot, Stamp, TaskId, Verdict};

/// Commits the next attempt, or, when one is on its way already, has the acquirer asked about it: an attempt whose outcome is not known is
/// never followed by a second submission.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &StartSubmission) -> Verdict {
    start(Draft::new(snapshot, stamp), act).unwrap_or_else(Verdict::refused)
}

fn start(mut draft: Draft<'_>, act: &StartSubmission) -> Result<Verdict, Refusal> {
    let mut in_play = draft.find(act.merchant_id, act.refund_id, None)?;
    match &in_play.refund.state {
        RefundState::Pending { holds } if !holds.is_empty() => {
            funding::put_next_step(&mut draft, &in_play.refund);
            Ok(draft.finish(Outcome::Done))
        }
        RefundState::Pending { .. } | RefundState::Submitted { submission: Submission::NeverSent, .. } => submit(draft, in_play, act),
        RefundState::Submitted { submission: Submission::InFlight, .. } => {
            in_play.refund.state = in_play.refund.state.record(&AcquirerAnswer::Unclear, draft.now())?;
            ask_now(&mut draft, act);
            draft.tell_of_refund(EventKind::RefundUnresolved, &in_play, vec![fact("attempt", in_play.refund.attempts)]);
            draft.put(in_play);
            Ok(draft.finish(Outcome::Done))
        }
        RefundState::Submitted { submission: Submission::Acknowledged, .. } | RefundState::Unresolved { .. } => {
            ask_now(&mut draft, act);
            Ok(draft.finish(Outcome::Done))
        }
        RefundState::Succeeded { .. } | RefundState::Failed { .. } | RefundState::Cancelled { .. } | RefundState::Returned { .. } => {
            draft.remove_task(act.merchant_id, TaskId::new(act.refund_id.get()));
            Ok(draft.finish(Outcome::Done))
        }
    }
}

fn submit(mut draft: Draft<'_>, mut in_play: RefundInPlay, act: &StartSubmission) -> Result<Verdict, Refusal> {
    in_play.refund.state = in_play.refund.state.submit(draft.now())?;
    if in_play.refund.user_part().is_zero() {
        return succeed_without_acquirer(draft, in_play);
    }
    let attempt = match &in_play.refund.state {
        RefundState::Submitted { attempt, .. } => *attempt,
        other => return Err(Refusal::RefundStateForbids { state: other.name(), verb: "be submitted".to_owned() }),
    };
    in_play.refund.attempts = attempt;
    in_play.refund.updated_at = draft.now();
    draft.put_task(Task::of_refund(TaskKind::ResolveRefund, act.merchant_id, act.refund_id, act.resolve_at));
    draft.tell_of_refund(EventKind::RefundSubmitted, &in_play, vec![fact("attempt", attempt), fact("acquirer", &in_play.refund.acquirer)]);
    let outcome = Outcome::CallAcquirer { refund: Box::new(in_play.refund.clone()), attempt };
    draft.put_refund(in_play.refund);
    Ok(draft.finish(outcome))
}

/// A refund of marketing money alone moves nothing at the acquirer: it has succeeded.
fn succeed_without_acquirer(mut draft: Draft<'_>, mut in_play: RefundInPlay) -> Result<Verdict, Refusal> {
    let approved = AcquirerAnswer::Approved { reference: None, arn: None };
    in_play.refund.state = in_play.refund.state.record(&approved, draft.now())?;
    moves::succeed(&mut draft, &mut in_play)?;
    draft.put_ended(in_play);
    Ok(draft.finish(Outcome::Done))
}

fn ask_now(draft: &mut Draft<'_>, act: &StartSubmission) {
    let now = draft.now();
    draft.put_task(Task::of_refund(TaskKind::ResolveRefund, act.merchant_id, act.refund_id, now));
}
