//! Carries shares out: begins planned ones at their time, and gives the receivers of running ones their money.

use refundry_engine::Actor;
use refundry_engine::command::{Act, FinishShare, StartShare};
use refundry_engine::task::Task;
use refundry_store::StoreError;

use super::transact;
use crate::world::World;

/// One planned share whose time has come. One that was cancelled meanwhile stays so.
pub async fn start(world: &World, task: &Task) -> Result<(), StoreError> {
    let start = StartShare { merchant_id: task.merchant_id, share_id: task.share_id() };
    transact(world, Actor::System, Act::StartShare(start)).await.map(|_| ())
}

/// One running share: it succeeds, or fails when the giver's money is not there.
pub async fn finish(world: &World, task: &Task) -> Result<(), StoreError> {
    let share_id = task.share_id();
    let finish = FinishShare { merchant_id: task.merchant_id, mode: None, share_id, succeeds: true, note: String::new() };
    transact(world, Actor::System, Act::FinishShare(finish)).await.map(|_| ())
}
