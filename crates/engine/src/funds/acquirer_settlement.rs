//! The acquirer settled with the operator: what it owed for a merchant's business is the operator's cash. Nothing of the merchant's moves, so the
//! merchant is not told.

use crate::command::RecordAcquirerSettlement;
use crate::draft::{About, Draft};
use crate::idempotency::{Remembered, RememberedDecision, first_difference};
use crate::notify::fact;
use crate::{Outcome, Refusal, Snapshot, Stamp, Verdict, posting_rules};

/// Books it once per key.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &RecordAcquirerSettlement) -> Verdict {
    record(Draft::new(snapshot, stamp), snapshot, act).unwrap_or_else(Verdict::refused)
}

fn record(mut draft: Draft<'_>, snapshot: &Snapshot, act: &RecordAcquirerSettlement) -> Result<Verdict, Refusal> {
    if snapshot.merchants.get(&act.merchant_id).is_none_or(|merchant| merchant.mode != act.mode) {
        return Err(Refusal::UnknownMerchant);
    }
    let compared = vec![fact("type", "acquirer_settlement"), fact("amount", act.amount)];
    if let Some(remembered) = snapshot.remembered.get(&act.key) {
        return match first_difference(&remembered.compared, &compared) {
            Some((field, first, now)) => Err(Refusal::RepeatInconsistent { field, first, now }),
            None => Ok(Verdict::unchanged(Outcome::Done)),
        };
    }
    if act.amount.minor() == 0 {
        let rule = "above zero for what the acquirer paid, below zero for what it took back".to_owned();
        return Err(Refusal::FieldInvalid { field: "amount".to_owned(), rule });
    }
    let about = About::merchant(act.merchant_id);
    draft.book("acquirer_settled", about, posting_rules::acquirer_settled(act.merchant_id, act.amount))?;
    draft.audit("funds.acquirer_settled", about, vec![fact("amount", act.amount), fact("number", &act.key.number)]);
    let (decision, at) = (RememberedDecision::ToppedUp, draft.now());
    draft.changes().remembered.push(Remembered { key: act.key.clone(), compared, decision, at });
    Ok(draft.finish(Outcome::Done))
}
