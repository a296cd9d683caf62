//! One life of the process: from opening the database to the next crash.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use refundry_engine::Timestamp;
use refundry_engine::verdict::{Changes, Write};
use refundry_service::acquirer::Acquirer;
use refundry_service::cpu_pool::CpuPool;
use refundry_service::ids::Ids;
use refundry_service::node_number::NodeNumber;
use refundry_service::workers::WorkerSettings;
use refundry_service::workers::crew::Crew;
use refundry_service::world::World;
use refundry_service::{Observer, Service};
use refundry_store::{CommitObserver, Store, StoreError};

use crate::cast::master_keys;
use crate::dice::Dice;
use crate::executor::Executor;
use crate::ground::{Ground, Opening, SteppedStore};
use crate::line::Line;
use crate::plan::DAY_MS;
use crate::stage::Stage;
use crate::trace::Trace;

/// Tasks under way at once, at least, when days pass.
const PATIENT_CONCURRENCY: usize = 16;
/// Milliseconds between looks for tasks when days pass.
const PATIENT_POLL_MS: i64 = 1_800_000;
const INBOX_LENGTH_MAX: usize = 64;
/// The number of the first process; the others count on.
const FIRST_NODE: u16 = 1;

/// A running process.
pub struct Life {
    /// What it has under way; dropped first, because it holds the rest.
    pub executor: Executor,
    /// Requests.
    pub service: Arc<Service>,
    /// The store, to step it.
    pub store: Arc<dyn SteppedStore>,
    /// Until when a step that is half done may stay so.
    pub held_until: Option<Timestamp>,
    /// What its commits did.
    pub commits: Arc<Commits>,
    /// The generation when it began: another one means that it is dead.
    pub generation: u64,
}

/// Hears every commit before the service does.
pub struct Commits {
    name: String,
    service: Arc<Observer>,
    trace: Trace,
    count: AtomicU64,
    touched: Mutex<bool>,
}

/// How a life differs from another.
#[derive(Clone, Debug)]
pub struct Habits {
    /// Futures that work on tasks side by side.
    pub crews: usize,
    /// Tasks that each of them has under way at once.
    pub concurrency: usize,
    /// Milliseconds between looks for tasks.
    pub poll_ms: i64,
    /// Whether tasks that are due at once go to the workers without a detour over the database.
    pub hands_over: bool,
    /// Commands of one commit at most.
    pub batch_max: usize,
    /// For how long a process leases the number under which it makes ids; without it, it has one for ever. A server judges leases by its own
    /// clock, which no seed sets.
    pub lease_ms: Option<i64>,
}

impl Habits {
    /// What the dice say.
    pub fn thrown(dice: &mut Dice) -> Self {
        Self {
            crews: 1 + dice.below(3),
            concurrency: 1 + dice.below(3),
            poll_ms: dice.between(500, 10_000),
            hands_over: dice.percent(60),
            batch_max: *dice.pick(&[1, 2, 16, 256]),
            lease_ms: Some(dice.between(6_000, 60_000)),
        }
    }
}

impl Habits {
    /// When days pass: each look for tasks, and each renewal of a lease, is a step. Who looks so rarely takes more at a time, or the letters to a
    /// receiver that is gone would outlast the quiet days.
    pub fn become_patient(&mut self) {
        self.poll_ms = PATIENT_POLL_MS;
        self.concurrency = self.concurrency.max(PATIENT_CONCURRENCY);
        self.lease_ms = self.lease_ms.map(|_| DAY_MS);
    }
}

impl Life {
    /// Opens the database and starts the workers.
    pub fn begin(stage: &Arc<Stage>, ground: &Ground, habits: &Habits, place: usize) -> Result<Self, StoreError> {
        let clock = Arc::new(stage.clock.clone());
        let settings = WorkerSettings { poll_ms: habits.poll_ms, concurrency: habits.concurrency, ..WorkerSettings::default() };
        let observer = Observer::new(clock.clone(), if habits.hands_over { INBOX_LENGTH_MAX } else { 0 });
        let commits = Arc::new(Commits {
            name: if place == 0 { String::new() } else { format!(" of process {place}") },
            service: observer.clone(),
            trace: stage.trace.clone(),
            count: AtomicU64::new(0),
            touched: Mutex::new(false),
        });
        let store = ground.open(Opening {
            batch_max: habits.batch_max,
            lease_new_tasks_ms: habits.hands_over.then_some(settings.lease_ms),
            observer: commits.clone(),
        })?;
        let acquirers: BTreeMap<String, Arc<dyn Acquirer>> =
            stage.acquirers.iter().map(|acquirer| (acquirer.name.to_owned(), acquirer.clone() as Arc<dyn Acquirer>)).collect();
        let world = World {
            store: Arc::new(Line::new(store.clone(), stage.mishaps.clone())) as Arc<dyn Store>,
            clock,
            // A new process counts anew within the millisecond, as after a real start.
            ids: Arc::new(match habits.lease_ms {
                Some(_) => Ids::unnumbered(),
                None => Ids::new(FIRST_NODE + u16::try_from(place).unwrap_or_default()),
            }),
            random: stage.random.clone(),
            acquirers: Arc::new(acquirers),
            notifier: stage.merchants.clone(),
        };
        let number = habits.lease_ms.map(|lease_ms| NodeNumber::new(world.clone(), lease_ms));
        let service = Arc::new(Service::new(world, observer, Arc::new(master_keys()), Arc::new(CpuPool::inline())));
        let generation = ground.generation();
        let mut life = Self { executor: Executor::default(), service, store, held_until: None, commits, generation };
        if let Some(number) = number {
            life.keep_number(number);
        }
        life.start_workers(stage, settings, habits.crews);
        Ok(life)
    }

    /// Leases the number as a process does at its start, and renews it.
    fn keep_number(&mut self, number: NodeNumber) {
        let taken = futures::FutureExt::now_or_never(number.take());
        let is_there = matches!(taken, Some(Ok(())));
        self.executor.spawn(async move {
            // A disk that is ill at the start is asked again; without a number no id is made.
            while !is_there && number.take_first().await.is_err() {}
            number.keep().await;
        });
    }

    fn start_workers(&mut self, stage: &Arc<Stage>, settings: WorkerSettings, crews: usize) {
        let crew = Arc::new(Crew::new(self.service.clone(), settings));
        for _ in 0..crews {
            let crew = crew.clone();
            self.executor.spawn(async move { crew.run(futures::future::pending()).await });
        }
        for acquirer in &stage.acquirers {
            let (crew, acquirer) = (crew.clone(), acquirer.clone());
            self.executor.spawn(async move { crew.listen(acquirer.as_ref(), futures::future::pending()).await });
        }
    }
}

impl Commits {
    /// Whether anything was committed since the last look.
    pub fn take_touched(&self) -> bool {
        std::mem::take(&mut *self.touched.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many commits there were.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

impl CommitObserver for Commits {
    fn committed(&self, changes: &Changes) {
        self.count.fetch_add(1, Ordering::Relaxed);
        *self.touched.lock().unwrap_or_else(PoisonError::into_inner) = true;
        let states = changes.refunds.values().map(Write::row).map(|refund| format!(" {} {}", refund.number, refund.state.name().word()));
        let states: String = states.collect();
        self.trace.line(&format!("commit{}: {} events, {} tasks,{states}", self.name, changes.events.len(), changes.tasks.len()));
        self.service.committed(changes);
    }
}
