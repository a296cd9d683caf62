//! The store on SQLite: one lane that writes, connections that read beside it, and checkpoints that no commit waits for.

mod apply;
mod backend;
mod backup;
mod books;
mod checkpoint;
mod columns;
mod connect;
mod copying;
mod disputes;
mod fault;
mod lists;
mod load;
mod migrations;
mod nodes;
mod options;
mod other_rows;
mod pages;
mod payment_row;
mod payouts;
mod people;
mod queues;
mod readers;
mod recent;
mod refund_row;
mod reviews;
mod settlements;
mod shares;
mod singles;
mod tasks;
mod verbs;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use refundry_engine::Outcome;
use refundry_engine::command::Command;

use self::backend::SqliteBackend;
use self::checkpoint::CheckpointSignal;
use self::connect::{Connector, Use};
use self::readers::{Readers, spawn_named};
use crate::lane::{Lane, Queue};
use crate::{StoreError, Ticket};

pub(crate) use connect::create_for_owner;
pub(crate) use copying::SqliteSide;
pub use options::{Location, SqliteOptions, SyncMode};

/// A store on one SQLite database.
pub struct SqliteStore {
    queue: Arc<Queue>,
    readers: Readers,
    checkpoints: Arc<CheckpointSignal>,
    connector: Connector,
    /// The lane, when nobody loops it: then [`SqliteStore::step`] does.
    lane: Mutex<Option<Lane<SqliteBackend>>>,
    lane_thread: Mutex<Option<JoinHandle<Lane<SqliteBackend>>>>,
    checkpoint_thread: Mutex<Option<JoinHandle<()>>>,
}

/// What ends when a store is closed. The lane's connection goes last: only a connection that writes can empty the log into the file.
struct Ending {
    lane: Option<Lane<SqliteBackend>>,
    lane_thread: Option<JoinHandle<Lane<SqliteBackend>>>,
    threads: Vec<JoinHandle<()>>,
}

impl SqliteStore {
    /// Opens the database, creates it when it is not there, and starts what the options want.
    pub fn open(options: &SqliteOptions) -> Result<Self, StoreError> {
        let (connector, connection) = Connector::open(options)?;
        copying::refuse_while_copied(&connection, &options.location)?;
        let queue = Arc::new(Queue::new(options.queued_max));
        let checkpoints = Arc::new(CheckpointSignal::default());
        let backend = SqliteBackend::new(connection, options.lease_new_tasks_ms, Arc::clone(&checkpoints));
        let lane = Lane::new(backend, Arc::clone(&queue), options.observer.clone(), options.batch_max);
        let readers = Readers::start(connector.clone(), options.readers)?;
        let store = Self {
            queue,
            readers,
            checkpoints,
            connector,
            lane: Mutex::default(),
            lane_thread: Mutex::default(),
            checkpoint_thread: Mutex::default(),
        };
        if options.threads {
            *locked(&store.lane_thread) = Some(spawn_named("lane", move || lane.run_until_closed())?);
        } else {
            *locked(&store.lane) = Some(lane);
        }
        if options.threads && options.checkpoint_interval_ms > 0 && matches!(options.location, Location::File(_)) {
            let connection = store.connector.connect(Use::Checkpoint)?;
            let (signal, log_limit_mib) = (Arc::clone(&store.checkpoints), options.log_limit_mib);
            let interval = Duration::from_millis(options.checkpoint_interval_ms);
            let run = move || checkpoint::run(&connection, &signal, interval, log_limit_mib);
            *locked(&store.checkpoint_thread) = Some(spawn_named("checkpoints", run)?);
        }
        Ok(store)
    }

    /// Does what waits, in one commit, on the caller's thread. False when nothing waited, or when a thread of the store does it.
    pub fn step(&self) -> bool {
        locked(&self.lane).as_mut().is_some_and(Lane::step)
    }

    /// Moves the log into the database now.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        let connection = self.connector.connect(Use::Checkpoint)?;
        checkpoint::checkpoint(&connection).map(drop)
    }

    /// Runs one command to its end on a store without threads.
    pub fn transact_now(&self, command: Command) -> Result<Outcome, StoreError> {
        let ticket = self.queue.push(command);
        while self.step() {}
        futures::executor::block_on(ticket)
    }

    /// Takes no more commands, and gives what is ending. A lane with a thread still does what is queued.
    fn wind_up(&self) -> Ending {
        self.queue.close();
        self.checkpoints.close();
        self.readers.close();
        let mut threads = self.readers.take_threads();
        threads.extend(locked(&self.checkpoint_thread).take());
        Ending { lane: locked(&self.lane).take(), lane_thread: locked(&self.lane_thread).take(), threads }
    }

    fn push(&self, command: Command) -> Ticket {
        self.queue.push(command)
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.wind_up().join();
    }
}

impl Ending {
    /// Waits until all of it has ended.
    fn join(self) {
        let stopped = || tracing::error!("a thread of the store stopped by a panic");
        for thread in self.threads {
            thread.join().unwrap_or_else(|_| stopped());
        }
        let joined = self.lane_thread.map(|thread| thread.join().map_err(|_| stopped()));
        drop((joined, self.lane));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
