//! The store on SQLite: one lane that writes, connections that read beside it, and checkpoints that no commit waits for.

mod apply;
mod backend;
mod backup;
mod books;
mod checkpoint;
mod columns;
mod connect;
mod fault;
mod lists;
mod load;
mod migrations;
mod options;
mod other_rows;
mod pages;
mod payment_row;
mod readers;
mod refund_row;
mod singles;
mod tasks;
mod verbs;

use std::sync::{Arc, Mutex, PoisonError};
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

pub use options::{Location, SqliteOptions, SyncMode};

/// A store on one SQLite database.
pub struct SqliteStore {
    queue: Arc<Queue>,
    readers: Readers,
    checkpoints: Arc<CheckpointSignal>,
    connector: Connector,
    /// The lane, when nobody loops it: then [`SqliteStore::step`] does.
    lane: Mutex<Option<Lane<SqliteBackend>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl SqliteStore {
    /// Opens the database, creates it when it is not there, and starts what the options want.
    pub fn open(options: &SqliteOptions) -> Result<Self, StoreError> {
        let (connector, connection) = Connector::open(options)?;
        let queue = Arc::new(Queue::new(options.queued_max));
        let checkpoints = Arc::new(CheckpointSignal::default());
        let backend = SqliteBackend::new(connection, options.lease_new_tasks_ms, Arc::clone(&checkpoints));
        let mut lane = Lane::new(backend, Arc::clone(&queue), options.observer.clone(), options.batch_max);
        let readers = Readers::start(connector.clone(), options.readers)?;
        let store = Self { queue, readers, checkpoints, connector, lane: Mutex::new(None), threads: Mutex::default() };
        if options.threads {
            store.keep(spawn_named("lane", move || lane.run_until_closed())?);
        } else {
            *store.lane.lock().unwrap_or_else(PoisonError::into_inner) = Some(lane);
        }
        if options.threads && options.checkpoint_interval_ms > 0 && matches!(options.location, Location::File(_)) {
            let connection = store.connector.connect(Use::Checkpoint)?;
            let (signal, log_limit_mib) = (Arc::clone(&store.checkpoints), options.log_limit_mib);
            let interval = Duration::from_millis(options.checkpoint_interval_ms);
            store.keep(spawn_named("checkpoints", move || checkpoint::run(&connection, &signal, interval, log_limit_mib))?);
        }
        Ok(store)
    }

    /// Does what waits, in one commit, on the caller's thread. False when nothing waited, or when a thread of the store does it.
    pub fn step(&self) -> bool {
        let mut lane = self.lane.lock().unwrap_or_else(PoisonError::into_inner);
        lane.as_mut().is_some_and(Lane::step)
    }

    /// Moves the log into the database now.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        let connection = self.connector.connect(Use::Checkpoint)?;
        checkpoint::checkpoint(&connection, "PASSIVE").map(drop)
    }

    /// Runs one command to its end on a store without threads.
    pub fn transact_now(&self, command: Command) -> Result<Outcome, StoreError> {
        let ticket = self.queue.push(command);
        while self.step() {}
        futures::executor::block_on(ticket)
    }

    fn keep(&self, thread: JoinHandle<()>) {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
    }

    /// Takes no more commands, does those that are queued, and gives the threads that are ending.
    fn wind_up(&self) -> Vec<JoinHandle<()>> {
        self.queue.close();
        while self.step() {}
        *self.lane.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.checkpoints.close();
        self.readers.close();
        let mut threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        threads.extend(self.readers.take_threads());
        threads
    }

    fn push(&self, command: Command) -> Ticket {
        self.queue.push(command)
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        join(self.wind_up());
    }
}

fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("a thread of the store stopped by a panic");
        }
    }
}
