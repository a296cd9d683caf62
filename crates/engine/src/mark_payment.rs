//! What the operator found out about a payment: somebody looked at it, or the bank lists it.

use crate::command::{MarkPayment, PaymentMark};
use crate::draft::{About, Draft};
use crate::event::EventKind;
use crate::funds::settle;
use crate::notify::fact;
use crate::payment::PaymentStatus;
use crate::{Outcome, Refusal, Snapshot, Stamp, Verdict};

/// Marks a captured payment; the mark stays, and what was waited for by it alone is done.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &MarkPayment) -> Verdict {
    mark(Draft::new(snapshot, stamp), snapshot, act).unwrap_or_else(Verdict::refused)
}

fn mark(mut draft: Draft<'_>, snapshot: &Snapshot, act: &MarkPayment) -> Result<Verdict, Refusal> {
    let payment = snapshot.payments.get(&(act.merchant_id, act.payment_id)).filter(|payment| payment.mode == act.mode);
    let payment = payment.ok_or(Refusal::UnknownPayment)?;
    if payment.status != PaymentStatus::Captured {
        return Err(Refusal::PaymentNotCaptured { status: payment.status });
    }
    let mut payment = payment.clone();
    let (marked_at, kind, action) = match act.mark {
        PaymentMark::Reviewed => (&mut payment.settling.reviewed_at, EventKind::PaymentReviewed, "payment.review"),
        PaymentMark::Reconciled => (&mut payment.settling.reconciled_at, EventKind::PaymentReconciled, "payment.reconcile"),
    };
    if marked_at.is_some() {
        return Ok(Verdict::unchanged(Outcome::Payment { payment: Box::new(payment), created: false }));
    }
    *marked_at = Some(draft.now());
    let facts = vec![fact("payment_reference", &payment.payment_reference)];
    draft.tell(kind, About::payment(&payment), facts.clone());
    draft.audit(action, About::payment(&payment), facts);
    settle::follow_terms(&mut draft, &mut payment)?;
    Ok(settle::write(draft, payment))
}
