//! Ending the undo window of a refund before its time.

use super::{Holds, RefundState, funding};
use crate::command::SendNow;
use crate::draft::{About, Draft};
use crate::notify;
use crate::{Refusal, Snapshot, Stamp, Verdict, event::EventKind};

/// Nothing is waited for any more but a review, if there is one.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &SendNow) -> Verdict {
    send_now(Draft::new(snapshot, stamp), act).unwrap_or_else(Verdict::refused)
}

fn send_now(mut draft: Draft<'_>, act: &SendNow) -> Result<Verdict, Refusal> {
    let mut in_play = draft.find(act.merchant_id, act.refund_id, Some(act.mode))?;
    let holds = match &in_play.refund.state {
        RefundState::Pending { holds } if holds.delay_until.is_some() => holds.clone(),
        other => return Err(Refusal::RefundStateForbids { state: other.name(), verb: "be sent before its time".to_owned() }),
    };
    draft.audit("refund.send_now", About::refund(&in_play.refund), Vec::new());
    in_play.refund.state = RefundState::Pending { holds: Holds { delay_until: None, ..holds.clone() } };
    if holds.review.is_none() && holds.funds.is_none() {
        funding::look_and_tell(&mut draft, &mut in_play)?;
    } else {
        let facts = notify::hold_facts(&in_play.refund).into_iter().collect();
        draft.tell_of_refund(EventKind::RefundUndoEnded, &in_play, facts);
        funding::put_next_step(&mut draft, &in_play.refund);
    }
    Ok(draft.finish_with(in_play))
}
