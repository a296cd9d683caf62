//! What becomes of a prepared payout: it is sent, arrives, fails, comes back, or is taken back. Its money goes with it.

use super::causes::causes_of;
use super::prepare::payout_facts;
use super::{NOTE_LENGTH_MAX, Origin, Payout, PayoutState, Sending};
use crate::command::{AdvancePayout, PayoutStep};
use crate::draft::{About, Draft};
use crate::event::EventKind;
use crate::notify::fact;
use crate::posting_rules;
use crate::{Actor, Outcome, Refusal, Snapshot, Stamp, Verdict, Write};

/// What a step books and what it is called.
struct Told {
    entry: Option<(&'static str, posting_rules::Postings)>,
    event: EventKind,
    action: &'static str,
}

/// Takes one step. A step that was taken already is answered as it was.
pub(crate) fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &AdvancePayout) -> Verdict {
    advance(Draft::new(snapshot, stamp), act).unwrap_or_else(Verdict::refused)
}

fn advance(mut draft: Draft<'_>, act: &AdvancePayout) -> Result<Verdict, Refusal> {
    let key = (act.merchant_id, act.payout_id);
    let found = draft.snapshot().payouts.get(&key).filter(|payout| act.mode.is_none_or(|mode| mode == payout.mode));
    let mut payout = found.cloned().ok_or_else(|| Refusal::Unknown { what: "payout".to_owned() })?;
    if is_taken(&payout, &act.step) {
        return Ok(Verdict::unchanged(Outcome::Payout { payout: Box::new(payout) }));
    }
    check_texts(&act.step)?;
    let was_prepared = payout.state == PayoutState::Prepared;
    let told = take(&mut payout, &act.step, &draft)?;
    payout.updated_at = draft.now();
    let about = About::merchant(payout.merchant_id);
    let currency = payout.amount.currency();
    if let Some((cause, postings)) = told.entry {
        draft.book(cause, about, postings)?;
    }
    if was_prepared {
        let key = (payout.merchant_id, currency);
        let mut pots = draft.pots(key.0, key.1);
        pots.out_of_preparation(payout.id);
        draft.changes().pots.insert(key, pots);
    }
    if matches!(payout.state, PayoutState::Failed { .. } | PayoutState::Returned { .. } | PayoutState::Cancelled { .. }) {
        draft.serve_waiting(payout.merchant_id, currency);
    }
    let mut facts = payout_facts(&payout);
    facts.extend(step_facts(&act.step));
    draft.tell(told.event, about, facts.clone());
    draft.audit(told.action, about, facts);
    draft.changes().payouts.insert(key, Write::Update(payout.clone()));
    Ok(draft.finish(Outcome::Payout { payout: Box::new(payout) }))
}

/// Whether the payout stands already where the step leads; an answer that was lost is asked for again.
fn is_taken(payout: &Payout, step: &PayoutStep) -> bool {
    match (step, &payout.state) {
        (PayoutStep::Send { bank_reference }, PayoutState::Sent) => {
            payout.sending.as_ref().is_some_and(|sending| sending.bank_reference == *bank_reference)
        }
        (PayoutStep::Confirm, PayoutState::Paid { .. }) => true,
        (PayoutStep::Fail { reason: now }, PayoutState::Failed { reason, .. } | PayoutState::Returned { reason, .. })
        | (PayoutStep::Cancel { reason: now }, PayoutState::Cancelled { reason, .. }) => now == reason,
        (PayoutStep::Send { .. } | PayoutStep::Confirm | PayoutStep::Fail { .. } | PayoutStep::Cancel { .. }, _) => false,
    }
}

fn take(payout: &mut Payout, step: &PayoutStep, draft: &Draft<'_>) -> Result<Told, Refusal> {
    let (merchant_id, amount, at) = (payout.merchant_id, payout.amount, draft.now());
    let causes = causes_of(payout.kind);
    let undone = || posting_rules::payout_undone(merchant_id, amount);
    match (step, payout.state.clone()) {
        (PayoutStep::Send { bank_reference }, PayoutState::Prepared) => {
            check_second_person(payout, draft.actor())?;
            payout.sending = Some(Sending { at, by: draft.actor().clone(), bank_reference: bank_reference.clone() });
            payout.state = PayoutState::Sent;
            Ok(Told { entry: None, event: EventKind::PayoutSent, action: "payout.send" })
        }
        (PayoutStep::Confirm, PayoutState::Sent) => {
            payout.state = PayoutState::Paid { at };
            let entry = Some((causes.paid, posting_rules::payout_paid(merchant_id, amount)));
            Ok(Told { entry, event: EventKind::PayoutPaid, action: "payout.confirm" })
        }
        (PayoutStep::Fail { reason }, PayoutState::Sent) => {
            payout.state = PayoutState::Failed { reason: reason.clone(), at };
            Ok(Told { entry: Some((causes.failed, undone())), event: EventKind::PayoutFailed, action: "payout.fail" })
        }
        (PayoutStep::Fail { reason }, PayoutState::Paid { at: paid_at }) => {
            payout.state = PayoutState::Returned { paid_at, reason: reason.clone(), at };
            let entry = Some((causes.returned, posting_rules::payout_returned(merchant_id, amount)));
            Ok(Told { entry, event: EventKind::PayoutReturned, action: "payout.return" })
        }
        (PayoutStep::Cancel { reason }, PayoutState::Prepared) => {
            payout.state = PayoutState::Cancelled { by: draft.actor().clone(), reason: reason.clone(), at };
            Ok(Told { entry: Some((causes.cancelled, undone())), event: EventKind::PayoutCancelled, action: "payout.cancel" })
        }
        (PayoutStep::Send { .. } | PayoutStep::Confirm | PayoutStep::Fail { .. } | PayoutStep::Cancel { .. }, state) => {
            Err(Refusal::PayoutStateForbids { state: state.name(), verb: step.verb().to_owned() })
        }
    }
}

/// Whoever prepared a payout by hand does not send it, and neither does a key that names nobody.
fn check_second_person(payout: &Payout, sender: &Actor) -> Result<(), Refusal> {
    match &payout.origin {
        Origin::Manual { by } if !sender.is_second_person_to(by) => Err(Refusal::SecondPersonNeeded),
        Origin::Manual { .. } | Origin::Scheduled => Ok(()),
    }
}

fn check_texts(step: &PayoutStep) -> Result<(), Refusal> {
    let (field, text, least) = match step {
        PayoutStep::Send { bank_reference: Some(text) } => ("bank_reference", text, 1),
        PayoutStep::Fail { reason } | PayoutStep::Cancel { reason } => ("reason", reason, 1),
        PayoutStep::Send { bank_reference: None } | PayoutStep::Confirm => return Ok(()),
    };
    if (least..=NOTE_LENGTH_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Refusal::FieldInvalid { field: field.to_owned(), rule: format!("{least} to {NOTE_LENGTH_MAX} letters without control characters") })
}

fn step_facts(step: &PayoutStep) -> Vec<(String, String)> {
    match step {
        PayoutStep::Send { bank_reference: Some(reference) } => vec![fact("bank_reference", reference)],
        PayoutStep::Fail { reason } | PayoutStep::Cancel { reason } => vec![fact("reason", reason)],
        PayoutStep::Send { bank_reference: None } | PayoutStep::Confirm => Vec::new(),
    }
}
