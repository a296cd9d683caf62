//! Money came: refunds that waited for it are served, oldest first.

use crate::command::ReleaseWaiting;
use crate::draft::Draft;
use crate::merchant::ENDPOINTS_MAX;
use crate::refund::{Holds, RefundInPlay, RefundState, funding, release};
use crate::task::Task;
use crate::{Outcome, Refusal, Snapshot, Stamp, Verdict};

/// Ids that serving one refund may take: its entry and a notification to every endpoint.
const IDS_PER_REFUND: u16 = 1 + ENDPOINTS_MAX as u16;

/// Milliseconds after which refunds that wait but were not on the page are looked for again.
const LOOK_AGAIN_MS: i64 = 1_000;

/// Serves the page in its order and stops at the first refund that does not fit: nobody overtakes. What is left behind the page gets a task
/// of its own, so that many waiting refunds do not sit in one commit.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &ReleaseWaiting) -> Verdict {
    serve_page(Draft::new(snapshot, stamp), act).unwrap_or_else(Verdict::refused)
}

fn serve_page(mut draft: Draft<'_>, act: &ReleaseWaiting) -> Result<Verdict, Refusal> {
    let task = Task::release_waiting(act.merchant_id, act.currency, draft.now());
    draft.remove_task(act.merchant_id, task.id);
    for refund_id in &act.refund_ids {
        if draft.ids_left() < IDS_PER_REFUND {
            draft.put_task(task);
            return Ok(draft.finish(Outcome::Done));
        }
        let Ok(mut in_play) = draft.find(act.merchant_id, *refund_id, None) else {
            continue;
        };
        if !waits_for(&in_play, act) {
            continue;
        }
        let policy = draft.policy(&in_play);
        match funding::find(&draft, &in_play, &policy, false) {
            Ok(draw) => {
                release::serve(&mut draft, &mut in_play, draw)?;
                draft.put(in_play);
            }
            Err(_) => return Ok(draft.finish(Outcome::Done)),
        }
    }
    // The page was read before this commit: a refund may have begun to wait since, and the credit that it waits for may be this very task.
    if act.more {
        draft.put_task(task);
    } else if draft.waiting(act.merchant_id, act.currency) > 0 {
        draft.put_task(Task { due_at: draft.now().plus_ms(LOOK_AGAIN_MS), ..task });
    }
    Ok(draft.finish(Outcome::Done))
}

fn waits_for(in_play: &RefundInPlay, act: &ReleaseWaiting) -> bool {
    let waits = matches!(&in_play.refund.state, RefundState::Pending { holds: Holds { funds: Some(_), .. } });
    waits && in_play.refund.amount.currency() == act.currency
}
