//! Sealing every stored secret again under the current master key, so that an older one can be taken out of use.
//!
//! Row by row: what was done before an interruption is not done again, and a row that is changed meanwhile is sealed under the current key
//! anyway.

use refundry_engine::command::{Change, PutEndpoint};
use refundry_engine::credential::Credential;
use refundry_engine::merchant::Endpoint;
use refundry_engine::{Act, CredentialId, EndpointId, MerchantId, Mode};
use refundry_store::{PAGE_LIMIT_MAX, PageRequest};

use crate::Service;
use crate::caller::Caller;
use crate::endpoints::endpoint_purpose;
use crate::error::{Fault, ServiceError};
use crate::keyring::credential_purpose;
use crate::seal::SealError;
use crate::service::Edits;

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResealedSecrets {
    /// Secrets that were looked at.
    pub seen: u64,
    /// Secrets that were sealed again.
    pub resealed: u64,
    /// Secrets that do not open, because their master key is missing; they are logged, with the credential or endpoint.
    pub lost: u64,
}

/// Seals every secret again that is not under the current master key.
pub async fn rotate_master(service: &Service) -> Result<ResealedSecrets, ServiceError> {
    let mut done = ResealedSecrets::default();
    reseal_credentials(service, &mut done).await?;
    reseal_endpoints(service, &mut done).await?;
    Ok(done)
}

async fn reseal_credentials(service: &Service, done: &mut ResealedSecrets) -> Result<(), ServiceError> {
    let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
    loop {
        let found = service.world.store.credentials(None, page).await?;
        for seen in found.rows.iter().filter(|row| !row.sealed_secret.is_empty()) {
            reseal_credential(service, done, seen.id).await?;
        }
        let Some(next) = found.next else { return Ok(()) };
        page.after = Some(next);
    }
}

async fn reseal_credential(service: &Service, done: &mut ResealedSecrets, id: CredentialId) -> Result<(), ServiceError> {
    let mut edits = Edits::default();
    loop {
        let Some(before) = service.world.store.credential(id).await? else { return Ok(()) };
        let resealed = reseal(service, &credential_purpose(&before), &before.sealed_secret);
        let written = match &resealed {
            Resealed::Under(sealed) => {
                let after = Credential { sealed_secret: sealed.clone(), ..before.clone() };
                edits.put(service, &operator(), Act::ChangeCredential(Box::new(Change { before, after }))).await?
            }
            Resealed::Already | Resealed::Lost => true,
        };
        if written {
            done.count(&resealed);
            return Ok(());
        }
    }
}

async fn reseal_endpoints(service: &Service, done: &mut ResealedSecrets) -> Result<(), ServiceError> {
    let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
    loop {
        let found = service.world.store.merchants(page).await?;
        for seen in found.rows.iter().filter(|merchant| !merchant.endpoints.is_empty()) {
            for endpoint in &seen.endpoints {
                reseal_endpoint(service, done, seen.id, endpoint.id).await?;
            }
        }
        let Some(next) = found.next else { return Ok(()) };
        page.after = Some(next);
    }
}

async fn reseal_endpoint(
    service: &Service,
    done: &mut ResealedSecrets,
    merchant_id: MerchantId,
    id: EndpointId,
) -> Result<(), ServiceError> {
    let mut edits = Edits::default();
    loop {
        let Some(merchant) = service.world.store.merchant(merchant_id).await? else { return Ok(()) };
        let Some(before) = merchant.endpoints.into_iter().find(|endpoint| endpoint.id == id) else { return Ok(()) };
        let resealed = reseal(service, &endpoint_purpose(id), &before.sealed_secret);
        let written = match &resealed {
            Resealed::Under(sealed) => {
                let endpoint = Endpoint { sealed_secret: sealed.clone(), ..before.clone() };
                let put = PutEndpoint { merchant_id, before: Some(before), endpoint };
                edits.put(service, &operator(), Act::PutEndpoint(put)).await?
            }
            Resealed::Already | Resealed::Lost => true,
        };
        if written {
            done.count(&resealed);
            return Ok(());
        }
    }
}

/// What became of one secret.
enum Resealed {
    /// The text under the current key.
    Under(String),
    /// It was under the current key before.
    Already,
    /// It does not open.
    Lost,
}

fn reseal(service: &Service, purpose: &str, sealed: &str) -> Resealed {
    match service.master_keys.reseal(purpose, sealed, service.world.random.as_ref()) {
        Ok(Some(sealed)) => Resealed::Under(sealed),
        Ok(None) => Resealed::Already,
        Err(error) => {
            lost(purpose, &error);
            Resealed::Lost
        }
    }
}

impl ResealedSecrets {
    fn count(&mut self, resealed: &Resealed) {
        self.seen += 1;
        match resealed {
            Resealed::Under(_) => self.resealed += 1,
            Resealed::Already => {}
            Resealed::Lost => self.lost += 1,
        }
    }
}

fn lost(purpose: &str, error: &SealError) {
    Fault::logged(&format!("the secret of {purpose} cannot be sealed again"), error);
}

fn operator() -> Caller {
    Caller::operator("rotate-master", Mode::Live)
}
