//! Gives released refunds to their acquirers. The attempt is committed first, so that a crash at any point leaves something to ask about.

use std::pin::pin;

use futures::future::{Either, select};
use refundry_engine::command::{Act, RecordResult, StartSubmission};
use refundry_engine::refund::{AcquirerAnswer, Refund, RefundState};
use refundry_engine::task::Task;
use refundry_engine::{Actor, Outcome};
use refundry_store::StoreError;

use super::{WorkerSettings, submission_of, transact};
use crate::world::World;

/// Milliseconds beyond the acquirer's time before the resolver asks: by then this step has recorded what it learned, or is dead.
const GRACE_MS: i64 = 10_000;

/// Commits the attempt, calls the acquirer, records the answer.
pub async fn run_one(world: &World, settings: &WorkerSettings, task: &Task) -> Result<(), StoreError> {
    let resolve_at = world.now().plus_ms(settings.acquirer_timeout_ms + GRACE_MS);
    let start = StartSubmission { merchant_id: task.merchant_id, refund_id: task.refund_id(), resolve_at };
    match transact(world, Actor::System, Act::StartSubmission(start)).await? {
        Outcome::CallAcquirer { refund, attempt } => {
            let answer = call(world, settings, &refund, attempt).await;
            record(world, settings, &refund, attempt, answer).await
        }
        Outcome::Refund { .. }
        | Outcome::Refused { .. }
        | Outcome::Payment { .. }
        | Outcome::Payout { .. }
        | Outcome::Dispute { .. }
        | Outcome::Share { .. }
        | Outcome::MoreIds { .. }
        | Outcome::Adjustment { .. }
        | Outcome::AdjustmentIsKnown { .. } => Ok(()),
        Outcome::Done | Outcome::IdTaken | Outcome::Stale => Ok(()),
    }
}

/// Whoever asks about an attempt counts from its stamp, so a call is never under way for longer than the acquirer's time from there on. The commit
/// may have waited for a database that was away, or the process may have been stopped: when too little is left of that time, nothing is sent.
async fn call(world: &World, settings: &WorkerSettings, refund: &Refund, attempt: u32) -> AcquirerAnswer {
    let Some(acquirer) = world.acquirers.get(&refund.acquirer) else {
        tracing::error!(refund = %refund.id, acquirer = refund.acquirer, "no such acquirer is configured; the refund waits for it");
        return AcquirerAnswer::NeverSent;
    };
    let begun_at = submitted_at(refund);
    if world.now() >= begun_at.plus_ms(settings.acquirer_timeout_ms / 2) {
        tracing::info!(refund = %refund.id, attempt, "the attempt was committed too late to be made; another follows");
        return AcquirerAnswer::NeverSent;
    }
    let submission = submission_of(refund, attempt, begun_at);
    let deadline = world.clock.sleep_until(begun_at.plus_ms(settings.acquirer_timeout_ms));
    // The deadline is looked at first: whoever wakes up late must not send anything.
    match select(deadline, pin!(acquirer.submit(&submission))).await {
        Either::Left(_) => AcquirerAnswer::Unclear,
        Either::Right((answer, _)) => answer,
    }
}

/// Records an answer; also used for what the acquirer says on its own.
pub async fn record(
    world: &World,
    settings: &WorkerSettings,
    refund: &Refund,
    attempt: u32,
    answer: AcquirerAnswer,
) -> Result<(), StoreError> {
    let next_at = settings.next_try(world, submitted_at(refund));
    let result = RecordResult { merchant_id: refund.merchant_id, refund_id: refund.id, attempt, answer, next_at };
    transact(world, Actor::Acquirer, Act::RecordResult(result)).await.map(|_| ())
}

/// When the last attempt was committed; for a refund that was never submitted, when it was made.
pub(super) fn submitted_at(refund: &Refund) -> refundry_engine::Timestamp {
    match &refund.state {
        RefundState::Submitted { at, .. } => *at,
        RefundState::Unresolved { submitted_at, .. } => *submitted_at,
        RefundState::Pending { .. }
        | RefundState::Succeeded { .. }
        | RefundState::Failed { .. }
        | RefundState::Cancelled { .. }
        | RefundState::Returned { .. } => refund.created_at,
    }
}
