//! Payouts: what a merchant is paid, the statement of how it came about, and the terms by which it happens.

use refundry_engine::command::{AdvancePayout, Change, PayoutRun, PayoutStep, PreparePayout};
use refundry_engine::merchant::Merchant;
use refundry_engine::payout::{Origin, Payout, PayoutKind, PayoutTerms};
use refundry_engine::{Act, MerchantId, Outcome, PayoutId, Refusal};
use refundry_ledger::{Currency, Money};
use refundry_store::{Page, PageRequest, PaidOut, PayoutFilter, PayoutLine};

use crate::Service;
use crate::caller::Caller;
use crate::error::{Fault, ServiceError};
use crate::four_eyes;
use crate::merchants;
use crate::permissions::{Permission, missing};
use crate::service::Edits;

/// A payout that a person wants prepared.
#[derive(Clone, Debug)]
pub struct NewPayout {
    /// Whose.
    pub merchant_id: MerchantId,
    /// Out of which pot.
    pub kind: PayoutKind,
    /// In which currency.
    pub currency: Currency,
    /// How much; everything that is due when it is left out.
    pub amount: Option<Money>,
    /// What the merchant reads beside it.
    pub note: Option<String>,
}

/// Sets aside what can be paid out.
pub async fn prepare(service: &Service, caller: &Caller, new: NewPayout) -> Result<Payout, ServiceError> {
    operator_with(caller, Permission::PayoutsWrite)?;
    let NewPayout { merchant_id, kind, currency, amount, note } = new;
    merchants::read(service, caller, merchant_id).await?;
    let payout_id = PayoutId::new(service.world.ids.one(service.world.now())?);
    let run = PayoutRun::Manual { amount, note };
    let act = PreparePayout { payout_id, merchant_id, mode: Some(caller.mode), kind, currency, run };
    of(service.transact(caller, Act::PreparePayout(act)).await?)
}

/// Takes a payout one step on: sent, arrived, failed, taken back.
pub async fn advance(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    payout_id: PayoutId,
    step: PayoutStep,
) -> Result<Payout, ServiceError> {
    operator_with(caller, Permission::PayoutsWrite)?;
    let merchant_id = caller.merchant_id(merchant_id)?;
    if matches!(step, PayoutStep::Send { .. }) {
        let payout = service.world.store.payout(merchant_id, payout_id).await?;
        if let Some(Payout { origin: Origin::Manual { by }, .. }) = &payout
            && four_eyes::is_behind(service, caller, &[by]).await?
        {
            return Err(Refusal::SecondPersonNeeded.into());
        }
    }
    let act = AdvancePayout { merchant_id, mode: Some(caller.mode), payout_id, step };
    of(service.transact(caller, Act::AdvancePayout(act)).await?)
}

/// Payouts, newest first. The mode of the filter is always the caller's.
pub async fn list(service: &Service, caller: &Caller, mut filter: PayoutFilter, page: PageRequest) -> Result<Page<Payout>, ServiceError> {
    caller.must(Permission::PayoutsRead)?;
    filter.merchant_id = caller.merchant_of_list(filter.merchant_id)?;
    filter.mode = Some(caller.mode);
    if let Some(merchant_id) = filter.merchant_id {
        merchants::read(service, caller, merchant_id).await?;
    }
    Ok(service.world.store.payouts(&filter, page).await?)
}

/// One payout with its statement.
pub async fn find(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    payout_id: PayoutId,
) -> Result<Payout, ServiceError> {
    caller.must(Permission::PayoutsRead)?;
    let found = service.world.store.payout(caller.merchant_id(merchant_id)?, payout_id).await?;
    let payout = found.filter(|payout| payout.mode == caller.mode);
    Ok(payout.ok_or_else(|| Refusal::Unknown { what: "payout".to_owned() })?)
}

/// A page of the lines of a payout's statement, oldest first. The payout is one that [`find`] gave to the caller.
pub async fn lines(service: &Service, caller: &Caller, payout: &Payout, page: PageRequest) -> Result<Page<PayoutLine>, ServiceError> {
    caller.must(Permission::PayoutsRead)?;
    caller.merchant_id(Some(payout.merchant_id))?;
    Ok(service.world.store.payout_lines(payout, page).await?)
}

/// What a merchant was paid out in all.
pub async fn totals(service: &Service, caller: &Caller, merchant_id: Option<MerchantId>) -> Result<Vec<PaidOut>, ServiceError> {
    caller.must(Permission::PayoutsRead)?;
    let merchant = merchants::read(service, caller, caller.merchant_id(merchant_id)?).await?;
    Ok(service.world.store.paid_out(merchant.id).await?)
}

/// The merchant with its terms of payout.
pub async fn terms(service: &Service, caller: &Caller, merchant_id: Option<MerchantId>) -> Result<Merchant, ServiceError> {
    caller.must(Permission::PayoutsRead)?;
    merchants::read(service, caller, caller.merchant_id(merchant_id)?).await
}

/// Puts the terms of one currency.
pub async fn put_terms(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    currency: Currency,
    terms: PayoutTerms,
) -> Result<Merchant, ServiceError> {
    operator_with(caller, Permission::PayoutsWrite)?;
    let merchant_id = caller.merchant_id(merchant_id)?;
    let mut edits = Edits::default();
    loop {
        let before = merchants::read(service, caller, merchant_id).await?;
        let mut after = before.clone();
        after.payout_terms.insert(currency.code().to_owned(), terms.clone());
        if edits.put(service, caller, Act::ChangeMerchant(Box::new(Change { before, after: after.clone() }))).await? {
            return Ok(after);
        }
    }
}

fn of(outcome: Outcome) -> Result<Payout, ServiceError> {
    match outcome {
        Outcome::Payout { payout } => Ok(*payout),
        _ => Err(Fault::Broken.into()),
    }
}

pub(crate) fn operator_with(caller: &Caller, permission: Permission) -> Result<(), Refusal> {
    if caller.is_operator() { caller.must(permission) } else { Err(missing(permission)) }
}
