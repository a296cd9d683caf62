//! Rates of days: imported by the operator, read by everybody who sees payments.

use refundry_engine::rate::{DailyRate, PutRates, RATES_PER_IMPORT_MAX};
use refundry_engine::{Act, Mode, Refusal};
use refundry_store::RateFilter;

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::permissions::{Permission, missing};

/// Imports rates in one commit: all of them, or none.
pub async fn import(service: &Service, caller: &Caller, rates: Vec<DailyRate>) -> Result<usize, ServiceError> {
    caller.must(Permission::RatesWrite)?;
    // What is imported holds for both modes, and real money is booked by it.
    if !caller.is_operator() || caller.mode != Mode::Live {
        return Err(missing(Permission::RatesWrite).into());
    }
    if rates.is_empty() || rates.len() > RATES_PER_IMPORT_MAX {
        return Err(invalid("rates", format!("1 to {RATES_PER_IMPORT_MAX} of them")));
    }
    if let Some(wrong) = rates.iter().find(|rate| rate.base == rate.quoted) {
        return Err(invalid("quoted", format!("another currency than {}", wrong.base)));
    }
    let count = rates.len();
    service.transact(caller, Act::PutRates(PutRates { rates })).await?;
    Ok(count)
}

/// Rates, the newest day first.
pub async fn list(service: &Service, caller: &Caller, filter: RateFilter) -> Result<Vec<DailyRate>, ServiceError> {
    caller.must(Permission::RatesRead)?;
    Ok(service.world.store.rates(filter).await?)
}

fn invalid(field: &str, rule: String) -> ServiceError {
    Refusal::FieldInvalid { field: field.to_owned(), rule }.into()
}
