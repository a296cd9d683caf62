//! Merchants, as the operator keeps them.

use std::collections::BTreeMap;

use refundry_engine::command::Change;
use refundry_engine::merchant::{Merchant, Standing};
use refundry_engine::policy::PolicyPatch;
use refundry_engine::{Act, MerchantId, Refusal};
use refundry_store::{Page, PageRequest};

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::permissions::{Permission, missing};
use crate::service::Edits;

/// A merchant to be made. It is of the caller's mode.
#[derive(Clone, Debug)]
pub struct NewMerchant {
    /// What people read.
    pub name: String,
    /// The number by which dialects name it where it gets a share.
    pub account: Option<String>,
    /// Rules for all its terminals.
    pub policy: PolicyPatch,
}

/// What is to change; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct MerchantChange {
    /// What people read.
    pub name: Option<String>,
    /// The number by which dialects name it where it gets a share; empty for none.
    pub account: Option<String>,
    /// Whether it may act.
    pub standing: Option<Standing>,
    /// Rules for all its terminals, whole.
    pub policy: Option<PolicyPatch>,
}

/// Makes a merchant.
pub async fn create(service: &Service, caller: &Caller, new: NewMerchant) -> Result<Merchant, ServiceError> {
    operator_with(caller, Permission::MerchantsWrite)?;
    let id = MerchantId::new(service.world.ids.one(service.world.now())?);
    let NewMerchant { name, account, policy } = new;
    let (mode, standing) = (caller.mode, Standing::Active);
    let merchant = Merchant { id, mode, name, account, standing, policy, payout_terms: BTreeMap::new(), endpoints: Vec::new() };
    service.transact(caller, Act::PutMerchant(Box::new(merchant.clone()))).await?;
    Ok(merchant)
}

/// Changes a merchant.
pub async fn change(service: &Service, caller: &Caller, merchant_id: MerchantId, change: MerchantChange) -> Result<Merchant, ServiceError> {
    operator_with(caller, Permission::MerchantsWrite)?;
    let mut edits = Edits::default();
    loop {
        let before = read(service, caller, merchant_id).await?;
        let after = change.applied_to(before.clone());
        if edits.put(service, caller, Act::ChangeMerchant(Box::new(Change { before, after: after.clone() }))).await? {
            return Ok(after);
        }
    }
}

impl MerchantChange {
    fn applied_to(&self, merchant: Merchant) -> Merchant {
        Merchant {
            name: self.name.clone().unwrap_or(merchant.name),
            account: self.account.clone().map_or(merchant.account, |account| Some(account).filter(|account| !account.is_empty())),
            standing: self.standing.unwrap_or(merchant.standing),
            policy: self.policy.clone().unwrap_or(merchant.policy),
            ..merchant
        }
    }
}

/// One merchant.
pub async fn find(service: &Service, caller: &Caller, merchant_id: Option<MerchantId>) -> Result<Merchant, ServiceError> {
    caller.must(Permission::MerchantsRead)?;
    read(service, caller, caller.merchant_id(merchant_id)?).await
}

/// Merchants by id: the operator's of its mode; others see their own, or those that are linked to them.
pub async fn list(service: &Service, caller: &Caller, page: PageRequest) -> Result<Page<Merchant>, ServiceError> {
    caller.must(Permission::MerchantsRead)?;
    if caller.is_operator() {
        let mut merchants = service.world.store.merchants(page).await?;
        merchants.rows.retain(|merchant| merchant.mode == caller.mode);
        return Ok(merchants);
    }
    let after = page.after.unwrap_or(i64::MIN);
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX).max(1);
    let mut ids: Vec<MerchantId> = caller.merchant_ids().into_iter().filter(|id| id.get() > after).collect();
    ids.sort_unstable();
    let more = ids.len() > limit;
    ids.truncate(limit);
    let next = ids.last().filter(|_| more).map(|id| id.get());
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        let merchant = service.world.store.merchant(id).await?;
        rows.extend(merchant.filter(|merchant| merchant.mode == caller.mode));
    }
    Ok(Page { rows, next })
}

/// The merchant's row, if it is of the caller's mode. Whether the caller may act for it is for [`Caller::merchant_id`] to say.
pub(crate) async fn read(service: &Service, caller: &Caller, merchant_id: MerchantId) -> Result<Merchant, ServiceError> {
    let merchant = service.world.store.merchant(merchant_id).await?;
    Ok(merchant.filter(|merchant| merchant.mode == caller.mode).ok_or(Refusal::UnknownMerchant)?)
}

fn operator_with(caller: &Caller, permission: Permission) -> Result<(), Refusal> {
    if caller.is_operator() { caller.must(permission) } else { Err(missing(permission)) }
}
