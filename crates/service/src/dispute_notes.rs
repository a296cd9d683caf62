//! Disputes as dialects tell of them.

use refundry_dialects::orders::{DisputeKind as NoteKind, DisputeNote, DisputeStanding};
use refundry_engine::DisputeId;
use refundry_engine::dispute::{Dispute, DisputeKind, DisputeState};
use refundry_engine::event::Event;

/// A dispute as it stands.
pub(crate) fn note(dispute: &Dispute) -> DisputeNote {
    let standing = match dispute.state {
        DisputeState::Open => DisputeStanding::Open,
        DisputeState::Represented => DisputeStanding::Represented,
        DisputeState::Won => DisputeStanding::Won,
        DisputeState::Lost => DisputeStanding::Lost,
        // Nothing is to be done: the network has given the money back by itself, or nothing was left to take.
        DisputeState::Accepted | DisputeState::Closed => DisputeStanding::Accepted,
        DisputeState::Withdrawn => DisputeStanding::Withdrawn,
    };
    let kind = match dispute.kind {
        DisputeKind::Chargeback => NoteKind::Chargeback,
        DisputeKind::Retrieval => NoteKind::Retrieval,
        DisputeKind::FraudReport => NoteKind::FraudReport,
        DisputeKind::Dispute => NoteKind::Dispute,
    };
    DisputeNote {
        id: dispute.id.get().to_string(),
        kind,
        standing,
        amount: dispute.amount,
        reason: dispute.body.reason.clone(),
        opened_at: dispute.opened_at,
        reply_by: dispute.reply_by,
    }
}

/// A dispute as it stood right after an event: what is announced late still says what happened then.
pub(crate) fn note_after(dispute: &Dispute, event: &Event) -> DisputeNote {
    let happened = event.kind.word().rsplit('.').next().unwrap_or_default();
    let standing = match happened {
        "opened" | "reported" => DisputeStanding::Open,
        "represented" | "answered" => DisputeStanding::Represented,
        "won" => DisputeStanding::Won,
        "lost" => DisputeStanding::Lost,
        "accepted" => DisputeStanding::Accepted,
        "withdrawn" | "reversed" => DisputeStanding::Withdrawn,
        _ => note(dispute).standing,
    };
    DisputeNote { standing, ..note(dispute) }
}

/// Which dispute an event is about.
pub(crate) fn dispute_of(event: &Event) -> Option<DisputeId> {
    event.facts.iter().find_map(|(name, value)| if name == "dispute_id" { value.parse().ok() } else { None })
}
