//! A whole server on an empty store, and the people who call it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt as _;
use refundry_engine::command::{Act, Command, RecordDispute};
use refundry_engine::credential::Holder;
use refundry_engine::dispute::DisputeKind;
use refundry_engine::merchant::{Merchant, Terminal};
use refundry_engine::payment::{Payment, PaymentDetails, PaymentKey, PaymentStatus};
use refundry_engine::policy::PolicyPatch;
use refundry_engine::refund::RefundStateName;
use refundry_engine::{DisputeId, Mode, Outcome};
use refundry_ledger::Money;
use refundry_server::app::App;
use refundry_server::config::Config;
use refundry_server::listen;
use refundry_server::router::{is_unhurried, router};
use refundry_server::telemetry::metrics::Metrics;
use refundry_service::acquirer::Acquirer;
use refundry_service::acquirers::simulated::Simulated;
use refundry_service::cpu_pool::CpuPool;
use refundry_service::credentials::{self, IssuedCredential, NewCredential, NewKey};
use refundry_service::ids::Ids;
use refundry_service::merchants::NewMerchant;
use refundry_service::outgoing::{Notifier, OutgoingError, OutgoingRequest, OutgoingResponse};
use refundry_service::payments::NewPayment;
use refundry_service::seal::{MasterKeys, new_master_key_line};
use refundry_service::signatures::RsaKeyTexts;
use refundry_service::terminals::NewTerminal;
use refundry_service::workers::WorkerSettings;
use refundry_service::workers::crew::Crew;
use refundry_service::workers::record_reports;
use refundry_service::world::World;
use refundry_service::{Caller, Observer, Service, Work, merchants, payments, terminals};
use refundry_store::{PageRequest, RefundFilter};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

use crate::clock::{Counting, HandClock};
use crate::database::Database;

/// The server and the world around it.
pub struct TestApp {
    pub router: Router,
    pub service: Arc<Service>,
    pub clock: Arc<HandClock>,
    pub post: Arc<Post>,
    pub crew: Crew,
    closed: AtomicBool,
    database: Database,
}

/// Somebody with a key.
#[derive(Clone)]
pub struct Actor {
    pub wire: Wire,
    pub token: String,
}

/// How a request comes to the router.
#[derive(Clone)]
pub enum Wire {
    /// Without a socket.
    Direct(Router),
    /// Over a connection of its own.
    Socket(reqwest::Client, String),
}

/// A router that serves on a port of its own until it is dropped.
pub struct Served {
    address: String,
    end: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

/// A merchant with a terminal.
pub struct Shop {
    pub merchant: Merchant,
    pub terminal: Terminal,
    pub key: Actor,
}

/// An answer as it was seen.
#[derive(Debug)]
pub struct Seen {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Bytes,
}

impl TestApp {
    pub async fn start() -> Self {
        Self::start_on(Database::new()).await
    }

    pub async fn start_on(database: Database) -> Self {
        let clock = Arc::new(HandClock::default());
        let random = Arc::new(Counting::default());
        let observer = Observer::new(clock.clone(), 100_000);
        let store = database.open(observer.clone());
        let acquirer = || -> Arc<dyn Acquirer> { Arc::new(Simulated::new(clock.clone())) };
        let acquirers = BTreeMap::from([("simulated".to_owned(), acquirer()), ("bank".to_owned(), acquirer())]);
        let post = Arc::new(Post::default());
        let master_keys = Arc::new(MasterKeys::parse(&new_master_key_line(random.as_ref())).unwrap());
        let world = World {
            store,
            clock: clock.clone(),
            ids: Arc::new(Ids::new(1)),
            random,
            acquirers: Arc::new(acquirers),
            notifier: post.clone(),
        };
        let service = Service::new(world, observer, master_keys, Arc::new(CpuPool::inline()));
        Self::of(service, clock, post, database).await
    }

    /// The same installation in the same world, whose data are in another database now.
    pub async fn moved_to(&self, database: Database) -> Self {
        let observer = Observer::new(self.clock.clone(), 100_000);
        let world = World { store: database.open(observer.clone()), ids: Arc::new(Ids::new(2)), ..self.service.world.clone() };
        let service = Service::new(world, observer, self.service.master_keys.clone(), Arc::new(CpuPool::inline()));
        Self::of(service, self.clock.clone(), self.post.clone(), database).await
    }

    async fn of(service: Service, clock: Arc<HandClock>, post: Arc<Post>, database: Database) -> Self {
        let service = Arc::new(service);
        refundry_service::install(&service).await.unwrap();
        let config = Config::load(None, []).unwrap();
        let app = Arc::new(App::new(service.clone(), Arc::new(Metrics::new()), &config));
        let crew = Crew::new(service.clone(), WorkerSettings::default());
        Self { router: router(app), service, clock, post, crew, closed: AtomicBool::new(false), database }
    }

