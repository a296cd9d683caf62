//! What happened in a run, line by line, with simulated time: two runs of one seed write the same bytes.

use std::sync::{Arc, Mutex, PoisonError};

use refundry_service::world::Clock as _;

use crate::clock::VirtualClock;

/// The log of a run; clones write into the same.
#[derive(Clone)]
pub struct Trace {
    clock: VirtualClock,
    origin_us: i64,
    text: Arc<Mutex<String>>,
}

impl Trace {
    /// An empty log; lines count time from now.
    pub fn new(clock: VirtualClock) -> Self {
        let origin_us = clock.now().us();
        Self { clock, origin_us, text: Arc::default() }
    }

    /// Adds a line.
    pub fn line(&self, what: &str) {
        let us = self.clock.now().us() - self.origin_us;
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(&format!("{:>9}.{:03} {what}\n", us / 1_000_000, us / 1_000 % 1_000));
    }

    /// All of it.
    pub fn text(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
