//! A merchant's notification address that says yes to everything and counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::http_service::start;

/// A receiver on a thread of its own.
pub struct Receiver {
    /// Its address, such as `127.0.0.1:9000`.
    pub address: String,
    received: Arc<AtomicU64>,
}

impl Receiver {
    /// Starts it.
    pub fn start() -> anyhow::Result<Self> {
        let received = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&received);
        let address = start(Arc::new(move |_, _| {
            counter.fetch_add(1, Ordering::Relaxed);
            (200, String::new())
        }))?;
        Ok(Self { address, received })
    }

    /// How many notifications came.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}
