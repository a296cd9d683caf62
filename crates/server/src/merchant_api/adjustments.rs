//! Adjustments over the native API: one person proposes, another books.

use axum::response::Response;
use refundry_engine::adjustment::{Adjustment, AdjustmentKind, AdjustmentState};
use refundry_engine::payment::PaymentKey;
use refundry_engine::{AdjustmentId, MerchantId, PaymentId};
use refundry_service::adjustments::{self, NewAdjustment};
use refundry_store::AdjustmentFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::MerchantQuery;
use super::refunds::idempotency_key;
use crate::call::{Call, created, ok};
use crate::problem::{Problem, kinds};
use crate::views::{Amount, AmountView, CurrencyCode, Listed, Rfc3339, page_request};

/// What an adjustment is for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AdjustmentKind)]
pub enum AdjustmentKindView {
    /// The operator takes a fee for exchange or transfer.
    SettlementFee,
    /// The operator takes another fee.
    Deduction,
    /// Another item that the merchant owes.
    OtherCharge,
    /// Another item that is owed to the merchant.
    OtherCredit,
    /// The operator gives a fee back.
    GivenBack,
    /// The operator bears what the merchant owes for a payment; it names the payment.
    ExposureWrittenOff,
}

/// Where an adjustment stands.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AdjustmentState)]
pub enum AdjustmentStateView {
    /// Somebody asked for it; nothing is booked.
    Proposed,
    /// Another person booked it.
    Booked,
    /// It will not be booked.
    Rejected,
}

/// An adjustment that somebody asks for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdjustmentRequest {
    /// Whose money it moves.
    #[schema(value_type = String)]
    pub merchant_id: MerchantId,
    /// What for.
    pub kind: AdjustmentKindView,
    /// How much; above zero.
    pub amount: Amount,
    /// Why, in words that the merchant reads; 1 to 256 letters.
    pub reason: String,
    /// The payment that it is about, by its id; a write-off must name one.
    #[schema(value_type = Option<String>)]
    pub payment_id: Option<PaymentId>,
    /// The same by the number that the merchant was given for it.
    pub payment_reference: Option<String>,
}

/// Which adjustments.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AdjustmentQuery {
    /// For keys that act for more than one merchant.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// In this state; merchants see booked ones only.
    #[param(inline)]
    pub state: Option<AdjustmentStateView>,
    /// In this currency.
    #[param(value_type = Option<String>)]
    pub currency: Option<CurrencyCode>,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Rows, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// What the operator took from the available money, or gave to it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Adjustment)]
pub struct AdjustmentView {
    /// Ours.
    #[schema(example = "adj_0d3m4t2ykw000")]
    pub adjustment_id: String,
    /// Whose money it moves.
    pub merchant_id: String,
    /// What for.
    pub kind: AdjustmentKindView,
    /// How much.
    pub amount: AmountView,
    /// Why.
    pub reason: String,
    /// The payment that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// Where it stands.
    pub state: AdjustmentStateView,
    /// Who proposed it.
    pub proposed_by: String,
    /// When.
    pub proposed_at: Rfc3339,
    /// Who booked or rejected it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Rfc3339>,
}

/// Asks for an adjustment, once per idempotency key.
pub async fn propose(call: Call) -> Result<Response, Problem> {
    let number = idempotency_key(&call)?.to_owned();
    let AdjustmentRequest { merchant_id, kind, amount, reason, payment_id, payment_reference } = call.json()?;
    let payment = payment_id.map(PaymentKey::Id).or(payment_reference.map(PaymentKey::Reference));
    let new = NewAdjustment { merchant_id, kind: kind.into(), amount: amount.into(), reason, payment, number };
    let adjustment = adjustments::propose(&call.app.service, &call.caller, new).await?;
    Ok(created(&AdjustmentView::from(adjustment), true))
}

/// Another person books it.
pub async fn book(call: Call) -> Result<Response, Problem> {
    decide(call, true).await
}

/// It will not be booked.
pub async fn reject(call: Call) -> Result<Response, Problem> {
    decide(call, false).await
}

async fn decide(call: Call, book: bool) -> Result<Response, Problem> {
    let adjustment_id: AdjustmentId = call.path_id("adjustment_id", &kinds::UNKNOWN)?;
    let query: MerchantQuery = call.query()?;
    let adjustment = adjustments::decide(&call.app.service, &call.caller, query.merchant_id, adjustment_id, book).await?;
    ok(&AdjustmentView::from(adjustment))
}

/// Adjustments, newest first.
pub async fn list(call: Call) -> Result<Response, Problem> {
    let query: AdjustmentQuery = call.query()?;
    let page = page_request(query.cursor.as_deref(), query.limit)?;
    let currency = query.currency.map(|currency| currency.0);
    let filter = AdjustmentFilter { merchant_id: query.merchant_id, mode: None, state: query.state.map(Into::into), currency };
    ok(&Listed::of(adjustments::list(&call.app.service, &call.caller, filter, page).await?, AdjustmentView::from))
}

impl From<Adjustment> for AdjustmentView {
    fn from(adjustment: Adjustment) -> Self {
        Self {
            adjustment_id: adjustment.id.to_string(),
            merchant_id: adjustment.merchant_id.to_string(),
            kind: adjustment.kind.into(),
            amount: adjustment.amount.into(),
            reason: adjustment.reason,
            payment_id: adjustment.payment_id.map(|id| id.to_string()),
            state: adjustment.state.into(),
            proposed_by: adjustment.proposed_by.to_string(),
            proposed_at: adjustment.proposed_at.into(),
            decided_by: adjustment.decided_by.map(|by| by.to_string()),
            decided_at: adjustment.decided_at.map(Into::into),
        }
    }
}

macro_rules! same_words {
    ($view:ident = $engine:ident: $($name:ident),*) => {
        impl From<$view> for $engine {
            fn from(view: $view) -> Self {
                match view { $($view::$name => Self::$name),* }
            }
        }

        impl From<$engine> for $view {
            fn from(word: $engine) -> Self {
                match word { $($engine::$name => Self::$name),* }
            }
        }
    };
}

same_words!(AdjustmentKindView = AdjustmentKind: SettlementFee, Deduction, OtherCharge, OtherCredit, GivenBack, ExposureWrittenOff);
same_words!(AdjustmentStateView = AdjustmentState: Proposed, Booked, Rejected);
