//! Chargebacks, disputes, retrievals and reports of fraud over the native API; captures and voids of authorised payments.

use axum::response::Response;
use refundry_engine::command::VoidWhat;
use refundry_engine::dispute::DisputeChange;
use refundry_engine::payment::PaymentKey;
use refundry_engine::{MerchantId, PaymentId};
use refundry_ledger::Money;
use refundry_service::disputes::{self, NewDispute};
use refundry_service::{authorisations, booked};
use refundry_store::{DisputeFilter, Page};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::MerchantQuery;
use super::dispute_view::{CategoryView, DisputeStateView, DisputeView, KindView, OpenDisputesView};
use super::payment_view::PaymentView;
use crate::call::{Call, created, ok};
use crate::problem::{Problem, kinds};
use crate::views::{Amount, Listed, Rfc3339, page_request};

/// What the other side opened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisputeRequest {
    /// Whose.
    #[schema(value_type = String)]
    pub merchant_id: MerchantId,
    /// Our id of the payment.
    #[schema(value_type = Option<String>)]
    pub payment_id: Option<PaymentId>,
    /// The number that the merchant was given when it was paid.
    pub payment_reference: Option<String>,
    /// What it is.
    pub kind: KindView,
    /// The type within its kind; left out, the usual one.
    pub category: Option<CategoryView>,
    /// What the other side wants; zero for an order that was refunded already.
    pub amount: Amount,
    /// The other side's number of it, 1 to 64 letters. The same number told again is the same dispute.
    pub network_reference: String,
    /// The other side's code for its reason; at most 256 letters.
    #[serde(default)]
    pub reason_code: String,
    /// The reason in words; at most 256 letters.
    #[serde(default)]
    pub reason: String,
    /// When the other side opened it; left out, now.
    #[schema(value_type = Option<String>)]
    pub opened_at: Option<Rfc3339>,
    /// Until when it has to be answered.
    #[schema(value_type = Option<String>)]
    pub reply_by: Option<Rfc3339>,
}

/// What is done about a dispute. Merchants may represent and accept; the rest is what the other side says, which the operator tells.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DisputeChange)]
pub enum ChangeView {
    /// The merchant's answer goes to the other side.
    Represent,
    /// The merchant agrees with a chargeback.
    Accept,
    /// The other side says that the merchant was right.
    Win,
    /// The other side says that the merchant was wrong.
    Lose,
    /// The other side takes it back.
    Withdraw,
    /// Nothing is to be done any more.
    Close,
}

/// A change of a dispute.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisputeChangeRequest {
    /// What is done.
    pub change: ChangeView,
    /// What is said with it; at most 256 letters.
    #[serde(default)]
    pub note: String,
}

/// How much of an authorised payment is captured.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureRequest {
    /// At most what was authorised; the rest is released.
    pub amount: Amount,
}

/// What is voided.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidRequest {
    /// A sale at a till of which nothing has moved since, in place of an authorisation.
    #[serde(default)]
    pub sale: bool,
}

/// Which disputes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DisputeQuery {
    /// For keys that act for more than one merchant.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// What they are.
    #[param(inline)]
    pub kind: Option<KindView>,
    /// In this state.
    #[param(inline)]
    pub state: Option<DisputeStateView>,
    /// Only those whose end somebody waits for.
    #[serde(default)]
    pub open: bool,
    /// Of this payment.
    #[param(value_type = Option<String>)]
    pub payment_id: Option<PaymentId>,
    /// Opened by the other side at or after.
    #[param(value_type = Option<String>)]
    pub from: Option<Rfc3339>,
    /// Opened by the other side before.
    #[param(value_type = Option<String>)]
    pub to: Option<Rfc3339>,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Rows, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// Records what the other side opened.
