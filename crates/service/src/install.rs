//! What an installation needs before it can answer: the gateway's own key pair, with which callers that nobody knows are answered.

use std::sync::Arc;

use refundry_engine::credential::{Credential, Holder};
use refundry_engine::{Act, CredentialId, Mode, Refusal};

use crate::Service;
use crate::caller::Caller;
use crate::credentials::add_our_pair;
use crate::error::ServiceError;
use crate::keyring::KnownCredential;

/// The dialect under which the gateway's own key is kept.
pub const GATEWAY_DIALECT: &str = "antom";
/// The name under which the gateway's own key is kept; no caller may have it.
pub const GATEWAY_LOOKUP: &str = "gateway";

/// Makes what is missing. Run it at every start: a second run changes nothing.
pub async fn install(service: &Service) -> Result<(), ServiceError> {
    if gateway_key(service).await?.is_some() {
        return Ok(());
    }
    let now = service.world.now();
    let mut row = Credential {
        id: CredentialId::new(service.world.ids.one(now)?),
        holder: Holder::Operator { mode: Mode::Live },
        dialect: GATEWAY_DIALECT.to_owned(),
        lookup: GATEWAY_LOOKUP.to_owned(),
        scheme: String::new(),
        key_version: 1,
        proof: String::new(),
        sealed_secret: String::new(),
        public_key: String::new(),
        permissions: Vec::new(),
        name: "gateway".to_owned(),
        person_id: None,
        issued_by: None,
        created_at: now,
        expires_at: None,
        revoked_at: None,
    };
    add_our_pair(service, &mut row).await;
    let operator = Caller::operator("install", Mode::Live);
    match service.transact(&operator, Act::PutCredential(Box::new(row))).await {
        // Another process of a fresh installation was faster; one key is enough.
        Ok(_) | Err(ServiceError::Refused(Refusal::AlreadyExists { .. })) => {}
        Err(error) => return Err(error),
    }
    gateway_key(service).await?;
    Ok(())
}

/// The gateway's own key, once there is one.
pub(crate) async fn gateway_key(service: &Service) -> Result<Option<Arc<KnownCredential>>, ServiceError> {
    let now = service.world.now();
    let known = service.keyring.by_lookup(GATEWAY_DIALECT, GATEWAY_LOOKUP, now).await?;
    Ok(known.and_then(|known| known.signer(now)))
}
