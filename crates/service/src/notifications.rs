//! Notifications: what was sent, how it went, and sending again by hand.

use refundry_engine::command::ReplayNotification;
use refundry_engine::notification::{DeliveryAttempt, Notification, NotificationState};
use refundry_engine::{Act, MerchantId, NotificationId, Refusal, Timestamp};
use refundry_store::{NotificationFilter, PAGE_LIMIT_MAX, Page, PageRequest};

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::merchants;
use crate::permissions::Permission;

/// Notifications that one call of [`replay_range`] sends again, at most.
pub const REPLAYS_MAX: usize = 1_000;

/// A notification with the tries to deliver it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationStory {
    /// As it stands.
    pub notification: Notification,
    /// The tries, oldest first.
    pub attempts: Vec<DeliveryAttempt>,
}

/// Which notifications are sent again.
#[derive(Clone, Debug)]
pub struct ReplayRange {
    /// Whose; may be left out by callers that act for one merchant.
    pub merchant_id: Option<MerchantId>,
    /// Those in this state.
    pub state: NotificationState,
    /// Made at or after.
    pub from: Option<Timestamp>,
    /// Made before.
    pub to: Option<Timestamp>,
}

/// What became of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayedRange {
    /// How many are sent again.
    pub replayed: usize,
    /// Whether there are more: ask again.
    pub more: bool,
}

/// Notifications, newest first. The mode of the filter is always the caller's.
pub async fn list(
    service: &Service,
    caller: &Caller,
    mut filter: NotificationFilter,
    page: PageRequest,
) -> Result<Page<Notification>, ServiceError> {
    caller.must(Permission::NotificationsRead)?;
    filter.merchant_id = caller.merchant_of_list(filter.merchant_id)?;
    filter.mode = Some(caller.mode);
    if let Some(merchant_id) = filter.merchant_id {
        merchants::read(service, caller, merchant_id).await?;
    }
    Ok(service.world.store.notifications(&filter, page).await?)
}

/// One notification with its attempts.
pub async fn story(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    notification_id: NotificationId,
) -> Result<NotificationStory, ServiceError> {
    caller.must(Permission::NotificationsRead)?;
    let merchant = merchants::read(service, caller, caller.merchant_id(merchant_id)?).await?;
    let notification = read(service, merchant.id, notification_id).await?;
    let attempts = service.world.store.deliveries(merchant.id, notification_id).await?;
    Ok(NotificationStory { notification, attempts })
}

/// Sends one again, whatever became of it.
pub async fn replay(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    notification_id: NotificationId,
) -> Result<Notification, ServiceError> {
    caller.must(Permission::NotificationsWrite)?;
    let merchant_id = caller.merchant_id(merchant_id)?;
    replay_one(service, caller, merchant_id, notification_id).await?;
    read(service, merchant_id, notification_id).await
}

/// Sends those of a range again, newest first. Those that are due anyway are no range to replay.
pub async fn replay_range(service: &Service, caller: &Caller, range: ReplayRange) -> Result<ReplayedRange, ServiceError> {
    caller.must(Permission::NotificationsWrite)?;
    let merchant = merchants::read(service, caller, caller.merchant_id(range.merchant_id)?).await?;
    let state = Some(range.state);
    let filter = NotificationFilter { merchant_id: Some(merchant.id), mode: Some(caller.mode), state, refund_id: None };
    let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
    let mut replayed = 0;
    loop {
        let found = service.world.store.notifications(&filter, page).await?;
        let wanted = found.rows.iter().filter(|row| range.to.is_none_or(|to| row.created_at < to));
        for row in wanted {
            if range.from.is_some_and(|from| row.created_at < from) {
                return Ok(ReplayedRange { replayed, more: false });
            }
            if replayed == REPLAYS_MAX {
                return Ok(ReplayedRange { replayed, more: true });
            }
            replay_one(service, caller, merchant.id, row.id).await?;
            replayed += 1;
        }
        let Some(next) = found.next else { return Ok(ReplayedRange { replayed, more: false }) };
        page.after = Some(next);
    }
}

async fn replay_one(
    service: &Service,
    caller: &Caller,
    merchant_id: MerchantId,
    notification_id: NotificationId,
) -> Result<(), ServiceError> {
    let act = ReplayNotification { merchant_id, mode: caller.mode, notification_id };
    service.transact(caller, Act::ReplayNotification(act)).await?;
    Ok(())
}

async fn read(service: &Service, merchant_id: MerchantId, notification_id: NotificationId) -> Result<Notification, ServiceError> {
    let found = service.world.store.notification(merchant_id, notification_id).await?;
    Ok(found.ok_or_else(|| Refusal::Unknown { what: "notification".to_owned() })?)
}
