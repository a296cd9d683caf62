//! What is remembered of a refund number.

use std::collections::BTreeMap;

use axum::response::Response;
use refundry_engine::idempotency::{Remembered, RememberedDecision};
use refundry_service::refunds::{self, NATIVE};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::MerchantQuery;
use crate::call::{Call, ok};
use crate::problem::{Problem, ProblemBody};
use crate::views::Rfc3339;

/// What is remembered of a number. It is never deleted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IdempotencyMemory)]
pub struct MemoryView {
    /// The number.
    pub number: String,
    /// When it was used first.
    pub first_used_at: Rfc3339,
    /// What was asked then; the same again is answered again, anything else is refused.
    #[schema(value_type = Object)]
    pub compared: BTreeMap<String, Value>,
    /// The refund that it was accepted as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<String>,
    /// Why it was refused, where refusals are remembered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<ProblemBody>,
}

/// The memory of one number.
pub async fn find(call: Call) -> Result<Response, Problem> {
    let query: MerchantQuery = call.query()?;
    let number = call.path_text("number");
    let remembered = refunds::remembered(&call.app.service, &call.caller, NATIVE, query.merchant_id, number).await?;
    let Remembered { key, compared, decision, at } = remembered.ok_or_else(|| Problem::unknown("idempotency key"))?;
    let (refund_id, refused) = match decision {
        RememberedDecision::Accepted(refund_id) => (Some(refund_id.to_string()), None),
        RememberedDecision::ToppedUp | RememberedDecision::Shared(_) | RememberedDecision::Recovered | RememberedDecision::Proposed(_) => {
            (None, None)
        }
        RememberedDecision::Refused(refusal) => (None, Some(Problem::from(refusal).body(call.language, &call.request_id))),
    };
    let compared = compared.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
    ok(&MemoryView { number: key.number, first_used_at: at.into(), compared, refund_id, refused })
}
