//! Looks again at refunds that are held: the undo window ended, money came, or the time to wait for money is over.

use refundry_engine::Actor;
use refundry_engine::command::{Act, ReleaseRefund, ReleaseWaiting};
use refundry_engine::task::Task;
use refundry_store::{StoreError, WaitingRefunds};

use super::transact;
use crate::world::World;

/// Waiting refunds that one commit serves at most.
pub const WAITING_PAGE: u32 = 200;

/// One held refund.
pub async fn run_one(world: &World, task: &Task) -> Result<(), StoreError> {
    let release = ReleaseRefund { merchant_id: task.merchant_id, refund_id: task.refund_id() };
    transact(world, Actor::System, Act::ReleaseRefund(release)).await.map(|_| ())
}

/// A page of the refunds of one merchant and currency that wait for money, oldest first.
pub async fn run_waiting(world: &World, task: &Task) -> Result<(), StoreError> {
    let Ok(currency) = task.note.parse() else {
        return Err(StoreError::Unreadable { what: "task", why: format!("{:?} is no currency", task.note) });
    };
    let wanted = WaitingRefunds { merchant_id: task.merchant_id, currency, limit: WAITING_PAGE + 1 };
    let mut refund_ids = world.store.waiting_refunds(&wanted).await?;
    let more = refund_ids.len() > WAITING_PAGE as usize;
    refund_ids.truncate(WAITING_PAGE as usize);
    let release = ReleaseWaiting { merchant_id: task.merchant_id, currency, refund_ids, more };
    transact(world, Actor::System, Act::ReleaseWaiting(release)).await.map(|_| ())
}
