//! Who waits for a refund's end: synchronous terminals, for a few seconds at most.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::{Either, select};
use refundry_engine::refund::Refund;
use refundry_engine::verdict::{Changes, Write};
use refundry_engine::{RefundId, Timestamp};
use tokio::sync::oneshot;

use crate::world::Clock;

type Waiters = BTreeMap<RefundId, Vec<(u64, oneshot::Sender<Refund>)>>;

/// The waiters of this process, by refund. A commit looks at one number when nobody waits.
#[derive(Default)]
pub struct Waiting {
    waiters: Mutex<(u64, Waiters)>,
    count: AtomicUsize,
}

/// A place in the registry; leaving it takes it out.
pub struct Waiter {
    registry: Arc<Waiting>,
    refund_id: RefundId,
    number: u64,
    end: oneshot::Receiver<Refund>,
}

impl Waiting {
    /// Begins to listen for the end of a refund. Do it before the refund is queued, or read the refund afterwards: what ended before is not told.
    pub fn register(self: &Arc<Self>, refund_id: RefundId) -> Waiter {
        let (sender, end) = oneshot::channel();
        let mut guard = self.lock();
        let (last, waiters) = &mut *guard;
        *last += 1;
        let number = *last;
        waiters.entry(refund_id).or_default().push((number, sender));
        drop(guard);
        self.count.fetch_add(1, Ordering::SeqCst);
        Waiter { registry: self.clone(), refund_id, number, end }
    }

    /// Tells those who wait for refunds that this commit ended.
    pub fn committed(&self, changes: &Changes) {
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        let ended = changes.refunds.values().map(Write::row).filter(|refund| refund.state.is_final());
        for refund in ended {
            let waiters = self.lock().1.remove(&refund.id);
            for (_, waiter) in waiters.into_iter().flatten() {
                // Whoever left in the meantime does not miss it.
                let _ = waiter.send(refund.clone());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, (u64, Waiters)> {
        // The map is whole between any two operations on it, also when a thread ended in between.
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter {
    /// The refund at its end, or `None` when `until` comes first.
    pub async fn until(&mut self, until: Timestamp, clock: &dyn Clock) -> Option<Refund> {
        match select(&mut self.end, clock.sleep_until(until)).await {
            Either::Left((ended, _)) => ended.ok(),
            Either::Right(((), _)) => None,
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.registry.count.fetch_sub(1, Ordering::SeqCst);
        let mut guard = self.registry.lock();
        if let Some(waiters) = guard.1.get_mut(&self.refund_id) {
            waiters.retain(|(number, _)| *number != self.number);
            if waiters.is_empty() {
                guard.1.remove(&self.refund_id);
            }
        }
    }
}
