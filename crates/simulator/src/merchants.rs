//! The merchants' side of notifications: deaf at times, forgetful of their answers, and a record of everything that arrived.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::future::BoxFuture;
use refundry_dialects::oceanpayment::client::value_of;
use refundry_engine::Timestamp;
use refundry_service::outgoing::{NeverSent, Notifier, OutgoingError, OutgoingRequest, OutgoingResponse, Unclear};
use refundry_service::world::Clock as _;

use crate::clock::VirtualClock;
use crate::dice::Dice;
use crate::trace::Trace;

/// What acknowledges a notification of Antom; endpoints take it, too.
const SUCCESS: &str = r#"{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}"#;

/// How a merchant does not hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deafness {
    /// Nobody takes the connection.
    Unreachable,
    /// It takes the message and never answers.
    Silent,
    /// It answers 500, having read the message.
    Broken,
    /// It answers 200 without the words that acknowledge.
    Mumbling,
}

/// All receivers of a run.
pub struct Merchants {
    clock: VirtualClock,
    trace: Trace,
    state: Mutex<State>,
}

struct State {
    dice: Dice,
    honest: bool,
    deaf: BTreeMap<String, (Timestamp, Deafness)>,
    inbox: BTreeMap<String, Message>,
    broken_rule: Option<String>,
}

/// One message, however often it came.
#[derive(Clone, Debug)]
pub struct Message {
    /// What it said.
    pub body: Bytes,
    /// How often it came.
    pub times: u32,
    /// Whether it was ever acknowledged.
    pub acknowledged: bool,
}

impl Merchants {
    /// Receivers on this clock.
    pub fn new(clock: VirtualClock, trace: Trace, seed: u64) -> Self {
        let state =
            State { dice: Dice::new(seed, "merchants"), honest: false, deaf: BTreeMap::new(), inbox: BTreeMap::new(), broken_rule: None };
        Self { clock, trace, state: Mutex::new(state) }
    }

    /// The receiver at addresses that contain `host` is deaf until then.
    pub fn deafen(&self, host: &str, until: Timestamp, how: Deafness) {
        self.lock().deaf.insert(host.to_owned(), (until, how));
    }

    /// From now on everybody hears.
    pub fn become_honest(&self) {
        let mut state = self.lock();
        state.honest = true;
        state.deaf.clear();
    }

    /// What came under the name of a message.
    pub fn message(&self, name: &str) -> Option<Message> {
        self.lock().inbox.get(name).cloned()
    }

    /// A rule that a message broke: the same id with another text.
    pub fn broken_rule(&self) -> Option<String> {
        self.lock().broken_rule.clone()
    }

    fn receive(&self, request: &OutgoingRequest) -> (Option<Deafness>, i64) {
        let now = self.clock.now();
        let mut state = self.lock();
        let deaf = state.deaf.iter().find(|(host, (until, _))| now < *until && request.url.contains(host.as_str()));
        let mut how = deaf.map(|(_, (_, how))| *how);
        if !state.honest && how.is_none() && state.dice.percent(8) {
            how = Some(*state.dice.pick(&[Deafness::Unreachable, Deafness::Silent, Deafness::Broken, Deafness::Mumbling]));
        }
        let slow_ms = if !state.honest && state.dice.percent(10) { state.dice.between(1, 5_000) } else { 0 };
        if how != Some(Deafness::Unreachable) {
            state.file(request, how.is_none());
        }
        (how, slow_ms)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two operations on it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn file(&mut self, request: &OutgoingRequest, acknowledged: bool) {
        let name = name_of(request);
        let message =
            self.inbox.entry(name.clone()).or_insert_with(|| Message { body: request.body.clone(), times: 0, acknowledged: false });
        message.times += 1;
        message.acknowledged |= acknowledged;
        if name.starts_with("ntf_") && message.body != request.body {
            self.broken_rule = Some(format!("notification {name} changed its text when it was sent again"));
        }
    }
}

/// A native message is known by its id; one of a dialect by its address and refund.
fn name_of(request: &OutgoingRequest) -> String {
    if let Some((_, id)) = request.headers.iter().find(|(name, _)| name == "webhook-id") {
        return id.clone();
    }
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let number = body["refundRequestId"].as_str().map(str::to_owned);
    let number = number.or_else(|| value_of(&request.body, "push_id")).or_else(|| of_form(&request.body, "push_id"));
    format!("{} {}", request.url, number.unwrap_or_default())
}

/// A value of a form that needs no decoding.
fn of_form(body: &[u8], name: &str) -> Option<String> {
    let fields = std::str::from_utf8(body).ok()?.split('&').filter_map(|field| field.split_once('='));
    fields.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
}

impl Notifier for Merchants {
    fn post<'a>(&'a self, request: OutgoingRequest) -> BoxFuture<'a, Result<OutgoingResponse, OutgoingError>> {
        Box::pin(async move {
            let (how, slow_ms) = self.receive(&request);
            self.trace.line(&format!("post {} {how:?}", name_of(&request)));
            let wait_ms = if how == Some(Deafness::Silent) { i64::try_from(request.timeout_ms).unwrap_or(i64::MAX) } else { slow_ms };
            self.clock.sleep_until(self.clock.now().plus_ms(wait_ms)).await;
            let is_push = value_of(&request.body, "push_id").or_else(|| of_form(&request.body, "push_id")).is_some();
            let ok = if is_push { "receive-ok" } else { SUCCESS };
            match how {
                None => Ok(response(200, ok)),
                Some(Deafness::Unreachable) => Err(OutgoingError::NeverSent(NeverSent::Unconnected("refused".to_owned()))),
                Some(Deafness::Silent) => Err(OutgoingError::Unclear(Unclear::TimedOut)),
                Some(Deafness::Broken) => Ok(response(500, "oops")),
                Some(Deafness::Mumbling) => Ok(response(302, "")),
            }
        })
    }
}

fn response(status: u16, body: &'static str) -> OutgoingResponse {
    OutgoingResponse { status, headers: Vec::new(), body: Bytes::from_static(body.as_bytes()) }
}
