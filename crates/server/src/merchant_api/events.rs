//! The gap-free feed.

use axum::response::Response;
use refundry_engine::MerchantId;
use refundry_service::events;
use refundry_store::{PAGE_LIMIT, PAGE_LIMIT_MAX};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::call::{Call, ok};
use crate::problem::Problem;
use crate::views::EventView;

/// How often an answer that waits for news looks for what other processes committed; it hears of commits of this process at once.
const LOOK_MS: i64 = 1_000;
/// The longest time that an answer waits for news.
const WAIT_SECONDS_MAX: u32 = 30;

/// From where on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FeedQuery {
    /// For keys that act for more than one merchant.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// The number of the last event that you have; 0 for the beginning.
    #[serde(default)]
    #[param(minimum = 0)]
    pub after: i64,
    /// Events, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// Seconds to wait for news when there are none, 0 to 30.
    #[serde(default)]
    #[param(minimum = 0, maximum = 30)]
    pub wait_seconds: u32,
}

/// A piece of the feed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Feed {
    /// The events behind `after`, oldest first, without gaps.
    pub items: Vec<EventView>,
    /// Ask with this next: the number of the last event here, or the `after` that was sent.
    pub after: i64,
}

/// The events behind a number.
pub async fn after(call: Call) -> Result<Response, Problem> {
    let FeedQuery { merchant_id, after, limit, wait_seconds } = call.query()?;
    let limit = limit.unwrap_or(PAGE_LIMIT);
    if !(1..=PAGE_LIMIT_MAX).contains(&limit) {
        return Err(Problem::parameter("limit", "limit is a number from 1 to 200.", "limit 应为 1 到 200 的整数。"));
    }
    if after < 0 {
        return Err(Problem::parameter("after", "after is 0 or the number of an event.", "after 应为 0 或事件编号。"));
    }
    if wait_seconds > WAIT_SECONDS_MAX {
        return Err(Problem::parameter("wait_seconds", "wait_seconds is at most 30.", "wait_seconds 最大为 30。"));
    }
    let service = &call.app.service;
    let until = service.world.now().plus_seconds(wait_seconds.into());
    let events = loop {
        let news = service.observer.news.notified();
        let events = events::after(service, &call.caller, merchant_id, after, limit).await?;
        if !events.is_empty() || service.world.now() >= until || call.app.is_draining() {
            break events;
        }
        let look_at = service.world.now().plus_ms(LOOK_MS).min(until);
        futures::future::select(std::pin::pin!(news), service.world.clock.sleep_until(look_at)).await;
    };
    let last = events.last().map_or(after, |event| event.sequence);
    ok(&Feed { items: events.into_iter().map(EventView::from).collect(), after: last })
}
