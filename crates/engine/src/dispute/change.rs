//! A dispute moves on: the merchant answers or agrees, the other side decides or takes it back.

use super::record::dispute_facts;
use super::{DISPUTE_TEXT_LENGTH_MAX, Dispute, DisputeChange, DisputeKind, DisputeState};
use crate::command::ChangeDispute;
use crate::draft::{About, Draft};
use crate::event::EventKind;
use crate::payment::Payment;
use crate::policy::FeeRule;
use crate::{Actor, Outcome, Refusal, Snapshot, Stamp, Verdict, Write, posting_rules};

/// Moves it on, with the money that follows. What is so already changes nothing.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &ChangeDispute) -> Verdict {
    change(Draft::new(snapshot, stamp), snapshot, act).unwrap_or_else(Verdict::refused)
}

fn change(mut draft: Draft<'_>, snapshot: &Snapshot, act: &ChangeDispute) -> Result<Verdict, Refusal> {
    let known = snapshot.disputes.get(&(act.merchant_id, act.dispute_id)).filter(|known| known.mode == act.mode);
    let known = known.ok_or_else(|| Refusal::Unknown { what: "dispute".to_owned() })?;
    if matches!(draft.actor(), Actor::Merchant(_)) && !act.change.is_of_merchant() {
        return Err(Refusal::NotAllowed { permission: "disputes:record".to_owned() });
    }
    if act.note.chars().count() > DISPUTE_TEXT_LENGTH_MAX || act.note.chars().any(char::is_control) {
        let rule = format!("at most {DISPUTE_TEXT_LENGTH_MAX} letters without control characters");
        return Err(Refusal::FieldInvalid { field: "note".to_owned(), rule });
    }
    if is_so_already(known, act.change) {
        return Ok(Verdict::unchanged(Outcome::Dispute { dispute: Box::new(known.clone()), created: false }));
    }
    let forbidden = || Refusal::DisputeStateForbids { state: known.state, verb: act.change.word().to_owned() };
    // A chargeback that charges nothing cannot be appealed: the payment had been refunded already.
    let is_pointless = act.change == DisputeChange::Represent && known.kind.moves_money() && !known.charged().is_positive();
    let state = act.change.from(known.kind, known.state).filter(|_| !is_pointless).ok_or_else(forbidden)?;
    let payment = snapshot.payments.get(&(act.merchant_id, known.payment_id)).ok_or(Refusal::UnknownPayment)?;
    let (mut dispute, mut payment) = (known.clone(), payment.clone());
    dispute.state = state;
    dispute.body.note.clone_from(&act.note);
    move_money(&mut draft, &mut payment, &mut dispute)?;
    finish(&mut draft, dispute.clone(), payment);
    Ok(draft.finish(Outcome::Dispute { dispute: Box::new(dispute), created: false }))
}

/// The same change told twice: where it leads is where it stands.
fn is_so_already(known: &Dispute, change: DisputeChange) -> bool {
    let from_open = change.from(known.kind, DisputeState::Open).or_else(|| change.from(known.kind, DisputeState::Represented));
    known.state != DisputeState::Open && from_open == Some(known.state)
}

/// The books and the payment's counters follow the new state.
fn move_money(draft: &mut Draft<'_>, payment: &mut Payment, dispute: &mut Dispute) -> Result<(), Refusal> {
    if dispute.is_open() {
        return Ok(());
    }
    match dispute.kind {
        DisputeKind::Chargeback => {
            payment.open_chargebacks = payment.open_chargebacks.saturating_sub(1);
            let about = About::payment(payment);
            match dispute.state {
                DisputeState::Won | DisputeState::Withdrawn => {
                    let postings = posting_rules::chargeback_undone(payment, dispute.amount)?;
                    draft.book("chargeback_undone", about, postings)?;
                    give_fee_back(draft, payment, dispute)?;
                    draft.serve_waiting(payment.merchant_id, payment.home_currency());
                }
                DisputeState::Lost | DisputeState::Accepted | DisputeState::Closed => {
                    draft.book("chargeback_final", about, posting_rules::chargeback_final(payment, dispute.amount))?;
                }
                DisputeState::Open | DisputeState::Represented => {}
            }
        }
        DisputeKind::Retrieval => payment.open_retrievals = payment.open_retrievals.saturating_sub(1),
        DisputeKind::Dispute | DisputeKind::FraudReport => {}
    }
    Ok(())
}

