//! Taking a refund back while nothing has been sent.

use super::{RefundState, moves};
use crate::command::CancelRefund;
use crate::draft::{About, Draft};
use crate::{Refusal, Snapshot, Stamp, Verdict};

/// Cancels a pending refund; a refund that is cancelled already stays so.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &CancelRefund) -> Verdict {
    cancel(Draft::new(snapshot, stamp), act).unwrap_or_else(Verdict::refused)
}

fn cancel(mut draft: Draft<'_>, act: &CancelRefund) -> Result<Verdict, Refusal> {
    let mut in_play = draft.find(act.merchant_id, act.refund_id, Some(act.mode))?;
    if matches!(in_play.refund.state, RefundState::Cancelled { .. }) {
        return Ok(Verdict::unchanged(in_play.outcome(true)));
    }
    let cancelled = in_play.refund.state.cancel(draft.actor(), draft.now())?;
    moves::end_unpaid(&mut draft, &mut in_play, cancelled)?;
    draft.audit("refund.cancel", About::refund(&in_play.refund), Vec::new());
    Ok(draft.finish_with(in_play))
}
