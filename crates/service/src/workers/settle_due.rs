//! Settles what is due of one merchant's payments, a page at a time. Each payment is a command of its own: a page shares commits, but no payment
//! waits for another's fault. The last command ends the task, or says that it goes on.

use futures::future::join_all;
use refundry_engine::command::{EndSettling, SettleDue};
use refundry_engine::task::Task;
use refundry_engine::{Act, Actor, Outcome};
use refundry_store::StoreError;

use super::transact;
use crate::world::World;

/// Payments that one turn settles at most.
const PAGE: u32 = 256;
/// Milliseconds after which payments that could not be settled are tried again.
const TRY_AGAIN_MS: i64 = 60_000;

/// One turn. What it leaves, or does not come to, is found by the next one.
pub async fn run_one(world: &World, task: &Task) -> Result<(), StoreError> {
    let merchant_id = task.merchant_id;
    let due = world.store.due_payments(merchant_id, world.now(), PAGE).await?;
    let none_were_due = due.is_empty();
    let settle = |payment_id| transact(world, Actor::System, Act::SettleDue(SettleDue { merchant_id, payment_id }));
    let mut is_getting_on = none_were_due;
    for outcome in join_all(due.into_iter().map(settle)).await {
        match outcome? {
            Outcome::Refused { refusal, .. } => {
                tracing::error!(merchant = %merchant_id, ?refusal, "a payment that is due cannot be settled")
            }
            Outcome::Payment { .. }
            | Outcome::Done
            | Outcome::Refund { .. }
            | Outcome::CallAcquirer { .. }
            | Outcome::Payout { .. }
            | Outcome::Dispute { .. }
            | Outcome::Share { .. }
            | Outcome::MoreIds { .. }
            | Outcome::Adjustment { .. }
            | Outcome::AdjustmentIsKnown { .. }
            | Outcome::IdTaken
            | Outcome::Stale => is_getting_on = true,
        }
    }
    let again_at = if is_getting_on { world.now() } else { world.now().plus_ms(TRY_AGAIN_MS) };
    let end = EndSettling { merchant_id, task_id: task.id, again_at };
    transact(world, Actor::System, Act::EndSettling(end)).await.map(|_| ())
}
