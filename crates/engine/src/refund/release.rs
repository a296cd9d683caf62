//! A held refund is looked at again: its undo window ended, its time to wait for money did, or money came.

use refundry_ledger::Money;

use super::funding::{self, Shortage};
use super::{FailReason, FundsHold, Holds, RefundInPlay, RefundState, moves};
use crate::command::ReleaseRefund;
use crate::draft::Draft;
use crate::event::EventKind;
use crate::notify::fact;
use crate::{Outcome, Refusal, Snapshot, Stamp, TaskId, Verdict};

/// Releases a refund whose holds are gone, and fails one whose time to wait for money is over. Nothing happens to a refund that is not held.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &ReleaseRefund) -> Verdict {
    release(Draft::new(snapshot, stamp), act).unwrap_or_else(Verdict::refused)
}

fn release(mut draft: Draft<'_>, act: &ReleaseRefund) -> Result<Verdict, Refusal> {
    let mut in_play = draft.find(act.merchant_id, act.refund_id, None)?;
    let holds = match &in_play.refund.state {
        RefundState::Pending { holds } => holds.clone(),
        RefundState::Submitted { .. } | RefundState::Unresolved { .. } => return Ok(Verdict::unchanged(Outcome::Done)),
        RefundState::Succeeded { .. } | RefundState::Failed { .. } | RefundState::Cancelled { .. } | RefundState::Returned { .. } => {
            draft.remove_task(act.merchant_id, TaskId::new(act.refund_id.get()));
            return Ok(draft.finish(Outcome::Done));
        }
    };
    let delay_is_over = holds.delay_until.is_none_or(|until| draft.now() >= until);
    match &holds.funds {
        _ if holds.review.is_some() || holds.is_empty() || !delay_is_over => {
            funding::put_next_step(&mut draft, &in_play.refund);
            return Ok(draft.finish(Outcome::Done));
        }
        _ if in_play.payment.open_chargebacks > 0 => funding::end_charged_back(&mut draft, &mut in_play)?,
        Some(funds) => look_for_money_again(&mut draft, &mut in_play, funds)?,
        None => {
            in_play.refund.state = RefundState::Pending { holds: Holds::default() };
            funding::look_and_tell(&mut draft, &mut in_play)?;
        }
    }
    Ok(draft.finish_with(in_play))
}

/// Before its time is over it does not overtake those who waited before it; at the end it takes what is there or fails. One that never waited overtakes
/// nobody, and one that goes by the clock is not looked at between its hours: not even at the end.
fn look_for_money_again(draft: &mut Draft<'_>, in_play: &mut RefundInPlay, funds: &FundsHold) -> Result<(), Refusal> {
    let policy = draft.policy(in_play);
    let (merchant_id, currency) = (in_play.refund.merchant_id, in_play.refund.funding_currency());
    let (is_over, never_waited) = (draft.now() >= funds.until, funds.until <= funds.since);
    let is_behind_others = (!is_over || never_waited) && draft.waiting(merchant_id, currency) > 1;
    let found = match never_waited || policy.funds_check.allows(None) {
        true => funding::find(draft, in_play, &policy, is_behind_others),
        false => Err(Shortage::Own(Money::new(funds.missing_minor, currency))),
    };
    match found {
        Ok(draw) => serve(draft, in_play, draw),
        Err(shortage) if is_over || matches!(shortage, Shortage::OfReceiver(_)) => {
            let reason = match shortage {
                Shortage::Own(_) if !never_waited => FailReason::FundsExpired,
                Shortage::Own(_) | Shortage::OfReceiver(_) => shortage.reason(),
            };
            let failed = in_play.refund.state.fail_pending(reason, draft.now())?;
            moves::end_unpaid(draft, in_play, failed)
        }
        Err(shortage) => {
            let missing_minor = shortage.missing(&in_play.refund).minor();
            let funds = FundsHold { missing_minor, ..funds.clone() };
            in_play.refund.state = RefundState::Pending { holds: Holds { funds: Some(funds), ..Holds::default() } };
            funding::put_next_step(draft, &in_play.refund);
            Ok(())
        }
    }
}

/// A refund that waited gets its money.
pub(crate) fn serve(draft: &mut Draft<'_>, in_play: &mut RefundInPlay, draw: super::Draw) -> Result<(), Refusal> {
    let waited_since = match &in_play.refund.state {
        RefundState::Pending { holds: Holds { funds: Some(funds), .. } } => fact("waited_since_us", funds.since.us()),
        other => return Err(Refusal::RefundStateForbids { state: other.name(), verb: "be served".to_owned() }),
    };
    funding::draw(draft, in_play, draw)?;
    draft.change_waiting(in_play.refund.merchant_id, in_play.refund.funding_currency(), -1);
    draft.tell_of_refund(EventKind::RefundReleased, in_play, vec![waited_since]);
    Ok(())
}
