//! A payment's unsettled money becomes available: by hand, or when its terms say so.

use crate::command::{EndSettling, SettleDue, SettlePayment};
use crate::draft::{About, Draft};
use crate::event::EventKind;
use crate::funds::reserve;
use crate::notify::fact;
use crate::payment::{Payment, PaymentStatus};
use crate::task::Task;
use crate::{Outcome, Refusal, Snapshot, Stamp, Verdict, Write, posting_rules, share};

/// Settles a payment once, whatever its terms say.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &SettlePayment) -> Verdict {
    let Some(payment) = snapshot.payments.get(&(act.merchant_id, act.payment_id)) else {
        return Verdict::refused(Refusal::UnknownPayment);
    };
    if payment.settled {
        return Verdict::unchanged(Outcome::Payment { payment: Box::new(payment.clone()), created: false });
    }
    if payment.status != PaymentStatus::Captured {
        return Verdict::refused(Refusal::PaymentNotCaptured { status: payment.status });
    }
    let mut draft = Draft::new(snapshot, stamp);
    let mut payment = payment.clone();
    let amount = payment.unsettled_left;
    if let Err(refusal) = settle(&mut draft, &mut payment) {
        return Verdict::refused(refusal);
    }
    let facts = vec![fact("payment_reference", &payment.payment_reference), fact("amount", amount)];
    draft.audit("payment.settle", About::payment(&payment), facts);
    write(draft, payment)
}

/// Does what is due of a payment now; a task may come twice, or too early, so nothing is not an error.
pub fn decide_due(snapshot: &Snapshot, stamp: &Stamp, act: &SettleDue) -> Verdict {
    let Some(payment) = snapshot.payments.get(&(act.merchant_id, act.payment_id)) else {
        return Verdict::refused(Refusal::UnknownPayment);
    };
    let mut draft = Draft::new(snapshot, stamp);
    let mut payment = payment.clone();
    match do_what_is_due(&mut draft, &mut payment) {
        Ok(true) => write(draft, payment),
        Ok(false) => Verdict::unchanged(Outcome::Done),
        Err(refusal) => Verdict::refused(refusal),
    }
}

/// The task is over when nothing of the merchant is due any more. Whoever makes something due later, or for an instant that is over, puts a task
/// of its own, and does so under the merchant's lock as this does: so no payment is forgotten.
pub fn decide_end(snapshot: &Snapshot, stamp: &Stamp, act: &EndSettling) -> Verdict {
    let mut draft = Draft::new(snapshot, stamp);
    // What earlier commands of this commit made due does not stand in the database yet.
    let of_payments = snapshot.payments.values().filter(|payment| payment.merchant_id == act.merchant_id).flat_map(instants_of);
    let next = of_payments.chain(snapshot.next_settlement.get(&act.merchant_id).copied()).min();
    if next.is_some_and(|next| next <= draft.now()) {
        let merchant_id = act.merchant_id;
        draft.put_task(Task { id: act.task_id, due_at: act.again_at, ..Task::settle_due(merchant_id, act.again_at) });
    } else {
        draft.remove_task(act.merchant_id, act.task_id);
    }
    draft.finish(Outcome::Done)
}

/// After something about a payment changed: what is due is done in this commit, and what is due later has its task.
pub(crate) fn follow_terms(draft: &mut Draft<'_>, payment: &mut Payment) -> Result<(), Refusal> {
    payment.settling.settle_at = if payment.settled { None } else { payment.settling.due() };
    do_what_is_due(draft, payment)?;
    for due_at in instants_of(payment) {
        draft.put_task(Task::settle_due(payment.merchant_id, due_at));
    }
    Ok(())
}

fn instants_of(payment: &Payment) -> impl Iterator<Item = crate::Timestamp> + use<> {
    payment.settling.settle_at.into_iter().chain(payment.settling.reserve_release_at)
}

/// Whether anything was done.
fn do_what_is_due(draft: &mut Draft<'_>, payment: &mut Payment) -> Result<bool, Refusal> {
    let now = draft.now();
    let settles = !payment.settled && payment.settling.settle_at.is_some_and(|at| at <= now);
    let releases = payment.settling.reserve_release_at.is_some_and(|at| at <= now);
    if settles {
        settle(draft, payment)?;
    }
    if releases {
        reserve::release(draft, payment)?;
    }
    Ok(settles || releases)
}

/// Books the remainder of the payment, holds back what the fixed reserve still lacks, and has a look at who waits for money.
fn settle(draft: &mut Draft<'_>, payment: &mut Payment) -> Result<(), Refusal> {
    let (merchant_id, currency, amount) = (payment.merchant_id, payment.home_currency(), payment.unsettled_left);
    let target = draft.settlement_terms(payment).fixed_reserve(currency);
    let lacking = target.saturating_sub(draft.balance(merchant_id, posting_rules::HELD_FIXED, currency));
    let postings = posting_rules::settled(payment, lacking);
    payment.settling.settled_at = Some(draft.now());
    let about = About::payment(payment);
    draft.book("payment_settled", about, postings)?;
    draft.serve_waiting(merchant_id, currency);
    share::settle_receivers(draft, payment)?;
    draft.tell(EventKind::PaymentSettled, about, vec![fact("payment_reference", &payment.payment_reference), fact("amount", amount)]);
    Ok(())
}

pub(crate) fn write(mut draft: Draft<'_>, mut payment: Payment) -> Verdict {
    payment.updated_at = draft.now();
    let outcome = Outcome::Payment { payment: Box::new(payment.clone()), created: false };
    draft.changes().payments.insert((payment.merchant_id, payment.id), Write::Update(payment));
    draft.finish(outcome)
}
