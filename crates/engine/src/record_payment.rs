//! The operator's payment system tells of a payment: a new one, the same again, or a later status of a known one.

use refundry_ledger::Money;

use crate::command::{LeftToTerms, RecordPayment};
use crate::draft::{About, Draft};
use crate::event::{EventFacts, EventKind};
use crate::funds::settle;
use crate::notify::fact;
use crate::payment::{Converted, Payment, PaymentStatus, REFERENCE_LENGTH_MAX};
use crate::settlement::Settling;
use crate::share::{FeeMode, Sharing, plan};
use crate::{Outcome, Refusal, Snapshot, Stamp, Verdict, Write, authorisation, posting_rules};

/// Decides about what is told. The same again changes nothing; a captured payment never becomes anything else.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &RecordPayment) -> Verdict {
    let told = &act.payment;
    if let Err(refusal) = check(snapshot, told) {
        return Verdict::refused(refusal);
    }
    let known = snapshot.references.get(&(told.merchant_id, told.payment_reference.clone()));
    match known.and_then(|id| snapshot.payments.get(&(told.merchant_id, *id))) {
        Some(before) => update(snapshot, stamp, before, act),
        None if snapshot.payments.contains_key(&(told.merchant_id, told.id)) => Verdict::unchanged(Outcome::IdTaken),
        None => create(snapshot, stamp, act),
    }
}

fn check(snapshot: &Snapshot, told: &Payment) -> Result<(), Refusal> {
    let merchant = snapshot.merchants.get(&told.merchant_id).filter(|merchant| merchant.mode == told.mode);
    if merchant.is_none() {
        return Err(Refusal::UnknownMerchant);
    }
    let terminal = snapshot.terminals.get(&(told.merchant_id, told.terminal_id)).filter(|terminal| terminal.mode == told.mode);
    if terminal.is_none() {
        return Err(Refusal::UnknownTerminal);
    }
    check_reference("payment_reference", &told.payment_reference, 1)?;
    check_reference("merchant_reference", &told.merchant_reference, 0)?;
    check_reference("method", &told.method, 1)?;
    check_card(told)?;
    check_amounts(told)
}

fn check_reference(field: &str, reference: &str, shortest: usize) -> Result<(), Refusal> {
    let fits = (shortest..=REFERENCE_LENGTH_MAX).contains(&reference.chars().count()) && !reference.chars().any(char::is_control);
    fits.then_some(()).ok_or_else(|| invalid(field, format!("{shortest} to {REFERENCE_LENGTH_MAX} letters without control characters")))
}

/// A card number is never stored: six and four digits, no more.
fn check_card(told: &Payment) -> Result<(), Refusal> {
    let digits = |text: &Option<String>, count: usize| {
        text.as_ref().is_none_or(|text| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit()))
    };
    if !digits(&told.details.card_first6, 6) {
        return Err(invalid("card_first6", "exactly the first six digits, never more of a card number".to_owned()));
    }
    if !digits(&told.details.card_last4, 4) {
        return Err(invalid("card_last4", "exactly the last four digits, never more of a card number".to_owned()));
    }
    Ok(())
}

fn check_amounts(told: &Payment) -> Result<(), Refusal> {
    let currency = told.currency();
    for (field, amount) in [
        ("authorised", told.authorised),
        ("captured", told.captured),
        ("marketing", told.marketing),
        ("fee", told.fee),
        ("reserved", told.reserved),
    ] {
        if amount.currency() != currency {
            return Err(invalid(field, format!("in {currency}, the payment's currency")));
        }
        if amount.is_negative() {
            return Err(invalid(field, "zero or more".to_owned()));
        }
    }
    let captured = told.status == PaymentStatus::Captured;
    if captured != told.captured.is_positive() {
        return Err(invalid("captured", "above zero for a captured payment, zero for any other".to_owned()));
    }
    let parts = told.fee.minor().checked_add(told.reserved.minor()).ok_or(Refusal::OutOfRange)?;
    if captured && parts > told.captured.minor() {
        return Err(invalid("fee", "fee and reserve together at most the captured amount".to_owned()));
    }
    check_fee_parts(told)?;
    check_quote(told)?;
    let whole = if captured { told.captured } else { told.authorised };
    if told.marketing.minor() > whole.minor() {
        return Err(invalid("marketing", "at most the captured amount".to_owned()));
    }
    Ok(())
}

