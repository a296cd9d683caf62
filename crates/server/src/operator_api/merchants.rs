//! Merchants.

use axum::response::Response;
use refundry_engine::MerchantId;
use refundry_engine::merchant::Merchant;
use refundry_engine::policy::PolicyPatch;
use refundry_service::merchants::{self, MerchantChange, NewMerchant};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::policy_view::{PolicyView, StandingView};
use crate::call::{Call, created, ok};
use crate::problem::{Problem, kinds};
use crate::views::{Listed, ModeView, PageQuery};

/// A merchant to be made, in the mode of the key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MerchantRequest {
    /// What people read; at most 128 letters.
    #[schema(example = "Acme Trading")]
    pub name: String,
    /// The number by which wire protocols name it where it gets a share of a payment: at most 32 letters, and no other merchant of the mode has it.
    #[serde(default)]
    #[schema(example = "100001")]
    pub account: Option<String>,
    /// Rules for all its terminals.
    #[serde(default)]
    #[schema(value_type = PolicyView)]
    pub policy: PolicyPatch,
}

/// What is to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MerchantChangeRequest {
    /// What people read.
    pub name: Option<String>,
    /// The number by which wire protocols name it where it gets a share of a payment; empty takes it away.
    pub account: Option<String>,
    /// Whether it may act.
    pub standing: Option<StandingView>,
    /// Rules for all its terminals, whole.
    #[schema(value_type = Option<PolicyView>)]
    pub policy: Option<PolicyPatch>,
}

/// The business that is paid.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Merchant)]
pub struct MerchantView {
    /// Ours.
    #[schema(example = "mer_0d3m4t2ykw000")]
    pub merchant_id: String,
    /// Sandbox or live.
    pub mode: ModeView,
    /// What people read.
    pub name: String,
    /// The number by which wire protocols name it where it gets a share of a payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Whether it may act.
    pub standing: StandingView,
    /// Rules for all its terminals.
    #[schema(value_type = PolicyView)]
    pub policy: PolicyPatch,
}

impl From<Merchant> for MerchantView {
    fn from(merchant: Merchant) -> Self {
        let Merchant { id, mode, name, account, standing, policy, .. } = merchant;
        Self { merchant_id: id.to_string(), mode: mode.into(), name, account, standing: standing.into(), policy }
    }
}

/// Makes a merchant.
pub async fn create(call: Call) -> Result<Response, Problem> {
    let MerchantRequest { name, account, policy } = call.json()?;
    let merchant = merchants::create(&call.app.service, &call.caller, NewMerchant { name, account, policy }).await?;
    Ok(created(&MerchantView::from(merchant), true))
}

/// Changes a merchant.
pub async fn change(call: Call) -> Result<Response, Problem> {
    let merchant_id = merchant_id(&call)?;
    let MerchantChangeRequest { name, account, standing, policy } = call.json()?;
    let change = MerchantChange { name, account, standing: standing.map(Into::into), policy };
    ok(&MerchantView::from(merchants::change(&call.app.service, &call.caller, merchant_id, change).await?))
}

/// One merchant.
pub async fn find(call: Call) -> Result<Response, Problem> {
    let merchant_id = merchant_id(&call)?;
    ok(&MerchantView::from(merchants::find(&call.app.service, &call.caller, Some(merchant_id)).await?))
}

/// Merchants by id: all of the operator's mode, or those that the key acts for.
pub async fn list(call: Call) -> Result<Response, Problem> {
    let query: PageQuery = call.query()?;
    ok(&Listed::of(merchants::list(&call.app.service, &call.caller, query.request()?).await?, MerchantView::from))
}

fn merchant_id(call: &Call) -> Result<MerchantId, Problem> {
    call.path_id("merchant_id", &kinds::UNKNOWN_MERCHANT)
}
