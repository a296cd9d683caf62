//! The stage that the tests of the store play on: one merchant, one terminal, payments, and commands with rising ids and times.

mod direct;
pub mod everything;
mod line;
pub mod reading;
pub mod shards;
pub mod sharing;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures::executor::block_on;
use refundry_engine::asked::OrderClaim;
use refundry_engine::command::{Act, Command, CreateRefund, RecordPayment, RecordResult, Stamp, StartSubmission};
use refundry_engine::idempotency::IdempotencyKey;
use refundry_engine::ids::{EPOCH_MS, IDS_PER_BLOCK, IdBlock, compose};
use refundry_engine::merchant::{Merchant, Mode, Standing, Terminal};
use refundry_engine::payment::{Payment, PaymentDetails, PaymentKey, PaymentStatus};
use refundry_engine::policy::PolicyPatch;
use refundry_engine::refund::{AcquirerAnswer, Refund};
use refundry_engine::{Actor, MerchantId, Outcome, PaymentId, RefundId, TerminalId, Timestamp};
use refundry_ledger::Money;
use refundry_scratch::ScratchDatabase;
use refundry_store::{CommitObserver, PostgresOptions, PostgresStore, SqliteOptions, SqliteStore, Store, StoreError, SyncMode};
use tempfile::TempDir;

pub use direct::Direct;
pub use line::{Cut, Line};

/// When the play begins.
pub const BEGIN_MS: i64 = EPOCH_MS + 200_000_000_000;

/// The databases that a store can be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file.
    Sqlite,
    /// A database on a server.
    Postgres,
    /// The same, distributed as far as the store can tell.
    PostgresInShards,
}

/// What a case wants of its store, on whatever database.
#[derive(Clone, Default)]
pub struct Wishes {
    pub observer: Option<Arc<dyn CommitObserver>>,
    pub lease_new_tasks_ms: Option<i64>,
    pub batch_max: Option<usize>,
    /// The lanes have no threads, and so many commands may wait.
    pub stepped: Option<usize>,
}