/// What is shown of a fee apart is a part of it.
fn check_fee_parts(told: &Payment) -> Result<(), Refusal> {
    let Some(parts) = told.details.fee_parts else { return Ok(()) };
    let sum = parts.all().into_iter().try_fold(0_i64, i64::checked_add);
    match parts.all().iter().all(|part| *part >= 0) && sum.is_some_and(|sum| sum <= told.fee.minor()) {
        true => Ok(()),
        false => Err(invalid("details.fee_parts", "zero or more each, and together at most the fee that is told".to_owned())),
    }
}

/// What is taken must be worth something at the rate, and twice of it must still be kept: a payment's money may cross both ways at once.
fn check_quote(told: &Payment) -> Result<(), Refusal> {
    let Some(quote) = &told.quote else { return Ok(()) };
    let most = told.authorised.minor().max(told.captured.minor()).saturating_mul(2);
    match quote.price_mantissa > 0 && quote.convert(Money::new(most, told.currency())).is_some() {
        true => Ok(()),
        false => Err(invalid("quote.price", "above zero, and such that the amount can be kept in the settlement currency".to_owned())),
    }
}

fn invalid(field: &str, rule: String) -> Refusal {
    Refusal::FieldInvalid { field: field.to_owned(), rule }
}

fn create(snapshot: &Snapshot, stamp: &Stamp, act: &RecordPayment) -> Verdict {
    let told = &act.payment;
    if let Err(refusal) = plan::check(snapshot, told, &act.plan) {
        return Verdict::refused(refusal);
    }
    let zero = Money::zero(told.currency());
    let payment = Payment {
        refunded: zero,
        refunded_marketing: zero,
        refund_count: 0,
        fee_given_back: zero,
        unsettled_left: zero,
        reserve_left: zero,
        settled: false,
        settling: Settling::default(),
        charged_back: zero,
        open_chargebacks: 0,
        open_retrievals: 0,
        sharing: fee_mode(act).map(|fee_mode| Box::new(Sharing::new(fee_mode))),
        converted: Converted::default(),
        created_at: stamp.now,
        updated_at: stamp.now,
        ..told.clone()
    };
    write(snapshot, stamp, (payment, act), EventKind::PaymentRecorded)
}

/// An ordinary payment says nothing of a fee mode and has no plan.
fn fee_mode(act: &RecordPayment) -> Option<FeeMode> {
    let planned = (!act.plan.is_empty()).then_some(FeeMode::FromPayment);
    act.payment.sharing.as_ref().map(|sharing| sharing.fee_mode).or(planned)
}

/// What is told of a known payment: a later status counts, the same facts again change nothing, other facts are refused by name.
fn update(snapshot: &Snapshot, stamp: &Stamp, before: &Payment, act: &RecordPayment) -> Verdict {
    let told = &act.payment;
    if let Some(field) = first_contradiction(before, act) {
        return Verdict::refused(Refusal::PaymentInconsistent { field: field.to_owned() });
    }
    if before.status == told.status {
        return Verdict::unchanged(Outcome::Payment { payment: Box::new(before.clone()), created: false });
    }
    if !may_become(before.status, told.status) {
        return Verdict::refused(Refusal::PaymentStatusForbids { status: before.status });
    }
    let payment = Payment {
        status: told.status,
        captured: told.captured,
        marketing: told.marketing,
        fee: told.fee,
        reserved: told.reserved,
        paid_at: told.paid_at,
        quote: told.quote.clone().or_else(|| before.quote.clone()),
        details: told.details.clone(),
        updated_at: stamp.now,
        ..before.clone()
    };
    write(snapshot, stamp, (payment, act), EventKind::PaymentUpdated)
}

