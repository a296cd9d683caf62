//! The acquirer's answer: to an attempt, to a question about it, or on its own.

use super::{AcquirerAnswer, FailReason, RefundInPlay, RefundState, Submission, moves, record_arn};
use crate::command::RecordResult;
use crate::draft::{About, Draft};
use crate::event::EventKind;
use crate::notify::fact;
use crate::task::{Task, TaskKind};
use crate::{Outcome, Refusal, Snapshot, Stamp, Verdict, posting_rules};

/// Moves the refund on by what the acquirer says. An end is final: the same answer again changes nothing, and one that contradicts it is
/// written down, with a claim in the books when money went out that should not have.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &RecordResult) -> Verdict {
    record(Draft::new(snapshot, stamp), act).unwrap_or_else(Verdict::refused)
}

fn record(draft: Draft<'_>, act: &RecordResult) -> Result<Verdict, Refusal> {
    let in_play = draft.find(act.merchant_id, act.refund_id, None)?;
    match (&in_play.refund.state, &act.answer) {
        (RefundState::Pending { .. }, _) => {
            Err(Refusal::RefundStateForbids { state: in_play.refund.state.name(), verb: "take an acquirer's answer".to_owned() })
        }
        (RefundState::Submitted { attempt, .. } | RefundState::Unresolved { attempt, .. }, answer) => {
            // The acquirer knows a refund by our id, so an end is an end whichever attempt it answers; anything else about an earlier attempt
            // is old news.
            let about_earlier = act.attempt < *attempt;
            match answer {
                AcquirerAnswer::Approved { .. } => succeed(draft, in_play, act),
                AcquirerAnswer::Declined { .. } => decline(draft, in_play, act),
                AcquirerAnswer::NeverSent | AcquirerAnswer::Acknowledged { .. } | AcquirerAnswer::Unclear if about_earlier => {
                    Ok(Verdict::unchanged(Outcome::Done))
                }
                AcquirerAnswer::NeverSent => never_sent(draft, in_play, act),
                AcquirerAnswer::Acknowledged { .. } | AcquirerAnswer::Unclear => wait_for_end(draft, in_play, act, &act.answer),
            }
        }
        (RefundState::Succeeded { .. }, AcquirerAnswer::Approved { arn: Some(arn), .. }) => {
            let arn = arn.clone();
            record_arn::record(draft, in_play, &arn)
        }
        (RefundState::Succeeded { .. }, AcquirerAnswer::Declined { code, .. }) => Ok(contradiction(draft, &in_play, "declined", code)),
        (RefundState::Failed { .. } | RefundState::Cancelled { .. }, AcquirerAnswer::Approved { .. }) => paid_anyway(draft, in_play),
        (
            RefundState::Succeeded { .. } | RefundState::Failed { .. } | RefundState::Cancelled { .. } | RefundState::Returned { .. },
            AcquirerAnswer::Approved { .. }
            | AcquirerAnswer::Declined { .. }
            | AcquirerAnswer::NeverSent
            | AcquirerAnswer::Acknowledged { .. }
            | AcquirerAnswer::Unclear,
        ) => Ok(Verdict::unchanged(Outcome::Done)),
    }
}

fn succeed(mut draft: Draft<'_>, mut in_play: RefundInPlay, act: &RecordResult) -> Result<Verdict, Refusal> {
    in_play.refund.state = in_play.refund.state.record(&act.answer, draft.now())?;
    note_reference(&mut in_play, &act.answer);
    moves::succeed(&mut draft, &mut in_play)?;
    audit_answer(&mut draft, &in_play);
    in_play.refund.updated_at = draft.now();
    let outcome = in_play.outcome(false);
    draft.put_ended(in_play);
    Ok(draft.finish(outcome))
}

fn decline(mut draft: Draft<'_>, mut in_play: RefundInPlay, act: &RecordResult) -> Result<Verdict, Refusal> {
    let failed = in_play.refund.state.record(&act.answer, draft.now())?;
    moves::end_unpaid(&mut draft, &mut in_play, failed)?;
    audit_answer(&mut draft, &in_play);
    Ok(draft.finish_with(in_play))
}

