//! When money comes free, what the operator does about it, and what the merchant sees of it.

use axum::response::Response;
use refundry_engine::command::PaymentMark;
use refundry_engine::funds::figures::{Figures, FundsFigures};
use refundry_engine::settlement::SettlementTerms;
use refundry_engine::{MerchantId, PaymentId};
use refundry_ledger::{Currency, Money};
use refundry_service::settlement::{self, FundsOverview};
use refundry_service::shipments::PaymentNames;
use refundry_store::ComingSettlement;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::MerchantQuery;
use super::funds::BalanceView;
use super::payment_view::PaymentView;
use super::shipments::BatchResult;
use crate::call::{Call, ok};
use crate::operator_api::policy_view::SettlementTermsView;
use crate::operator_api::rates::RateView;
use crate::problem::{Problem, kinds};
use crate::views::{Amount, AmountView, CurrencyCode, Listed, Rfc3339};

/// A merchant's money, in real time.
#[derive(Debug, Serialize, ToSchema)]
pub struct FundsOverviewView {
    /// Whose.
    pub merchant_id: String,
    /// As of when: the books are read now, not half an hour ago.
    pub as_of: Rfc3339,
    /// Always true: what is shown is what the books say at `as_of`.
    pub real_time: bool,
    /// The terms where neither terminal nor method says otherwise: settlement method, cycles, reserves, fees.
    #[schema(value_type = SettlementTermsView)]
    pub terms: SettlementTerms,
    /// A line for each currency.
    pub currencies: Vec<FundsLine>,
    /// All of it in the currency that the merchant is booked in, where its terms name one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_all: Option<FundsInAllView>,
}

/// A merchant's money in the currency that it is booked in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FundsInAll)]
pub struct FundsInAllView {
    /// The sums, without the currencies whose rates are missing.
    pub funds: FundsLine,
    /// The rates that they were converted by: the newest of each currency.
    pub rates: Vec<RateView>,
    /// Currencies that have no rate.
    pub missing_rates: Vec<&'static str>,
}

/// A merchant's money of one currency. Every amount may be below zero.
#[derive(Debug, Serialize, ToSchema)]
pub struct FundsLine {
    /// ISO 4217.
    pub currency: &'static str,
    /// What can be paid out: its day came and its conditions are met.
    pub settleable: FiguresView,
    /// What was not paid out yet, whether it can be or not.
    pub unsettled: FiguresView,
    /// What was paid out in all.
    pub paid_out: PaidOutFigures,
    /// What is on its way out for refunds.
    pub refunds_in_flight: AmountView,
    /// What the operator took as fees in all, less what it gave back.
    pub fees: AmountView,
    /// What the merchant owes beyond its balances.
    pub owed: AmountView,
}

/// Three ways to look at money that was not paid out.
#[derive(Debug, Serialize, ToSchema)]
pub struct FiguresView {
    /// What was traded, less refunds. Fees are taken at the capture, so it stands behind them.
    pub trade: AmountView,
    /// What would be left of it behind what the merchant owes and what the fixed reserve still lacks.
    pub after_deductions: AmountView,
    /// What is held as reserve, or was and is released.
    pub reserve: AmountView,
}

/// What was paid out in all.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaidOutFigures {
    /// Out of the trade.
    pub trade: AmountView,
    /// Out of the reserve.
    pub reserve: AmountView,
}

/// Which money comes, and how far to look.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ComingQuery {
    /// For keys that act for more than one merchant.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// In this currency; left out, in all.
    #[param(value_type = Option<String>)]
    pub currency: Option<CurrencyCode>,
    /// Days to look ahead, 1 to 400; 30 when left out.
    #[param(minimum = 1, maximum = 400)]
    pub days: Option<u32>,
}

/// What becomes available at an instant, if no refund takes it before.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComingView {
    /// When: the beginning of a day where the merchant is.
    pub at: Rfc3339,
    /// Unsettled money. The fixed reserve takes of it what it still lacks.
    pub settled: AmountView,
    /// Rolling reserve.
    pub released: AmountView,
    /// How many payments it is of.
    pub payments: i64,
}

/// Payments that the operator looked at, or found in the bank's own list.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkRequest {
    /// Whose.
    #[schema(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// As what.
    pub mark: MarkView,
    /// The numbers that the merchant was given, 1 to 10,000.
    #[schema(max_items = 10_000)]
    pub payment_references: Vec<String>,
}

/// What the operator found out about a payment.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentMark)]
pub enum MarkView {
    /// A person looked at it, so that it can be settled.
    Reviewed,
    /// It stands in the bank's own list, so that it can be refunded.
    Reconciled,
}

/// How much of the fixed reserve is still held afterwards.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FixedReserveRequest {
    /// Whose.
    #[schema(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// What is kept; what is held beyond it becomes available.
    pub keep: Amount,
}