/// Every case on both databases. Cases take the engine, so that they can open as many stages as they want.
macro_rules! on_both {
    ($($case:ident)*) => {
        mod sqlite {
            $(#[test] fn $case() { super::$case(crate::stage::Engine::Sqlite); })*
        }
        mod postgres {
            $(#[test] fn $case() { super::$case(crate::stage::Engine::Postgres); })*
        }
    };
}
pub(crate) use on_both;

/// Cases of [`on_both`] that hold where tables are distributed, too.
macro_rules! also_in_shards {
    ($($case:ident)*) => {
        mod postgres_in_shards {
            $(#[test] fn $case() { super::$case(crate::stage::Engine::PostgresInShards); })*
        }
    };
}
pub(crate) use also_in_shards;

/// A store with somebody on it.
pub struct Stage {
    pub store: Box<dyn Store>,
    folder: Option<TempDir>,
    database: Option<ScratchDatabase>,
    next: AtomicI64,
}

impl Stage {
    /// As a server has it.
    pub fn new(engine: Engine) -> Self {
        Self::wishing(engine, &Wishes::default())
    }

    /// As a server has it, but for what is wished.
    pub fn wishing(engine: Engine, wishes: &Wishes) -> Self {
        let Wishes { observer, lease_new_tasks_ms, .. } = wishes.clone();
        match engine {
            Engine::Sqlite => Self::on_sqlite_with(|options| {
                (options.observer, options.lease_new_tasks_ms) = (observer, lease_new_tasks_ms);
                options.batch_max = wishes.batch_max.unwrap_or(options.batch_max);
                if let Some(queued_max) = wishes.stepped {
                    (options.threads, options.readers, options.queued_max) = (false, 0, queued_max);
                }
            }),
            Engine::PostgresInShards => {
                let stage = Self::in_shards_with(|options| {
                    (options.observer, options.lease_new_tasks_ms) = (observer, lease_new_tasks_ms);
                    options.batch_max = wishes.batch_max.unwrap_or(options.batch_max);
                });
                stage.0
            }
            Engine::Postgres => Self::on_postgres_with(|options| {
                (options.observer, options.lease_new_tasks_ms) = (observer, lease_new_tasks_ms);
                options.batch_max = wishes.batch_max.unwrap_or(options.batch_max);
                if let Some(queued_max) = wishes.stepped {
                    (options.threads, options.lanes, options.queued_max) = (false, 1, queued_max);
                }
            }),
        }
    }

    /// Changes rows behind the store's back, and gives their number.
    pub fn spoil(&self, sql: &str) -> u64 {
        match &self.database {
            Some(database) => Direct::to(&database.url()).execute(sql),
            None => rusqlite::Connection::open(self.file()).unwrap().execute(sql, []).unwrap() as u64,
        }
    }

    /// The address of the database.
    pub fn url(&self) -> String {
        self.database.as_ref().expect("a stage on a database").url()
    }

    /// A connection to the database beside the store.
    pub fn direct(&self) -> Direct {
        Direct::to(&self.url())
    }

    /// Another process on the same database.
    pub fn another_node(&self, change: impl FnOnce(&mut PostgresOptions)) -> PostgresStore {
        let mut options = postgres_options(self.database.as_ref().expect("a stage on a database"));
        change(&mut options);
        PostgresStore::open(&options).expect("the database can be opened by another process")
    }

    /// As a server has it, but without waiting for the disk.
    pub fn on_sqlite() -> Self {
        Self::on_sqlite_with(|_| {})
    }

    /// On a file in a folder that goes away with the stage.
    pub fn on_sqlite_with(change: impl FnOnce(&mut SqliteOptions)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = SqliteOptions::file(folder.path().join("refundry.db"));
        options.sync = SyncMode::Off;
        options.readers = 2;
        change(&mut options);
        Self::on(SqliteStore::open(&options).expect("a new file can be opened"), Some(folder))
    }

    /// As a server has it, on a database of its own.
    pub fn on_postgres() -> Self {
        Self::on_postgres_with(|_| {})
    }

    /// On a database that goes away with the stage.
    pub fn on_postgres_with(change: impl FnOnce(&mut PostgresOptions)) -> Self {
        let database = postgres_database();
        let mut options = postgres_options(&database);
        change(&mut options);
        let store = PostgresStore::open(&options).expect("a new database can be opened");
        Self { database: Some(database), ..Self::on(store, None) }
    }

    /// On a database that somebody else made, which goes away with the stage.
    pub fn on_database(database: ScratchDatabase) -> Self {
        let store = PostgresStore::open(&postgres_options(&database)).expect("the database can be opened");
        Self { database: Some(database), ..Self::on(store, None) }
    }

    /// On a file that somebody else made, in a folder that goes away with the stage.
    pub fn on_file(folder: TempDir) -> Self {
        let store = SqliteStore::open(&SqliteOptions::file(folder.path().join("refundry.db"))).expect("the file can be opened");
        Self::on(store, Some(folder))
    }

    /// In memory.
    pub fn in_memory() -> Self {
        let options = SqliteOptions { threads: true, busy_timeout_ms: 5_000, ..SqliteOptions::stepped() };
        Self::on(SqliteStore::open(&options).expect("a database in memory can be opened"), None)
    }

    /// On a store that is there already.
    pub fn on(store: impl Store + 'static, folder: Option<TempDir>) -> Self {
        Self { store: Box::new(store), folder, database: None, next: AtomicI64::new(1) }
    }

    /// The database's file.
    pub fn file(&self) -> PathBuf {
        self.folder.as_ref().expect("a stage on a file").path().join("refundry.db")
    }

    /// Closes the store and opens it again.
    pub fn reopened(self) -> Self {
        let Self { store, folder, database, next } = self;
        drop(store);
        let store: Box<dyn Store> = match (&database, &folder) {
            (Some(database), _) => Box::new(PostgresStore::open(&postgres_options(database)).expect("the database can be opened again")),
            (None, folder) => {
                let file = folder.as_ref().expect("a stage on a file").path().join("refundry.db");
                Box::new(SqliteStore::open(&SqliteOptions::file(file)).expect("the file can be opened again"))
            }
        };
        Self { store, folder, database, next }
    }

    /// The instant of the next command.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_ms(BEGIN_MS + self.next.load(Ordering::Relaxed))
    }

    /// Ids and times rise with every command.
    pub fn stamp(&self) -> Stamp {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (ms, counter) = (BEGIN_MS + number, 0);
        Stamp { now: Timestamp::from_ms(ms), ids: IdBlock::new(compose(ms, 0, counter)), actor: Actor::operator("stage") }
    }

    pub fn command(&self, act: Act) -> Command {
        Command { stamp: self.stamp(), act }
    }

    /// Does it and gives the outcome.
    pub fn act(&self, act: Act) -> Result<Outcome, StoreError> {
        block_on(self.store.transact(self.command(act)))
    }

    pub fn must(&self, act: Act) -> Outcome {
        let outcome = self.act(act).expect("the store does it");
        assert!(!matches!(outcome, Outcome::Refused { .. }), "{outcome:?}");
        outcome
    }

    pub fn merchant(&self, number: i64) -> MerchantId {
        let id = MerchantId::new(number);
        self.must(Act::PutMerchant(Box::new(merchant(id))));
        self.must(Act::PutTerminal(Box::new(terminal(id))));
        id
    }

    pub fn payment(&self, merchant_id: MerchantId, reference: &str, captured_minor: i64) -> Payment {
        let stamp = self.stamp();
        let payment = payment(merchant_id, PaymentId::new(stamp_id(&stamp)), reference, euro(captured_minor));
        match self.must(Act::RecordPayment(RecordPayment::from(payment).into())) {
            Outcome::Payment { payment, .. } => *payment,
            other => panic!("{other:?}"),
        }
    }

    pub fn refund(&self, payment: &Payment, number: &str, minor: i64) -> Refund {
        match self.must(Act::CreateRefund(Box::new(self.ask(payment, number, minor)))) {
            Outcome::Refund { refund, .. } => *refund,
            other => panic!("{other:?}"),
        }
    }

    /// Its attempt is committed and the acquirer pays it out.
    pub fn succeed(&self, refund: &Refund) -> Refund {
        let (merchant_id, refund_id) = (refund.merchant_id, refund.id);
        let attempt =
            match self.must(Act::StartSubmission(StartSubmission { merchant_id, refund_id, resolve_at: self.now().plus_ms(60_000) })) {
                Outcome::CallAcquirer { attempt, .. } => attempt,
                other => panic!("{other:?}"),
            };
        let answer = AcquirerAnswer::Approved { reference: Some("a1".to_owned()), arn: None };
        match self.must(Act::RecordResult(RecordResult { merchant_id, refund_id, attempt, answer, next_at: self.now() })) {
            Outcome::Refund { refund, .. } => *refund,
            other => panic!("{other:?}"),
        }
    }

    /// What asks for a refund of a payment.
    pub fn ask(&self, payment: &Payment, number: &str, minor: i64) -> CreateRefund {
        create_refund(payment, number, minor, RefundId::new(stamp_id(&self.stamp())))
    }
}

fn postgres_options(database: &ScratchDatabase) -> PostgresOptions {
    PostgresOptions { lanes: 2, readers: 2, ..PostgresOptions::url(database.url()) }
}

/// An empty database with the schema of this program.
pub fn postgres_database() -> ScratchDatabase {
    ScratchDatabase::from_template("refundry_store_schema_2", |url| {
        drop(PostgresStore::open(&PostgresOptions::url(url)).expect("it can be migrated"))
    })
}

pub fn euro(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().expect("a currency"))
}

pub fn stamp_id(stamp: &Stamp) -> i64 {
    // The last of the block, which no verdict of these tests comes to.
    stamp.ids.clone().take() + i64::from(IDS_PER_BLOCK)
}

pub fn terminal_of(merchant_id: MerchantId) -> TerminalId {
    TerminalId::new(merchant_id.get() + 1_000_000)
}

pub fn merchant(id: MerchantId) -> Merchant {
    Merchant {
        id,
        mode: Mode::Live,
        name: format!("Shop {}", id.get()),
        standing: Standing::Active,
        policy: PolicyPatch::default(),
        payout_terms: Default::default(),
        account: None,
        endpoints: Vec::new(),
    }
}

pub fn terminal(merchant_id: MerchantId) -> Terminal {
    Terminal {
        id: terminal_of(merchant_id),
        merchant_id,
        mode: Mode::Live,
        name: "Till".to_owned(),
        dialect: "native".to_owned(),
        standing: Standing::Active,
        policy: PolicyPatch::default(),
        method_policies: Default::default(),
        notify_url: None,
        acquirer: "simulated".to_owned(),
        wire: Default::default(),
        forced_answers: Vec::new(),
    }
}

pub fn payment(merchant_id: MerchantId, id: PaymentId, reference: &str, captured: Money) -> Payment {
    let nothing = Money::zero(captured.currency());
    let at = id.instant();
    Payment {
        id,
        merchant_id,
        terminal_id: terminal_of(merchant_id),
        mode: Mode::Live,
        payment_reference: reference.to_owned(),
        merchant_reference: format!("order {reference}"),
        method: "card".to_owned(),
        status: PaymentStatus::Captured,
        paid_at: at,
        authorised: captured,
        captured,
        marketing: nothing,
        fee: nothing,
        reserved: nothing,
        refunded: nothing,
        refunded_marketing: nothing,
        refund_count: 0,
        fee_given_back: nothing,
        unsettled_left: nothing,
        reserve_left: nothing,
        settled: false,
        settling: Default::default(),
        charged_back: nothing,
        open_chargebacks: 0,
        open_retrievals: 0,
        sharing: None,
        converted: refundry_engine::payment::Converted::default(),
        quote: None,
        notify_url: None,
        details: PaymentDetails { card_last4: Some("1881".to_owned()), ..PaymentDetails::default() }.into(),
        created_at: at,
        updated_at: at,
    }
}

pub fn create_refund(payment: &Payment, number: &str, minor: i64, refund_id: RefundId) -> CreateRefund {
    let amount = Money::new(minor, payment.currency());
    CreateRefund {
        refund_id,
        merchant_id: payment.merchant_id,
        terminal_id: Some(payment.terminal_id),
        mode: payment.mode,
        key: IdempotencyKey {
            merchant_id: payment.merchant_id,
            dialect: "native".to_owned(),
            scope: String::new(),
            number: number.to_owned(),
        },
        key_seconds: None,
        compared: vec![("amount".to_owned(), amount.to_string())],
        remember_refusals: false,
        payment: PaymentKey::Reference(payment.payment_reference.clone()),
        amount: amount.into(),
        extent: None,
        order: OrderClaim::default(),
        marketing: None,
        sharing: None,
        expected_remaining: None,
        merchant_reference: None,
        reason: Some("came broken".to_owned()),
        metadata: None,
        notify_url: None,
        accepts_dispute: None,
        batch: None,
        dry_run: false,
    }
}

pub fn money(minor: i64, currency: &str) -> Money {
    Money::new(minor, currency.parse().expect("a currency"))
}
