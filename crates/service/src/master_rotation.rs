//! Sealing every stored secret again under the current master key, so that an older one can be taken out of use.
//!
//! Row by row: what was done before an interruption is not done again, and a row that is changed meanwhile is sealed under the current key
//! anyway.

use refundry_engine::command::PutEndpoint;
use refundry_engine::{Act, Mode};
use refundry_store::{PAGE_LIMIT_MAX, PageRequest};

use crate::Service;
use crate::caller::Caller;
use crate::endpoints::endpoint_purpose;
use crate::error::{Fault, ServiceError};
use crate::keyring::credential_purpose;
use crate::seal::SealError;

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
            let _editing = service.editing.lock().await;
            let Some(mut row) = service.world.store.credential(seen.id).await? else { continue };
            if let Some(sealed) = done.reseal(service, &credential_purpose(&row), &row.sealed_secret) {
                row.sealed_secret = sealed;
                service.transact(&operator(), Act::PutCredential(Box::new(row))).await?;
            }
        }
        let Some(next) = found.next else { return Ok(()) };
        page.after = Some(next);
    }
}

async fn reseal_endpoints(service: &Service, done: &mut ResealedSecrets) -> Result<(), ServiceError> {
    let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
    loop {
        let found = service.world.store.merchants(page).await?;
        for seen in found.rows.iter().filter(|merchant| !merchant.endpoints.is_empty()) {
            let _editing = service.editing.lock().await;
            let Some(merchant) = service.world.store.merchant(seen.id).await? else { continue };
            for mut endpoint in merchant.endpoints {
                if let Some(sealed) = done.reseal(service, &endpoint_purpose(endpoint.id), &endpoint.sealed_secret) {
                    endpoint.sealed_secret = sealed;
                    service.transact(&operator(), Act::PutEndpoint(PutEndpoint { merchant_id: merchant.id, endpoint })).await?;
                }
            }
        }
        let Some(next) = found.next else { return Ok(()) };
        page.after = Some(next);
    }
}

impl ResealedSecrets {
    /// The text under the current key, unless it is already or cannot be opened.
    fn reseal(&mut self, service: &Service, purpose: &str, sealed: &str) -> Option<String> {
        self.seen += 1;
        match service.master_keys.reseal(purpose, sealed, service.world.random.as_ref()) {
            Ok(Some(sealed)) => {
                self.resealed += 1;
                Some(sealed)
            }
            Ok(None) => None,
            Err(error) => {
                self.lost += 1;
                lost(purpose, &error);
                None
            }
        }
    }
}

fn lost(purpose: &str, error: &SealError) {
    Fault::logged(&format!("the secret of {purpose} cannot be sealed again"), error);
}

fn operator() -> Caller {
    Caller::operator("rotate-master", Mode::Live)
}