    /// Another process on the same database, of which this one does not hear. It has no workers.
    pub fn second_node(&self) -> Service {
        let observer = Observer::new(self.clock.clone(), 0);
        let world = World { store: self.database.open(observer.clone()), ids: Arc::new(Ids::new(2)), ..self.service.world.clone() };
        Service::new(world, observer, self.service.master_keys.clone(), Arc::new(CpuPool::inline()))
    }

    /// An operator with every permission.
    pub async fn operator(&self, mode: Mode) -> Actor {
        self.key(mode, Holder::Operator { mode }, None).await
    }

    /// Somebody with that token.
    pub fn with_token(&self, token: String) -> Actor {
        Actor { token, ..self.stranger() }
    }

    /// Somebody without a key.
    pub fn stranger(&self) -> Actor {
        Actor { wire: Wire::Direct(self.router.clone()), token: String::new() }
    }

    /// Serves the router over plain HTTP on a free port.
    pub fn serve(&self) -> Served {
        serve(self.router.clone())
    }

    /// Serves another process on the same database.
    pub fn serve_second_node(&self) -> Served {
        let app = App::new(Arc::new(self.second_node()), Arc::new(Metrics::new()), &Config::load(None, []).unwrap());
        serve(router(Arc::new(app)))
    }

    /// A merchant with a terminal, and a key with the usual permissions.
    pub async fn shop(&self, mode: Mode, dialect: &str) -> Shop {
        self.shop_with(mode, dialect, PolicyPatch::default()).await
    }

    pub async fn shop_with(&self, mode: Mode, dialect: &str, policy: PolicyPatch) -> Shop {
        self.shop_named(mode, dialect, None, policy).await
    }

    /// A merchant that dialects know by an account number.
    pub async fn shop_of(&self, mode: Mode, dialect: &str, account: &str) -> Shop {
        self.shop_named(mode, dialect, Some(account.to_owned()), PolicyPatch::default()).await
    }

    async fn shop_named(&self, mode: Mode, dialect: &str, account: Option<String>, policy: PolicyPatch) -> Shop {
        let operator = Caller::operator("olga", mode);
        let new = NewMerchant { name: "Acme".to_owned(), account, policy: PolicyPatch::default() };
        let merchant = merchants::create(&self.service, &operator, new).await.unwrap();
        let new = NewTerminal {
            merchant_id: Some(merchant.id),
            name: "Till".to_owned(),
            dialect: dialect.to_owned(),
            acquirer: None,
            policy,
            method_policies: BTreeMap::new(),
            notify_url: None,
            wire: Default::default(),
        };
        let terminal = terminals::create(&self.service, &operator, new).await.unwrap();
        let key = self.key(mode, Holder::Merchant { merchant_id: merchant.id }, None).await;
        Shop { merchant, terminal, key }
    }

    /// A key with these permissions, or the usual ones.
    pub async fn key(&self, mode: Mode, holder: Holder, permissions: Option<&[&str]>) -> Actor {
        let new = NewCredential {
            holder,
            dialect: "native".to_owned(),
            key: NewKey::Token,
            lookup: None,
            permissions: permissions.map(|words| words.iter().map(|word| (*word).to_owned()).collect()),
            name: "key".to_owned(),
            person_id: None,
            expires_at: None,
        };
        let issued = credentials::issue(&self.service, &Caller::operator("olga", mode), new).await.unwrap();
        Actor { wire: Wire::Direct(self.router.clone()), token: issued.token.unwrap().to_string() }
    }

    /// An Antom key pair of the shop's terminal.
    pub async fn antom_keys(&self, shop: &Shop) -> IssuedCredential {
        credentials::issue(&self.service, &Caller::operator("olga", shop.merchant.mode), antom_wish(shop)).await.unwrap()
    }

    /// An Antom credential for a key pair of the shop's own.
    pub async fn antom_credential(&self, shop: &Shop, pair: &RsaKeyTexts) -> IssuedCredential {
        let new = NewCredential { key: NewKey::PublicKey(pair.public_spki.clone()), ..antom_wish(shop) };
        credentials::issue(&self.service, &Caller::operator("olga", shop.merchant.mode), new).await.unwrap()
    }

    /// A captured payment of the shop.
    pub async fn paid(&self, shop: &Shop, reference: &str, amount: &str) -> Payment {
        let new = paid(self, shop, reference, amount);
        let operator = Caller::operator("olga", shop.merchant.mode);
        *payments::record(&self.service, &operator, new).await.unwrap().payment
    }

