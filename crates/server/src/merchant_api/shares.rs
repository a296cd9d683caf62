//! Sharing a payment's money over the native API, and taking back from receivers what was advanced for them.

use axum::response::Response;
use refundry_engine::payment::PaymentKey;
use refundry_engine::share::ShareKey;
use refundry_engine::{MerchantId, ShareId};
use refundry_service::refunds::NATIVE;
use refundry_service::shares::{self, NewShare, Recovery};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::MerchantQuery;
use super::payment_view::PaymentView;
use super::refunds::idempotency_key;
use super::share_view::{LineRequest, ShareView};
use crate::call::{Call, created, mark_replayed, ok};
use crate::problem::{Problem, kinds};
use crate::views::{Amount, Listed, Rfc3339, page_request};

/// A share to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareRequest {
    /// Who gets how much; nobody twice.
    pub lines: Vec<LineRequest>,
    /// When it begins; left out, at once. A refund of the payment before that time cancels it.
    #[schema(value_type = Option<String>)]
    pub due_at: Option<Rfc3339>,
    /// Where its end is announced, in the dialect of the payment's terminal.
    pub notify_url: Option<String>,
}

/// How a running share of the sandbox ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareFinishRequest {
    /// Whether the receivers get their money.
    pub succeeds: bool,
    /// Why not.
    #[serde(default)]
    pub note: String,
}

/// What a receiver pays back of what was advanced in its place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoveryRequest {
    /// The receiver's account number, or our id of it.
    #[schema(example = "100001")]
    pub receiver: String,
    /// How much.
    pub amount: Amount,
}

/// Which shares of a payment.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ShareQuery {
    /// For keys that act for more than one merchant.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Rows, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// Asks for a share.
pub async fn create(call: Call) -> Result<Response, Problem> {
    let query: MerchantQuery = call.query()?;
    let payment_id = call.path_id("payment_id", &kinds::UNKNOWN_PAYMENT)?;
    let number = idempotency_key(&call)?.to_owned();
    let request: ShareRequest = call.json()?;
    let mut compared = vec![("payment_id".to_owned(), call.path_text("payment_id").to_owned())];
    compared.extend(compared_lines("lines", &request.lines));
    compared.extend(request.due_at.map(|at| ("due_at".to_owned(), at.to_string())));
    let new = NewShare {
        merchant_id: query.merchant_id,
        payment: PaymentKey::Id(payment_id),
        number,
        compared,
        lines: request.lines.into_iter().map(LineRequest::named).collect(),
        due_at: request.due_at.map(|at| at.0),
        notify_url: request.notify_url,
        asked_at_text: None,
    };
    let accepted = shares::create(&call.app.service, &call.caller, NATIVE, new).await?;
    let mut response = created(&ShareView::from(*accepted.share), !accepted.replayed);
    if accepted.replayed {
        mark_replayed(&mut response);
    }
    Ok(response)
}

/// Shares of one payment, newest first.
pub async fn list(call: Call) -> Result<Response, Problem> {
    let query: ShareQuery = call.query()?;
    let payment_id = call.path_id("payment_id", &kinds::UNKNOWN_PAYMENT)?;
    let page = page_request(query.cursor.as_deref(), query.limit)?;
    ok(&Listed::of(shares::list(&call.app.service, &call.caller, query.merchant_id, payment_id, page).await?, ShareView::from))
}

/// One share.
pub async fn find(call: Call) -> Result<Response, Problem> {
    let (merchant_id, share_id) = named(&call)?;
    ok(&ShareView::from(shares::find(&call.app.service, &call.caller, merchant_id, &ShareKey::Id(share_id)).await?))
}

/// Takes a planned share back.
pub async fn cancel(call: Call) -> Result<Response, Problem> {
    let (merchant_id, share_id) = named(&call)?;
    ok(&ShareView::from(shares::cancel(&call.app.service, &call.caller, merchant_id, share_id).await?))
}

/// Ends a running share of the sandbox.
pub async fn finish(call: Call) -> Result<Response, Problem> {
    let of = named(&call)?;
    let ShareFinishRequest { succeeds, note } = call.json()?;
    ok(&ShareView::from(shares::finish(&call.app.service, &call.caller, of, succeeds, note).await?))
}

/// Payments of whose advances receivers still owe something, newest first.
pub async fn advances(call: Call) -> Result<Response, Problem> {
    let query: ShareQuery = call.query()?;
    let page = page_request(query.cursor.as_deref(), query.limit)?;
    ok(&Listed::of(shares::advances(&call.app.service, &call.caller, query.merchant_id, page).await?, PaymentView::from))
}

/// A receiver pays back what was advanced in its place.
pub async fn recover(call: Call) -> Result<Response, Problem> {
    let query: MerchantQuery = call.query()?;
    let payment_id = call.path_id("payment_id", &kinds::UNKNOWN_PAYMENT)?;
    let number = idempotency_key(&call)?.to_owned();
    let RecoveryRequest { receiver, amount } = call.json()?;
    let recovery = Recovery { merchant_id: query.merchant_id, payment_id, receiver, amount: amount.into(), number };
    ok(&PaymentView::from(shares::recover(&call.app.service, &call.caller, recovery).await?))
}

/// Lines as they are compared when a number comes again: each by its receiver, in whatever order.
pub fn compared_lines(field: &str, lines: &[LineRequest]) -> Vec<(String, String)> {
    let text = |line: &LineRequest| format!("{} {} {}", line.receiver, line.amount.value, line.amount.currency.0);
    let mut all: Vec<String> = lines.iter().map(text).collect();
    all.sort_unstable();
    if all.is_empty() { Vec::new() } else { vec![(field.to_owned(), all.join(", "))] }
}

fn named(call: &Call) -> Result<(Option<MerchantId>, ShareId), Problem> {
    let query: MerchantQuery = call.query()?;
    Ok((query.merchant_id, call.path_id("share_id", &kinds::UNKNOWN_SHARE)?))
}
