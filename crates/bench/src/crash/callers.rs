//! Callers that never give up: a refund that was not answered is asked for again, with the same number, until it is.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use crate::client::Connection;

/// How long a caller waits before it tries again.
const PATIENCE: Duration = Duration::from_millis(20);

/// What the callers share.
pub struct Callers {
    address: Mutex<String>,
    api_key: String,
    payments: Vec<String>,
    currency: String,
    next: AtomicU64,
    stopped: AtomicBool,
    acknowledged: Mutex<BTreeMap<String, String>>,
    contradictions: Mutex<Vec<String>>,
    /// Requests that had no answer and were repeated.
    pub repeated: AtomicU64,
}

#[derive(Deserialize)]
struct Refund {
    refund_id: String,
}

impl Callers {
    /// For refunds of one minor unit each of these payments, in turn.
    pub fn new(api_key: String, payments: Vec<String>, currency: String) -> Arc<Self> {
        Arc::new(Self {
            address: Mutex::default(),
            api_key,
            payments,
            currency,
            next: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            acknowledged: Mutex::default(),
            contradictions: Mutex::default(),
            repeated: AtomicU64::new(0),
        })
    }

    /// Where the server is now.
    pub fn call_at(&self, address: &str) {
        address.clone_into(&mut self.address.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Starts so many callers on a thread of their own.
    pub fn start(self: &Arc<Self>, callers: usize) -> anyhow::Result<std::thread::JoinHandle<()>> {
        let shared = Arc::clone(self);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(std::thread::spawn(move || {
            runtime.block_on(async {
                let mut tasks = tokio::task::JoinSet::new();
                for _ in 0..callers {
                    tasks.spawn(Arc::clone(&shared).call());
                }
                while tasks.join_next().await.is_some() {}
            });
        }))
    }

    /// No new refunds; those that were asked for are asked for until they are answered.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Refunds that were acknowledged: our id by the merchant's number.
    pub fn acknowledged(&self) -> BTreeMap<String, String> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers that contradict earlier ones, or refuse what should pass.
    pub fn contradictions(&self) -> Vec<String> {
        self.contradictions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn call(self: Arc<Self>) {
        let mut connection = None;
        while !self.stopped.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            self.insist(&mut connection, number).await;
            // Every fifth refund is asked for once more although it was answered: the answer must be the same.
            if number.is_multiple_of(5) {
                self.insist(&mut connection, number).await;
            }
        }
    }

    async fn insist(&self, connection: &mut Option<Connection>, number: u64) {
        let name = format!("crash{number:09}");
        let request = self.request(number, &name);
        loop {
            if let Some(answer) = self.try_once(connection, &request).await {
                match serde_json::from_slice::<Refund>(&answer.body) {
                    Ok(refund) if answer.status < 300 => return self.note(name, refund.refund_id),
                    // "Try again" is an honest answer of a server that starts or stops.
                    _ if answer.status >= 500 => {}
                    _ => return self.complain(format!("{name}: {} {}", answer.status, String::from_utf8_lossy(&answer.body))),
                }
            }
            *connection = None;
            self.repeated.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(PATIENCE).await;
        }
    }

    async fn try_once(&self, connection: &mut Option<Connection>, request: &[u8]) -> Option<crate::client::Answer> {
        if connection.is_none() {
            let address = self.address.lock().unwrap_or_else(PoisonError::into_inner).clone();
            *connection = Connection::open(&address).await.ok();
        }
        tokio::time::timeout(Duration::from_secs(10), connection.as_mut()?.call(request)).await.ok()?.ok()
    }

    fn note(&self, number: String, refund_id: String) {
        let mut acknowledged = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
        match acknowledged.get(&number) {
            Some(before) if *before != refund_id => {
                let text = format!("{number}: answered {before} first and {refund_id} later");
                drop(acknowledged);
                self.complain(text);
            }
            Some(_) => {}
            None => {
                acknowledged.insert(number, refund_id);
            }
        }
    }

    fn complain(&self, text: String) {
        self.contradictions.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    fn request(&self, number: u64, name: &str) -> Vec<u8> {
        let payment = &self.payments[usize::try_from(number).unwrap_or(0) % self.payments.len()];
        let body = format!(r#"{{"payment_reference":"{payment}","amount":{{"value":1,"currency":"{}"}}}}"#, self.currency);
        format!(
            "POST /api/v1/refunds HTTP/1.1\r\nhost: crash\r\nauthorization: Bearer {}\r\nidempotency-key: {name}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.api_key,
            body.len()
        )
        .into_bytes()
    }
}
