//! Payouts over the native API.

use axum::response::Response;
use refundry_engine::command::PayoutStep;
use refundry_engine::{MerchantId, PayoutId};
use refundry_ledger::Currency;
use refundry_service::payout_gross;
use refundry_service::payouts::{self, NewPayout};
use refundry_store::PayoutFilter;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::MerchantQuery;
use super::gross_view::GrossView;
use super::payout_terms_view::PayoutTermsView;
use super::payout_view::{LineView, PaidOutView, PayoutKindView, PayoutStateView, PayoutView, TermsView};
use crate::call::{Call, created, ok};
use crate::problem::{Problem, kinds};
use crate::views::{Amount, CurrencyCode, Listed, Rfc3339, page_request};

/// A payout that a person wants prepared. Another person sends it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayoutRequest {
    /// Whose.
    #[schema(value_type = String)]
    pub merchant_id: MerchantId,
    /// Out of which pot.
    pub kind: PayoutKindView,
    /// In which currency.
    pub currency: CurrencyCode,
    /// How much; left out, everything that is due if it reaches the minimum of the terms.
    pub amount: Option<Amount>,
    /// What the merchant reads beside it; at most 256 letters.
    pub note: Option<String>,
}

/// The bank was told.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendingRequest {
    /// The bank's number of it; at most 256 letters.
    pub bank_reference: Option<String>,
}

/// Why something did not happen.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonRequest {
    /// Why; 1 to 256 letters.
    pub reason: String,
}

/// Which payouts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PayoutQuery {
    /// For keys that act for more than one merchant.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// Of this kind.
    #[param(inline)]
    pub kind: Option<PayoutKindView>,
    /// In this state.
    #[param(inline)]
    pub state: Option<PayoutStateView>,
    /// In this currency.
    #[param(value_type = Option<String>)]
    pub currency: Option<CurrencyCode>,
    /// Prepared at or after.
    #[param(value_type = Option<String>)]
    pub from: Option<Rfc3339>,
    /// Prepared before.
    #[param(value_type = Option<String>)]
    pub to: Option<Rfc3339>,
    /// Arrived at or after.
    #[param(value_type = Option<String>)]
    pub paid_from: Option<Rfc3339>,
    /// Arrived before.
    #[param(value_type = Option<String>)]
    pub paid_to: Option<Rfc3339>,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Rows, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// Which lines.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct LineQuery {
    /// For keys that act for more than one merchant.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Rows, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// Prepares a payout.
pub async fn prepare(call: Call) -> Result<Response, Problem> {
    let PayoutRequest { merchant_id, kind, currency, amount, note } = call.json()?;
    let new = NewPayout { merchant_id, kind: kind.into(), currency: currency.0, amount: amount.map(Into::into), note };
    let payout = payouts::prepare(&call.app.service, &call.caller, new).await?;
    Ok(created(&PayoutView::from(payout), true))
}

/// The bank was told.
pub async fn send(call: Call) -> Result<Response, Problem> {
    let SendingRequest { bank_reference } = call.json()?;
    advance(call, PayoutStep::Send { bank_reference }).await
}

/// The bank said that it arrived.
pub async fn confirm(call: Call) -> Result<Response, Problem> {
    advance(call, PayoutStep::Confirm).await
}

/// The bank did not carry it out, or sent it back.
pub async fn fail(call: Call) -> Result<Response, Problem> {
    let ReasonRequest { reason } = call.json()?;
    advance(call, PayoutStep::Fail { reason }).await
}

/// It is not sent.
pub async fn cancel(call: Call) -> Result<Response, Problem> {
    let ReasonRequest { reason } = call.json()?;
    advance(call, PayoutStep::Cancel { reason }).await
}

async fn advance(call: Call, step: PayoutStep) -> Result<Response, Problem> {
    let payout_id = payout_id(&call)?;
    let query: MerchantQuery = call.query()?;
    ok(&PayoutView::from(payouts::advance(&call.app.service, &call.caller, query.merchant_id, payout_id, step).await?))
}

/// Payouts, newest first.
pub async fn list(call: Call) -> Result<Response, Problem> {
    let query: PayoutQuery = call.query()?;
    let page = page_request(query.cursor.as_deref(), query.limit)?;
    let filter = PayoutFilter {
        merchant_id: query.merchant_id,
        mode: None,
        kind: query.kind.map(Into::into),
        state: query.state.map(Into::into),
        currency: query.currency.map(|currency| currency.0),
        from: query.from.map(|at| at.0),
        to: query.to.map(|at| at.0),
        paid_from: query.paid_from.map(|at| at.0),
        paid_to: query.paid_to.map(|at| at.0),
    };
    ok(&Listed::of(payouts::list(&call.app.service, &call.caller, filter, page).await?, PayoutView::from))
}

/// One payout with its statement.
pub async fn find(call: Call) -> Result<Response, Problem> {
    let query: MerchantQuery = call.query()?;
    ok(&PayoutView::from(payouts::find(&call.app.service, &call.caller, query.merchant_id, payout_id(&call)?).await?))
}

/// What a statement settles, before fees.
pub async fn gross(call: Call) -> Result<Response, Problem> {
    let query: MerchantQuery = call.query()?;
    let payout = payouts::find(&call.app.service, &call.caller, query.merchant_id, payout_id(&call)?).await?;
    ok(&GrossView::from(payout_gross::gross(&call.app.service, &call.caller, &payout).await?))
}

/// The lines of a statement, oldest first.
pub async fn lines(call: Call) -> Result<Response, Problem> {
    let LineQuery { merchant_id, cursor, limit } = call.query()?;
    let page = page_request(cursor.as_deref(), limit)?;
    let payout = payouts::find(&call.app.service, &call.caller, merchant_id, payout_id(&call)?).await?;
    let currency = payout.amount.currency();
    let page = payouts::lines(&call.app.service, &call.caller, &payout, page).await?;
    ok(&Listed::of(page, |line| LineView::of(line, currency)))
}

/// What the merchant was paid out in all.
pub async fn totals(call: Call) -> Result<Response, Problem> {
    let query: MerchantQuery = call.query()?;
    ok(&Listed::whole(payouts::totals(&call.app.service, &call.caller, query.merchant_id).await?, PaidOutView::from))
}

/// The terms of all currencies.
pub async fn terms(call: Call) -> Result<Response, Problem> {
    let query: MerchantQuery = call.query()?;
    let merchant = payouts::terms(&call.app.service, &call.caller, query.merchant_id).await?;
    ok(&Listed::whole(TermsView::all(merchant, call.app.service.world.now()), |terms| terms))
}

/// Puts the terms of one currency.
pub async fn put_terms(call: Call) -> Result<Response, Problem> {
    let query: MerchantQuery = call.query()?;
    let currency: Currency = call.path_id("currency", &kinds::UNKNOWN)?;
    let request: PayoutTermsView = call.json()?;
    let merchant = payouts::put_terms(&call.app.service, &call.caller, query.merchant_id, currency, request.into()).await?;
    ok(&Listed::whole(TermsView::all(merchant, call.app.service.world.now()), |terms| terms))
}

pub(super) fn payout_id(call: &Call) -> Result<PayoutId, Problem> {
    call.path_id("payout_id", &kinds::UNKNOWN)
}
