//! Money that was held back against risk becomes available.

use refundry_ledger::Money;

use crate::command::{ReleaseFixedReserve, ReleaseReserve};
use crate::draft::{About, Draft};
use crate::event::EventKind;
use crate::funds::settle;
use crate::notify::fact;
use crate::payment::Payment;
use crate::payout::RESERVE_RELEASED;
use crate::{Outcome, Refusal, Snapshot, Stamp, Verdict, posting_rules};

/// Releases what is left of one payment's rolling reserve; once is enough.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &ReleaseReserve) -> Verdict {
    let payment = snapshot.payments.get(&(act.merchant_id, act.payment_id)).filter(|payment| payment.mode == act.mode);
    let Some(payment) = payment else {
        return Verdict::refused(Refusal::UnknownPayment);
    };
    if payment.reserve_left.is_zero() {
        return Verdict::unchanged(Outcome::Payment { payment: Box::new(payment.clone()), created: false });
    }
    let mut draft = Draft::new(snapshot, stamp);
    let mut payment = payment.clone();
    let facts = vec![fact("payment_reference", &payment.payment_reference), fact("amount", payment.reserve_left)];
    if let Err(refusal) = release(&mut draft, &mut payment) {
        return Verdict::refused(refusal);
    }
    draft.audit("payment.release_reserve", About::payment(&payment), facts);
    settle::write(draft, payment)
}

/// Releases what is held as fixed reserve beyond `keep`.
pub fn decide_fixed(snapshot: &Snapshot, stamp: &Stamp, act: &ReleaseFixedReserve) -> Verdict {
    release_fixed(Draft::new(snapshot, stamp), snapshot, act).unwrap_or_else(Verdict::refused)
}

fn release_fixed(mut draft: Draft<'_>, snapshot: &Snapshot, act: &ReleaseFixedReserve) -> Result<Verdict, Refusal> {
    if snapshot.merchants.get(&act.merchant_id).is_none_or(|merchant| merchant.mode != act.mode) {
        return Err(Refusal::UnknownMerchant);
    }
    if act.keep.is_negative() {
        return Err(Refusal::FieldInvalid { field: "keep".to_owned(), rule: "zero or more".to_owned() });
    }
    let currency = act.keep.currency();
    let held = draft.balance(act.merchant_id, posting_rules::HELD_FIXED, currency);
    let amount = Money::new(held.checked_sub(act.keep.minor()).ok_or(Refusal::OutOfRange)?, currency);
    if !amount.is_positive() {
        return Ok(Verdict::unchanged(Outcome::Done));
    }
    let about = About::merchant(act.merchant_id);
    draft.book(RESERVE_RELEASED, about, posting_rules::fixed_reserve_released(act.merchant_id, amount))?;
    draft.serve_waiting(act.merchant_id, currency);
    let facts = vec![fact("amount", amount), fact("kept", act.keep)];
    draft.tell(EventKind::FixedReserveReleased, about, facts.clone());
    draft.audit("funds.release_fixed_reserve", about, facts);
    Ok(draft.finish(Outcome::Done))
}

/// Books what is left of the payment's reserve, and has a look at who waits for money. A payment whose refunds used it up says nothing.
pub(crate) fn release(draft: &mut Draft<'_>, payment: &mut Payment) -> Result<(), Refusal> {
    let amount = payment.reserve_left;
    let postings = posting_rules::reserve_released(payment);
    payment.settling.reserve_released_at = Some(draft.now());
    if amount.is_zero() {
        return Ok(());
    }
    let about = About::payment(payment);
    draft.book(RESERVE_RELEASED, about, postings)?;
    draft.serve_waiting(payment.merchant_id, payment.home_currency());
    draft.tell(EventKind::ReserveReleased, about, vec![fact("payment_reference", &payment.payment_reference), fact("amount", amount)]);
    Ok(())
}
