//! A refund that had succeeded came back.

use super::{RefundState, moves};
use crate::command::RecordReturn;
use crate::draft::{About, Draft};
use crate::event::EventKind;
use crate::notify::fact;
use crate::{Refusal, Snapshot, Stamp, Verdict, posting_rules, share};

/// Credits the money again and restores what can be refunded; a refund that is returned already stays so.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &RecordReturn) -> Verdict {
    record(Draft::new(snapshot, stamp), act).unwrap_or_else(Verdict::refused)
}

fn record(mut draft: Draft<'_>, act: &RecordReturn) -> Result<Verdict, Refusal> {
    let mut in_play = draft.find(act.merchant_id, act.refund_id, None)?;
    if matches!(in_play.refund.state, RefundState::Returned { .. }) {
        return Ok(Verdict::unchanged(in_play.outcome(true)));
    }
    in_play.refund.state = in_play.refund.state.bounce(&act.reason, draft.now())?;
    if let Some(draw) = in_play.refund.drawn {
        let postings = posting_rules::returned(&mut in_play.payment, &in_play.refund, draw);
        draft.book("refund_returned", About::refund(&in_play.refund), postings)?;
        share::restore_lines(&mut draft, &mut in_play)?;
    }
    moves::uncount(&mut draft, &mut in_play)?;
    draft.serve_waiting(act.merchant_id, in_play.refund.funding_currency());
    let reason = vec![fact("reason", &act.reason)];
    draft.tell_of_refund(EventKind::RefundReturned, &in_play, reason.clone());
    draft.audit("refund.record_return", About::refund(&in_play.refund), reason);
    Ok(draft.finish_with(in_play))
}
