//! Looks again at refunds that are held: the undo window ended, money came, or the time to wait for money is over.

use refundry_engine::command::{Act, Command, ReleaseRefund, ReleaseWaiting};
use refundry_engine::funds::release_waiting::IDS_PER_REFUND;
use refundry_engine::ids::IDS_PER_MS;
use refundry_engine::task::Task;
use refundry_engine::{Actor, RefundId, Stamp};
use refundry_store::{StoreError, WaitingRefunds};

use super::transact;
use crate::world::World;

/// Waiting refunds that one commit serves at most: their ids fit into one millisecond.
pub const WAITING_PAGE: u16 = 200;

/// Waiting refunds that are looked at first. When the first of them does not fit, as when little money comes to a long queue, no more are loaded.
const FIRST_PAGE: u16 = 20;

const _: () = assert!(WAITING_PAGE.saturating_mul(IDS_PER_REFUND) <= IDS_PER_MS, "a node makes no more ids in a millisecond");

/// One held refund.
pub async fn run_one(world: &World, task: &Task) -> Result<(), StoreError> {
    let release = ReleaseRefund { merchant_id: task.merchant_id, refund_id: task.refund_id() };
    transact(world, Actor::System, Act::ReleaseRefund(release)).await.map(|_| ())
}

/// A page of the refunds of one merchant and currency that wait for money, oldest first.
pub async fn run_waiting(world: &World, task: &Task) -> Result<(), StoreError> {
    let Some((currency, after)) = task.waiting_page() else {
        return Err(StoreError::Unreadable { what: "task", why: format!("{:?} names no page of a queue", task.note) });
    };
    let page = if after.is_some() { WAITING_PAGE } else { FIRST_PAGE };
    let wanted = WaitingRefunds { merchant_id: task.merchant_id, currency, after, limit: u32::from(page) + 1 };
    let mut refund_ids: Vec<RefundId> = world.store.waiting_refunds(wanted).await?.into_iter().map(|waiting| waiting.refund_id).collect();
    let more = refund_ids.len() > usize::from(page);
    refund_ids.truncate(usize::from(page));
    let act = ReleaseWaiting { merchant_id: task.merchant_id, currency, task: task.clone(), refund_ids, more };
    let now = world.now();
    let stamp = Stamp { now, ids: world.ids.block_of(now, page * IDS_PER_REFUND)?, actor: Actor::System };
    world.commit(Command { stamp, act: Act::ReleaseWaiting(act) }).await.map(|_| ())
}
