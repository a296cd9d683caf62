//! A whole service on an empty store, with a clock that moves by hand, and the people in it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use refundry_dialects::RefundWish;
use refundry_engine::credential::Holder;
use refundry_engine::merchant::{Merchant, Terminal};
use refundry_engine::payment::{Payment, PaymentDetails, PaymentKey, PaymentStatus};
use refundry_engine::policy::PolicyPatch;
use refundry_engine::{Mode, Timestamp};
use refundry_ledger::Money;
use refundry_scratch::{Engine, ScratchDatabase};
use refundry_service::acquirer::Acquirer;
use refundry_service::acquirers::simulated::Simulated;
use refundry_service::cpu_pool::CpuPool;
use refundry_service::credentials::{self, IssuedCredential, NewCredential, NewKey};
use refundry_service::ids::Ids;
use refundry_service::merchants::NewMerchant;
use refundry_service::outgoing::{Notifier, OutgoingError, OutgoingRequest, OutgoingResponse};
use refundry_service::payments::NewPayment;
use refundry_service::random::Random;
use refundry_service::refunds::NewRefund;
use refundry_service::seal::{MasterKeys, new_master_key_line};
use refundry_service::terminals::NewTerminal;
use refundry_service::workers::WorkerSettings;
use refundry_service::workers::crew::Crew;
use refundry_service::world::{Clock, World};
use refundry_service::{Caller, Observer, Service, ServiceError, Work, authenticate, merchants, payments, terminals};
use refundry_store::{CommitObserver, PostgresOptions, PostgresStore, SqliteOptions, SqliteStore, Store, SyncMode};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// Where the clock starts: 2026-01-01T00:00:00Z.
pub const START_MS: i64 = 1_767_225_600_000;

/// The service and the world around it.
pub struct House {
    pub service: Arc<Service>,
    pub clock: Arc<HandClock>,
    pub post: Arc<Post>,
    pub crew: Crew,
    pub master_key_lines: String,
    left: AtomicBool,
    nodes: AtomicU16,
    place: Place,
}

/// A merchant with a terminal and an open-handed key.
pub struct Shop {
    pub merchant: Merchant,
    pub terminal: Terminal,
    pub token: String,
    pub caller: Arc<Caller>,
}

impl House {
    /// On a database of the kind that the run wants.
    pub async fn build() -> Self {
        Self::build_on(Place::of_this_run()).await
    }

    /// On a database of either kind.
    pub async fn build_on(place: Place) -> Self {
        let house = Self::build_uninstalled(place).await;
        refundry_service::install(&house.service).await.unwrap();
        house
    }

    /// Before the first start has made what is needed.
    pub async fn build_uninstalled(place: Place) -> Self {
        let random = Arc::new(Counting::default());
        let lines = new_master_key_line(random.as_ref()).to_string();
        Self::with(random, lines, place).await
    }

    async fn with(random: Arc<Counting>, master_key_lines: String, place: Place) -> Self {
        let clock = Arc::new(HandClock::default());
        let observer = Observer::new(clock.clone(), 10_000);
        let store = place.open(observer.clone());
        let acquirer = || -> Arc<dyn Acquirer> { Arc::new(Simulated::new(clock.clone())) };
        let acquirers = BTreeMap::from([("simulated".to_owned(), acquirer()), ("bank".to_owned(), acquirer())]);
        let post = Arc::new(Post::default());
        let world = World {
            store,
            clock: clock.clone(),
            ids: Arc::new(Ids::new(1)),
            random,
            acquirers: Arc::new(acquirers),
            notifier: post.clone(),
        };
        let master_keys = Arc::new(MasterKeys::parse(&master_key_lines).unwrap());
        let service = Arc::new(Service::new(world, observer, master_keys, Arc::new(CpuPool::inline())));
        let crew = Crew::new(service.clone(), WorkerSettings::default());
        Self { service, clock, post, crew, master_key_lines, left: AtomicBool::new(false), nodes: AtomicU16::new(2), place }
    }

