//! The time of a planned share has come.

use super::{AskedLine, Share, ShareFailReason, ShareState, create, moves};
use crate::command::StartShare;
use crate::draft::Draft;
use crate::event::EventKind;
use crate::notify::fact;
use crate::task::{Task, TaskKind};
use crate::{Outcome, Refusal, Snapshot, Stamp, TaskId, Verdict, Write};

/// Begins a planned share, or fails it when a rule forbids it by now. Nothing happens to one that is not planned.
pub(crate) fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &StartShare) -> Verdict {
    start(snapshot, Draft::new(snapshot, stamp), act).unwrap_or_else(Verdict::refused)
}

fn start(snapshot: &Snapshot, mut draft: Draft<'_>, act: &StartShare) -> Result<Verdict, Refusal> {
    let (mut share, mut payment) = moves::find(snapshot, act.merchant_id, act.share_id, None)?;
    let due_at = match &share.state {
        ShareState::Planned { due_at } => *due_at,
        ShareState::Running => {
            draft.put_task(Task::of_share(TaskKind::FinishShare, share.merchant_id, share.id, draft.now()));
            return Ok(draft.finish(Outcome::Done));
        }
        ShareState::Succeeded { .. } | ShareState::Cancelled { .. } | ShareState::Failed { .. } => {
            draft.remove_task(act.merchant_id, TaskId::new(act.share_id.get()));
            return Ok(draft.finish(Outcome::Done));
        }
    };
    if draft.now() < due_at {
        draft.put_task(Task::of_share(TaskKind::StartShare, share.merchant_id, share.id, due_at));
        return Ok(draft.finish(Outcome::Done));
    }
    if let Some(sharing) = &mut payment.sharing {
        sharing.planned.retain(|planned| *planned != share.id);
    }
    let allowed = create::check_now(snapshot, &payment, draft.now()).and_then(|()| create::check_room(&payment, &asked_again(&share)));
    if let Err(refusal) = allowed {
        let reason = ShareFailReason::NotPossible { code: refusal.code().to_owned() };
        let facts = vec![fact("reason", reason.code()), fact("code", refusal.code())];
        let failed = ShareState::Failed { at: draft.now(), reason };
        let share = moves::end(&mut draft, share, failed, facts);
        return Ok(moves::finish(draft, share, payment));
    }
    if let Some(sharing) = &mut payment.sharing {
        sharing.begin(share.id, share.sum_minor());
    }
    share.state = ShareState::Running;
    share.updated_at = draft.now();
    draft.put_task(Task::of_share(TaskKind::FinishShare, share.merchant_id, share.id, draft.now()));
    draft.tell_of_share(EventKind::ShareAccepted, &share, Vec::new());
    draft.changes().shares.insert((share.merchant_id, share.id), Write::Update(share.clone()));
    Ok(moves::finish(draft, share, payment))
}

fn asked_again(share: &Share) -> Vec<AskedLine> {
    let line =
        |line: &super::ShareLine| AskedLine { account: line.account.clone(), receiver_id: Some(line.receiver_id), amount: line.amount };
    share.lines.iter().map(line).collect()
}
