//! The store on PostgreSQL: lanes that write side by side, each with its merchants and its connection, and connections that read beside them. Other
//! nodes write to the same database; the lock of a merchant decides who is first.

mod apply;
mod arrays;
mod backend;
mod books;
mod catalogue;
mod claims;
mod columns;
mod connect;
mod copying;
mod disputes;
mod distribute;
mod fault;
mod hosts;
mod lists;
mod load;
mod migrations;
mod nodes;
mod options;
mod pages;
mod payment_row;
mod payouts;
mod people;
mod placement;
#[cfg(test)]
mod plans;
mod queues;
mod readers;
mod receivers;
mod recent;
mod refund_row;
mod reviews;
mod session;
mod settings;
mod settlements;
mod shares;
mod singles;
mod statements;
mod tables;
mod tasks;
mod verbs;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use refundry_engine::MerchantId;
use refundry_engine::command::Command;

use self::backend::PostgresBackend;
use self::connect::Connector;
use self::placement::Placement;
use self::readers::Readers;
use crate::lane::{Lane, Queue};
use crate::{StoreError, Ticket};

pub(crate) use copying::PostgresSide;
pub use distribute::{DistributeError, DistributeStep, DistributeWish, distribute};
pub(crate) use migrations::KNOWN as SCHEMA_VERSION;
pub use options::{ConnectionFaults, Moment, PostgresOptions, SentStatement, StatementObserver};

/// A store on one PostgreSQL database.
pub struct PostgresStore {
    lanes: Vec<OneLane>,
    placement: Arc<Placement>,
    /// Claims go to the lanes in turn.
    next_claim: AtomicUsize,
    readers: Readers,
}

struct OneLane {
    queue: Arc<Queue>,
    /// The lane, when nobody loops it: then [`PostgresStore::step`] does.
    lane: Mutex<Option<Lane<PostgresBackend>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl PostgresStore {
    /// Connects, brings the database to this program's version, and starts what the options want.
    pub fn open(options: &PostgresOptions) -> Result<Self, StoreError> {
        let connector = Connector::new(options)?;
        let readers = Readers::start(connector.clone(), options.readers)?;
        let placement = readers.migrate()?;
        let distributed = placement.is_distributed();
        let connector = connector.placed(placement);
        // What plans connections make depends on it.
        let readers = if distributed { Readers::start(connector.clone(), options.readers)? } else { readers };
        let lanes = 0..connector.placement().lanes();
        let lanes = lanes.map(|number| OneLane::start(&connector, options, number)).collect::<Result<_, _>>()?;
        Ok(Self { lanes, placement: Arc::clone(connector.placement()), next_claim: AtomicUsize::new(0), readers })
    }

    /// Does what waits, one commit for each lane that has something to do, on the caller's thread. False when nothing waited, or when threads of the
    /// store do it.
    pub fn step(&self) -> bool {
        self.on_lanes(Lane::step)
    }

    /// The first half of a step on each lane that has something to do: everything up to the commit, with the transactions kept open.
    pub fn begin_step(&self) -> bool {
        self.on_lanes(Lane::begin_step)
    }

    /// The second half: the commits.
    pub fn finish_step(&self) -> bool {
        self.on_lanes(Lane::finish_step)
    }

    /// Every lane has its turn, also behind one that did something.
    fn on_lanes(&self, act: impl Fn(&mut Lane<PostgresBackend>) -> bool) -> bool {
        let acted: Vec<bool> = self.lanes.iter().map(|lane| locked(&lane.lane).as_mut().is_some_and(&act)).collect();
        acted.contains(&true)
    }

    /// The lane in which everything of a merchant is written; credentials, which may be nobody's, are then merchant 0's.
    fn lane_of(&self, merchant_id: Option<MerchantId>) -> &OneLane {
        &self.lanes[self.placement.lane_of(merchant_id.map_or(0, MerchantId::get))]
    }

    fn push(&self, command: Command) -> Ticket {
        self.lane_of(command.merchant_id()).queue.push(command)
    }

    fn lane_for_claim(&self) -> &OneLane {
        &self.lanes[self.next_claim.fetch_add(1, Ordering::Relaxed) % self.lanes.len()]
    }

    /// Takes no more commands, and gives the threads that are ending. They still do what is queued.
    fn wind_up(&self) -> Vec<JoinHandle<()>> {
        self.lanes.iter().for_each(|lane| lane.queue.close());
        self.lanes.iter().filter_map(|lane| locked(&lane.thread).take()).collect()
    }
}

impl OneLane {
    fn start(connector: &Connector, options: &PostgresOptions, number: usize) -> Result<Self, StoreError> {
        let queue = Arc::new(Queue::new(options.queued_max));
        let backend = PostgresBackend::new(connector.clone(), number)?;
        let lane = Lane::new(backend, Arc::clone(&queue), options.observer.clone(), options.batch_max).with_attempts(options.attempts_max);
        let started = Self { queue, lane: Mutex::default(), thread: Mutex::default() };
        if options.threads {
            let run = move || lane.run_until_closed().backend().leave();
            *locked(&started.thread) = Some(spawn_named(&format!("lane {number}"), run)?);
        } else {
            *locked(&started.lane) = Some(lane);
        }
        Ok(started)
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        join(self.wind_up());
    }
}

fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        thread.join().unwrap_or_else(|_| tracing::error!("a thread of the store stopped by a panic"));
    }
}

fn spawn_named(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new().name(format!("store {name}")).spawn(run).map_err(|error| StoreError::TryAgain(Arc::new(error)))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
