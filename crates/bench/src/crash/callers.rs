//! Callers that never give up: a refund that was not answered is asked for again, with the same number, until it is.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::client::Connection;
use crate::crash::timeline::{Acknowledgement, Timeline};

/// How long a caller waits before it tries again.
const PATIENCE: Duration = Duration::from_millis(20);
/// How long a caller waits for an answer before it asks the next server.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(10);

/// Every so many refunds one is of the same payment of the same merchant, whoever asks.
const HOT_PAYMENT_EVERY: usize = 4;

/// A merchant who asks for refunds.
#[derive(Clone, Debug)]
pub struct Merchant {
    /// The key of its requests.
    pub api_key: String,
    /// What it was paid; the callers refund these in turn.
    pub payments: Vec<String>,
}

/// What the callers share.
pub struct Callers {
    addresses: Mutex<Vec<String>>,
    merchants: Vec<Merchant>,
    currency: String,
    pause: Duration,
    next: AtomicU64,
    stopped: AtomicBool,
    acknowledged: Mutex<BTreeMap<String, String>>,
    timeline: Mutex<Timeline>,
    forgotten: Mutex<Vec<String>>,
    contradictions: Mutex<Vec<String>>,
    /// Requests that had no answer and were repeated.
    pub repeated: AtomicU64,
}

/// A caller's connection, and which of the servers it is to.
struct Line {
    server: usize,
    connection: Option<Connection>,
}

#[derive(Deserialize)]
struct Refund {
    refund_id: String,
}

impl Callers {
    /// For refunds of one minor unit each of these merchants and their payments, in turn; `pause` is what each caller waits between two refunds.
    pub fn new(merchants: Vec<Merchant>, currency: String, pause: Duration) -> Arc<Self> {
        Arc::new(Self {
            addresses: Mutex::default(),
            merchants,
            currency,
            pause,
            next: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            acknowledged: Mutex::default(),
            timeline: Mutex::default(),
            forgotten: Mutex::default(),
            contradictions: Mutex::default(),
            repeated: AtomicU64::new(0),
        })
    }

    /// Where the servers are now. A caller that gets no answer from one goes on to the next.
    pub fn call_at(&self, addresses: Vec<String>) {
        *self.addresses.lock().unwrap_or_else(PoisonError::into_inner) = addresses;
    }

    /// Starts so many callers on a thread of their own.
    pub fn start(self: &Arc<Self>, callers: usize) -> anyhow::Result<std::thread::JoinHandle<()>> {
        let shared = Arc::clone(self);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(std::thread::spawn(move || {
            runtime.block_on(async {
                let mut tasks = JoinSet::new();
                for caller in 0..callers {
                    tasks.spawn(Arc::clone(&shared).call(caller));
                }
                while tasks.join_next().await.is_some() {}
            });
        }))
    }

    /// Asks for everything once more, after `stop`: whoever forgot a refund now gives it another number.
    pub fn repeat_all(self: &Arc<Self>, callers: usize) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let asked_for = self.next.load(Ordering::Relaxed);
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for caller in 0..callers {
                let shared = Arc::clone(self);
                tasks.spawn(async move {
                    let mut line = Line { server: caller, connection: None };
                    for number in (0..asked_for).skip(caller).step_by(callers) {
                        shared.insist(&mut line, number).await;
                    }
                });
            }
            while tasks.join_next().await.is_some() {}
        });
        Ok(())
    }

    /// No new refunds; those that were asked for are asked for until they are answered.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Refunds that were acknowledged: our id by the merchant's number.
    pub fn acknowledged(&self) -> BTreeMap<String, String> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many refunds were acknowledged until now.
    pub fn acknowledged_count(&self) -> usize {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// When they were acknowledged.
    pub fn timeline(&self) -> Timeline {
        self.timeline.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Refunds that were acknowledged, and of which a server knew nothing when they were asked for again.
    pub fn forgotten(&self) -> Vec<String> {
        self.forgotten.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers that contradict earlier ones, or refuse what should pass.
    pub fn contradictions(&self) -> Vec<String> {
        self.contradictions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn call(self: Arc<Self>, caller: usize) {
        let mut line = Line { server: caller, connection: None };
        while !self.stopped.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            self.insist(&mut line, number).await;
            // Every fifth refund is asked for once more although it was answered: the answer must be the same.
            if number.is_multiple_of(5) {
                self.insist(&mut line, number).await;
            }
            tokio::time::sleep(self.pause).await;
        }
    }

    async fn insist(&self, line: &mut Line, number: u64) {
        let name = format!("crash{number:09}");
        let request = self.request(number, &name);
        let asked_at = Instant::now();
        loop {
            if let Some(answer) = self.try_once(line, &request).await {
                match serde_json::from_slice::<Refund>(&answer.body) {
                    Ok(refund) if answer.status < 300 => return self.note(name, refund.refund_id, asked_at),
                    // "Try again" is an honest answer of a server that starts or stops.
                    _ if answer.status >= 500 => {}
                    _ => return self.complain(format!("{name}: {} {}", answer.status, String::from_utf8_lossy(&answer.body))),
                }
            }
            line.connection = None;
            line.server = line.server.wrapping_add(1);
            self.repeated.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(PATIENCE).await;
        }
    }

    async fn try_once(&self, line: &mut Line, request: &[u8]) -> Option<crate::client::Answer> {
        let Line { server, connection } = line;
        if connection.is_none() {
            let address = {
                let addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
                addresses.get(server.checked_rem(addresses.len())?)?.clone()
            };
            *connection = Connection::open(&address).await.ok();
        }
        tokio::time::timeout(ANSWER_WAIT_MAX, connection.as_mut()?.call(request)).await.ok()?.ok()
    }

    fn note(&self, number: String, refund_id: String, asked_at: Instant) {
        let mut acknowledged = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
        match acknowledged.get(&number) {
            Some(before) if *before != refund_id => {
                let text = format!("{number}: answered {before} first and {refund_id} later");
                self.forgotten.lock().unwrap_or_else(PoisonError::into_inner).push(before.clone());
                drop(acknowledged);
                self.complain(text);
            }
            Some(_) => {}
            None => {
                acknowledged.insert(number, refund_id.clone());
                let line = Acknowledgement { refund_id, asked_at, answered_at: Instant::now() };
                self.timeline.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        }
    }

    fn complain(&self, text: String) {
        self.contradictions.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    fn request(&self, number: u64, name: &str) -> Vec<u8> {
        let (merchant, payment) = self.refunded_by(usize::try_from(number).unwrap_or(0));
        let body = format!(r#"{{"payment_reference":"{payment}","amount":{{"value":1,"currency":"{}"}}}}"#, self.currency);
        format!(
            "POST /api/v1/refunds HTTP/1.1\r\nhost: crash\r\nauthorization: Bearer {}\r\nidempotency-key: {name}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            merchant.api_key,
            body.len()
        )
        .into_bytes()
    }

    fn refunded_by(&self, number: usize) -> (&Merchant, &str) {
        let merchant = &self.merchants[number % self.merchants.len()];
        if number.is_multiple_of(HOT_PAYMENT_EVERY) {
            return (&self.merchants[0], &self.merchants[0].payments[0]);
        }
        (merchant, &merchant.payments[number / self.merchants.len() % merchant.payments.len()])
    }
}
