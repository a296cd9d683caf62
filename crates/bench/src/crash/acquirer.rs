//! An acquirer that remembers what it paid, and that does not recognise duplicates: told twice, it pays twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;

use crate::http_service::start;

/// Payments by refund: how often each was paid.
type Paid = Arc<Mutex<BTreeMap<String, u64>>>;

/// The acquirer on a thread of its own.
pub struct RecordingAcquirer {
    /// Its address.
    pub address: String,
    paid: Paid,
}

#[derive(Deserialize)]
struct Message {
    r#type: String,
    refund_id: String,
}

impl RecordingAcquirer {
    /// Starts it.
    pub fn start() -> anyhow::Result<Self> {
        let paid = Paid::default();
        let record = Arc::clone(&paid);
        let address = start(Arc::new(move |_, body| answer(&record, body)))?;
        Ok(Self { address, paid })
    }

    /// How often each refund was paid.
    pub fn paid(&self) -> BTreeMap<String, u64> {
        self.paid.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn answer(paid: &Paid, body: &[u8]) -> (u16, String) {
    let Ok(message) = serde_json::from_slice::<Message>(body) else { return (400, String::new()) };
    let mut paid = paid.lock().unwrap_or_else(PoisonError::into_inner);
    let outcome = match message.r#type.as_str() {
        "refund.submit" => {
            *paid.entry(message.refund_id).or_insert(0) += 1;
            "approved"
        }
        "refund.ask" if paid.contains_key(&message.refund_id) => "approved",
        "refund.ask" => "unknown",
        _ => return (400, String::new()),
    };
    (200, format!(r#"{{"outcome":"{outcome}"}}"#))
}
