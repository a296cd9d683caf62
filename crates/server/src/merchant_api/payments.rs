//! Payments: read by everyone, told of by the operator's payment system.

use axum::response::Response;
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::{MerchantId, PaymentId};
use refundry_service::{booked, payments};
use refundry_store::{Page, PaymentFilter};
use serde::Deserialize;
use utoipa::IntoParams;

use super::MerchantQuery;
use super::payment_view::{PaymentRequest, PaymentView, StatusView};
use crate::call::{Call, created, ok};
use crate::problem::{Problem, kinds};
use crate::views::{CurrencyCode, Listed, Rfc3339, page_request};

/// Which payments.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PaymentQuery {
    /// For keys that act for more than one merchant.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// With exactly this payment reference.
    pub payment_reference: Option<String>,
    /// With exactly this order number.
    pub merchant_reference: Option<String>,
    /// In this status.
    #[param(inline)]
    pub status: Option<StatusView>,
    /// In this currency.
    #[param(value_type = Option<String>)]
    pub currency: Option<CurrencyCode>,
    /// `true` for those only for which the merchant owes something; a page may then be empty and not the last.
    pub exposed: Option<bool>,
    /// Paid at or after.
    #[param(value_type = Option<String>)]
    pub from: Option<Rfc3339>,
    /// Paid before.
    #[param(value_type = Option<String>)]
    pub to: Option<Rfc3339>,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Rows, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// Records a payment, or a later status of a known one.
pub async fn record(call: Call) -> Result<Response, Problem> {
    let request: PaymentRequest = call.json()?;
    let recorded = payments::record(&call.app.service, &call.caller, request.into_new()?).await?;
    Ok(created(&PaymentView::from(*recorded.payment), recorded.created))
}

/// One payment.
pub async fn find(call: Call) -> Result<Response, Problem> {
    let (merchant_id, payment_id) = named(&call)?;
    let key = PaymentKey::Id(payment_id);
    let payment = payments::find(&call.app.service, &call.caller, merchant_id, &key).await?;
    let booked = booked::of_payments(&call.app.service, std::slice::from_ref(&payment)).await?;
    ok(&PaymentView::with_booked((payment, booked.into_iter().flatten().next())))
}

/// Payments, newest first. A payment reference names at most one.
pub async fn list(call: Call) -> Result<Response, Problem> {
    let query: PaymentQuery = call.query()?;
    if let Some(reference) = query.payment_reference {
        let key = PaymentKey::Reference(reference);
        return match payments::find(&call.app.service, &call.caller, query.merchant_id, &key).await {
            Ok(payment) => listed(&call, Page { rows: vec![payment], next: None }).await,
            Err(refundry_service::ServiceError::Refused(refundry_engine::Refusal::UnknownPayment)) => {
                listed(&call, Page { rows: Vec::new(), next: None }).await
            }
            Err(error) => Err(error.into()),
        };
    }
    let page = page_request(query.cursor.as_deref(), query.limit)?;
    let filter = PaymentFilter {
        merchant_id: query.merchant_id,
        mode: None,
        from: query.from.map(|at| at.0),
        to: query.to.map(|at| at.0),
        status: query.status.map(Into::into),
        currency: query.currency.map(|currency| currency.0),
        merchant_reference: query.merchant_reference,
        exposed: query.exposed.unwrap_or(false),
    };
    listed(&call, payments::list(&call.app.service, &call.caller, filter, page).await?).await
}

async fn listed(call: &Call, Page { rows, next }: Page<Payment>) -> Result<Response, Problem> {
    let booked = booked::of_payments(&call.app.service, &rows).await?;
    ok(&Listed::of(Page { rows: rows.into_iter().zip(booked).collect(), next }, PaymentView::with_booked))
}

/// A payment's unsettled money becomes available.
pub async fn settle(call: Call) -> Result<Response, Problem> {
    let (merchant_id, payment_id) = named(&call)?;
    ok(&PaymentView::from(payments::settle(&call.app.service, &call.caller, merchant_id, payment_id).await?))
}

fn named(call: &Call) -> Result<(Option<MerchantId>, PaymentId), Problem> {
    let query: MerchantQuery = call.query()?;
    Ok((query.merchant_id, call.path_id("payment_id", &kinds::UNKNOWN_PAYMENT)?))
}
