//! Where a merchant hears of everything, with Standard Webhooks headers.

use axum::response::Response;
use refundry_engine::merchant::Endpoint;
use refundry_engine::{EndpointId, MerchantId};
use refundry_service::endpoints::{self, EndpointChange, IssuedEndpoint, NewEndpoint};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MerchantQuery;
use crate::call::{Call, created, nothing, ok};
use crate::problem::{Problem, kinds};
use crate::views::Listed;

/// An address to be told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointRequest {
    /// For keys that act for more than one merchant.
    #[schema(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// Where to post.
    #[schema(example = "https://shop.example/refunds")]
    pub url: String,
    /// Kinds of events wanted, such as `refund.succeeded`; left out or empty for all.
    #[serde(default)]
    pub events: Vec<String>,
}

/// What is to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointChangeRequest {
    /// Where to post.
    pub url: Option<String>,
    /// Kinds of events wanted; empty for all.
    pub events: Option<Vec<String>>,
    /// Whether it is switched on.
    pub enabled: Option<bool>,
    /// Makes a new secret, shown once; the old one is gone.
    #[serde(default)]
    pub new_secret: bool,
}

/// A notification address.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Endpoint)]
pub struct EndpointView {
    /// Ours.
    #[schema(example = "end_0d3m4t2ykw000")]
    pub endpoint_id: String,
    /// Where we post.
    pub url: String,
    /// Kinds of events wanted; empty for all.
    pub events: Vec<String>,
    /// Whether it is switched on.
    pub enabled: bool,
    /// The secret of the signatures; shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: Option<String>,
}

impl From<Endpoint> for EndpointView {
    fn from(endpoint: Endpoint) -> Self {
        let Endpoint { id, url, events, enabled, .. } = endpoint;
        Self { endpoint_id: id.to_string(), url, events, enabled, secret: None }
    }
}

impl From<IssuedEndpoint> for EndpointView {
    fn from(issued: IssuedEndpoint) -> Self {
        Self { secret: issued.secret.map(|secret| secret.as_str().to_owned()), ..Self::from(issued.endpoint) }
    }
}

/// Adds an address.
pub async fn create(call: Call) -> Result<Response, Problem> {
    let EndpointRequest { merchant_id, url, events } = call.json()?;
    let issued = endpoints::create(&call.app.service, &call.caller, NewEndpoint { merchant_id, url, events }).await?;
    Ok(created(&EndpointView::from(issued), true))
}

/// Changes an address.
pub async fn change(call: Call) -> Result<Response, Problem> {
    let (merchant_id, endpoint_id) = named(&call)?;
    let EndpointChangeRequest { url, events, enabled, new_secret } = call.json()?;
    let change = EndpointChange { url, events, enabled, new_secret };
    ok(&EndpointView::from(endpoints::change(&call.app.service, &call.caller, merchant_id, endpoint_id, change).await?))
}

/// Removes an address.
pub async fn remove(call: Call) -> Result<Response, Problem> {
    let (merchant_id, endpoint_id) = named(&call)?;
    endpoints::remove(&call.app.service, &call.caller, merchant_id, endpoint_id).await?;
    nothing()
}

/// All addresses of a merchant.
pub async fn list(call: Call) -> Result<Response, Problem> {
    let query: MerchantQuery = call.query()?;
    ok(&Listed::whole(endpoints::list(&call.app.service, &call.caller, query.merchant_id).await?, EndpointView::from))
}

fn named(call: &Call) -> Result<(Option<MerchantId>, EndpointId), Problem> {
    let query: MerchantQuery = call.query()?;
    Ok((query.merchant_id, call.path_id("endpoint_id", &kinds::UNKNOWN)?))
}
