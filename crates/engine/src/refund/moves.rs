//! The ends of a refund, to which several commands come.

use super::{ArnState, FailReason, RefundInPlay, RefundState};
use crate::draft::{About, Draft};
use crate::event::{EventFacts, EventKind};
use crate::notify::fact;
use crate::payment::Payment;
use crate::{Refusal, TaskId, posting_rules, share};

/// What follows from success: the drawn money has left, nothing more is due.
pub(super) fn succeed(draft: &mut Draft<'_>, in_play: &mut RefundInPlay) -> Result<(), Refusal> {
    let postings = posting_rules::succeeded(&in_play.payment, &in_play.refund);
    draft.book("refund_succeeded", About::refund(&in_play.refund), postings)?;
    draft.remove_task(in_play.refund.merchant_id, TaskId::new(in_play.refund.id.get()));
    in_play.refund.updated_at = draft.now();
    no_longer_open(in_play);
    draft.tell_of_refund(EventKind::RefundSucceeded, in_play, Vec::new());
    if let RefundState::Succeeded { arn: ArnState::Known { arn, .. }, .. } = &in_play.refund.state {
        draft.tell_of_refund(EventKind::RefundArnRecorded, in_play, vec![fact("arn", arn)]);
    }
    Ok(())
}

/// Ends a refund as failed or cancelled: what was drawn goes back, it counts no longer, nothing more is due, and who waited for money or
/// behind it is looked at again.
pub(super) fn end_unpaid(draft: &mut Draft<'_>, in_play: &mut RefundInPlay, end: RefundState) -> Result<(), Refusal> {
    let waited = matches!(&in_play.refund.state, RefundState::Pending { holds } if holds.funds.is_some());
    let (cause, kind, facts) = match &end {
        RefundState::Failed { reason, .. } => ("refund_failed", EventKind::RefundFailed, reason_facts(reason)),
        RefundState::Cancelled { by, .. } => ("refund_cancelled", EventKind::RefundCancelled, vec![fact("by", by)]),
        RefundState::Pending { .. }
        | RefundState::Submitted { .. }
        | RefundState::Unresolved { .. }
        | RefundState::Succeeded { .. }
        | RefundState::Returned { .. } => {
            return Err(Refusal::RefundStateForbids { state: end.name(), verb: "end unpaid".to_owned() });
        }
    };
    in_play.refund.state = end;
    if let Some(draw) = in_play.refund.drawn {
        let postings = posting_rules::undone(&mut in_play.payment, &in_play.refund, draw);
        draft.book(cause, About::refund(&in_play.refund), postings)?;
        share::restore_lines(draft, in_play)?;
    }
    no_longer_open(in_play);
    uncount(draft, in_play)?;
    let (merchant_id, currency) = (in_play.refund.merchant_id, in_play.refund.funding_currency());
    draft.remove_task(merchant_id, TaskId::new(in_play.refund.id.get()));
    if waited {
        draft.change_waiting(merchant_id, currency, -1);
    }
    if waited || in_play.refund.drawn.is_some() {
        draft.serve_waiting(merchant_id, currency);
    }
    draft.tell_of_refund(kind, in_play, facts);
    Ok(())
}

/// A refund counts no longer. When a chargeback had come while it counted, what was beyond the payment then is taken from the merchant now.
pub(super) fn uncount(draft: &mut Draft<'_>, in_play: &mut RefundInPlay) -> Result<(), Refusal> {
    let before = in_play.payment.clone();
    in_play.payment.uncount(&in_play.refund)?;
    share::undo_recoveries(draft, &mut in_play.payment)?;
    cover_exposure(draft, in_play, &before)
}

/// The payment's shares need not wait for it any more.
fn no_longer_open(in_play: &mut RefundInPlay) {
    if let (Some(sharing), Some(_)) = (&mut in_play.payment.sharing, &in_play.refund.sharing) {
        sharing.open_refunds = sharing.open_refunds.saturating_sub(1);
    }
}

/// What was beyond the payment before and is not any more is taken from the merchant.
pub(super) fn cover_exposure(draft: &mut Draft<'_>, in_play: &mut RefundInPlay, before: &Payment) -> Result<(), Refusal> {
    let covered = before.beyond_captured().saturating_sub(in_play.payment.beyond_captured());
    let postings = posting_rules::exposure_covered(&mut in_play.payment, before.exposure(), covered);
    draft.book("exposure_covered", About::refund(&in_play.refund), postings)
}

fn reason_facts(reason: &FailReason) -> EventFacts {
    let mut facts = vec![fact("reason", reason.code())];
    match reason {
        FailReason::DeclinedByAcquirer { code, text } => facts.extend([fact("acquirer_code", code), fact("acquirer_text", text)]),
        FailReason::RejectedByReviewer { by, note } => facts.extend([fact("by", by), fact("note", note)]),
        FailReason::ReceiverNotEnoughFunds { account } => facts.push(fact("receiver", account)),
        FailReason::FundsExpired | FailReason::NotEnoughFunds | FailReason::ChargedBack => {}
    }
    facts
}
