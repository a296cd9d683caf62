//! What the operator takes from a merchant's available money, or gives to it.

use refundry_engine::adjustment::{Adjustment, AdjustmentKind, AdjustmentState};
use refundry_engine::command::{DecideAdjustment, ProposeAdjustment};
use refundry_engine::idempotency::IdempotencyKey;
use refundry_engine::payment::PaymentKey;
use refundry_engine::{Act, AdjustmentId, MerchantId, Outcome, Refusal};
use refundry_ledger::Money;
use refundry_store::{AdjustmentFilter, Page, PageRequest};

use crate::Service;
use crate::caller::Caller;
use crate::error::{Fault, ServiceError};
use crate::four_eyes;
use crate::funds::check_number;
use crate::merchants;
use crate::payouts::operator_with;
use crate::permissions::Permission;

/// An adjustment that somebody asks for.
#[derive(Clone, Debug)]
pub struct NewAdjustment {
    /// Whose money it moves.
    pub merchant_id: MerchantId,
    /// What for.
    pub kind: AdjustmentKind,
    /// How much; above zero.
    pub amount: Money,
    /// Why, in words that the merchant reads.
    pub reason: String,
    /// The payment that it is about; a write-off must name one.
    pub payment: Option<PaymentKey>,
    /// The caller's number of it: the same number proposes once.
    pub number: String,
}

/// Asks for an adjustment; nothing is booked.
pub async fn propose(service: &Service, caller: &Caller, new: NewAdjustment) -> Result<Adjustment, ServiceError> {
    operator_with(caller, Permission::PayoutsWrite)?;
    let NewAdjustment { merchant_id, kind, amount, reason, payment, number } = new;
    check_number(&number)?;
    let key = IdempotencyKey::of_adjustment(merchant_id, number);
    let adjustment_id = AdjustmentId::new(service.world.ids.one(service.world.now())?);
    let act = ProposeAdjustment { adjustment_id, merchant_id, mode: Some(caller.mode), kind, amount, reason, payment, key };
    match service.transact(caller, Act::ProposeAdjustment(act)).await? {
        Outcome::AdjustmentIsKnown { adjustment_id } => found(service, caller, merchant_id, adjustment_id).await,
        outcome => of(outcome),
    }
}

/// Books an adjustment that another person asked for, or rejects one.
pub async fn decide(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    adjustment_id: AdjustmentId,
    book: bool,
) -> Result<Adjustment, ServiceError> {
    operator_with(caller, Permission::PayoutsWrite)?;
    let merchant_id = caller.merchant_id(merchant_id)?;
    let Adjustment { payment_id, proposed_by, .. } = found(service, caller, merchant_id, adjustment_id).await?;
    if book && four_eyes::is_behind(service, caller, &[&proposed_by]).await? {
        return Err(Refusal::SecondPersonNeeded.into());
    }
    let act = DecideAdjustment { merchant_id, mode: Some(caller.mode), adjustment_id, payment_id, book };
    of(service.transact(caller, Act::DecideAdjustment(act)).await?)
}

/// Adjustments, newest first. Merchants see those that are booked.
pub async fn list(
    service: &Service,
    caller: &Caller,
    mut filter: AdjustmentFilter,
    page: PageRequest,
) -> Result<Page<Adjustment>, ServiceError> {
    caller.must(Permission::PayoutsRead)?;
    filter.merchant_id = caller.merchant_of_list(filter.merchant_id)?;
    filter.mode = Some(caller.mode);
    if let Some(merchant_id) = filter.merchant_id {
        merchants::read(service, caller, merchant_id).await?;
    }
    if !caller.is_operator() {
        filter.state = Some(AdjustmentState::Booked);
    }
    Ok(service.world.store.adjustments(&filter, page).await?)
}

async fn found(
    service: &Service,
    caller: &Caller,
    merchant_id: MerchantId,
    adjustment_id: AdjustmentId,
) -> Result<Adjustment, ServiceError> {
    let found = service.world.store.adjustment(merchant_id, adjustment_id).await?;
    Ok(found.filter(|found| found.mode == caller.mode).ok_or_else(|| Refusal::Unknown { what: "adjustment".to_owned() })?)
}

fn of(outcome: Outcome) -> Result<Adjustment, ServiceError> {
    match outcome {
        Outcome::Adjustment { adjustment } => Ok(*adjustment),
        _ => Err(Fault::Broken.into()),
    }
}
