//! Money came, or an hour struck: refunds that waited for money are served, oldest first.

use crate::command::ReleaseWaiting;
use crate::draft::Draft;
use crate::merchant::ENDPOINTS_MAX;
use crate::policy::{FundsCheck, FundsOrder};
use crate::refund::funding::{self, Shortage};
use crate::refund::{Holds, RefundInPlay, RefundState, release};
use crate::task::Task;
use crate::{Outcome, RefundId, Refusal, Snapshot, Stamp, Verdict};

/// Ids that serving one refund may take: its entry and a notification to every endpoint.
pub const IDS_PER_REFUND: u16 = 1 + ENDPOINTS_MAX as u16;

/// Milliseconds after which refunds that wait but were not on the page are looked for again.
const LOOK_AGAIN_MS: i64 = 1_000;

/// Serves the page in its order. A refund that does not fit, or whose hour it is not, holds up those behind it or lets them pass, as its own policy
/// says. What is left behind the page gets a task of its own, so that many waiting refunds do not sit in one commit.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &ReleaseWaiting) -> Verdict {
    serve_page(Draft::new(snapshot, stamp), act).unwrap_or_else(Verdict::refused)
}

/// How far a look at the queue came.
struct Look {
    /// Somebody must not be overtaken: those behind get what is their own payment's, nothing else.
    held_up: bool,
    /// Somebody was passed over, on this page or before it.
    passed_over: bool,
    /// The last refund that was looked at.
    last: Option<RefundId>,
    /// There are more behind it.
    more: bool,
}

fn serve_page(mut draft: Draft<'_>, act: &ReleaseWaiting) -> Result<Verdict, Refusal> {
    let begins_after = act.task.waiting_page().and_then(|(_, after)| after).filter(|after| after.get() > 0);
    let mut look = Look { held_up: false, passed_over: begins_after.is_some(), last: begins_after, more: act.more };
    for refund_id in &act.refund_ids {
        if draft.ids_left() < IDS_PER_REFUND {
            look.more = true;
            break;
        }
        if let Ok(in_play) = draft.find(act.merchant_id, *refund_id, None)
            && waits_for(&in_play, act)
        {
            look_at(&mut draft, act, in_play, &mut look)?;
        }
        look.last = Some(*refund_id);
    }
    go_on(&mut draft, act, &look);
    Ok(draft.finish(Outcome::Done))
}

/// One refund of the page: it gets its money, or those behind it learn what its place means for them.
fn look_at(draft: &mut Draft<'_>, act: &ReleaseWaiting, mut in_play: RefundInPlay, look: &mut Look) -> Result<(), Refusal> {
    if in_play.payment.open_chargebacks > 0 {
        funding::end_charged_back(draft, &mut in_play)?;
        draft.put(in_play);
        return Ok(());
    }
    let policy = draft.policy(&in_play);
    if policy.funds_check.allows(act.task.hour()) {
        match funding::find(draft, &in_play, &policy, look.held_up) {
            Ok(draw) => {
                release::serve(draft, &mut in_play, draw)?;
                draft.put(in_play);
                return Ok(());
            }
            // Nobody waits for a receiver's money.
            Err(shortage @ Shortage::OfReceiver(_)) => {
                funding::end_short(draft, &mut in_play, shortage)?;
                draft.put(in_play);
                return Ok(());
            }
            Err(Shortage::Own(_)) => {}
        }
    }
    put_next_hour(draft, &in_play, &policy.funds_check);
    match policy.funds_order {
        FundsOrder::Strict => look.held_up = true,
        FundsOrder::Skip => look.passed_over = true,
    }
    Ok(())
}

/// Who waits by the clock is looked at when it strikes next.
pub(crate) fn put_next_hour(draft: &mut Draft<'_>, in_play: &RefundInPlay, check: &FundsCheck) {
    if let Some(hour) = check.next_after(draft.now()) {
        let refund = &in_play.refund;
        draft.put_task(Task::release_waiting_at(refund.merchant_id, refund.funding_currency(), hour));
    }
}

/// The next page, another look, or nothing more. When somebody put another task in the place of the one that is carried out, money came meanwhile:
/// that one begins at the oldest, and nothing is put in its place.
fn go_on(draft: &mut Draft<'_>, act: &ReleaseWaiting, look: &Look) {
    if draft.task(act.merchant_id, act.task.id) != Some(&act.task) {
        return;
    }
    let waiting = draft.waiting(act.merchant_id, act.currency);
    if look.held_up || waiting == 0 {
        draft.remove_task(act.merchant_id, act.task.id);
    } else if look.more {
        let after = look.last.filter(|_| look.passed_over);
        draft.put_task(act.task.next_page(after, draft.now()));
    } else if look.passed_over {
        draft.remove_task(act.merchant_id, act.task.id);
    } else {
        // The page was read before this commit: a refund may have begun to wait since, and the credit that it waits for may be this very task.
        let again = Task::release_waiting(act.merchant_id, act.currency, draft.now().plus_ms(LOOK_AGAIN_MS));
        draft.remove_task(act.merchant_id, act.task.id);
        draft.put_task(again);
    }
}

fn waits_for(in_play: &RefundInPlay, act: &ReleaseWaiting) -> bool {
    let waits = matches!(&in_play.refund.state, RefundState::Pending { holds: Holds { funds: Some(_), .. } });
    waits && in_play.refund.funding_currency() == act.currency
}
