//! The only list of effects. Whoever holds a [`World`] can be simulated: nothing else reads a clock, makes an id or talks to anybody.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};

use futures::future::BoxFuture;
use refundry_engine::ids::{IDS_PER_BLOCK, IDS_PER_MS, IdBlock, compose};
use refundry_engine::{Actor, Stamp, Timestamp};
use refundry_store::Store;

use crate::acquirer::Acquirer;
use crate::outgoing::Notifier;
use crate::random::Random;

/// Every effect there is.
#[derive(Clone)]
pub struct World {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// What time it is, and waiting.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<Ids>,
    /// Random bytes, for secrets and jitter.
    pub random: Arc<dyn Random>,
    /// Who carries refunds out, by name.
    pub acquirers: Arc<BTreeMap<String, Arc<dyn Acquirer>>>,
    /// Posts to merchants.
    pub notifier: Arc<dyn Notifier>,
}

/// Time as an effect.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Resolves at `at`, or at once when that is past.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()>;
}

/// Makes ids: ordered by time within this node, never the same twice, also when the clock goes back.
pub struct Ids {
    node: u16,
    last: Mutex<(i64, u16)>,
    /// Counts the ids of other times on its own: imports bring thousands of one instant, and each needs another.
    dated: AtomicU16,
}

impl Ids {
    /// For a node of the installation; its number is its alone (0 to 1023).
    pub fn new(node: u16) -> Self {
        Self { node, last: Mutex::new((0, 0)), dated: AtomicU16::new(0) }
    }

    /// A single id.
    pub fn one(&self, now: Timestamp) -> i64 {
        self.reserve(now.ms(), 1)
    }

    /// Ids for one command.
    pub fn block(&self, now: Timestamp) -> IdBlock {
        IdBlock::new(self.reserve(now.ms(), IDS_PER_BLOCK))
    }

    /// An id that carries another time than now: a payment's own. Of one instant there are [`IDS_PER_MS`]; it may be taken already.
    pub fn at(&self, instant: Timestamp) -> i64 {
        compose(instant.ms(), self.node, self.dated.fetch_add(1, Ordering::Relaxed) % IDS_PER_MS)
    }

    fn reserve(&self, now_ms: i64, count: u16) -> i64 {
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (ms, counter) = *last;
        let (ms, first) = if now_ms > ms {
            (now_ms, 0)
        } else if counter.saturating_add(count) <= IDS_PER_MS {
            (ms, counter)
        } else {
            (ms + 1, 0)
        };
        *last = (ms, first + count);
        compose(ms, self.node, first)
    }
}

impl World {
    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Who, when, with which ids.
    pub fn stamp(&self, actor: Actor) -> Stamp {
        let now = self.now();
        Stamp { now, ids: self.ids.block(now), actor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_and_never_repeat_even_when_the_clock_goes_back() {
        let ids = Ids::new(3);
        let mut before = 0;
        for step in 0..20_000_i64 {
            let now = Timestamp::from_ms(1_800_000_000_000 + (step % 7) - (step % 3));
            let id = ids.reserve(now.ms(), IDS_PER_BLOCK);
            assert!(id >= before, "{step}");
            before = id + i64::from(IDS_PER_BLOCK);
        }
    }
}