/// Safe to send again, unless the acquirer had acknowledged this very attempt: then only asking it helps.
fn never_sent(mut draft: Draft<'_>, mut in_play: RefundInPlay, act: &RecordResult) -> Result<Verdict, Refusal> {
    if matches!(in_play.refund.state, RefundState::Submitted { submission: Submission::Acknowledged, .. }) {
        return wait_for_end(draft, in_play, act, &AcquirerAnswer::Unclear);
    }
    in_play.refund.state = in_play.refund.state.record(&act.answer, draft.now())?;
    let task = Task::of_refund(TaskKind::SubmitRefund, act.merchant_id, act.refund_id, act.next_at);
    draft.put_task(Task { tries: in_play.refund.attempts, ..task });
    audit_answer(&mut draft, &in_play);
    in_play.refund.updated_at = draft.now();
    let outcome = in_play.outcome(false);
    draft.put_refund(in_play.refund);
    Ok(draft.finish(outcome))
}

/// Not the end: the acquirer is asked at `next_at`, unless it tells of the end by itself before.
fn wait_for_end(mut draft: Draft<'_>, mut in_play: RefundInPlay, act: &RecordResult, answer: &AcquirerAnswer) -> Result<Verdict, Refusal> {
    let was_unresolved = matches!(in_play.refund.state, RefundState::Unresolved { .. });
    in_play.refund.state = in_play.refund.state.record(answer, draft.now())?;
    note_reference(&mut in_play, answer);
    let tries = match &in_play.refund.state {
        RefundState::Unresolved { asked, .. } => *asked,
        RefundState::Pending { .. }
        | RefundState::Submitted { .. }
        | RefundState::Succeeded { .. }
        | RefundState::Failed { .. }
        | RefundState::Cancelled { .. }
        | RefundState::Returned { .. } => 0,
    };
    let task = Task::of_refund(TaskKind::ResolveRefund, act.merchant_id, act.refund_id, act.next_at);
    draft.put_task(Task { tries, ..task });
    if !was_unresolved && matches!(in_play.refund.state, RefundState::Unresolved { .. }) {
        draft.tell_of_refund(EventKind::RefundUnresolved, &in_play, vec![fact("attempt", in_play.refund.attempts)]);
    }
    audit_answer(&mut draft, &in_play);
    in_play.refund.updated_at = draft.now();
    let outcome = in_play.outcome(false);
    draft.put_refund(in_play.refund);
    Ok(draft.finish(outcome))
}

/// Approved after the refund had ended unpaid: merchants were told of the end, so it stands; the books show the claim, once.
fn paid_anyway(mut draft: Draft<'_>, mut in_play: RefundInPlay) -> Result<Verdict, Refusal> {
    let Ok(contradicted) = in_play.refund.state.contradict(draft.now()) else {
        return Ok(Verdict::unchanged(Outcome::Done));
    };
    let why = match &in_play.refund.state {
        RefundState::Failed { reason: FailReason::DeclinedByAcquirer { code, .. }, .. } => code.clone(),
        other => other.name().word().to_owned(),
    };
    in_play.refund.state = contradicted;
    let postings = posting_rules::paid_after_its_end(&mut in_play.payment, &in_play.refund);
    draft.book("refund_paid_after_its_end", About::refund(&in_play.refund), postings)?;
    draft.put(in_play.clone());
    Ok(contradiction(draft, &in_play, "approved", &why))
}

fn contradiction(mut draft: Draft<'_>, in_play: &RefundInPlay, answer: &str, detail: &str) -> Verdict {
    let facts = vec![fact("state", in_play.refund.state.name().word()), fact("answer", answer), fact("detail", detail)];
    draft.audit_always("acquirer.contradiction", About::refund(&in_play.refund), facts);
    draft.finish(Outcome::Done)
}

fn note_reference(in_play: &mut RefundInPlay, answer: &AcquirerAnswer) {
    if let AcquirerAnswer::Approved { reference: Some(reference), .. } | AcquirerAnswer::Acknowledged { reference: Some(reference) } =
        answer
    {
        in_play.refund.acquirer_reference = Some(reference.clone());
    }
}

/// Answers come from the acquirer; one that a person enters is on record.
fn audit_answer(draft: &mut Draft<'_>, in_play: &RefundInPlay) {
    let facts = vec![fact("state", in_play.refund.state.name().word())];
    draft.audit("refund.record_result", About::refund(&in_play.refund), facts);
}