    /// The same store served by a process with other master keys.
    pub fn with_master_keys(&self, lines: &str) -> Service {
        let master_keys = Arc::new(MasterKeys::parse(lines).unwrap());
        let observer = Observer::new(self.clock.clone(), 0);
        Service::new(self.service.world.clone(), observer, master_keys, Arc::new(CpuPool::inline()))
    }

    /// Another process on the same database, with acquirers of its own and no workers.
    pub fn second_node(&self) -> Service {
        let observer = Observer::new(self.clock.clone(), 0);
        let store = self.second_store(observer.clone());
        let world = World { store, ids: Arc::new(Ids::new(self.nodes.fetch_add(1, Ordering::SeqCst))), ..self.service.world.clone() };
        let master_keys = Arc::new(MasterKeys::parse(&self.master_key_lines).unwrap());
        Service::new(world, observer, master_keys, Arc::new(CpuPool::inline()))
    }

    /// The same database opened once more; `observer` hears of what is committed that way.
    pub fn second_store(&self, observer: Arc<dyn CommitObserver>) -> Arc<dyn Store> {
        self.place.open(observer)
    }

    pub fn operator(&self, mode: Mode) -> Caller {
        Caller::operator("olga", mode)
    }

    pub async fn shop(&self, mode: Mode, dialect: &str, policy: PolicyPatch) -> Shop {
        let (service, operator) = (&self.service, self.operator(mode));
        let new = NewMerchant { name: "Acme".to_owned(), account: None, policy: PolicyPatch::default() };
        let merchant = merchants::create(service, &operator, new).await.unwrap();
        let terminal = self.terminal(&merchant, dialect, policy).await;
        let holder = Holder::Merchant { merchant_id: merchant.id };
        let token = self.token(mode, holder, None).await;
        let caller = authenticate::bearer(service, &token).await.unwrap().expect("a fresh token proves its holder");
        Shop { merchant, terminal, token, caller }
    }

    pub async fn terminal(&self, merchant: &Merchant, dialect: &str, policy: PolicyPatch) -> Terminal {
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
        terminals::create(&self.service, &self.operator(merchant.mode), new).await.unwrap()
    }

    /// A native token with these permissions, or those that are usual.
    pub async fn token(&self, mode: Mode, holder: Holder, permissions: Option<&[&str]>) -> String {
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
        let issued = credentials::issue(&self.service, &self.operator(mode), new).await.unwrap();
        issued.token.expect("tokens are shown once").to_string()
    }

    pub async fn caller(&self, token: &str) -> Option<Arc<Caller>> {
        authenticate::bearer(&self.service, token).await.unwrap()
    }

    /// An Antom credential of the shop's terminal.
    pub async fn antom_key(&self, shop: &Shop, key: NewKey) -> IssuedCredential {
        let new = NewCredential {
            holder: Holder::Terminal { merchant_id: shop.merchant.id, terminal_id: shop.terminal.id },
            dialect: "antom".to_owned(),
            key,
            lookup: None,
            permissions: None,
            name: "till".to_owned(),
            person_id: None,
            expires_at: None,
        };
        credentials::issue(&self.service, &self.operator(shop.merchant.mode), new).await.unwrap()
    }

    pub async fn paid(&self, shop: &Shop, reference: &str, amount: &str) -> Payment {
        let operator = self.operator(shop.merchant.mode);
        let new = payment(shop, reference, amount, self.service.world.now());
        *payments::record(&self.service, &operator, new).await.unwrap().payment
    }

