//! A running share ends: the receivers get their money, or nothing moves.

use refundry_ledger::Money;

use super::{LineDraw, Share, ShareFailReason, ShareState, moves};
use crate::command::FinishShare;
use crate::draft::{About, Draft};
use crate::event::{EventFacts, EventKind};
use crate::notify::fact;
use crate::payment::Payment;
use crate::{Outcome, Refusal, Snapshot, Stamp, TaskId, Verdict, posting_rules};

/// Ends a running share; one that has ended already stays as it is.
pub(crate) fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &FinishShare) -> Verdict {
    finish(snapshot, Draft::new(snapshot, stamp), act).unwrap_or_else(Verdict::refused)
}

fn finish(snapshot: &Snapshot, mut draft: Draft<'_>, act: &FinishShare) -> Result<Verdict, Refusal> {
    let (share, mut payment) = moves::find(snapshot, act.merchant_id, act.share_id, act.mode)?;
    match (&share.state, act.succeeds) {
        (ShareState::Running, _) => {}
        (ShareState::Succeeded { .. }, true) | (ShareState::Failed { .. }, false) => {
            draft.remove_task(act.merchant_id, TaskId::new(act.share_id.get()));
            return Ok(draft.finish(Outcome::Share { share: Box::new(share), replayed: true }));
        }
        (ShareState::Planned { .. } | ShareState::Succeeded { .. } | ShareState::Cancelled { .. } | ShareState::Failed { .. }, _) => {
            return Err(Refusal::ShareStateForbids { state: share.state.name(), verb: "be finished".to_owned() });
        }
    }
    if let Some(sharing) = &mut payment.sharing {
        sharing.running.retain(|(running, _)| *running != share.id);
    }
    let given = match act.succeeds {
        true => find_money(&draft, &share, &payment),
        false => Err(ShareFailReason::Declined { by: draft.actor().clone(), note: act.note.clone() }),
    };
    let (state, facts) = match given {
        Ok(given) => {
            give(&mut draft, &share, &mut payment, given)?;
            (ShareState::Succeeded { at: draft.now() }, Vec::new())
        }
        Err(reason) => {
            let facts = reason_facts(&reason);
            (ShareState::Failed { at: draft.now(), reason }, facts)
        }
    };
    let share = moves::end(&mut draft, share, state, facts);
    draft.audit("share.finish", About::payment(&payment), vec![fact("share_id", share.id), fact("state", share.state.name().word())]);
    Ok(moves::finish(draft, share, payment))
}

/// What of the share the payment's unsettled money pays, the rest being available; or what is missing.
fn find_money(draft: &Draft<'_>, share: &Share, payment: &Payment) -> Result<LineDraw, ShareFailReason> {
    let all = share.sum_minor();
    let unsettled_minor = payment.unsettled_left.minor().clamp(0, all);
    let available_minor = all - unsettled_minor;
    let spendable = moves::spendable(draft, share.merchant_id, payment.currency());
    match available_minor > spendable {
        true => Err(ShareFailReason::NotEnoughFunds { missing: Money::new(available_minor - spendable, payment.currency()) }),
        false => Ok(LineDraw { unsettled_minor, available_minor }),
    }
}

/// The giver's book once, then each receiver's: unsettled money to the first lines, as far as it goes.
fn give(draft: &mut Draft<'_>, share: &Share, payment: &mut Payment, given: LineDraw) -> Result<(), Refusal> {
    let currency = payment.currency();
    payment.unsettled_left = payment.unsettled_left.checked_sub(Money::new(given.unsettled_minor, currency))?;
    draft.book("share_given", About::payment(payment), posting_rules::share_given(share.merchant_id, currency, given))?;
    let mut unsettled_left = given.unsettled_minor;
    for line in &share.lines {
        let unsettled_minor = unsettled_left.min(line.amount.minor());
        unsettled_left -= unsettled_minor;
        let received = LineDraw { unsettled_minor, available_minor: line.amount.minor() - unsettled_minor };
        if let Some(sharing) = &mut payment.sharing {
            let part = sharing.receivers.entry(line.receiver_id).or_default();
            part.account.clone_from(&line.account);
            part.shared_minor = part.shared_minor.saturating_add(line.amount.minor());
            part.unsettled_minor = part.unsettled_minor.saturating_add(unsettled_minor);
        }
        moves::receive(draft, "share_received", (line.receiver_id, currency), received)?;
        let facts = vec![
            fact("share_id", share.id),
            fact("giver_id", share.merchant_id),
            fact("payment_reference", &share.payment_reference),
            fact("amount", line.amount),
        ];
        draft.tell(EventKind::ShareReceived, About::merchant(line.receiver_id), facts);
    }
    Ok(())
}

fn reason_facts(reason: &ShareFailReason) -> EventFacts {
    let mut facts = vec![fact("reason", reason.code())];
    match reason {
        ShareFailReason::NotEnoughFunds { missing } => facts.push(fact("missing", missing)),
        ShareFailReason::NotPossible { code } => facts.push(fact("code", code)),
        ShareFailReason::Declined { by, note } => facts.extend([fact("by", by), fact("note", note)]),
    }
    facts
}
