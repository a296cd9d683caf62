//! Asks what became of an order that was not paid at once: it is paid, it failed, or its time is over. Orders are made in the sandbox alone, so it is
//! the simulated acquirer that is asked.

use refundry_engine::Actor;
use refundry_engine::command::{Act, LeftToTerms, OrderStep, RecordPayment};
use refundry_engine::payment::{Payment, PaymentKey, PaymentStatus};
use refundry_engine::task::Task;
use refundry_ledger::Money;
use refundry_store::StoreError;

use super::transact;
use crate::acquirers::simulated::{OrderRule, order_rule_for};
use crate::world::World;

/// One order. What was decided meanwhile is left alone: that commit took the task away.
pub async fn run_one(world: &World, task: &Task) -> Result<(), StoreError> {
    let key = PaymentKey::Id(task.payment_id());
    let Some(before) = world.store.payment(task.merchant_id, &key).await? else { return Ok(()) };
    if before.status != PaymentStatus::Pending {
        return Ok(());
    }
    let payment = match order_rule_for(before.authorised.minor() - before.marketing.minor()) {
        OrderRule::Pay | OrderRule::PayLater => {
            Payment { status: PaymentStatus::Captured, captured: before.authorised, paid_at: world.now(), ..before }
        }
        OrderRule::Fail => unpaid(before, PaymentStatus::Failed),
        OrderRule::StayWaiting => unpaid(before, PaymentStatus::Closed),
    };
    let left_to_terms = LeftToTerms { fee: true, reserved: true };
    let act = RecordPayment { payment, left_to_terms, order: Some(OrderStep::default()), plan: Vec::new() };
    transact(world, Actor::System, Act::RecordPayment(Box::new(act))).await.map(|_| ())
}

/// Marketing pays nothing for what the shopper does not pay.
pub(crate) fn unpaid(before: Payment, status: PaymentStatus) -> Payment {
    Payment { status, marketing: Money::zero(before.currency()), ..before }
}
