//! The other side tells of a chargeback, a dispute, a retrieval or a report of fraud.

use refundry_ledger::Money;

use super::{DISPUTE_TEXT_LENGTH_MAX, Dispute, DisputeBody, DisputeKind, DisputeState, NETWORK_REFERENCE_LENGTH_MAX};
use crate::command::RecordDispute;
use crate::draft::{About, Draft};
use crate::event::{EventFacts, EventKind};
use crate::notify::fact;
use crate::payment::{Payment, PaymentStatus};
use crate::{Outcome, Refusal, Snapshot, Stamp, Verdict, Write, posting_rules};

/// Records it once: the same number told again changes nothing, and is refused when it says something else.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &RecordDispute) -> Verdict {
    let known = snapshot.dispute_references.get(&(act.merchant_id, act.network_reference.clone()));
    let known = known.and_then(|id| snapshot.disputes.get(&(act.merchant_id, *id)));
    match known.filter(|known| known.mode == act.mode) {
        Some(known) => repeat(snapshot, act, known),
        None => record(Draft::new(snapshot, stamp), snapshot, act).unwrap_or_else(Verdict::refused),
    }
}

fn repeat(snapshot: &Snapshot, act: &RecordDispute, known: &Dispute) -> Verdict {
    let payment = snapshot.payment(act.merchant_id, &act.payment).map(|payment| payment.id.to_string()).unwrap_or_default();
    let compared = [
        ("kind", known.kind.word().to_owned(), act.kind.word().to_owned()),
        ("payment", known.payment_id.to_string(), payment),
        ("amount", known.amount.to_string(), act.amount.to_string()),
    ];
    match compared.into_iter().find(|(_, first, now)| first != now) {
        Some((field, first, now)) => Verdict::refused(Refusal::RepeatInconsistent { field: field.to_owned(), first, now }),
        None => Verdict::unchanged(Outcome::Dispute { dispute: Box::new(known.clone()), created: false }),
    }
}

fn record(mut draft: Draft<'_>, snapshot: &Snapshot, act: &RecordDispute) -> Result<Verdict, Refusal> {
    let mut payment = check(snapshot, act)?.clone();
    let mut dispute = new_dispute(&draft, act, &payment);
    match act.kind {
        DisputeKind::Chargeback => charge_back(&mut draft, &mut payment, &mut dispute)?,
        DisputeKind::Retrieval => payment.open_retrievals = payment.open_retrievals.saturating_add(1),
        DisputeKind::Dispute | DisputeKind::FraudReport => {}
    }
    payment.updated_at = draft.now();
    let about = About::payment(&payment);
    draft.tell_of_dispute(opened(act.kind), &payment, dispute_facts(&dispute, &payment));
    draft.audit("dispute.record", about, dispute_facts(&dispute, &payment));
    let changes = draft.changes();
    changes.payments.insert((payment.merchant_id, payment.id), Write::Update(payment));
    changes.disputes.insert((dispute.merchant_id, dispute.id), Write::Insert(dispute.clone()));
    Ok(draft.finish(Outcome::Dispute { dispute: Box::new(dispute), created: true }))
}

fn check<'a>(snapshot: &'a Snapshot, act: &RecordDispute) -> Result<&'a Payment, Refusal> {
    if snapshot.merchants.get(&act.merchant_id).is_none_or(|merchant| merchant.mode != act.mode) {
        return Err(Refusal::UnknownMerchant);
    }
    let payment = snapshot.payment(act.merchant_id, &act.payment).filter(|payment| payment.mode == act.mode);
    let payment = payment.ok_or(Refusal::UnknownPayment)?;
    if payment.status != PaymentStatus::Captured {
        return Err(Refusal::PaymentNotCaptured { status: payment.status });
    }
    if act.amount.currency() != payment.currency() {
        return Err(Refusal::CurrencyMismatch { expected: payment.currency() });
    }
    if act.amount.is_negative() {
        return Err(invalid("amount", "zero or more".to_owned()));
    }
    if !act.kind.categories().contains(&act.category) {
        let known: Vec<&str> = act.kind.categories().iter().map(|category| category.word()).collect();
        return Err(invalid("category", format!("one of {}", known.join(", "))));
    }
    let longest = NETWORK_REFERENCE_LENGTH_MAX;
    let fits =
        |text: &str, least: usize, most: usize| (least..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if !fits(&act.network_reference, 1, longest) {
        return Err(invalid("network_reference", format!("1 to {longest} letters without control characters")));
    }
    for (field, text) in [("reason_code", &act.reason_code), ("reason", &act.reason)] {
        if !fits(text, 0, DISPUTE_TEXT_LENGTH_MAX) {
            return Err(invalid(field, format!("at most {DISPUTE_TEXT_LENGTH_MAX} letters without control characters")));
        }
    }
    Ok(payment)
}

