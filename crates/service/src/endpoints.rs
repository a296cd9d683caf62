//! Native notification endpoints: where a merchant hears of everything, authenticated with a secret that both know.

use refundry_engine::command::{PutEndpoint, RemoveEndpoint};
use refundry_engine::event::EventKind;
use refundry_engine::merchant::{ENDPOINTS_MAX, Endpoint};
use refundry_engine::{Act, EndpointId, MerchantId, Refusal};
use zeroize::Zeroizing;

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::merchants;
use crate::outgoing::check_url;
use crate::permissions::Permission;
use crate::seal::{MasterKeys, SealError};
use crate::service::Edits;
use crate::signatures::webhook_secret;
use crate::tokens::new_webhook_secret;

/// What an endpoint's sealed secret is bound to.
pub fn endpoint_purpose(endpoint_id: EndpointId) -> String {
    format!("endpoint {endpoint_id}")
}

/// An endpoint to be made.
#[derive(Clone, Debug)]
pub struct NewEndpoint {
    /// Whose; may be left out by callers that act for one merchant.
    pub merchant_id: Option<MerchantId>,
    /// Where to post.
    pub url: String,
    /// Kinds of events wanted, by name; empty for all.
    pub events: Vec<String>,
}

/// What is to change; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct EndpointChange {
    /// Where to post.
    pub url: Option<String>,
    /// Kinds of events wanted, by name; empty for all.
    pub events: Option<Vec<String>>,
    /// Whether it is switched on.
    pub enabled: Option<bool>,
    /// Makes a new secret, shown once; the old one is gone.
    pub new_secret: bool,
}

/// An endpoint, with its secret where it is shown this once.
pub struct IssuedEndpoint {
    /// What is stored.
    pub endpoint: Endpoint,
    /// `whsec_…`, when it was made by this call.
    pub secret: Option<Zeroizing<String>>,
}

/// Adds an endpoint.
pub async fn create(service: &Service, caller: &Caller, new: NewEndpoint) -> Result<IssuedEndpoint, ServiceError> {
    caller.must(Permission::NotificationsWrite)?;
    check(Some(&new.url), Some(&new.events))?;
    let merchant = merchants::read(service, caller, caller.merchant_id(new.merchant_id)?).await?;
    if merchant.endpoints.len() >= ENDPOINTS_MAX {
        let limit = u32::try_from(ENDPOINTS_MAX).unwrap_or(u32::MAX);
        return Err(Refusal::LimitReached { what: "endpoints".to_owned(), limit }.into());
    }
    let id = EndpointId::new(service.world.ids.one(service.world.now())?);
    let NewEndpoint { url, events, .. } = new;
    let endpoint = Endpoint { id, url, sealed_secret: String::new(), events, enabled: true };
    let (endpoint, secret) = with_secret(service, endpoint, true);
    service.transact(caller, Act::PutEndpoint(PutEndpoint { merchant_id: merchant.id, before: None, endpoint: endpoint.clone() })).await?;
    Ok(IssuedEndpoint { endpoint, secret })
}

/// Changes an endpoint.
pub async fn change(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    endpoint_id: EndpointId,
    change: EndpointChange,
) -> Result<IssuedEndpoint, ServiceError> {
    caller.must(Permission::NotificationsWrite)?;
    check(change.url.as_deref(), change.events.as_deref())?;
    let mut edits = Edits::default();
    loop {
        let (merchant_id, before) = read(service, caller, merchant_id, endpoint_id).await?;
        let (endpoint, secret) = with_secret(service, change.applied_to(before.clone()), change.new_secret);
        let put = PutEndpoint { merchant_id, before: Some(before), endpoint: endpoint.clone() };
        if edits.put(service, caller, Act::PutEndpoint(put)).await? {
            return Ok(IssuedEndpoint { endpoint, secret });
        }
    }
}

impl EndpointChange {
    fn applied_to(&self, endpoint: Endpoint) -> Endpoint {
        Endpoint {
            url: self.url.clone().unwrap_or(endpoint.url),
            events: self.events.clone().unwrap_or(endpoint.events),
            enabled: self.enabled.unwrap_or(endpoint.enabled),
            ..endpoint
        }
    }
}

/// Removes an endpoint; what is due to it is parked.
pub async fn remove(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    endpoint_id: EndpointId,
) -> Result<(), ServiceError> {
    caller.must(Permission::NotificationsWrite)?;
    let (merchant_id, _) = read(service, caller, merchant_id, endpoint_id).await?;
    service.transact(caller, Act::RemoveEndpoint(RemoveEndpoint { merchant_id, endpoint_id })).await?;
    Ok(())
}

/// All endpoints of a merchant. Their sealed secrets are not for showing.
pub async fn list(service: &Service, caller: &Caller, merchant_id: Option<MerchantId>) -> Result<Vec<Endpoint>, ServiceError> {
    caller.must(Permission::NotificationsRead)?;
    Ok(merchants::read(service, caller, caller.merchant_id(merchant_id)?).await?.endpoints)
}

/// The bytes of an endpoint's secret, for the worker that delivers to it.
pub fn open_secret(master_keys: &MasterKeys, endpoint: &Endpoint) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let text = master_keys.open(&endpoint_purpose(endpoint.id), &endpoint.sealed_secret)?;
    Ok(webhook_secret(std::str::from_utf8(&text).unwrap_or_default()))
}

/// Seals a new secret into an endpoint when one is wanted, and gives it to be shown.
fn with_secret(service: &Service, mut endpoint: Endpoint, new_secret: bool) -> (Endpoint, Option<Zeroizing<String>>) {
    let random = service.world.random.as_ref();
    let secret = new_secret.then(|| new_webhook_secret(random));
    if let Some(secret) = &secret {
        endpoint.sealed_secret = service.master_keys.seal(&endpoint_purpose(endpoint.id), secret.as_bytes(), random);
    }
    (endpoint, secret)
}

async fn read(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    endpoint_id: EndpointId,
) -> Result<(MerchantId, Endpoint), ServiceError> {
    let merchant = merchants::read(service, caller, caller.merchant_id(merchant_id)?).await?;
    let found = merchant.endpoints.into_iter().find(|endpoint| endpoint.id == endpoint_id);
    let endpoint = found.ok_or_else(|| Refusal::Unknown { what: "endpoint".to_owned() })?;
    Ok((merchant.id, endpoint))
}

fn check(url: Option<&str>, events: Option<&[String]>) -> Result<(), Refusal> {
    let invalid = |field: &str, rule: String| Refusal::FieldInvalid { field: field.to_owned(), rule };
    if let Some(url) = url {
        check_url("url", url)?;
    }
    for event in events.into_iter().flatten() {
        if EventKind::from_word(event).is_none() {
            let known: Vec<_> = EventKind::ALL.iter().map(|kind| kind.word()).collect();
            return Err(invalid("events", format!("one of: {}", known.join(", "))));
        }
    }
    Ok(())
}
