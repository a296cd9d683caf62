//! Asks what became of an order that was not paid at once: it is paid, it failed, or its time is over. Orders are made in the sandbox alone, so it is
//! the simulated acquirer that is asked.

use refundry_engine::command::{Act, LeftToTerms, OrderStep, RecordPayment};
use refundry_engine::idempotency::ComparedFields;
use refundry_engine::payment::{Payment, PaymentKey, PaymentStatus};
use refundry_engine::share::PlannedShare;
use refundry_engine::task::Task;
use refundry_engine::{Actor, Timestamp};
use refundry_ledger::Money;
use refundry_store::StoreError;
use serde::{Deserialize, Serialize};

use super::transact;
use crate::Service;
use crate::acquirers::simulated::{OrderRule, order_rule_for};
use crate::payments::NewPlan;
use crate::receivers;
use crate::shares;

/// The shares that were planned with an order that is not paid yet: what a task keeps of them.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct LatePlan {
    dialect: String,
    shares: Vec<LateShare>,
}

#[derive(Debug, Deserialize, Serialize)]
struct LateShare {
    number: String,
    compared: ComparedFields,
    /// Receivers as they were named, each with minor units of the payment's currency.
    lines: Vec<(String, i64)>,
    due_at: Timestamp,
    notify_url: Option<String>,
    asked_at_text: Option<String>,
}

/// One order. What was decided meanwhile is left alone: that commit took the task away.
pub async fn run_one(service: &Service, task: &Task) -> Result<(), StoreError> {
    let world = &service.world;
    let key = PaymentKey::Id(task.payment_id());
    let Some(before) = world.store.payment(task.merchant_id, &key).await? else { return Ok(()) };
    if before.status != PaymentStatus::Pending {
        return Ok(());
    }
    let (payment, plan) = match order_rule_for(before.authorised.minor() - before.marketing.minor()) {
        OrderRule::Pay | OrderRule::PayLater => {
            let plan = LatePlan::read(&task.note)?.resolved(service, &before).await?;
            (Payment { status: PaymentStatus::Captured, captured: before.authorised, paid_at: world.now(), ..before }, plan)
        }
        OrderRule::Fail => (unpaid(before, PaymentStatus::Failed), Vec::new()),
        OrderRule::StayWaiting => (unpaid(before, PaymentStatus::Closed), Vec::new()),
    };
    let left_to_terms = LeftToTerms { fee: true, reserved: true };
    let act = RecordPayment { payment, left_to_terms, order: Some(OrderStep::default()), plan };
    transact(world, Actor::System, Act::RecordPayment(Box::new(act))).await.map(|_| ())
}

/// Marketing pays nothing for what the shopper does not pay.
pub(crate) fn unpaid(before: Payment, status: PaymentStatus) -> Payment {
    Payment { status, marketing: Money::zero(before.currency()), ..before }
}

impl LatePlan {
    /// These, in a dialect.
    pub(crate) fn of(dialect: &str, plan: Vec<NewPlan>) -> Self {
        let late = |new: NewPlan| LateShare {
            number: new.number,
            compared: new.compared,
            lines: new.lines.into_iter().map(|line| (line.receiver, line.amount.minor())).collect(),
            due_at: new.due_at,
            notify_url: new.notify_url,
            asked_at_text: new.asked_at_text,
        };
        Self { dialect: dialect.to_owned(), shares: plan.into_iter().map(late).collect() }
    }

    /// As a task keeps it; nothing when nothing is planned.
    pub(crate) fn text(&self) -> String {
        if self.shares.is_empty() { String::new() } else { serde_json::to_string(self).unwrap_or_default() }
    }

    fn read(note: &str) -> Result<Self, StoreError> {
        if note.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(note).map_err(|cause| StoreError::Unreadable { what: "task", why: cause.to_string() })
    }

    async fn resolved(self, service: &Service, payment: &Payment) -> Result<Vec<PlannedShare>, StoreError> {
        let mut all = Vec::with_capacity(self.shares.len());
        for late in self.shares {
            let money = |minor| Money::new(minor, payment.currency());
            let lines = late.lines.into_iter().map(|(receiver, minor)| receivers::NamedLine { receiver, amount: money(minor) }).collect();
            all.push(PlannedShare {
                key: shares::key(&self.dialect, payment.merchant_id, late.number),
                compared: late.compared,
                lines: receivers::resolved(service, payment.mode, lines).await?,
                due_at: late.due_at,
                notify_url: late.notify_url,
                asked_at_text: late.asked_at_text,
            });
        }
        Ok(all)
    }
}