fn invalid(field: &str, rule: String) -> Refusal {
    Refusal::FieldInvalid { field: field.to_owned(), rule }
}

fn new_dispute(draft: &Draft<'_>, act: &RecordDispute, payment: &Payment) -> Dispute {
    Dispute {
        id: act.dispute_id,
        merchant_id: act.merchant_id,
        payment_id: payment.id,
        mode: act.mode,
        kind: act.kind,
        state: DisputeState::Open,
        amount: act.amount,
        network_reference: act.network_reference.clone(),
        opened_at: act.opened_at,
        reply_by: act.reply_by,
        updated_at: draft.now(),
        body: DisputeBody {
            category: act.category,
            payment_reference: payment.payment_reference.clone(),
            terminal_id: payment.terminal_id,
            reason_code: act.reason_code.clone(),
            reason: act.reason.clone(),
            note: String::new(),
            exposed_minor: 0,
            fee_minor: 0,
            refund_id: None,
            represented_at: None,
            ended_at: None,
            told_at: draft.now(),
        },
    }
}

/// Takes the money, as far as the payment has some left; what is beyond is exposure. What the network gave back by itself is over at once, and so is
/// a chargeback of nothing.
fn charge_back(draft: &mut Draft<'_>, payment: &mut Payment, dispute: &mut Dispute) -> Result<(), Refusal> {
    let about = About::payment(payment);
    let beyond = payment.beyond_captured();
    let postings = posting_rules::charged_back(payment, dispute.amount)?;
    dispute.body.exposed_minor = payment.beyond_captured().saturating_sub(beyond);
    draft.book("chargeback", about, postings)?;
    let fee = Money::new(draft.payment_policy(payment).chargeback_fee_minor, payment.currency());
    draft.book("fee_for_chargeback", about, posting_rules::chargeback_fee(payment, fee))?;
    dispute.body.fee_minor = fee.minor();
    if dispute.body.category.is_automatic() {
        draft.book("chargeback_final", about, posting_rules::chargeback_final(payment, dispute.amount))?;
    }
    if dispute.body.category.is_automatic() || dispute.amount == Money::zero(payment.currency()) {
        dispute.state = DisputeState::Closed;
        dispute.body.ended_at = Some(draft.now());
    } else {
        payment.open_chargebacks = payment.open_chargebacks.saturating_add(1);
    }
    Ok(())
}

const fn opened(kind: DisputeKind) -> EventKind {
    match kind {
        DisputeKind::Chargeback => EventKind::ChargebackOpened,
        DisputeKind::Dispute => EventKind::DisputeOpened,
        DisputeKind::Retrieval => EventKind::RetrievalOpened,
        DisputeKind::FraudReport => EventKind::FraudReported,
    }
}

/// What every event of a dispute says; enough for a receiver that keeps nothing itself.
pub(crate) fn dispute_facts(dispute: &Dispute, payment: &Payment) -> EventFacts {
    let mut facts = vec![
        fact("dispute_id", dispute.id),
        fact("kind", dispute.kind.word()),
        fact("category", dispute.body.category.word()),
        fact("state", dispute.state.word()),
        fact("amount", dispute.amount),
        fact("charged", dispute.charged()),
        fact("network_reference", &dispute.network_reference),
        fact("payment_reference", &payment.payment_reference),
        fact("merchant_reference", &payment.merchant_reference),
        fact("opened_at_us", dispute.opened_at.us()),
    ];
    facts.extend(dispute.reply_by.map(|at| fact("reply_by_us", at.us())));
    let said = [("reason_code", &dispute.body.reason_code), ("reason", &dispute.body.reason), ("note", &dispute.body.note)];
    facts.extend(said.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| fact(name, text)));
    facts.extend(dispute.body.refund_id.map(|id| fact("refund_id", id)));
    if dispute.body.fee_minor > 0 {
        facts.push(fact("fee", dispute.fee()));
    }
    if dispute.body.exposed_minor > 0 {
        facts.push(fact("exposed", Money::new(dispute.body.exposed_minor, dispute.amount.currency())));
    }
    facts
}
