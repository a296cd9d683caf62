//! Voids authorisations that nobody captured in time.

use refundry_engine::Actor;
use refundry_engine::command::{Act, VoidPayment, VoidWhat};
use refundry_engine::task::Task;
use refundry_store::StoreError;

use super::transact;
use crate::world::World;

/// One authorisation. What was captured or voided meanwhile is left alone: the engine refuses, or says that it is so already.
pub async fn run_one(world: &World, task: &Task) -> Result<(), StoreError> {
    let void = VoidPayment { merchant_id: task.merchant_id, mode: None, payment_id: task.payment_id(), what: VoidWhat::Authorisation };
    transact(world, Actor::System, Act::VoidPayment(void)).await.map(|_| ())
}
