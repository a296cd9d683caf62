//! Who did what: the audit log.

use std::collections::BTreeMap;

use refundry_engine::credential::Holder;
use refundry_engine::person::Side;
use refundry_engine::rate::RATES_SUBJECT;
use refundry_engine::verdict::AuditLine;
use refundry_engine::{CredentialId, MerchantId, Mode, PersonId};
use refundry_store::{Page, PageRequest, StoreError};

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::merchants;
use crate::permissions::Permission;

/// The audit log, newest first: of one merchant, or (operator) of all of its mode and of its own keys.
pub async fn list(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    page: PageRequest,
) -> Result<Page<AuditLine>, ServiceError> {
    caller.must(Permission::AuditRead)?;
    if let Some(merchant_id) = caller.merchant_of_list(merchant_id)? {
        merchants::read(service, caller, merchant_id).await?;
        return Ok(service.world.store.audit(Some(merchant_id), page).await?);
    }
    let found = service.world.store.audit(None, page).await?;
    let mut modes = BTreeMap::new();
    let mut rows = Vec::with_capacity(found.rows.len());
    for line in found.rows {
        if mode_of(service, &line, &mut modes).await? == Some(caller.mode) {
            rows.push(line);
        }
    }
    Ok(Page { rows, next: found.next })
}

/// The mode of what a line is about: of its merchant, or of the operator's credential that it names.
async fn mode_of(service: &Service, line: &AuditLine, modes: &mut BTreeMap<MerchantId, Option<Mode>>) -> Result<Option<Mode>, StoreError> {
    let store = &service.world.store;
    let Some(merchant_id) = line.merchant_id else {
        if let Ok(person_id) = line.subject.parse::<PersonId>() {
            return Ok(store.person(None, person_id).await?.and_then(|person| match person.side {
                Side::Operator { mode } => Some(mode),
                Side::Merchant { .. } => None,
            }));
        }
        // Rates are imported with a live key and hold for all.
        if line.subject == RATES_SUBJECT {
            return Ok(Some(Mode::Live));
        }
        let Ok(credential_id) = line.subject.parse::<CredentialId>() else { return Ok(None) };
        return Ok(store.credential(credential_id).await?.and_then(|credential| match credential.holder {
            Holder::Operator { mode } | Holder::Platform { mode, .. } => Some(mode),
            Holder::Merchant { .. } | Holder::Terminal { .. } => None,
        }));
    };
    if let Some(known) = modes.get(&merchant_id) {
        return Ok(*known);
    }
    let mode = store.merchant(merchant_id).await?.map(|merchant| merchant.mode);
    modes.insert(merchant_id, mode);
    Ok(mode)
}
