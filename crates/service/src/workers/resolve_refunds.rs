//! Asks the acquirer what became of an attempt whose answer is missing. Nothing else moves such a refund on, and no timer ends it.

use std::pin::pin;

use futures::future::{Either, select};
use refundry_engine::Timestamp;
use refundry_engine::refund::{AcquirerAnswer, Refund, RefundState};
use refundry_engine::task::Task;
use refundry_store::StoreError;

use super::submit_refunds::{record, submitted_at};
use super::{WorkerSettings, submission_of};
use crate::acquirer::{Acquirer, Asked};
use crate::world::World;

/// Asks, and records what is learned; when nothing is learned the question comes back later.
pub async fn run_one(world: &World, settings: &WorkerSettings, task: &Task) -> Result<(), StoreError> {
    let Some(refund) = world.store.refund(task.merchant_id, task.refund_id()).await? else { return Ok(()) };
    let (RefundState::Submitted { attempt, .. } | RefundState::Unresolved { attempt, .. }) = refund.state else {
        // The task was taken before the refund reached its end; the commit of that end has removed it.
        return Ok(());
    };
    let answer = match world.acquirers.get(&refund.acquirer) {
        Some(acquirer) => ask(world, settings, acquirer.as_ref(), &refund, attempt).await,
        None => {
            tracing::error!(refund = %refund.id, acquirer = refund.acquirer, "no such acquirer is configured; the refund stays unresolved");
            AcquirerAnswer::Unclear
        }
    };
    record(world, settings, &refund, attempt, answer).await
}

async fn ask(world: &World, settings: &WorkerSettings, acquirer: &dyn Acquirer, refund: &Refund, attempt: u32) -> AcquirerAnswer {
    let asked_at = world.now();
    let submission = submission_of(refund, attempt, submitted_at(refund));
    let deadline = world.clock.sleep_until(asked_at.plus_ms(settings.acquirer_timeout_ms));
    match select(pin!(acquirer.ask(&submission)), deadline).await {
        Either::Left((Asked::Answer(answer), _)) => answer,
        Either::Left((Asked::Unknown, _)) => unknown(acquirer, refund, asked_at),
        Either::Right(_) => AcquirerAnswer::Unclear,
    }
}

/// "I do not know it" means that it never arrived, and that it may be sent again, when a second arrival is not paid again or when nothing of
/// ours can still be on its way; until then it means nothing.
fn unknown(acquirer: &dyn Acquirer, refund: &Refund, asked_at: Timestamp) -> AcquirerAnswer {
    let final_at = submitted_at(refund).plus_ms(acquirer.unknown_is_final_after_ms());
    if acquirer.recognises_duplicates() || asked_at >= final_at {
        return AcquirerAnswer::NeverSent;
    }
    AcquirerAnswer::Unclear
}
