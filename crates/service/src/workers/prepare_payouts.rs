//! Prepares the payout of a merchant, currency and kind on its day. The commit that prepares it puts the task of the next day.

use refundry_engine::command::{Act, PayoutRun, PreparePayout};
use refundry_engine::task::Task;
use refundry_engine::{Actor, PayoutId};
use refundry_store::StoreError;

use super::transact;
use crate::world::World;

/// One run. It may be run twice: a payout that is prepared already is not prepared again.
pub async fn run_one(world: &World, task: &Task) -> Result<(), StoreError> {
    let Some((kind, currency)) = task.payout() else {
        return Err(StoreError::Unreadable { what: "task", why: format!("{:?} is no kind of payout with a currency", task.note) });
    };
    let payout_id = PayoutId::new(world.ids.one(world.now())?);
    let run = PayoutRun::Scheduled { due_at: task.due_at };
    let prepare = PreparePayout { payout_id, merchant_id: task.merchant_id, mode: None, kind, currency, run };
    transact(world, Actor::System, Act::PreparePayout(prepare)).await.map(|_| ())
}
