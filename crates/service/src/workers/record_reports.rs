//! Writes down what acquirers say on their own: how an attempt ended, the network's number, money that came back.

use refundry_engine::command::{Act, RecordArn, RecordResult, RecordReturn};
use refundry_engine::{Actor, Outcome, Refusal};
use refundry_store::StoreError;

use super::{WorkerSettings, transact};
use crate::acquirer::AcquirerReport;
use crate::world::World;

/// Records what somebody said who proved to be the acquirer of this name. A refund of another acquirer is unknown to it: one that is mistaken,
/// or whose secret is lost, must not decide what became of the others' money.
pub async fn record_of(world: &World, settings: &WorkerSettings, acquirer: &str, report: AcquirerReport) -> Result<Outcome, StoreError> {
    let (merchant_id, refund_id) = report.subject();
    match world.store.refund(merchant_id, refund_id).await? {
        Some(refund) if refund.acquirer == acquirer => record(world, settings, report).await,
        Some(_) | None => Ok(Outcome::Refused { refusal: Refusal::UnknownRefund, replayed: false }),
    }
}

/// Records one report. The engine knows repeats and contradictions; a refusal says why a report changed nothing.
pub async fn record(world: &World, settings: &WorkerSettings, report: AcquirerReport) -> Result<Outcome, StoreError> {
    match report {
        AcquirerReport::Result { merchant_id, refund_id, attempt, answer } => {
            let next_at = settings.next_try(world, refund_id.instant());
            let result = RecordResult { merchant_id, refund_id, attempt, answer, next_at };
            transact(world, Actor::Acquirer, Act::RecordResult(result)).await
        }
        AcquirerReport::Arn { merchant_id, refund_id, arn } => {
            transact(world, Actor::Network, Act::RecordArn(RecordArn { merchant_id, refund_id, arn })).await
        }
        AcquirerReport::Returned { merchant_id, refund_id, reason } => {
            transact(world, Actor::Acquirer, Act::RecordReturn(RecordReturn { merchant_id, refund_id, reason })).await
        }
    }
}