    /// An authorised payment of the shop.
    pub async fn authorised(&self, shop: &Shop, reference: &str, amount: &str) {
        let (status, captured) = (PaymentStatus::Authorised, Money::zero(money(amount).currency()));
        let new = NewPayment { status, captured, ..paid(self, shop, reference, amount) };
        payments::record(&self.service, &Caller::operator("olga", shop.merchant.mode), new).await.unwrap();
    }

    /// The shopper's bank tells of a dispute about all of a payment.
    pub async fn disputed(&self, payment: &Payment, kind: DisputeKind, network_reference: &str) -> DisputeId {
        let mut stamp = self.service.world.stamp(refundry_engine::Actor::Network).unwrap();
        let dispute_id = DisputeId::new(stamp.ids.take());
        let act = RecordDispute {
            dispute_id,
            merchant_id: payment.merchant_id,
            mode: payment.mode,
            payment: PaymentKey::Id(payment.id),
            kind,
            category: kind.categories()[0],
            amount: payment.captured,
            network_reference: network_reference.to_owned(),
            reason_code: "10.4".to_owned(),
            reason: "other fraud".to_owned(),
            opened_at: self.service.world.now(),
            reply_by: None,
        };
        let told = self.service.world.store.transact(Command { stamp, act: Act::RecordDispute(Box::new(act)) }).await.unwrap();
        assert!(matches!(told, Outcome::Dispute { created: true, .. }), "{told:?}");
        dispute_id
    }

    /// Carries out everything that is due now, until nothing is.
    pub async fn work(&self) {
        loop {
            let mut tasks = Vec::new();
            for work in Work::ALL {
                tasks.extend(self.service.observer.inbox.take(work, 1_000));
                tasks.extend(self.crew.claim(work, 1_000).await);
            }
            if tasks.is_empty() {
                return;
            }
            for task in tasks {
                self.crew.perform(task).await;
            }
        }
    }

    /// Records what acquirers have to say on their own by now.
    pub async fn hear_acquirers(&self) {
        for acquirer in self.service.world.acquirers.values() {
            while let Some(report) = acquirer.next_report().now_or_never() {
                record_reports::record(&self.service.world, &WorkerSettings::default(), report).await.unwrap();
            }
        }
    }

    /// Closes the store, as at the end of the process.
    pub async fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.service.world.store.close().await.unwrap();
    }
}

/// A captured payment of a shop, to be recorded.
fn paid(app: &TestApp, shop: &Shop, reference: &str, amount: &str) -> NewPayment {
    NewPayment {
        merchant_id: Some(shop.merchant.id),
        terminal_id: Some(shop.terminal.id),
        payment_reference: reference.to_owned(),
        merchant_reference: format!("order-{reference}"),
        method: "card".to_owned(),
        status: PaymentStatus::Captured,
        paid_at: app.service.world.now(),
        authorised: money(amount),
        captured: money(amount),
        marketing: None,
        fee: None,
        reserved: None,
        quote: None,
        notify_url: None,
        sharing: None,
        details: PaymentDetails::default(),
    }
}

/// Serves a router over plain HTTP on a free port.
fn serve(router: Router) -> Served {
    let mut config = Config::load(None, []).unwrap();
    config.server.listen = vec!["127.0.0.1:0".parse().unwrap()];
    let listening = listen::bind(&config.server, &config.tls, Arc::new(Metrics::new()), is_unhurried).unwrap();
    let address = format!("http://{}", listening.addresses()[0].0);
    let (end, ended) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let drained = listening.serve(router, async move { _ = ended.await }, std::future::ready(())).await;
        assert_eq!(drained.cut_off, 0);
    });
    Served { address, end: Some(end), serving: Some(serving) }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if std::thread::panicking() || self.closed.load(Ordering::SeqCst) {
            return;
        }
        let store = self.service.world.store.clone();
        let checked = std::thread::spawn(move || {
            let books = futures::executor::block_on(store.check_books()).expect("the books can be checked");
            let filter = RefundFilter { state: Some(RefundStateName::Unresolved), ..RefundFilter::default() };
            let unresolved = futures::executor::block_on(store.refunds(&filter, PageRequest::default())).expect("refunds can be read");
            (books.faults, unresolved.rows.len())
        });
        let (faults, unresolved) = checked.join().expect("the check ends");
        assert!(faults.is_empty(), "the books are off: {faults:?}");
        assert_eq!(unresolved, 0, "refunds are left unresolved");
    }
}

impl Served {
    /// Stops accepting, and lets what is under way finish.
    pub async fn end(mut self) {
        self.end.take().unwrap().send(()).unwrap();
        self.serving.take().unwrap().await.unwrap();
    }
}