/// The fee for a chargeback that took nothing in the end is given back, when the policy of the day says so.
fn give_fee_back(draft: &mut Draft<'_>, payment: &mut Payment, dispute: &mut Dispute) -> Result<(), Refusal> {
    match draft.payment_policy(payment).chargeback_fee {
        FeeRule::Keep => Ok(()),
        FeeRule::GiveBack => {
            let postings = posting_rules::chargeback_fee_given_back(payment, dispute.fee());
            dispute.body.fee_minor = 0;
            draft.book("fee_for_chargeback_given_back", About::payment(payment), postings)
        }
    }
}

/// Writes a dispute that moved on, with its payment, and tells of it.
pub(super) fn finish(draft: &mut Draft<'_>, mut dispute: Dispute, mut payment: Payment) {
    let now = draft.now();
    dispute.updated_at = now;
    payment.updated_at = now;
    match dispute.is_open() {
        true => dispute.body.represented_at = Some(now),
        false => dispute.body.ended_at = Some(now),
    }
    let facts = dispute_facts(&dispute, &payment);
    draft.tell_of_dispute(event_of(dispute.kind, dispute.state), &payment, facts.clone());
    draft.audit("dispute.change", About::payment(&payment), facts);
    let changes = draft.changes();
    changes.payments.insert((payment.merchant_id, payment.id), Write::Update(payment));
    changes.disputes.insert((dispute.merchant_id, dispute.id), Write::Update(dispute));
}

/// The event of a state. States that a kind never has give what comes nearest.
const fn event_of(kind: DisputeKind, state: DisputeState) -> EventKind {
    use DisputeState as S;
    match (kind, state) {
        (DisputeKind::Chargeback, S::Open) => EventKind::ChargebackOpened,
        (DisputeKind::Chargeback, S::Represented) => EventKind::ChargebackRepresented,
        (DisputeKind::Chargeback, S::Accepted | S::Closed) => EventKind::ChargebackAccepted,
        (DisputeKind::Chargeback, S::Won) => EventKind::ChargebackWon,
        (DisputeKind::Chargeback, S::Lost) => EventKind::ChargebackLost,
        (DisputeKind::Chargeback, S::Withdrawn) => EventKind::ChargebackWithdrawn,
        (DisputeKind::Dispute, S::Open) => EventKind::DisputeOpened,
        (DisputeKind::Dispute, S::Represented) => EventKind::DisputeRepresented,
        (DisputeKind::Dispute, S::Accepted) => EventKind::DisputeAccepted,
        (DisputeKind::Dispute, S::Won) => EventKind::DisputeWon,
        (DisputeKind::Dispute, S::Lost) => EventKind::DisputeLost,
        (DisputeKind::Dispute, S::Withdrawn) => EventKind::DisputeWithdrawn,
        (DisputeKind::Dispute, S::Closed) => EventKind::DisputeClosed,
        (DisputeKind::Retrieval, S::Open) => EventKind::RetrievalOpened,
        (DisputeKind::Retrieval, S::Represented) => EventKind::RetrievalAnswered,
        (DisputeKind::Retrieval, S::Accepted) => EventKind::RetrievalAccepted,
        (DisputeKind::Retrieval, S::Withdrawn) => EventKind::RetrievalReversed,
        (DisputeKind::Retrieval, S::Won | S::Lost | S::Closed) => EventKind::RetrievalClosed,
        (DisputeKind::FraudReport, S::Open | S::Represented) => EventKind::FraudReported,
        (DisputeKind::FraudReport, S::Accepted) => EventKind::FraudAccepted,
        (DisputeKind::FraudReport, S::Won | S::Lost | S::Withdrawn | S::Closed) => EventKind::FraudClosed,
    }
}
