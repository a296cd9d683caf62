//! The gap-free feed of a merchant's events.

use refundry_engine::MerchantId;
use refundry_engine::event::Event;
use refundry_store::PAGE_LIMIT_MAX;

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::merchants;
use crate::permissions::Permission;

/// The events behind number `after`, oldest first, at most `limit`. An empty answer means that there is nothing new: ask again with the same
/// number.
pub async fn after(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    after: i64,
    limit: u32,
) -> Result<Vec<Event>, ServiceError> {
    caller.must(Permission::EventsRead)?;
    let merchant = merchants::read(service, caller, caller.merchant_id(merchant_id)?).await?;
    Ok(service.world.store.events_after(merchant.id, after, limit.clamp(1, PAGE_LIMIT_MAX)).await?)
}
