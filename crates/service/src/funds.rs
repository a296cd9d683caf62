//! A merchant's money: what the books say, and paying in.

use refundry_engine::command::TopUp;
use refundry_engine::idempotency::{IdempotencyKey, NUMBER_LENGTH_MAX};
use refundry_engine::{Act, MerchantId, Refusal};
use refundry_ledger::Money;
use refundry_store::BalanceRow;

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::merchants;
use crate::permissions::Permission;
use crate::refunds::NATIVE;
use crate::texts::check_plain;

/// Scope of the numbers of payments-in, so that they never meet those of refunds.
const TOP_UP_SCOPE: &str = "top_up";

/// Pays money in. The same number pays in once.
pub async fn top_up(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    amount: Money,
    number: String,
) -> Result<Vec<BalanceRow>, ServiceError> {
    caller.must(Permission::FundsWrite)?;
    if number.is_empty() || number.chars().count() > NUMBER_LENGTH_MAX {
        let rule = format!("1 to {NUMBER_LENGTH_MAX} letters");
        return Err(Refusal::FieldInvalid { field: "number".to_owned(), rule }.into());
    }
    check_plain("number", &number)?;
    let merchant_id = caller.merchant_id(merchant_id)?;
    let key = IdempotencyKey { merchant_id, dialect: NATIVE.name.to_owned(), scope: TOP_UP_SCOPE.to_owned(), number };
    service.transact(caller, Act::TopUp(TopUp { merchant_id, mode: caller.mode, amount, key })).await?;
    Ok(service.world.store.balances(merchant_id).await?)
}

/// Every balance of a merchant that is not zero.
pub async fn balances(service: &Service, caller: &Caller, merchant_id: Option<MerchantId>) -> Result<Vec<BalanceRow>, ServiceError> {
    caller.must(Permission::FundsRead)?;
    let merchant = merchants::read(service, caller, caller.merchant_id(merchant_id)?).await?;
    Ok(service.world.store.balances(merchant.id).await?)
}