pub async fn record(call: Call) -> Result<Response, Problem> {
    let request: DisputeRequest = call.json()?;
    let payment = match (request.payment_id, request.payment_reference) {
        (Some(id), None) => PaymentKey::Id(id),
        (None, Some(reference)) => PaymentKey::Reference(reference),
        (Some(_), Some(_)) | (None, None) => {
            let (en, zh) = ("Name the payment by payment_id or by payment_reference.", "请用 payment_id 或 payment_reference 指明支付。");
            return Err(Problem::parameter("payment_id", en.to_owned(), zh.to_owned()));
        }
    };
    let new = NewDispute {
        merchant_id: request.merchant_id,
        payment,
        kind: request.kind.into(),
        category: request.category.map(Into::into),
        amount: request.amount.into(),
        network_reference: request.network_reference,
        reason_code: request.reason_code,
        reason: request.reason,
        opened_at: request.opened_at.map(|at| at.0),
        reply_by: request.reply_by.map(|at| at.0),
    };
    let (dispute, is_new) = disputes::record(&call.app.service, &call.caller, new).await?;
    Ok(created(&DisputeView::from(dispute), is_new))
}

/// Moves a dispute on.
pub async fn change(call: Call) -> Result<Response, Problem> {
    let query: MerchantQuery = call.query()?;
    let dispute_id = call.path_id("dispute_id", &kinds::UNKNOWN)?;
    let DisputeChangeRequest { change, note } = call.json()?;
    let of = (query.merchant_id, dispute_id);
    ok(&DisputeView::from(disputes::change(&call.app.service, &call.caller, of, change.into(), note).await?))
}

/// One dispute.
pub async fn find(call: Call) -> Result<Response, Problem> {
    let query: MerchantQuery = call.query()?;
    let dispute_id = call.path_id("dispute_id", &kinds::UNKNOWN)?;
    let dispute = disputes::find(&call.app.service, &call.caller, query.merchant_id, dispute_id).await?;
    let booked = booked::of_disputes(&call.app.service, std::slice::from_ref(&dispute)).await?;
    ok(&DisputeView::with_booked((dispute, booked.into_iter().flatten().next())))
}

/// Disputes, newest first.
pub async fn list(call: Call) -> Result<Response, Problem> {
    let query: DisputeQuery = call.query()?;
    let page = page_request(query.cursor.as_deref(), query.limit)?;
    let filter = DisputeFilter {
        merchant_id: query.merchant_id,
        mode: None,
        from: query.from.map(|at| at.0),
        to: query.to.map(|at| at.0),
        kind: query.kind.map(Into::into),
        state: query.state.map(Into::into),
        open: query.open,
        payment_id: query.payment_id,
    };
    let Page { rows, next } = disputes::list(&call.app.service, &call.caller, filter, page).await?;
    let booked = booked::of_disputes(&call.app.service, &rows).await?;
    ok(&Listed::of(Page { rows: rows.into_iter().zip(booked).collect(), next }, DisputeView::with_booked))
}

/// What is to be done.
pub async fn open(call: Call) -> Result<Response, Problem> {
    let query: MerchantQuery = call.query()?;
    let open = disputes::open(&call.app.service, &call.caller, query.merchant_id).await?;
    ok(&Listed::whole(open, OpenDisputesView::from))
}

/// Takes the money of an authorised payment, or a part of it.
pub async fn capture(call: Call) -> Result<Response, Problem> {
    let (query, key): (MerchantQuery, PaymentKey) = (call.query()?, named(&call)?);
    let CaptureRequest { amount } = call.json()?;
    let amount = Money::from(amount).into();
    let payment = authorisations::capture(&call.app.service, &call.caller, query.merchant_id, &key, amount).await?;
    ok(&PaymentView::from(payment))
}

/// Gives an authorisation up, or a sale at a till.
pub async fn void(call: Call) -> Result<Response, Problem> {
    let (query, key): (MerchantQuery, PaymentKey) = (call.query()?, named(&call)?);
    let VoidRequest { sale } = call.json()?;
    let what = if sale { VoidWhat::OfflineSale } else { VoidWhat::Authorisation };
    ok(&PaymentView::from(authorisations::void(&call.app.service, &call.caller, query.merchant_id, &key, what).await?))
}

fn named(call: &Call) -> Result<PaymentKey, Problem> {
    Ok(PaymentKey::Id(call.path_id("payment_id", &kinds::UNKNOWN_PAYMENT)?))
}

impl From<ChangeView> for DisputeChange {
    fn from(view: ChangeView) -> Self {
        match view {
            ChangeView::Represent => Self::Represent,
            ChangeView::Accept => Self::Accept,
            ChangeView::Win => Self::Win,
            ChangeView::Lose => Self::Lose,
            ChangeView::Withdraw => Self::Withdraw,
            ChangeView::Close => Self::Close,
        }
    }
}
