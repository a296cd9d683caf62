//! A merchant's money, as the books say.

use axum::response::Response;
use refundry_engine::MerchantId;
use refundry_ledger::{Money, Side};
use refundry_service::funds::{self, PaidIn};
use refundry_store::BalanceRow;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::MerchantQuery;
use super::refunds::idempotency_key;
use crate::call::{Call, ok};
use crate::problem::Problem;
use crate::views::{Amount, AmountView, Listed, Rfc3339, page_request};

/// A balance that is not zero.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Balance)]
pub struct BalanceView {
    /// The ledger account, such as `available`, `unsettled`, `reserve`, `refunds_in_flight`.
    #[schema(example = "available")]
    pub ledger_account: &'static str,
    /// How much, positive on the side where the ledger account normally stands.
    pub amount: AmountView,
}

/// Money that the merchant pays in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TopUpRequest {
    /// Whose.
    #[schema(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// How much.
    pub amount: Amount,
}

/// Which payments-in.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TopUpQuery {
    /// For keys that act for more than one merchant.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// Paid in at or after.
    #[param(value_type = Option<String>)]
    pub from: Option<Rfc3339>,
    /// Paid in before.
    #[param(value_type = Option<String>)]
    pub to: Option<Rfc3339>,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Rows, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// Money that the merchant paid in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TopUp)]
pub struct TopUpView {
    /// When.
    pub at: Rfc3339,
    /// How much.
    pub amount: AmountView,
    /// The idempotency key that it was paid in with.
    pub number: String,
    /// Who did it.
    pub by: String,
}

impl From<PaidIn> for TopUpView {
    fn from(PaidIn { at, amount, number, by }: PaidIn) -> Self {
        Self { at: at.into(), amount: amount.into(), number, by: by.to_string() }
    }
}

/// What the acquirer paid the operator for a merchant's business.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcquirerSettlementRequest {
    /// Whose business.
    #[schema(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// How much; below zero for what it took back.
    pub amount: Amount,
}

impl From<BalanceRow> for BalanceView {
    fn from(row: BalanceRow) -> Self {
        let minor = match row.account.side() {
            Side::Credit => row.minor,
            Side::Debit => row.minor.saturating_neg(),
        };
        Self { ledger_account: row.account.name(), amount: Money::new(minor, row.currency).into() }
    }
}

/// Every balance that is not zero.
pub async fn balances(call: Call) -> Result<Response, Problem> {
    let query: MerchantQuery = call.query()?;
    ok(&Listed::whole(funds::balances(&call.app.service, &call.caller, query.merchant_id).await?, BalanceView::from))
}

/// Books what the acquirer paid, once per idempotency key.
pub async fn record_acquirer_settlement(call: Call) -> Result<Response, Problem> {
    let number = idempotency_key(&call)?.to_owned();
    let AcquirerSettlementRequest { merchant_id, amount } = call.json()?;
    let balances = funds::record_acquirer_settlement(&call.app.service, &call.caller, merchant_id, amount.into(), number).await?;
    ok(&Listed::whole(balances, BalanceView::from))
}

/// What the merchant paid in, newest first.
pub async fn top_ups(call: Call) -> Result<Response, Problem> {
    let query: TopUpQuery = call.query()?;
    let page = page_request(query.cursor.as_deref(), query.limit)?;
    let between = (query.from.map(|at| at.0), query.to.map(|at| at.0));
    let paid_in = funds::top_ups(&call.app.service, &call.caller, query.merchant_id, between, page).await?;
    ok(&Listed::of(paid_in, TopUpView::from))
}

/// Pays money in, once per idempotency key.
pub async fn top_up(call: Call) -> Result<Response, Problem> {
    let number = idempotency_key(&call)?.to_owned();
    let TopUpRequest { merchant_id, amount } = call.json()?;
    let balances = funds::top_up(&call.app.service, &call.caller, merchant_id, amount.into(), number).await?;
    ok(&Listed::whole(balances, BalanceView::from))
}
