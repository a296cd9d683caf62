//! What becomes of an authorised payment: it is captured, in whole or in part, or voided, by hand or when its time is over.

use refundry_ledger::Money;

use crate::command::{CapturePayment, LeftToTerms, OrderStep, VoidPayment, VoidWhat};
use crate::draft::{About, Draft};
use crate::event::EventKind;
use crate::funds::settle;
use crate::payment::{Payment, PaymentStatus};
use crate::record_payment::{capture as capture_by_terms, payment_facts};
use crate::task::Task;
use crate::{MerchantId, Mode, Outcome, PaymentId, Refusal, Snapshot, Stamp, Verdict, Write, posting_rules};

/// Captures at most what was authorised; the rest is released. The same capture again changes nothing.
pub fn capture(snapshot: &Snapshot, stamp: &Stamp, act: &CapturePayment) -> Verdict {
    try_capture(Draft::new(snapshot, stamp), snapshot, act).unwrap_or_else(Verdict::refused)
}

/// Voids an authorisation before it is captured, or an offline sale of which nothing has moved since. What is voided already stays so.
pub fn void(snapshot: &Snapshot, stamp: &Stamp, act: &VoidPayment) -> Verdict {
    try_void(Draft::new(snapshot, stamp), snapshot, act).unwrap_or_else(Verdict::refused)
}

/// Sets when an authorisation ends by itself, or when an order is looked at, and takes the date away from what is neither any more.
pub(crate) fn follow(draft: &mut Draft<'_>, created: bool, payment: &Payment, order: Option<OrderStep>) {
    let look_at = order.and_then(|order| order.look_at);
    if payment.status == PaymentStatus::Authorised {
        let days = i64::from(draft.payment_policy(payment).authorisation_days);
        draft.put_task(Task::void_payment(payment.merchant_id, payment.id, payment.paid_at.plus_days(days).max(draft.now())));
    } else if let (PaymentStatus::Pending, Some(look_at)) = (payment.status, look_at) {
        draft.put_task(Task::follow_order(payment.merchant_id, payment.id, look_at));
    } else if !created {
        draft.remove_task(payment.merchant_id, Task::void_payment(payment.merchant_id, payment.id, draft.now()).id);
    }
}

fn find(snapshot: &Snapshot, merchant_id: MerchantId, payment_id: PaymentId, mode: Option<Mode>) -> Result<&Payment, Refusal> {
    let payment = snapshot.payments.get(&(merchant_id, payment_id));
    payment.filter(|payment| mode.is_none_or(|mode| payment.mode == mode)).ok_or(Refusal::UnknownPayment)
}

fn try_capture(mut draft: Draft<'_>, snapshot: &Snapshot, act: &CapturePayment) -> Result<Verdict, Refusal> {
    let known = find(snapshot, act.merchant_id, act.payment_id, Some(act.mode))?;
    if act.amount.currency() != known.currency() {
        return Err(Refusal::CurrencyMismatch { expected: known.currency() });
    }
    if known.status == PaymentStatus::Captured && known.captured == act.amount {
        return Ok(Verdict::unchanged(Outcome::Payment { payment: Box::new(known.clone()), created: false }));
    }
    if known.status != PaymentStatus::Authorised {
        return Err(Refusal::PaymentStatusForbids { status: known.status });
    }
    if !act.amount.is_positive() {
        return Err(Refusal::AmountNotPositive);
    }
    if known.authorised.is_below(act.amount)? {
        return Err(Refusal::ExceedsAuthorised { authorised: known.authorised });
    }
    let mut payment = known.clone();
    payment.status = PaymentStatus::Captured;
    payment.captured = act.amount;
    // What was said of the whole when it was authorised holds for the part that is captured.
    payment.fee = known.fee.share(act.amount, known.authorised)?;
    payment.reserved = known.reserved.share(act.amount, known.authorised)?;
    payment.marketing = known.marketing.share(act.amount, known.authorised)?;
    let nothing = Money::zero(payment.currency());
    let left_to_terms = LeftToTerms { fee: known.fee == nothing, reserved: known.reserved == nothing };
    capture_by_terms(&mut draft, &mut payment, left_to_terms)?;
    settle::follow_terms(&mut draft, &mut payment)?;
    finish(draft, payment, EventKind::PaymentCaptured, "payment.capture")
}

fn try_void(mut draft: Draft<'_>, snapshot: &Snapshot, act: &VoidPayment) -> Result<Verdict, Refusal> {
    let known = find(snapshot, act.merchant_id, act.payment_id, act.mode)?;
    if known.status == PaymentStatus::Cancelled {
        return Ok(Verdict::unchanged(Outcome::Payment { payment: Box::new(known.clone()), created: false }));
    }
    let mut payment = known.clone();
    match act.what {
        VoidWhat::Authorisation if known.status == PaymentStatus::Authorised => {}
        VoidWhat::OfflineSale if is_untouched_offline_sale(known) => {
            let about = About::payment(known);
            draft.book("sale_voided", about, posting_rules::sale_voided(&mut payment))?;
        }
        VoidWhat::Authorisation | VoidWhat::OfflineSale => return Err(Refusal::PaymentStatusForbids { status: known.status }),
    }
    payment.status = PaymentStatus::Cancelled;
    finish(draft, payment, EventKind::PaymentVoided, "payment.void")
}

/// Taken in a shop, not settled, and nothing has gone back of it.
fn is_untouched_offline_sale(payment: &Payment) -> bool {
    let nothing = Money::zero(payment.currency());
    payment.status == PaymentStatus::Captured
        && payment.details.offline
        && !payment.settled
        && payment.refunded == nothing
        && payment.charged_back == nothing
        && payment.sharing.as_ref().is_none_or(|sharing| sharing.is_untouched())
        && payment.unsettled_left.minor() == payment.own_money_minor() - payment.reserved.minor()
        && payment.reserve_left == payment.reserved
}

fn finish(mut draft: Draft<'_>, mut payment: Payment, kind: EventKind, action: &'static str) -> Result<Verdict, Refusal> {
    payment.updated_at = draft.now();
    let (about, facts) = (About::payment(&payment), payment_facts(&payment));
    draft.remove_task(payment.merchant_id, Task::void_payment(payment.merchant_id, payment.id, draft.now()).id);
    draft.tell(kind, about, facts.clone());
    draft.audit(action, about, facts);
    let outcome = Outcome::Payment { payment: Box::new(payment.clone()), created: false };
    draft.changes().payments.insert((payment.merchant_id, payment.id), Write::Update(payment));
    Ok(draft.finish(outcome))
}
