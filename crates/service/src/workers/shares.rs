//! Carries shares out: begins planned ones at their time, and gives the receivers of running ones their money. In the sandbox the giver's number
//! decides, so that every end can be tried out.

use refundry_engine::command::{Act, FinishShare, StartShare};
use refundry_engine::share::ShareKey;
use refundry_engine::task::Task;
use refundry_engine::{Actor, Mode};
use refundry_store::StoreError;

use super::transact;
use crate::acquirers::simulated::{ShareRule, share_rule_for};
use crate::world::World;

/// One planned share whose time has come. One that was cancelled meanwhile stays so.
pub async fn start(world: &World, task: &Task) -> Result<(), StoreError> {
    let start = StartShare { merchant_id: task.merchant_id, share_id: task.share_id() };
    transact(world, Actor::System, Act::StartShare(start)).await.map(|_| ())
}

/// One running share: it succeeds, or fails when the giver's money is not there.
pub async fn finish(world: &World, task: &Task) -> Result<(), StoreError> {
    let share_id = task.share_id();
    let Some(share) = world.store.share(task.merchant_id, &ShareKey::Id(share_id)).await? else { return Ok(()) };
    let rule = match share.mode {
        Mode::Sandbox => share_rule_for(&share.number),
        Mode::Live => ShareRule::Succeed,
    };
    let (succeeds, note) = match rule {
        ShareRule::Succeed => (true, String::new()),
        // The task stays, and comes back when its lease is over, until somebody ends the share.
        ShareRule::StayRunning => return Ok(()),
        ShareRule::Fail => (false, "its number asks for it".to_owned()),
    };
    let finish = FinishShare { merchant_id: task.merchant_id, mode: None, share_id, succeeds, note };
    transact(world, Actor::System, Act::FinishShare(finish)).await.map(|_| ())
}