/// What is left to the terms cannot contradict them.
fn first_contradiction(before: &Payment, act: &RecordPayment) -> Option<&'static str> {
    let told = &act.payment;
    let same_status = before.status == told.status;
    [
        ("terminal_id", before.terminal_id != told.terminal_id),
        ("currency", before.currency() != told.currency()),
        ("merchant_reference", before.merchant_reference != told.merchant_reference),
        ("method", before.method != told.method),
        ("authorised", before.authorised != told.authorised && same_status),
        ("captured", before.captured != told.captured && same_status),
        ("marketing", before.marketing != told.marketing && same_status),
        ("fee", before.fee != told.fee && same_status && !act.left_to_terms.fee),
        ("reserved", before.reserved != told.reserved && same_status && !act.left_to_terms.reserved),
        ("fee_mode", told.sharing.as_ref().is_some_and(|sharing| sharing.fee_mode != before.fee_mode())),
        ("paid_at", before.paid_at != told.paid_at && same_status),
        ("quote", told.quote.is_some() && before.quote != told.quote && same_status),
    ]
    .into_iter()
    .find_map(|(field, differs)| differs.then_some(field))
}

const fn may_become(before: PaymentStatus, after: PaymentStatus) -> bool {
    match before {
        PaymentStatus::Pending => true,
        PaymentStatus::Authorised => {
            matches!(after, PaymentStatus::Captured | PaymentStatus::Cancelled | PaymentStatus::Closed | PaymentStatus::Failed)
        }
        PaymentStatus::Captured | PaymentStatus::Failed | PaymentStatus::Cancelled | PaymentStatus::Closed => false,
    }
}

fn write(snapshot: &Snapshot, stamp: &Stamp, (mut payment, act): (Payment, &RecordPayment), kind: EventKind) -> Verdict {
    let mut draft = Draft::new(snapshot, stamp);
    let about = About::payment(&payment);
    let captured = payment.status == PaymentStatus::Captured;
    if captured && let Err(refusal) = capture(&mut draft, &mut payment, act.left_to_terms) {
        return Verdict::refused(refusal);
    }
    let created = kind == EventKind::PaymentRecorded;
    authorisation::follow(&mut draft, created, &payment, act.order);
    match (act.order, payment.status) {
        (None, _) | (Some(_), PaymentStatus::Pending) => draft.tell(kind, about, payment_facts(&payment)),
        (Some(_), _) => draft.tell_of_order(kind, &payment, payment_facts(&payment)),
    }
    if created && let Err(refusal) = plan::write(&mut draft, &mut payment, &act.plan) {
        return Verdict::refused(refusal);
    }
    if captured && let Err(refusal) = settle::follow_terms(&mut draft, &mut payment) {
        return Verdict::refused(refusal);
    }
    let row = if created { Write::Insert(payment.clone()) } else { Write::Update(payment.clone()) };
    draft.changes().payments.insert((payment.merchant_id, payment.id), row);
    draft.finish(Outcome::Payment { payment: Box::new(payment), created })
}

/// Books the capture. What the operator did not say of fee and reserve, the terms count; his own count stands.
pub(crate) fn capture(draft: &mut Draft<'_>, payment: &mut Payment, left_to_terms: LeftToTerms) -> Result<(), Refusal> {
    let terms = draft.settlement_terms(payment);
    if left_to_terms.fee {
        let room = payment.captured.checked_sub(payment.reserved)?;
        payment.fee = terms.fee(payment.captured).smaller(room)?;
    }
    if left_to_terms.reserved {
        payment.reserved = terms.rolling_reserve(payment.captured, payment.fee);
    }
    let postings = posting_rules::captured(payment);
    draft.book("capture", About::payment(payment), postings)?;
    terms.begin(payment);
    Ok(())
}

/// What every event of a payment says.
pub(crate) fn payment_facts(payment: &Payment) -> EventFacts {
    vec![
        fact("payment_id", payment.id),
        fact("payment_reference", &payment.payment_reference),
        fact("merchant_reference", &payment.merchant_reference),
        fact("status", payment.status.word()),
        fact("captured", payment.captured),
    ]
}
