//! The second person is another one than whoever asked, also when that one asked with a machine's key: who issued a key had it in hand.

use refundry_engine::Actor;
use refundry_engine::PrincipalId;
use refundry_store::StoreError;

use crate::Service;
use crate::caller::Caller;

/// Whether the caller is behind any of those keys. What the engine sees by itself, the same person or key, is left to it.
pub(crate) async fn is_behind(service: &Service, caller: &Caller, asked: &[&Actor]) -> Result<bool, StoreError> {
    let Some(person_id) = caller.person_behind() else { return Ok(false) };
    for actor in asked {
        let Some(PrincipalId::Credential(credential_id)) = actor.principal().and_then(|principal| principal.id) else { continue };
        let issued_by = service.world.store.credential(credential_id).await?.and_then(|credential| credential.issued_by);
        if issued_by == Some(person_id) {
            return Ok(true);
        }
    }
    Ok(false)
}
