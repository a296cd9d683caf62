//! What a merchant owes for a payment is taken out of its available money. What is written off instead is an adjustment, which two people book.

use refundry_ledger::Money;

use crate::command::CollectExposure;
use crate::draft::{About, Draft};
use crate::event::EventKind;
use crate::notify::fact;
use crate::posting_rules::SPENDABLE;
use crate::{Outcome, Refusal, Snapshot, Stamp, Verdict, Write, posting_rules};

/// Takes what is owed, but for what is left; a repeat takes nothing more. The available money does not fall below zero for it.
pub fn collect(snapshot: &Snapshot, stamp: &Stamp, act: &CollectExposure) -> Verdict {
    take(Draft::new(snapshot, stamp), act).unwrap_or_else(Verdict::refused)
}

fn take(mut draft: Draft<'_>, act: &CollectExposure) -> Result<Verdict, Refusal> {
    let found = draft.snapshot().payments.get(&(act.merchant_id, act.payment_id)).filter(|payment| payment.mode == act.mode);
    let mut payment = found.cloned().ok_or(Refusal::UnknownPayment)?;
    let expected = payment.currency();
    if act.leave.currency() != expected {
        return Err(Refusal::CurrencyMismatch { expected });
    }
    if act.leave.is_negative() {
        return Err(Refusal::FieldInvalid { field: "leave".to_owned(), rule: "zero or more".to_owned() });
    }
    let minor = payment.exposure().saturating_sub(act.leave.minor());
    if minor <= 0 {
        return Ok(Verdict::unchanged(Outcome::Payment { payment: Box::new(payment), created: false }));
    }
    let postings = posting_rules::exposure_collected(&mut payment, minor);
    let about = About::payment(&payment);
    let home = payment.home_currency();
    draft.book("exposure_collected", about, postings)?;
    let available = draft.balance(act.merchant_id, SPENDABLE, home);
    if available < 0 {
        return Err(Refusal::NotEnoughFunds { missing: Money::new(available.saturating_neg(), home) });
    }
    let facts = vec![
        fact("kind", "exposure_collected"),
        fact("amount", Money::new(minor, expected)),
        fact("owed", Money::new(payment.exposure(), expected)),
        fact("payment_reference", &payment.payment_reference),
    ];
    draft.tell(EventKind::FundsAdjusted, about, facts.clone());
    draft.audit("exposure.collect", about, facts);
    payment.updated_at = draft.now();
    draft.changes().payments.insert((payment.merchant_id, payment.id), Write::Update(payment.clone()));
    Ok(draft.finish(Outcome::Payment { payment: Box::new(payment), created: false }))
}
