//! A merchant's notification address that remembers which refunds it heard of.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;

use crate::http_service::start;

type Heard = Arc<Mutex<BTreeMap<String, u64>>>;

/// The address, on a thread of its own.
pub struct Inbox {
    /// Where it listens.
    pub address: String,
    heard: Heard,
}

#[derive(Deserialize)]
struct Message {
    data: Line,
}

#[derive(Deserialize)]
struct Line {
    refund_id: Option<String>,
}

impl Inbox {
    /// Starts it.
    pub fn start() -> anyhow::Result<Self> {
        let heard = Heard::default();
        let record = Arc::clone(&heard);
        let address = start(Arc::new(move |_, body| {
            if let Ok(Message { data: Line { refund_id: Some(refund_id) } }) = serde_json::from_slice(body) {
                *record.lock().unwrap_or_else(PoisonError::into_inner).entry(refund_id).or_insert(0) += 1;
            }
            (200, String::new())
        }))?;
        Ok(Self { address, heard })
    }

    /// How often each refund was announced.
    pub fn heard(&self) -> BTreeMap<String, u64> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