    /// Leaves the books unchecked at the end: the store is closed.
    pub fn leave(&self) {
        self.left.store(true, Ordering::SeqCst);
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
}

impl Drop for House {
    fn drop(&mut self) {
        if std::thread::panicking() || self.left.load(Ordering::SeqCst) {
            return;
        }
        let report = self.service.world.store.check_books().now_or_never().or_else(|| {
            let store = self.service.world.store.clone();
            std::thread::spawn(move || futures::executor::block_on(store.check_books())).join().ok()
        });
        let report = report.expect("the books can be checked").expect("the store answers");
        assert!(report.faults.is_empty(), "the books are off: {:?}", report.faults);
    }
}

pub fn money(text: &str) -> Money {
    let (amount, currency) = text.split_once(' ').unwrap();
    Money::parse_major(amount, currency.parse().unwrap()).unwrap()
}

pub fn payment(shop: &Shop, reference: &str, amount: &str, paid_at: Timestamp) -> NewPayment {
    NewPayment {
        merchant_id: Some(shop.merchant.id),
        terminal_id: Some(shop.terminal.id),
        payment_reference: reference.to_owned(),
        merchant_reference: format!("order-{reference}"),
        method: "card".to_owned(),
        status: PaymentStatus::Captured,
        paid_at,
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

pub fn refund(number: &str, reference: &str, amount: &str) -> NewRefund {
    let wish = RefundWish {
        compared: vec![("amount".to_owned(), amount.to_owned()), ("payment".to_owned(), reference.to_owned())],
        ..RefundWish::new(number.to_owned(), PaymentKey::Reference(reference.to_owned()), money(amount))
    };
    NewRefund { merchant_id: None, terminal_id: None, wish, batch: None, dry_run: false, accepts_dispute: None }
}

/// The code of the refusal that a result must be.
pub fn refused<T>(result: Result<T, ServiceError>) -> refundry_engine::Refusal {
    match result {
        Ok(_) => panic!("it was not refused"),
        Err(ServiceError::Refused(refusal)) => refusal,
        Err(ServiceError::Fault(fault)) => panic!("a fault, not a refusal: {fault}"),
    }
}

/// A database that goes away with its house.
pub enum Place {
    /// On a file, because readers of a database in memory make its writer wait.
    Sqlite(TempDir),
    /// In the cluster of these tests.
    Postgres(ScratchDatabase),
}

impl Place {
    fn of_this_run() -> Self {
        match Engine::of_this_run() {
            Engine::Sqlite => Self::sqlite(),
            Engine::Postgres => Self::postgres(),
        }
    }

    pub fn sqlite() -> Self {
        Self::Sqlite(TempDir::new().unwrap())
    }

    pub fn postgres() -> Self {
        Self::Postgres(ScratchDatabase::from_template("refundry_service_schema_2", |url| {
            drop(PostgresStore::open(&PostgresOptions::url(url)).unwrap());
        }))
    }

    fn open(&self, observer: Arc<dyn CommitObserver>) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(folder) => {
                let file = SqliteOptions::file(folder.path().join("refundry.db"));
                let options = SqliteOptions { sync: SyncMode::Off, readers: 2, observer: Some(observer), ..file };
                Arc::new(SqliteStore::open(&options).unwrap())
            }
            Self::Postgres(database) => {
                let url = PostgresOptions::url(database.url());
                let options = PostgresOptions { lanes: 2, readers: 2, observer: Some(observer), ..url };
                Arc::new(PostgresStore::open(&options).unwrap())
            }
        }
    }
}

/// A clock that moves when it is told to.
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
}

impl HandClock {
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

/// Bytes that do not repeat.
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

/// Receivers that acknowledge everything, in every dialect, or that never answer while the second field says so.
#[derive(Default)]
pub struct Post(pub Mutex<Vec<OutgoingRequest>>, pub AtomicBool);

impl Notifier for Post {
    fn post<'a>(&'a self, request: OutgoingRequest) -> BoxFuture<'a, Result<OutgoingResponse, OutgoingError>> {
        self.0.lock().unwrap().push(request);
        if self.1.load(Ordering::SeqCst) {
            return Box::pin(std::future::pending());
        }
        let body = r#"{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}"#;
        let response = OutgoingResponse { status: 200, headers: Vec::new(), body: Bytes::from_static(body.as_bytes()) };
        Box::pin(std::future::ready(Ok(response)))
    }
}
