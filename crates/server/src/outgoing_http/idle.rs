//! Connections kept open for the next request to the same origin.

use super::Sender;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// At most so many, each for so long; the youngest is used first, so that the rest can grow old.
pub struct IdleConnections {
    count_max: usize,
    timeout: Duration,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    by_origin: BTreeMap<String, Vec<(Sender, Instant)>>,
    count: usize,
    sweep_at: Option<Instant>,
}

impl IdleConnections {
    /// Keeps nothing when `count_max` is 0.
    pub fn new(count_max: usize, timeout: Duration) -> IdleConnections {
        IdleConnections { count_max, timeout, kept: Mutex::default() }
    }

    /// The youngest usable connection.
    pub fn take(&self, origin: &str) -> Option<Sender> {
        let mut kept = self.lock();
        loop {
            let (sender, until) = kept.by_origin.get_mut(origin)?.pop()?;
            kept.count -= 1;
            if !sender.is_closed() && until > Instant::now() {
                return Some(sender);
            }
        }
    }

    /// Keeps a connection whose answer was read to its end.
    pub fn put(&self, origin: &str, sender: Sender) {
        if sender.is_closed() {
            return;
        }
        let mut kept = self.lock();
        let now = Instant::now();
        let until = now + self.timeout;
        if kept.count >= self.count_max || kept.sweep_at.is_none_or(|sweep_at| sweep_at <= now) {
            kept.sweep(now);
            kept.sweep_at = Some(until);
        }
        if kept.count < self.count_max {
            kept.by_origin.entry(origin.to_owned()).or_default().push((sender, until));
            kept.count += 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn sweep(&mut self, now: Instant) {
        self.by_origin.retain(|_, connections| {
            connections.retain(|(sender, until)| !sender.is_closed() && *until > now);
            !connections.is_empty()
        });
        self.count = self.by_origin.values().map(Vec::len).sum();
    }
}
