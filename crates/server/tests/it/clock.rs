//! A clock that moves when it is told to, and bytes that do not repeat.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use futures::future::BoxFuture;
use refundry_engine::Timestamp;
use refundry_service::random::Random;
use refundry_service::world::Clock;
use tokio::sync::oneshot;

/// Where the clock starts: 2026-01-01T00:00:00Z.
pub const START_MS: i64 = 1_767_225_600_000;

#[derive(Default)]
pub struct HandClock {
    passed_ms: AtomicI64,
    sleepers: Mutex<Vec<(Timestamp, oneshot::Sender<()>)>>,
}

impl HandClock {
    pub fn advance(&self, ms: i64) {
        self.passed_ms.fetch_add(ms, Ordering::SeqCst);
        let now = self.now();
        let mut sleepers = self.sleepers.lock().unwrap();
        let (due, rest): (Vec<_>, Vec<_>) = sleepers.drain(..).partition(|(at, _)| *at <= now);
        *sleepers = rest;
        drop(sleepers);
        for (_, wake) in due {
            let _ = wake.send(());
        }
    }

    /// Whether anybody waits for a later time.
    pub fn is_waited_for(&self) -> bool {
        self.sleepers.lock().unwrap().iter().any(|(_, wake)| !wake.is_closed())
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(START_MS + self.passed_ms.load(Ordering::SeqCst))
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        if at <= self.now() {
            return Box::pin(std::future::ready(()));
        }
        let (wake, woken) = oneshot::channel();
        self.sleepers.lock().unwrap().push((at, wake));
        Box::pin(async move {
            let _ = woken.await;
        })
    }
}

#[derive(Default)]
pub struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            let mixed = count.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes();
            chunk.copy_from_slice(&mixed[..chunk.len()]);
        }
    }
}