/// How much of a debt is left.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CollectRequest {
    /// What is still owed for the payment afterwards, in its currency; nothing when left out.
    pub leave: Option<Amount>,
}

/// Settlement method, cycles, and what of the money is settleable, not settled and paid out.
pub async fn overview(call: Call) -> Result<Response, Problem> {
    let query: MerchantQuery = call.query()?;
    ok(&FundsOverviewView::from(settlement::overview(&call.app.service, &call.caller, query.merchant_id).await?))
}

/// What becomes available by itself.
pub async fn coming(call: Call) -> Result<Response, Problem> {
    let ComingQuery { merchant_id, currency, days } = call.query()?;
    let days = days.unwrap_or(30);
    let coming = settlement::coming(&call.app.service, &call.caller, merchant_id, currency.map(|currency| currency.0), days).await?;
    ok(&Listed::whole(coming, |(currency, line)| ComingView::of(line, currency)))
}

/// What is left of a payment's rolling reserve becomes available before its time.
pub async fn release_reserve(call: Call) -> Result<Response, Problem> {
    let query: MerchantQuery = call.query()?;
    let payment_id: PaymentId = call.path_id("payment_id", &kinds::UNKNOWN_PAYMENT)?;
    ok(&PaymentView::from(settlement::release_reserve(&call.app.service, &call.caller, query.merchant_id, payment_id).await?))
}

/// The fixed reserve becomes available, but for what is kept.
pub async fn release_fixed_reserve(call: Call) -> Result<Response, Problem> {
    let FixedReserveRequest { merchant_id, keep } = call.json()?;
    let balances = settlement::release_fixed_reserve(&call.app.service, &call.caller, merchant_id, keep.into()).await?;
    ok(&Listed::whole(balances, BalanceView::from))
}

/// What the merchant owes for a payment is taken out of its available money.
pub async fn collect_exposure(call: Call) -> Result<Response, Problem> {
    let query: MerchantQuery = call.query()?;
    let payment_id: PaymentId = call.path_id("payment_id", &kinds::UNKNOWN_PAYMENT)?;
    let CollectRequest { leave } = call.json()?;
    let leave = leave.map(Into::into);
    ok(&PaymentView::from(settlement::collect_exposure(&call.app.service, &call.caller, query.merchant_id, payment_id, leave).await?))
}

/// Marks many payments; one that is rejected stops no other.
pub async fn mark(call: Call) -> Result<Response, Problem> {
    let MarkRequest { merchant_id, mark, payment_references } = call.json()?;
    let mark = match mark {
        MarkView::Reviewed => PaymentMark::Reviewed,
        MarkView::Reconciled => PaymentMark::Reconciled,
    };
    let names = |reference| PaymentNames { payment_reference: Some(reference), merchant_reference: None };
    let rows = payment_references.into_iter().map(names).collect();
    ok(&BatchResult::of(settlement::mark(&call.app.service, &call.caller, merchant_id, mark, rows).await?, &call)?)
}

impl From<FundsOverview> for FundsOverviewView {
    fn from(FundsOverview { merchant, as_of, terms, figures, in_all }: FundsOverview) -> Self {
        let currencies = figures.into_iter().map(FundsLine::from).collect();
        let in_all = in_all.map(|all| FundsInAllView {
            funds: all.figures.into(),
            rates: all.rates.into_iter().map(RateView::from).collect(),
            missing_rates: all.missing.into_iter().map(Currency::code).collect(),
        });
        Self { merchant_id: merchant.id.to_string(), as_of: as_of.into(), real_time: true, terms, currencies, in_all }
    }
}

impl From<FundsFigures> for FundsLine {
    fn from(figures: FundsFigures) -> Self {
        let amount = |minor| AmountView::from(Money::new(minor, figures.currency));
        Self {
            currency: figures.currency.code(),
            settleable: FiguresView::of(figures.settleable, figures.currency),
            unsettled: FiguresView::of(figures.unsettled, figures.currency),
            paid_out: PaidOutFigures { trade: amount(figures.paid_out_trade_minor), reserve: amount(figures.paid_out_reserve_minor) },
            refunds_in_flight: amount(figures.refunds_in_flight_minor),
            fees: amount(figures.fees_minor),
            owed: amount(figures.owed_minor),
        }
    }
}

impl FiguresView {
    fn of(figures: Figures, currency: Currency) -> Self {
        let amount = |minor| AmountView::from(Money::new(minor, currency));
        Self {
            trade: amount(figures.trade_minor),
            after_deductions: amount(figures.after_deductions_minor),
            reserve: amount(figures.reserve_minor),
        }
    }
}

impl ComingView {
    fn of(line: ComingSettlement, currency: Currency) -> Self {
        let amount = |minor| AmountView::from(Money::new(minor, currency));
        Self { at: line.at.into(), settled: amount(line.settled_minor), released: amount(line.released_minor), payments: line.payments }
    }
}
