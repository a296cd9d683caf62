//! Walking a merchant's feed backwards between two instants. The feed is numbered without gaps and lies nearly in the order of time, so the ends are found
//! by halving, and nothing but the events in question is read.

use refundry_engine::event::Event;
use refundry_engine::{MerchantId, Timestamp};
use refundry_store::PAGE_LIMIT_MAX;

use crate::Service;
use crate::error::ServiceError;

/// Events that one page looks at, at most.
pub const FEED_SCAN_MAX: u32 = 5_000;

/// A command may wait this long between its stamp and its commit, which numbers its events.
const STAMP_MARGIN_MS: i64 = 600_000;

/// The part of a feed between two instants, newest first.
pub(crate) struct FeedWalk<'a> {
    service: &'a Service,
    merchant_id: MerchantId,
    first: i64,
    end: i64,
    looked_at: u32,
    ahead: Vec<Event>,
}

impl<'a> FeedWalk<'a> {
    /// Begins behind the cursor, or at the newest event before `to`.
    pub(crate) async fn begin(
        service: &'a Service,
        merchant_id: MerchantId,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        cursor: Option<i64>,
    ) -> Result<Self, ServiceError> {
        let first = match from {
            Some(from) => first_at(service, merchant_id, Some(from.plus_ms(-STAMP_MARGIN_MS))).await?,
            None => 1,
        };
        let end = match cursor {
            Some(cursor) => cursor,
            None => first_at(service, merchant_id, to.map(|to| to.plus_ms(STAMP_MARGIN_MS))).await?,
        };
        Ok(Self { service, merchant_id, first, end, looked_at: 0, ahead: Vec::new() })
    }

    /// The next older event; none at the end, and when a page has looked at enough.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, ServiceError> {
        if self.ahead.is_empty() && self.end > self.first && self.looked_at < FEED_SCAN_MAX {
            let begin = self.end.saturating_sub(i64::from(PAGE_LIMIT_MAX)).max(self.first);
            let count = u32::try_from(self.end.saturating_sub(begin)).unwrap_or(PAGE_LIMIT_MAX);
            self.ahead = self.service.world.store.events_after(self.merchant_id, begin - 1, count).await?;
            self.looked_at = self.looked_at.saturating_add(count);
            self.end = begin;
        }
        Ok(self.ahead.pop())
    }

    /// Where the next page begins: behind the last event that was given.
    pub(crate) fn cursor(&self) -> Option<i64> {
        match self.ahead.last() {
            Some(event) => Some(event.sequence + 1),
            None => (self.end > self.first).then_some(self.end),
        }
    }
}

/// The number of the first event at or behind an instant; behind the last one when there is none. Without an instant that is the end of the feed.
async fn first_at(service: &Service, merchant_id: MerchantId, at: Option<Timestamp>) -> Result<i64, ServiceError> {
    let is_before = async |sequence: i64| -> Result<bool, ServiceError> {
        let event = service.world.store.events_after(merchant_id, sequence - 1, 1).await?.into_iter().next();
        Ok(event.is_some_and(|event| at.is_none_or(|at| event.at < at)))
    };
    let (mut before, mut behind) = (0, 1);
    while is_before(behind).await? {
        (before, behind) = (behind, behind.saturating_mul(2));
    }
    while behind - before > 1 {
        let middle = before + (behind - before) / 2;
        if is_before(middle).await? {
            before = middle;
        } else {
            behind = middle;
        }
    }
    Ok(behind)
}
