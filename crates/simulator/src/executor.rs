//! Runs futures on one thread, one poll at a time, in an order that the caller chooses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures::future::BoxFuture;

use crate::dice::Dice;

/// The futures of a simulated process.
#[derive(Default)]
pub struct Executor {
    futures: BTreeMap<u64, BoxFuture<'static, ()>>,
    last: u64,
    ready: Arc<Ready>,
}

/// Which futures were woken.
#[derive(Default)]
struct Ready(Mutex<BTreeSet<u64>>);

struct Woken {
    number: u64,
    ready: Arc<Ready>,
}

impl Executor {
    /// Takes a future in; it is polled when it is chosen.
    pub fn spawn(&mut self, future: impl Future<Output = ()> + Send + 'static) {
        self.last += 1;
        self.futures.insert(self.last, Box::pin(future));
        self.ready.lock().insert(self.last);
    }

    /// How many futures could be polled now.
    pub fn ready(&self) -> usize {
        self.ready.lock().len()
    }

    /// How many futures have not ended.
    pub fn alive(&self) -> usize {
        self.futures.len()
    }

    /// Polls one of the woken futures, chosen by the dice; gives its number.
    pub fn poll_one(&mut self, dice: &mut Dice) -> Option<u64> {
        let number = {
            let mut ready = self.ready.lock();
            let chosen = dice.below(ready.len());
            let number = ready.iter().nth(chosen).copied()?;
            ready.remove(&number);
            number
        };
        if let Some(future) = self.futures.get_mut(&number) {
            let waker = Waker::from(Arc::new(Woken { number, ready: self.ready.clone() }));
            if future.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Ready(()) {
                self.futures.remove(&number);
            }
        }
        Some(number)
    }
}

impl Ready {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        // The set is whole between any two operations on it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.ready.lock().insert(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::VirtualClock;
    use refundry_engine::Timestamp;
    use refundry_service::world::Clock as _;

    fn order(seed: u64) -> Vec<i64> {
        let clock = VirtualClock::starting_at(Timestamp::from_ms(0));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut executor = Executor::default();
        for number in 0..5 {
            let (clock, seen) = (clock.clone(), seen.clone());
            executor.spawn(async move {
                clock.sleep_until(Timestamp::from_ms(number / 2)).await;
                seen.lock().unwrap().push(clock.now().ms() * 10 + number);
            });
        }
        let mut dice = Dice::new(seed, "order");
        while executor.alive() > 0 {
            if executor.poll_one(&mut dice).is_none() {
                assert!(clock.jump().is_some());
            }
        }
        let seen = seen.lock().unwrap();
        seen.clone()
    }

    #[test]
    fn a_seed_repeats_its_order_and_the_clock_jumps_only_when_asked() {
        assert_eq!(order(1), order(1));
        let orders: BTreeSet<Vec<i64>> = (0..20).map(order).collect();
        assert_eq!(orders.len(), 4, "two of two and two of two: {orders:?}");
        for order in orders {
            assert_eq!(order.last(), Some(&24), "the last to wake sleeps longest");
        }
    }
}
