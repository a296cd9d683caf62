//! When a merchant's money comes free: what the operator does about it, and what the merchant sees of it.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use refundry_engine::command::{CollectExposure, MarkPayment, PaymentMark, ReleaseFixedReserve, ReleaseReserve};
use refundry_engine::funds::figures::{FundsFigures, figures};
use refundry_engine::merchant::Merchant;
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::payout::{PayoutKind, Pots};
use refundry_engine::rate::{DailyRate, Day};
use refundry_engine::settlement::SettlementTerms;
use refundry_engine::{Act, MerchantId, PaymentId, Refusal, Timestamp};
use refundry_ledger::{Balances, Currency, Money};
use refundry_store::{BalanceRow, ComingSettlement, RateFilter};

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::permissions::{Permission, missing};
use crate::shipments::{PaymentNames, ROWS_AT_ONCE, check_rows, named, outcome};
use crate::{merchants, payments};

/// Days that a forecast looks ahead at most.
pub const COMING_DAYS_MAX: u32 = 400;

/// What a merchant's money is, as of now.
#[derive(Clone, Debug)]
pub struct FundsOverview {
    /// Whose.
    pub merchant: Merchant,
    /// As of when: the books are read now.
    pub as_of: Timestamp,
    /// The terms that the merchant has where neither terminal nor method says otherwise.
    pub terms: SettlementTerms,
    /// A line for each currency.
    pub figures: Vec<FundsFigures>,
    /// All of it in the currency that the merchant is booked in, where its terms name one.
    pub in_all: Option<FundsInAll>,
}

/// A merchant's money in the currency that it is booked in.
#[derive(Clone, Debug)]
pub struct FundsInAll {
    /// The sums, without the currencies whose rates are missing.
    pub figures: FundsFigures,
    /// The rates that they were converted by: the newest of each currency.
    pub rates: Vec<DailyRate>,
    /// Currencies that have no rate.
    pub missing: Vec<Currency>,
}

/// Settlement method, cycles, and what of the money is settleable, not settled and paid out, for each currency.
pub async fn overview(service: &Service, caller: &Caller, merchant_id: Option<MerchantId>) -> Result<FundsOverview, ServiceError> {
    caller.must(Permission::FundsRead)?;
    let merchant = merchants::read(service, caller, caller.merchant_id(merchant_id)?).await?;
    let store = &service.world.store;
    let rows = store.balances(merchant.id).await?;
    let pots: BTreeMap<Currency, Pots> = store.pots(merchant.id).await?.into_iter().collect();
    let mut paid_out: BTreeMap<Currency, [i64; 2]> = BTreeMap::new();
    for sum in store.paid_out(merchant.id).await? {
        let place = match sum.kind {
            PayoutKind::Trade => 0,
            PayoutKind::Reserve => 1,
        };
        paid_out.entry(sum.currency).or_default()[place] = sum.minor;
    }
    let as_of = service.world.now();
    let terms = SettlementTerms::default().patched(&merchant.policy.settlement);
    let balances = books(merchant.id, &rows);
    let mut currencies: Vec<Currency> = rows.iter().map(|row| row.currency).chain(paid_out.keys().copied()).collect();
    currencies.sort_unstable();
    currencies.dedup();
    let figures = currencies.into_iter().map(|currency| {
        let paid_out = paid_out.get(&currency).copied().unwrap_or_default();
        figures((merchant.id, currency), &balances, pots.get(&currency), &terms, paid_out)
    });
    let figures: Vec<FundsFigures> = figures.collect();
    let in_all = in_all(service, &terms, &figures, as_of).await?;
    Ok(FundsOverview { as_of, figures, terms, merchant, in_all })
}

/// Everything at the newest rates of today or before.
async fn in_all(
    service: &Service,
    terms: &SettlementTerms,
    figures: &[FundsFigures],
    as_of: Timestamp,
) -> Result<Option<FundsInAll>, ServiceError> {
    let Some(quoted) = terms.accounting_currency.as_ref().and_then(|code| code.parse::<Currency>().ok()) else { return Ok(None) };
    let mut all = FundsInAll { figures: FundsFigures::none(quoted), rates: Vec::new(), missing: Vec::new() };
    let today = Day::of(as_of, terms.utc_offset_minutes);
    for line in figures {
        if line.currency == quoted {
            all.figures = all.figures.with(line, None);
            continue;
        }
        let filter = RateFilter { base: Some(line.currency), quoted: Some(quoted), from: None, to: Some(today), limit: 1 };
        match service.world.store.rates(filter).await?.pop() {
            Some(rate) => {
                all.figures = all.figures.with(line, Some(&rate.quote()));
                all.rates.push(rate);
            }
            None => all.missing.push(line.currency),
        }
    }
    Ok(Some(all))
}

