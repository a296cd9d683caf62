//! New ids, under the number of this process. The number comes from a lease and is another one after the lease was lost; see
//! [`NodeNumber`](crate::node_number::NodeNumber).

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use refundry_engine::Timestamp;
use refundry_engine::ids::{IDS_PER_BLOCK, IDS_PER_MS, IdBlock, compose};
use refundry_store::{NodeLease, StoreError};

/// Makes ids: ordered by time within this node, never the same twice, also when the clock goes back.
pub struct Ids {
    numbered: Mutex<Numbered>,
    /// Counts the ids of other times on its own: imports bring thousands of one instant, and each needs another.
    dated: AtomicU16,
}

/// Under which number, and up to where.
struct Numbered {
    node: Option<u16>,
    /// No id carries this millisecond or a later one.
    until_ms: i64,
    last_ms: i64,
    last_counter: u16,
}

impl Ids {
    /// Under a number that is this process's for ever: simulations and tests.
    pub const fn new(node: u16) -> Self {
        Self::with(Some(node), i64::MAX)
    }

    /// Without a number: makes none until it is given one.
    pub const fn unnumbered() -> Self {
        Self::with(None, 0)
    }

    const fn with(node: Option<u16>, until_ms: i64) -> Self {
        let numbered = Numbered { node, until_ms, last_ms: 0, last_counter: 0 };
        Self { numbered: Mutex::new(numbered), dated: AtomicU16::new(0) }
    }

    /// A single id.
    pub fn one(&self, now: Timestamp) -> Result<i64, StoreError> {
        self.lock().reserve(now.ms(), 1)
    }

    /// Ids for one command.
    pub fn block(&self, now: Timestamp) -> Result<IdBlock, StoreError> {
        self.lock().reserve(now.ms(), IDS_PER_BLOCK).map(IdBlock::new)
    }

    /// Ids for a command about many; at most [`IDS_PER_MS`].
    pub fn block_of(&self, now: Timestamp, count: u16) -> Result<IdBlock, StoreError> {
        self.lock().reserve(now.ms(), count).map(|first| IdBlock::of(first, count))
    }

    /// An id that carries another time than now: a payment's own. Of one instant there are [`IDS_PER_MS`]; it may be taken already.
    pub fn at(&self, instant: Timestamp) -> Result<i64, StoreError> {
        let node = self.node().ok_or(StoreError::Unnumbered)?;
        Ok(compose(instant.ms(), node, self.dated.fetch_add(1, Ordering::Relaxed) % IDS_PER_MS))
    }

    /// A number that tells requests apart in logs. It names no row, and so it is there without a lease too.
    pub fn mark(&self, now: Timestamp) -> i64 {
        self.one(now).unwrap_or_else(|_| compose(now.ms(), 0, self.dated.fetch_add(1, Ordering::Relaxed)))
    }

    /// The number of this process, if it ever had one.
    pub fn node(&self) -> Option<u16> {
        self.lock().node
    }

    /// Whether ids can be made at `now`.
    pub fn are_numbered_at(&self, now: Timestamp) -> bool {
        let numbered = self.lock();
        numbered.node.is_some() && now.ms().max(numbered.last_ms) < numbered.until_ms
    }

    /// The instant that the last id carries, or `now` when that is later: from here on a number may be somebody else's.
    pub(crate) fn come_to(&self, now: Timestamp) -> Timestamp {
        now.max(Timestamp::from_ms(self.lock().last_ms))
    }

    /// Goes on under a leased number until an instant.
    pub(crate) fn number(&self, lease: NodeLease, until: Timestamp) {
        let mut numbered = self.lock();
        if numbered.node != Some(lease.node) {
            numbered.last_ms = numbered.last_ms.max(lease.after.ms());
            numbered.last_counter = IDS_PER_MS;
        }
        numbered.node = Some(lease.node);
        numbered.until_ms = until.ms();
    }

    /// Makes no more, because the number is given back.
    pub(crate) fn stop(&self) {
        self.lock().until_ms = 0;
    }

    fn lock(&self) -> MutexGuard<'_, Numbered> {
        self.numbered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Numbered {
    fn reserve(&mut self, now_ms: i64, count: u16) -> Result<i64, StoreError> {
        let (ms, first) = if now_ms > self.last_ms {
            (now_ms, 0)
        } else if self.last_counter.saturating_add(count) <= IDS_PER_MS {
            (self.last_ms, self.last_counter)
        } else {
            (self.last_ms + 1, 0)
        };
        let node = self.node.filter(|_| ms < self.until_ms).ok_or(StoreError::Unnumbered)?;
        (self.last_ms, self.last_counter) = (ms, first + count);
        Ok(compose(ms, node, first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use refundry_engine::ids::instant_of;

    const BEGIN_MS: i64 = 1_800_000_000_000;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(BEGIN_MS + ms)
    }

    fn lease(node: u16, after_ms: i64) -> NodeLease {
        NodeLease { node, after: at(after_ms) }
    }

    #[test]
    fn ids_rise_and_never_repeat_even_when_the_clock_goes_back() {
        let ids = Ids::new(3);
        let mut before = 0;
        for step in 0..20_000_i64 {
            let id = ids.block(at((step % 7) - (step % 3))).unwrap().take();
            assert!(id >= before, "{step}");
            before = id + i64::from(IDS_PER_BLOCK);
        }
    }

    #[test]
    fn no_id_carries_an_instant_at_which_the_number_may_be_another_ones() {
        let ids = Ids::unnumbered();
        let made = |ms: i64| ids.one(at(ms)).ok().map(|id| instant_of(id).ms() - BEGIN_MS);
        assert_eq!(made(0), None);
        ids.number(lease(4, 10), at(100));
        assert_eq!(made(5), Some(11), "the holder before may have come to 10");
        assert_eq!(made(99), Some(99));
        assert_eq!(made(100), None);
        assert!(ids.are_numbered_at(at(99)) && !ids.are_numbered_at(at(100)));
        ids.number(lease(4, 0), at(200));
        assert_eq!(made(100), Some(100), "more time with the same number");
        assert_eq!(ids.come_to(at(50)), at(100));
        for _ in 0..IDS_PER_MS {
            ids.one(at(199)).unwrap();
        }
        assert_eq!(made(199), None, "the last millisecond is used up");
        ids.number(lease(5, 150), at(300));
        assert_eq!((made(199), ids.node()), (Some(200), Some(5)));
        ids.stop();
        assert_eq!(made(201), None);
    }
}
