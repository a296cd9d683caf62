//! Chargebacks, disputes, retrievals and reports of fraud: told by the operator, answered by merchants.

use refundry_engine::command::{ChangeDispute, RecordDispute};
use refundry_engine::dispute::{Dispute, DisputeCategory, DisputeChange, DisputeKey, DisputeKind};
use refundry_engine::payment::PaymentKey;
use refundry_engine::{Act, DisputeId, MerchantId, Outcome, Refusal, Timestamp};
use refundry_ledger::Money;
use refundry_store::{DisputeFilter, OpenDisputes, Page, PageRequest};

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::merchants;
use crate::payouts::operator_with;
use crate::permissions::Permission;
use crate::texts::{check_kept, check_plain};

/// A dispute as it is told.
#[derive(Clone, Debug)]
pub struct NewDispute {
    /// Whose.
    pub merchant_id: MerchantId,
    /// Of which payment.
    pub payment: PaymentKey,
    /// What it is.
    pub kind: DisputeKind,
    /// The type within its kind; the usual one when it is left out.
    pub category: Option<DisputeCategory>,
    /// What the other side wants; may be zero.
    pub amount: Money,
    /// The other side's number of it.
    pub network_reference: String,
    /// The other side's code for its reason.
    pub reason_code: String,
    /// The reason in words.
    pub reason: String,
    /// When the other side opened it; now when it is left out.
    pub opened_at: Option<Timestamp>,
    /// Until when it has to be answered.
    pub reply_by: Option<Timestamp>,
}

/// Records what the other side opened; says whether it was new. The same number told again is the same dispute.
pub async fn record(service: &Service, caller: &Caller, new: NewDispute) -> Result<(Dispute, bool), ServiceError> {
    operator_with(caller, Permission::DisputesRecord)?;
    merchants::read(service, caller, new.merchant_id).await?;
    if let PaymentKey::Reference(reference) = &new.payment {
        check_kept("payment_reference", reference)?;
    }
    check_plain("network_reference", &new.network_reference)?;
    let now = service.world.now();
    let act = RecordDispute {
        dispute_id: DisputeId::new(service.world.ids.one(now)?),
        merchant_id: new.merchant_id,
        mode: caller.mode,
        payment: new.payment,
        kind: new.kind,
        category: new.category.unwrap_or(new.kind.categories()[0]),
        amount: new.amount,
        network_reference: new.network_reference,
        reason_code: new.reason_code,
        reason: new.reason,
        opened_at: new.opened_at.unwrap_or(now),
        reply_by: new.reply_by,
    };
    of(service.transact(caller, Act::RecordDispute(Box::new(act))).await?)
}

/// Moves a dispute on: merchants answer and agree, the operator tells what the other side says.
pub async fn change(
    service: &Service,
    caller: &Caller,
    (merchant_id, dispute_id): (Option<MerchantId>, DisputeId),
    change: DisputeChange,
    note: String,
) -> Result<Dispute, ServiceError> {
    match change.is_of_merchant() {
        true => caller.must(Permission::DisputesWrite)?,
        false => operator_with(caller, Permission::DisputesRecord)?,
    }
    let known = read(service, caller, merchant_id, dispute_id).await?;
    let act = ChangeDispute { merchant_id: known.merchant_id, mode: caller.mode, dispute_id, payment_id: known.payment_id, change, note };
    of(service.transact(caller, Act::ChangeDispute(Box::new(act))).await?).map(|(dispute, _)| dispute)
}

/// One dispute.
pub async fn find(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    dispute_id: DisputeId,
) -> Result<Dispute, ServiceError> {
    caller.must(Permission::DisputesRead)?;
    read(service, caller, merchant_id, dispute_id).await
}

/// Disputes, newest first. The mode of the filter is always the caller's.
pub async fn list(service: &Service, caller: &Caller, mut filter: DisputeFilter, page: PageRequest) -> Result<Page<Dispute>, ServiceError> {
    caller.must(Permission::DisputesRead)?;
    filter.merchant_id = caller.merchant_of_list(filter.merchant_id)?;
    filter.mode = Some(caller.mode);
    Ok(service.world.store.disputes(&filter, page).await?)
}

/// How many of a merchant's disputes somebody still waits for, by kind and state: what is to be done.
pub async fn open(service: &Service, caller: &Caller, merchant_id: Option<MerchantId>) -> Result<Vec<OpenDisputes>, ServiceError> {
    caller.must(Permission::DisputesRead)?;
    let merchant = merchants::read(service, caller, caller.merchant_id(merchant_id)?).await?;
    Ok(service.world.store.open_disputes(merchant.id).await?)
}

async fn read(service: &Service, caller: &Caller, merchant_id: Option<MerchantId>, id: DisputeId) -> Result<Dispute, ServiceError> {
    let found = service.world.store.dispute(caller.merchant_id(merchant_id)?, &DisputeKey::Id(id)).await?;
    let own = found.filter(|dispute| dispute.mode == caller.mode);
    Ok(own.ok_or_else(|| Refusal::Unknown { what: "dispute".to_owned() })?)
}

fn of(outcome: Outcome) -> Result<(Dispute, bool), ServiceError> {
    match outcome {
        Outcome::Dispute { dispute, created } => Ok((*dispute, created)),
        other => unreachable!("a dispute is recorded, changed or refused, not {other:?}"),
    }
}
