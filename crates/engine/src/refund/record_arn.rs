//! The network's number of a refund arrives.

use super::{Arn, ArnState, RefundInPlay, RefundState};
use crate::command::RecordArn;
use crate::draft::{About, Draft};
use crate::event::EventKind;
use crate::notify::fact;
use crate::{Refusal, Snapshot, Stamp, Verdict};

/// Sets the ARN once; the same one again changes nothing, another is refused.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &RecordArn) -> Verdict {
    let draft = Draft::new(snapshot, stamp);
    let found = draft.find(act.merchant_id, act.refund_id, None);
    found.and_then(|in_play| record(draft, in_play, &act.arn)).unwrap_or_else(Verdict::refused)
}

pub(super) fn record(mut draft: Draft<'_>, mut in_play: RefundInPlay, arn: &Arn) -> Result<Verdict, Refusal> {
    if let RefundState::Succeeded { arn: ArnState::Known { arn: known, .. }, .. }
    | RefundState::Returned { arn: ArnState::Known { arn: known, .. }, .. } = &in_play.refund.state
    {
        return match known == arn {
            true => Ok(Verdict::unchanged(in_play.outcome(true))),
            false => Err(Refusal::ArnIsSet { arn: known.to_string() }),
        };
    }
    in_play.refund.state = in_play.refund.state.with_arn(arn, draft.now())?;
    in_play.refund.updated_at = draft.now();
    draft.tell_of_refund(EventKind::RefundArnRecorded, &in_play, vec![fact("arn", arn)]);
    draft.audit("refund.record_arn", About::refund(&in_play.refund), vec![fact("arn", arn)]);
    let outcome = in_play.outcome(false);
    draft.put_refund(in_play.refund);
    Ok(draft.finish(outcome))
}
