//! A clock that stands still until it is told to jump.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures::future::BoxFuture;
use refundry_engine::Timestamp;
use refundry_service::world::Clock;

/// Virtual time and everything that waits for it; clones are the same clock.
#[derive(Clone)]
pub struct VirtualClock(Arc<Mutex<State>>);

struct State {
    now: Timestamp,
    last: u64,
    sleepers: BTreeMap<(Timestamp, u64), Waker>,
}

/// Waits on a virtual clock; forgotten when dropped.
struct Sleep {
    clock: VirtualClock,
    at: Timestamp,
    number: Option<u64>,
}

impl VirtualClock {
    /// A clock that shows `now`.
    pub fn starting_at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(State { now, last: 0, sleepers: BTreeMap::new() })))
    }

    /// When the next sleeper wakes.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.lock().sleepers.keys().next().map(|(at, _)| *at)
    }

    /// Jumps to the next sleeper's time and wakes whoever is due; gives the new time, or `None` when nobody sleeps.
    pub fn jump(&self) -> Option<Timestamp> {
        let at = self.next_wake()?;
        self.advance_to(at);
        Some(at)
    }

    /// Moves on to `at`, never back, and wakes whoever is due.
    pub fn advance_to(&self, at: Timestamp) {
        let mut state = self.lock();
        state.now = state.now.max(at);
        let end_of_now = Timestamp::from_us(state.now.us().saturating_add(1));
        let later = state.sleepers.split_off(&(end_of_now, 0));
        let due = std::mem::replace(&mut state.sleepers, later);
        drop(state);
        due.into_values().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two operations on it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a whole batch of runs took, for people; nothing inside a run reads it.
pub struct WallClock;

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "the report at the end says how many seconds it took")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_us(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn sleep_until(&self, _at: Timestamp) -> BoxFuture<'static, ()> {
        Box::pin(futures::future::ready(()))
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        Box::pin(Sleep { clock: self.clone(), at, number: None })
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let clock = self.clock.clone();
        let mut state = clock.lock();
        if state.now >= self.at {
            return Poll::Ready(());
        }
        let number = *self.number.get_or_insert_with(|| {
            state.last += 1;
            state.last
        });
        state.sleepers.insert((self.at, number), context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.clock.lock().sleepers.remove(&(self.at, number));
        }
    }
}
