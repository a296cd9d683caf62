//! The machine's clock: the only place where this program reads it for the service.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;
use refundry_engine::Timestamp;
use refundry_service::world::Clock;

/// The machine's clock, and tokio's timers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock of World; everything else asks it")]
    fn now(&self) -> Timestamp {
        // A machine whose clock stands before 1970 gets 1970; every check of a time will then say so.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_us(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let wait_us = u64::try_from(at.us().saturating_sub(self.now().us())).unwrap_or(0);
        Box::pin(tokio::time::sleep(Duration::from_micros(wait_us)))
    }
}
