//! A merchant's money: what the books say, and paying in.

use refundry_engine::command::{RecordAcquirerSettlement, TopUp};
use refundry_engine::event::{Event, EventKind};
use refundry_engine::idempotency::{IdempotencyKey, NUMBER_LENGTH_MAX};
use refundry_engine::{Act, Actor, MerchantId, Refusal, Timestamp};
use refundry_ledger::Money;
use refundry_store::{BalanceRow, PAGE_LIMIT_MAX, Page, PageRequest};

use crate::Service;
use crate::caller::Caller;
use crate::error::{Fault, ServiceError};
use crate::feed_walk::FeedWalk;
use crate::merchants;
use crate::payouts::operator_with;
use crate::permissions::Permission;
use crate::refunds::NATIVE;
use crate::texts::check_plain;

/// Scope of the numbers of payments-in, so that they never meet those of refunds.
const TOP_UP_SCOPE: &str = "top_up";
/// Scope of the numbers of the acquirer's settlements.
const ACQUIRER_SCOPE: &str = "acquirer_settlement";

/// Pays money in. The same number pays in once. It is the operator who sees the money come: a merchant whose word were enough would make its own.
pub async fn top_up(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    amount: Money,
    number: String,
) -> Result<Vec<BalanceRow>, ServiceError> {
    operator_with(caller, Permission::FundsWrite)?;
    check_number(&number)?;
    let merchant_id = caller.merchant_id(merchant_id)?;
    let key = IdempotencyKey { merchant_id, dialect: NATIVE.name.to_owned(), scope: TOP_UP_SCOPE.to_owned(), number };
    service.transact(caller, Act::TopUp(TopUp { merchant_id, mode: caller.mode, amount, key })).await?;
    Ok(service.world.store.balances(merchant_id).await?)
}

/// Tells what the acquirer paid the operator for a merchant's business, below zero for what it took back. The same number is booked once.
pub async fn record_acquirer_settlement(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    amount: Money,
    number: String,
) -> Result<Vec<BalanceRow>, ServiceError> {
    operator_with(caller, Permission::FundsWrite)?;
    check_number(&number)?;
    let merchant_id = caller.merchant_id(merchant_id)?;
    let key = IdempotencyKey { merchant_id, dialect: NATIVE.name.to_owned(), scope: ACQUIRER_SCOPE.to_owned(), number };
    let act = RecordAcquirerSettlement { merchant_id, mode: caller.mode, amount, key };
    service.transact(caller, Act::RecordAcquirerSettlement(act)).await?;
    Ok(service.world.store.balances(merchant_id).await?)
}

/// Money that the merchant paid in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidIn {
    /// When.
    pub at: Timestamp,
    /// How much.
    pub amount: Money,
    /// The caller's number of it.
    pub number: String,
    /// Who did it.
    pub by: Actor,
}

/// What a merchant paid in, newest first. A page looks at a limited number of events.
pub async fn top_ups(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    between: (Option<Timestamp>, Option<Timestamp>),
    page: PageRequest,
) -> Result<Page<PaidIn>, ServiceError> {
    caller.must(Permission::FundsRead)?;
    let merchant = merchants::read(service, caller, caller.merchant_id(merchant_id)?).await?;
    let mut walk = FeedWalk::begin(service, merchant.id, between, page.after).await?;
    let (limit, (from, to)) = (page.limit.clamp(1, PAGE_LIMIT_MAX) as usize, between);
    let mut rows = Vec::new();
    while rows.len() < limit {
        let Some(event) = walk.next().await? else { break };
        let in_time = from.is_none_or(|from| event.at >= from) && to.is_none_or(|to| event.at < to);
        if event.kind == EventKind::ToppedUp && in_time {
            rows.push(paid_in(event)?);
        }
    }
    Ok(Page { rows, next: walk.cursor() })
}

fn paid_in(event: Event) -> Result<PaidIn, ServiceError> {
    let fact = |name: &str| event.facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default();
    let text = fact("amount");
    let amount = text.split_once(' ').and_then(|(major, code)| Money::parse_major(major, code.parse().ok()?).ok());
    Ok(PaidIn { at: event.at, amount: amount.ok_or(Fault::Broken)?, number: fact("number"), by: event.actor })
}

/// A caller's number of an intent.
pub(crate) fn check_number(number: &str) -> Result<(), ServiceError> {
    if number.is_empty() || number.chars().count() > NUMBER_LENGTH_MAX {
        let rule = format!("1 to {NUMBER_LENGTH_MAX} letters");
        return Err(Refusal::FieldInvalid { field: "number".to_owned(), rule }.into());
    }
    check_plain("number", number)?;
    Ok(())
}

/// Every balance of a merchant that is not zero.
pub async fn balances(service: &Service, caller: &Caller, merchant_id: Option<MerchantId>) -> Result<Vec<BalanceRow>, ServiceError> {
    caller.must(Permission::FundsRead)?;
    let merchant = merchants::read(service, caller, caller.merchant_id(merchant_id)?).await?;
    Ok(service.world.store.balances(merchant.id).await?)
}
