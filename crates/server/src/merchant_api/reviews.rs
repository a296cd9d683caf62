//! Refunds in review: deciding, editing, ending an undo window, and the list of those that wait for a person.

use axum::response::Response;
use refundry_engine::MerchantId;
use refundry_ledger::Money;
use refundry_service::batches;
use refundry_service::reviews::{self, RefundEdit, Review};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::refund_view::RefundView;
use super::refunds::named;
use crate::call::{Call, ok};
use crate::problem::Problem;
use crate::views::{Amount, Listed, page_request};

/// A person's decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewRequest {
    /// Let it pass, or not.
    pub approve: bool,
    /// Why; at most 256 letters. A rejection has to say it.
    #[serde(default)]
    pub note: String,
    /// The `content_hash` of the refund that you saw. An approval needs it and holds for what was seen only.
    pub content_hash: Option<String>,
}

/// What is to change of a refund in review; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundEditRequest {
    /// The `content_hash` of the refund that you saw: when it was edited in between, nothing is done.
    pub content_hash: Option<String>,
    /// How much in all.
    pub amount: Option<Amount>,
    /// The marketing part of it.
    pub marketing_amount: Option<Amount>,
    /// Why; at most 256 letters; `null` removes it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub reason: Option<Option<String>>,
    /// Comes back in answers and notifications; at most 2,048 letters; `null` removes it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub metadata: Option<Option<String>>,
}

/// Which refunds in review.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReviewQuery {
    /// For keys that act for more than one merchant; the operator may leave it out and sees those of all merchants.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Rows, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// Whose batch, and from where on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct BatchQuery {
    /// For keys that act for more than one merchant.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// `next` of the answer before.
    pub cursor: Option<String>,
}

/// What was taken back of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct CancelledBatch {
    /// The refunds that are cancelled by this request.
    pub cancelled: Vec<String>,
    /// Ask again with it as `cursor`; absent when nothing of the batch is pending any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Decides about a refund in review.
pub async fn review(call: Call) -> Result<Response, Problem> {
    let (merchant_id, refund_id) = named(&call)?;
    let ReviewRequest { approve, note, content_hash } = call.json()?;
    let review = Review { merchant_id, refund_id, approve, note, content_hash };
    ok(&RefundView::from(reviews::review(&call.app.service, &call.caller, review).await?))
}

/// Edits a refund in review.
pub async fn edit(call: Call) -> Result<Response, Problem> {
    let which = named(&call)?;
    let RefundEditRequest { content_hash, amount, marketing_amount, reason, metadata } = call.json()?;
    let (amount, marketing) = (amount.map(Money::from), marketing_amount.map(Money::from));
    let edit = RefundEdit { content_hash, amount, marketing, reason, metadata };
    ok(&RefundView::from(reviews::edit(&call.app.service, &call.caller, which, edit).await?))
}

/// Ends the undo window of a refund.
pub async fn send_now(call: Call) -> Result<Response, Problem> {
    let (merchant_id, refund_id) = named(&call)?;
    ok(&RefundView::from(reviews::send_now(&call.app.service, &call.caller, merchant_id, refund_id).await?))
}

/// Takes back what is still pending of a batch.
pub async fn cancel_batch(call: Call) -> Result<Response, Problem> {
    let query: BatchQuery = call.query()?;
    let after = page_request(query.cursor.as_deref(), None)?.after;
    let page = batches::cancel(&call.app.service, &call.caller, query.merchant_id, call.path_text("batch"), after).await?;
    let cancelled = page.cancelled.iter().map(|refund| refund.id.to_string()).collect();
    ok(&CancelledBatch { cancelled, next: page.next.map(|cursor| format!("{cursor:x}")) })
}

/// Refunds in review, oldest first.
pub async fn list(call: Call) -> Result<Response, Problem> {
    let query: ReviewQuery = call.query()?;
    let page = page_request(query.cursor.as_deref(), query.limit)?;
    ok(&Listed::of(reviews::list(&call.app.service, &call.caller, query.merchant_id, page).await?, RefundView::from))
}

/// Tells `null` from nothing.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
