use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::connect::{Connector, Use};
use crate::StoreError;

/// Reads that may wait at once.
const READS_QUEUED_MAX: usize = 10_000;

type Read = Box<dyn FnOnce(&Connection) + Send>;

/// Connections that read beside the writer, each with a thread; or one on the caller's thread.
pub struct Readers {
    connector: Connector,
    own: Option<Mutex<Connection>>,
    queue: Arc<ReadQueue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
struct ReadQueue {
    waiting: Mutex<(VecDeque<Read>, bool)>,
    woken: Condvar,
}

impl Readers {
    /// Opens `count` connections with their threads.
    pub fn start(connector: Connector, count: usize) -> Result<Self, StoreError> {
        let queue = Arc::new(ReadQueue::default());
        let own = if count == 0 { Some(Mutex::new(connector.connect(Use::Read)?)) } else { None };
        let readers = Self { connector, own, queue, threads: Mutex::default() };
        for number in 0..count {
            let connection = readers.connector.connect(Use::Read)?;
            let queue = Arc::clone(&readers.queue);
            readers.spawn(&format!("reader {number}"), move || queue.run(&connection))?;
        }
        Ok(readers)
    }

    /// Runs a read; its statements begin when a connection is free.
    pub fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        if let Some(own) = &self.own {
            let connection = own.lock().unwrap_or_else(PoisonError::into_inner);
            return ready(read(&connection)).boxed();
        }
        let (answer, receiver) = oneshot::channel();
        match self.queue.push(Box::new(move |connection| drop(answer.send(read(connection))))) {
            Ok(()) => receiver.map(|received| received.unwrap_or(Err(StoreError::Closed))).boxed(),
            Err(error) => ready(Err(error)).boxed(),
        }
    }

    /// Runs a long read on a connection and a thread of its own, so that short ones do not wait for it.
    pub fn read_long<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        if self.own.is_some() {
            return self.read(read);
        }
        self.run_alone("long read", Use::Read, read)
    }

    /// Writes beside the lane, in a short transaction on a connection of its own.
    pub fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        if self.own.is_some() {
            return ready(self.connector.connect(Use::Write).and_then(|connection| write(&connection))).boxed();
        }
        self.run_alone("short write", Use::Write, write)
    }

    fn run_alone<T: Send + 'static>(
        &self,
        name: &str,
        purpose: Use,
        job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let connector = self.connector.clone();
        let (answer, receiver) = oneshot::channel();
        let run = move || drop(answer.send(connector.connect(purpose).and_then(|connection| job(&connection))));
        match self.spawn(name, run) {
            Ok(()) => receiver.map(|received| received.unwrap_or(Err(StoreError::Closed))).boxed(),
            Err(error) => ready(Err(error)).boxed(),
        }
    }

    /// Lets the threads finish what waits, and end.
    pub fn close(&self) {
        self.queue.waiting.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.queue.woken.notify_all();
    }

    /// The threads, to be joined after [`Self::close`].
    pub fn take_threads(&self) -> Vec<JoinHandle<()>> {
        std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| !thread.is_finished());
        threads.push(spawn_named(name, run)?);
        Ok(())
    }
}

/// Starts a thread of the store.
pub fn spawn_named<T: Send + 'static>(name: &str, run: impl FnOnce() -> T + Send + 'static) -> Result<JoinHandle<T>, StoreError> {
    std::thread::Builder::new().name(format!("store {name}")).spawn(run).map_err(|error| StoreError::TryAgain(Arc::new(error)))
}

impl ReadQueue {
    fn push(&self, read: Read) -> Result<(), StoreError> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match (waiting.1, waiting.0.len()) {
            (true, _) => return Err(StoreError::Closed),
            (false, READS_QUEUED_MAX..) => return Err(StoreError::Overloaded),
            (false, _) => waiting.0.push_back(read),
        }
        drop(waiting);
        self.woken.notify_one();
        Ok(())
    }

    fn run(&self, connection: &Connection) {
        while let Some(read) = self.take() {
            // Whoever waits sees its sender dropped; the thread goes on.
            if catch_unwind(AssertUnwindSafe(|| read(connection))).is_err() {
                tracing::error!("a read stopped by a panic");
            }
        }
    }

    fn take(&self) -> Option<Read> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(read) = waiting.0.pop_front() {
                return Some(read);
            }
            if waiting.1 {
                return None;
            }
            waiting = self.woken.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
