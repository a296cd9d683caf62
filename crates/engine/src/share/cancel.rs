//! Taking a planned share back before its time.

use super::{ShareCancelReason, ShareState, moves};
use crate::command::CancelShare;
use crate::draft::{About, Draft};
use crate::notify::fact;
use crate::{Outcome, Refusal, Snapshot, Stamp, Verdict};

/// Cancels a planned share; one that is cancelled already stays so.
pub(crate) fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &CancelShare) -> Verdict {
    cancel(snapshot, Draft::new(snapshot, stamp), act).unwrap_or_else(Verdict::refused)
}

fn cancel(snapshot: &Snapshot, mut draft: Draft<'_>, act: &CancelShare) -> Result<Verdict, Refusal> {
    let (share, mut payment) = moves::find(snapshot, act.merchant_id, act.share_id, Some(act.mode))?;
    match &share.state {
        ShareState::Planned { .. } => {}
        ShareState::Cancelled { .. } => return Ok(Verdict::unchanged(Outcome::Share { share: Box::new(share), replayed: true })),
        ShareState::Running | ShareState::Succeeded { .. } | ShareState::Failed { .. } => {
            return Err(Refusal::ShareStateForbids { state: share.state.name(), verb: "be cancelled".to_owned() });
        }
    }
    if let Some(sharing) = &mut payment.sharing {
        sharing.planned.retain(|planned| *planned != share.id);
    }
    let by = draft.actor().clone();
    let facts = vec![fact("by", &by)];
    let cancelled = ShareState::Cancelled { at: draft.now(), why: ShareCancelReason::ByPerson { by } };
    let share = moves::end(&mut draft, share, cancelled, facts);
    draft.audit("share.cancel", About::payment(&payment), vec![fact("share_id", share.id)]);
    Ok(moves::finish(draft, share, payment))
}
