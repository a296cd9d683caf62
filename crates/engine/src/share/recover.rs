//! A receiver pays back what the giver advanced in its place. The advance counts as returned by the receiver from then on.

use refundry_ledger::Money;

use super::moves;
use crate::command::RecoverAdvance;
use crate::draft::{About, Draft};
use crate::event::EventKind;
use crate::idempotency::{Remembered, RememberedDecision, first_difference};
use crate::notify::fact;
use crate::payment::Payment;
use crate::{Outcome, Refusal, Snapshot, Stamp, Verdict, Write, posting_rules};

/// The scope of the idempotency keys of recoveries.
pub const ADVANCE_SCOPE: &str = "advance";

/// Moves the money from the receiver's book to the giver's; the same key again changes nothing.
pub(crate) fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &RecoverAdvance) -> Verdict {
    recover(snapshot, Draft::new(snapshot, stamp), act).unwrap_or_else(Verdict::refused)
}

fn recover(snapshot: &Snapshot, mut draft: Draft<'_>, act: &RecoverAdvance) -> Result<Verdict, Refusal> {
    let payment = snapshot.payments.get(&(act.merchant_id, act.payment_id)).filter(|payment| payment.mode == act.mode);
    let payment = payment.ok_or(Refusal::UnknownPayment)?;
    let compared = vec![fact("payment_id", act.payment_id), fact("receiver_id", act.receiver_id), fact("amount", act.amount)];
    if let Some(remembered) = snapshot.remembered.get(&act.key) {
        return match first_difference(&remembered.compared, &compared) {
            Some((field, first, now)) => Err(Refusal::RepeatInconsistent { field, first, now }),
            None => Ok(Verdict::unchanged(Outcome::Payment { payment: Box::new(payment.clone()), created: false })),
        };
    }
    let mut payment = payment.clone();
    let account = check(&draft, &payment, act)?;
    if let Some(sharing) = &mut payment.sharing {
        sharing.advanced_minor = sharing.advanced_minor.saturating_sub(act.amount.minor());
        let part = sharing.receivers.entry(act.receiver_id).or_default();
        part.returned_minor = part.returned_minor.saturating_add(act.amount.minor());
        part.recovered_minor = part.recovered_minor.saturating_add(act.amount.minor());
    }
    let (giver, receiver) = (About::payment(&payment), About::merchant(act.receiver_id));
    draft.book("advance_paid", receiver, posting_rules::advance_paid(act.receiver_id, act.amount))?;
    draft.book("advance_recovered", giver, posting_rules::advance_recovered(act.merchant_id, act.amount))?;
    draft.serve_waiting(act.merchant_id, act.amount.currency());
    let facts = vec![fact("payment_reference", &payment.payment_reference), fact("receiver", account), fact("amount", act.amount)];
    draft.tell(EventKind::AdvanceRecovered, giver, facts.clone());
    let of_receiver =
        vec![fact("giver_id", act.merchant_id), fact("payment_reference", &payment.payment_reference), fact("amount", act.amount)];
    draft.tell(EventKind::ShareReturned, receiver, of_receiver);
    draft.audit("advance.recover", giver, facts);
    let (key, at) = (act.key.clone(), draft.now());
    draft.changes().remembered.push(Remembered { key, compared, decision: RememberedDecision::Recovered, at });
    payment.updated_at = at;
    let outcome = Outcome::Payment { payment: Box::new(payment.clone()), created: false };
    draft.changes().payments.insert((payment.merchant_id, payment.id), Write::Update(payment));
    Ok(draft.finish(outcome))
}

/// Nothing of the payment is on its way, so much was advanced, and the receiver has it. Says by which account number the receiver is known.
fn check(draft: &Draft<'_>, payment: &Payment, act: &RecoverAdvance) -> Result<String, Refusal> {
    let currency = payment.currency();
    if act.amount.currency() != currency {
        return Err(Refusal::CurrencyMismatch { expected: currency });
    }
    if !act.amount.is_positive() {
        return Err(Refusal::AmountNotPositive);
    }
    let nothing = Refusal::ExceedsAdvanced { highest: Money::zero(currency) };
    let Some(sharing) = &payment.sharing else { return Err(nothing) };
    if sharing.open_refunds > 0 {
        return Err(Refusal::RefundOpen);
    }
    let Some(part) = sharing.receivers.get(&act.receiver_id) else { return Err(nothing) };
    let highest = sharing.advanced_minor.min(part.left_minor()).max(0);
    if act.amount.minor() > highest {
        return Err(Refusal::ExceedsAdvanced { highest: Money::new(highest, currency) });
    }
    let spendable = moves::spendable(draft, act.receiver_id, currency);
    if act.amount.minor() > spendable {
        return Err(Refusal::ReceiverNotEnoughFunds { account: part.account.clone(), highest: Money::new(spendable, currency) });
    }
    Ok(part.account.clone())
}
