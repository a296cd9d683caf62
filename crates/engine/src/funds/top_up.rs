//! The merchant pays money in, so that refunds can be served.

use crate::command::TopUp;
use crate::draft::{About, Draft};
use crate::event::EventKind;
use crate::idempotency::{Remembered, RememberedDecision, first_difference};
use crate::notify::fact;
use crate::{Outcome, Refusal, Snapshot, Stamp, Verdict, posting_rules};

/// Pays in once per key.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &TopUp) -> Verdict {
    top_up(Draft::new(snapshot, stamp), snapshot, act).unwrap_or_else(Verdict::refused)
}

fn top_up(mut draft: Draft<'_>, snapshot: &Snapshot, act: &TopUp) -> Result<Verdict, Refusal> {
    if snapshot.merchants.get(&act.merchant_id).is_none_or(|merchant| merchant.mode != act.mode) {
        return Err(Refusal::UnknownMerchant);
    }
    let compared = vec![fact("type", "top_up"), fact("amount", act.amount)];
    if let Some(remembered) = snapshot.remembered.get(&act.key) {
        return match first_difference(&remembered.compared, &compared) {
            Some((field, first, now)) => Err(Refusal::RepeatInconsistent { field, first, now }),
            None => Ok(Verdict::unchanged(Outcome::Done)),
        };
    }
    if !act.amount.is_positive() {
        return Err(Refusal::AmountNotPositive);
    }
    let about = About::merchant(act.merchant_id);
    draft.book("topped_up", about, posting_rules::topped_up(act.merchant_id, act.amount))?;
    draft.serve_waiting(act.merchant_id, act.amount.currency());
    let facts = vec![fact("amount", act.amount), fact("number", &act.key.number)];
    draft.tell(EventKind::ToppedUp, about, facts.clone());
    draft.audit("funds.top_up", about, facts);
    let decision = RememberedDecision::ToppedUp;
    let at = draft.now();
    draft.changes().remembered.push(Remembered { key: act.key.clone(), compared, decision, at });
    Ok(draft.finish(Outcome::Done))
}