fn books(merchant_id: MerchantId, rows: &[BalanceRow]) -> Balances<MerchantId> {
    let mut balances = Balances::default();
    rows.iter().for_each(|row| balances.set(merchant_id, row.account, row.currency, row.minor));
    balances
}

/// What becomes available by itself in the next days, in the order of time, in one currency or in all that the merchant has.
pub async fn coming(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    currency: Option<Currency>,
    days: u32,
) -> Result<Vec<(Currency, ComingSettlement)>, ServiceError> {
    caller.must(Permission::FundsRead)?;
    if !(1..=COMING_DAYS_MAX).contains(&days) {
        return Err(Refusal::FieldInvalid { field: "days".to_owned(), rule: format!("1 to {COMING_DAYS_MAX}") }.into());
    }
    let merchant = merchants::read(service, caller, caller.merchant_id(merchant_id)?).await?;
    let until = service.world.now().plus_days(i64::from(days));
    let store = &service.world.store;
    let currencies: BTreeSet<Currency> = match currency {
        Some(currency) => BTreeSet::from([currency]),
        None => store.balances(merchant.id).await?.into_iter().map(|row| row.currency).collect(),
    };
    let mut all = Vec::new();
    for currency in currencies {
        let lines = store.coming_settlements(merchant.id, currency, until).await?;
        all.extend(lines.into_iter().map(|line| (currency, line)));
    }
    all.sort_by_key(|(currency, line)| (line.at, *currency));
    Ok(all)
}

/// What is left of a payment's rolling reserve becomes available before its time.
pub async fn release_reserve(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    payment_id: PaymentId,
) -> Result<Payment, ServiceError> {
    operator_with(caller, Permission::FundsWrite)?;
    let payment = payments::named(service, caller, merchant_id, &PaymentKey::Id(payment_id)).await?;
    let act = ReleaseReserve { merchant_id: payment.merchant_id, mode: caller.mode, payment_id };
    outcome(service.transact(caller, Act::ReleaseReserve(act)).await?)
}

/// What the merchant owes for a payment is taken out of its available money, but for what is left; without that, all of it.
pub async fn collect_exposure(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    payment_id: PaymentId,
    leave: Option<Money>,
) -> Result<Payment, ServiceError> {
    operator_with(caller, Permission::FundsWrite)?;
    let payment = payments::named(service, caller, merchant_id, &PaymentKey::Id(payment_id)).await?;
    let leave = leave.unwrap_or_else(|| Money::zero(payment.currency()));
    let act = CollectExposure { merchant_id: payment.merchant_id, mode: caller.mode, payment_id, leave };
    outcome(service.transact(caller, Act::CollectExposure(act)).await?)
}

/// The fixed reserve becomes available, but for what is kept.
pub async fn release_fixed_reserve(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    keep: Money,
) -> Result<Vec<BalanceRow>, ServiceError> {
    operator_with(caller, Permission::FundsWrite)?;
    let merchant_id = caller.merchant_id(merchant_id)?;
    let act = ReleaseFixedReserve { merchant_id, mode: caller.mode, keep };
    service.transact(caller, Act::ReleaseFixedReserve(act)).await?;
    Ok(service.world.store.balances(merchant_id).await?)
}

/// Marks many payments as reviewed or as reconciled with the bank; each has its own result, in the order given.
pub async fn mark(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    mark: PaymentMark,
    rows: Vec<PaymentNames>,
) -> Result<Vec<Result<Payment, ServiceError>>, ServiceError> {
    operator_with(caller, Permission::PaymentsWrite)?;
    let merchant_id = merchants::read(service, caller, caller.merchant_id(merchant_id)?).await?.id;
    check_rows(rows.len())?;
    let mut results = Vec::with_capacity(rows.len());
    for rows in rows.chunks(ROWS_AT_ONCE) {
        let each = rows.iter().map(async |names| {
            let payment = named(service, caller, merchant_id, names).await?;
            let act = MarkPayment { merchant_id, mode: caller.mode, payment_id: payment.id, mark };
            outcome(service.transact(caller, Act::MarkPayment(act)).await?)
        });
        results.extend(join_all(each).await);
    }
    Ok(results)
}

/// What frees money is for the operator alone, whatever a merchant's key may do.
fn operator_with(caller: &Caller, permission: Permission) -> Result<(), Refusal> {
    if caller.is_operator() { caller.must(permission) } else { Err(missing(permission)) }
}
