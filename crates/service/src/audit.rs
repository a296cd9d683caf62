//! Who did what: the audit log.

use refundry_engine::MerchantId;
use refundry_engine::verdict::AuditLine;
use refundry_store::{Page, PageRequest};

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::merchants;
use crate::permissions::Permission;

/// The audit log of one merchant, newest first.
pub async fn list(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    page: PageRequest,
) -> Result<Page<AuditLine>, ServiceError> {
    caller.must(Permission::AuditRead)?;
    let merchant = merchants::read(service, caller, caller.merchant_id(merchant_id)?).await?;
    Ok(service.world.store.audit(Some(merchant.id), page).await?)
}