impl Actor {
    pub async fn get(&self, path: &str) -> Seen {
        self.send(Method::GET, path, &[], Body::empty()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Seen {
        self.send(Method::POST, path, &[("content-type", "application/json")], Body::from(body.to_string())).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Seen {
        self.send(Method::PUT, path, &[("content-type", "application/json")], Body::from(body.to_string())).await
    }

    pub async fn delete(&self, path: &str) -> Seen {
        self.send(Method::DELETE, path, &[], Body::empty()).await
    }

    /// Asks for a refund over the native API.
    pub async fn refund(&self, number: &str, body: Value) -> Seen {
        let headers = [("content-type", "application/json"), ("idempotency-key", number)];
        self.send(Method::POST, "/api/v1/refunds", &headers, Body::from(body.to_string())).await
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Body) -> Seen {
        let mut sent: HeaderMap = HeaderMap::new();
        for (name, value) in headers {
            sent.append(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        if !self.token.is_empty() {
            sent.insert(http::header::AUTHORIZATION, format!("Bearer {}", self.token).parse().unwrap());
        }
        match &self.wire {
            Wire::Direct(router) => {
                let mut request = Request::builder().method(method).uri(path).body(body).unwrap();
                *request.headers_mut() = sent;
                let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
                let bytes = body.collect().await.unwrap().to_bytes();
                Seen { status: parts.status.as_u16(), headers: parts.headers, bytes }
            }
            Wire::Socket(client, address) => {
                let bytes = body.collect().await.unwrap().to_bytes();
                let request = client.request(method, format!("{address}{path}")).headers(sent).body(bytes);
                let response = request.send().await.unwrap();
                let (status, headers) = (response.status().as_u16(), response.headers().clone());
                Seen { status, headers, bytes: response.bytes().await.unwrap() }
            }
        }
    }

    /// The same, over a connection of its own.
    pub fn over(&self, served: &Served) -> Self {
        let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(1).build().unwrap();
        Self { wire: Wire::Socket(client, served.address.clone()), token: self.token.clone() }
    }
}

impl Seen {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("no JSON: {} {:?}", self.status, self.bytes))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A text in the body, by its JSON pointer.
    pub fn text(&self, pointer: &str) -> String {
        match self.json().pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    /// The detail, which is in Chinese from its first word to its last; names and values do not count.
    pub fn chinese(&self) -> String {
        let detail = self.text("/detail");
        assert!(detail.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter)), "{detail}");
        let english = |word: &&str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase());
        let words: Vec<&str> = detail.split_whitespace().collect();
        assert!(!words.windows(3).any(|three| three.iter().all(english)), "half in English: {detail}");
        detail
    }

    /// Status, code and field of a problem, such as `422 exceeds_refundable amount`; of other answers the status.
    pub fn brief(&self) -> String {
        if self.status < 400 {
            return self.status.to_string();
        }
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{} {:?}", self.status, self.bytes);
        let body = self.json();
        for member in ["type", "title", "detail", "cure", "code", "request_id"] {
            assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{member} is missing in {body}");
        }
        assert_eq!(body["status"], self.status);
        assert_eq!(body["type"], format!("/problems/{}", body["code"].as_str().unwrap()));
        format!("{} {} {}", self.status, body["code"].as_str().unwrap(), body["field"].as_str().unwrap_or("-"))
    }
}

fn antom_wish(shop: &Shop) -> NewCredential {
    NewCredential {
        holder: Holder::Terminal { merchant_id: shop.merchant.id, terminal_id: shop.terminal.id },
        dialect: "antom".to_owned(),
        key: NewKey::BothPairs,
        lookup: None,
        permissions: None,
        name: "till".to_owned(),
        person_id: None,
        expires_at: None,
    }
}

pub fn money(text: &str) -> Money {
    let (amount, currency) = text.split_once(' ').unwrap();
    Money::parse_major(amount, currency.parse().unwrap()).unwrap()
}

/// A wish for a refund of so many cents.
pub fn euros(reference: &str, cents: i64) -> Value {
    serde_json::json!({"payment_reference": reference, "amount": {"value": cents, "currency": "EUR"}})
}

/// Receivers: they acknowledge, unless they are told to be deaf.
#[derive(Default)]
pub struct Post {
    pub received: Mutex<Vec<OutgoingRequest>>,
    pub deaf: AtomicBool,
    /// What they answer, if it is not Antom's acknowledgement.
    pub says: Mutex<Option<Bytes>>,
}

impl Notifier for Post {
    fn post<'a>(&'a self, request: OutgoingRequest) -> BoxFuture<'a, Result<OutgoingResponse, OutgoingError>> {
        self.received.lock().unwrap().push(request);
        let status = if self.deaf.load(Ordering::SeqCst) { 503 } else { 200 };
        let body = r#"{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}"#;
        let body = self.says.lock().unwrap().clone().unwrap_or(Bytes::from_static(body.as_bytes()));
        let response = OutgoingResponse { status, headers: Vec::new(), body };
        Box::pin(std::future::ready(Ok(response)))
    }
}
