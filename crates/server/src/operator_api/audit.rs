//! Who did what.

use std::collections::BTreeMap;

use axum::response::Response;
use refundry_engine::MerchantId;
use refundry_engine::verdict::AuditLine;
use refundry_service::audit;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::call::{Call, ok};
use crate::problem::Problem;
use crate::views::{Listed, Rfc3339, page_request};

/// Whose log.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// For keys that act for more than one merchant.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Rows, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// A line of the audit log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditLine)]
pub struct AuditView {
    /// Ours.
    pub audit_id: String,
    /// When.
    pub at: Rfc3339,
    /// Who.
    pub actor: String,
    /// What, such as `refund.cancel`.
    pub action: &'static str,
    /// On what, as an id.
    pub subject: String,
    /// What was said, without secrets.
    pub facts: BTreeMap<String, String>,
}

impl From<AuditLine> for AuditView {
    fn from(line: AuditLine) -> Self {
        Self {
            audit_id: line.id.to_string(),
            at: line.at.into(),
            actor: line.actor.to_string(),
            action: line.action,
            subject: line.subject,
            facts: line.facts.into_iter().collect(),
        }
    }
}

/// The audit log of a merchant, newest first.
pub async fn list(call: Call) -> Result<Response, Problem> {
    let AuditQuery { merchant_id, cursor, limit } = call.query()?;
    let page = page_request(cursor.as_deref(), limit)?;
    ok(&Listed::of(audit::list(&call.app.service, &call.caller, merchant_id, page).await?, AuditView::from))
}
