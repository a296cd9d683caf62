//! The shoppers' banks: they take money back, ask for documents, and say how it ended, more than once.

use refundry_engine::command::{ChangeDispute, RecordDispute};
use refundry_engine::dispute::{DisputeCategory, DisputeChange, DisputeKey, DisputeKind};
use refundry_engine::payment::PaymentKey;
use refundry_engine::{Act, Command, DisputeId, Mode, Outcome};
use refundry_ledger::Money;
use refundry_service::world::Clock as _;
use refundry_service::{Caller, Service};

use super::{Try, merchant_id};
use crate::plan::{Complaint, Quarrel, QuarrelStep};
use crate::stage::Stage;

/// Tells of it, or how it went on. One that nobody told of does not go on.
pub async fn tell(stage: &Stage, service: &Service, quarrel: &Quarrel, step: QuarrelStep) -> Try {
    let merchant_id = merchant_id(stage, quarrel.merchant);
    let change = match step {
        QuarrelStep::Open => return open(stage, service, quarrel).await,
        QuarrelStep::Represent => DisputeChange::Represent,
        QuarrelStep::Win => DisputeChange::Win,
        QuarrelStep::Lose => DisputeChange::Lose,
        QuarrelStep::Withdraw => DisputeChange::Withdraw,
    };
    match service.world.store.dispute(merchant_id, &DisputeKey::NetworkReference(quarrel.number.clone())).await {
        Ok(Some(dispute)) => {
            let (dispute_id, payment_id, note) = (dispute.id, dispute.payment_id, "as the bank says".to_owned());
            let act = ChangeDispute { merchant_id, mode: Mode::Live, payment_id, dispute_id, change, note };
            decided(stage, service, quarrel, Act::ChangeDispute(Box::new(act))).await
        }
        Ok(None) => Try::Done,
        Err(_) => Try::Again,
    }
}

async fn open(stage: &Stage, service: &Service, quarrel: &Quarrel) -> Try {
    let Ok(id) = service.world.ids.one(stage.clock.now()) else { return Try::Again };
    let (kind, category) = match quarrel.about {
        Complaint::Chargeback => (DisputeKind::Chargeback, DisputeCategory::Chargeback),
        Complaint::RapidRefund => (DisputeKind::Chargeback, DisputeCategory::Rdr),
        Complaint::Retrieval => (DisputeKind::Retrieval, DisputeCategory::Retrieval),
        Complaint::Dispute => (DisputeKind::Dispute, DisputeCategory::GracePeriod),
        Complaint::Fraud => (DisputeKind::FraudReport, DisputeCategory::Fraud),
    };
    let record = RecordDispute {
        dispute_id: DisputeId::new(id),
        merchant_id: merchant_id(stage, quarrel.merchant),
        mode: Mode::Live,
        payment: PaymentKey::Reference(quarrel.reference.clone()),
        kind,
        category,
        amount: Money::new(quarrel.minor, super::currency_of(quarrel.currency)),
        network_reference: quarrel.number.clone(),
        reason_code: "10.4".to_owned(),
        reason: "not recognised".to_owned(),
        opened_at: stage.begin,
        reply_by: None,
    };
    decided(stage, service, quarrel, Act::RecordDispute(Box::new(record))).await
}

async fn decided(stage: &Stage, service: &Service, quarrel: &Quarrel, act: Act) -> Try {
    let Ok(stamp) = service.world.stamp(Caller::operator("bank desk", Mode::Live).actor()) else { return Try::Again };
    let number = &quarrel.number;
    match service.world.store.transact(Command { stamp, act }).await {
        Ok(Outcome::Dispute { dispute, .. }) => {
            stage.trace.line(&format!("{number} of {} is {}", dispute.amount, dispute.state.word()));
            stage.model().dispute_is(quarrel.merchant, number, dispute.state.is_open());
            Try::Done
        }
        Ok(outcome) => {
            stage.trace.line(&format!("{number}: {outcome:?}"));
            Try::Done
        }
        Err(error) => {
            stage.trace.line(&format!("{number}: {error}"));
            Try::Again
        }
    }
}
