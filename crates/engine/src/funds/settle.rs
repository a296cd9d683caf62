//! A payment's unsettled money becomes available.

use crate::command::SettlePayment;
use crate::draft::{About, Draft};
use crate::event::EventKind;
use crate::notify::fact;
use crate::payment::PaymentStatus;
use crate::{Outcome, Refusal, Snapshot, Stamp, Verdict, Write, posting_rules};

/// Settles a payment once.
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
    let postings = posting_rules::settled(&mut payment);
    payment.updated_at = draft.now();
    if let Err(refusal) = draft.book("payment_settled", About::payment(&payment), postings) {
        return Verdict::refused(refusal);
    }
    draft.serve_waiting(act.merchant_id, payment.currency());
    let facts = vec![fact("payment_reference", &payment.payment_reference), fact("amount", amount)];
    draft.tell(EventKind::PaymentSettled, About::payment(&payment), facts.clone());
    draft.audit("payment.settle", About::payment(&payment), facts);
    let outcome = Outcome::Payment { payment: Box::new(payment.clone()), created: false };
    draft.changes().payments.insert((payment.merchant_id, payment.id), Write::Update(payment));
    draft.finish(outcome)
}
