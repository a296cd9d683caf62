use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use super::fault::fault;
use crate::StoreError;

const PAGES_PER_MIB: i64 = 256;

/// Tells the thread that makes checkpoints that there is something to do, or that it is over.
#[derive(Default)]
pub struct CheckpointSignal {
    state: Mutex<State>,
    woken: Condvar,
    log_is_long: AtomicBool,
}

#[derive(Default)]
struct State {
    written: bool,
    closing: bool,
}

impl CheckpointSignal {
    /// A commit was made.
    pub fn written(&self) {
        let mut state = self.lock();
        if !state.written {
            state.written = true;
            self.woken.notify_all();
        }
    }

    /// Whether the lane is asked to let the log begin anew; once per asking.
    pub fn takes_log_is_long(&self) -> bool {
        self.log_is_long.load(Ordering::Relaxed) && self.log_is_long.swap(false, Ordering::Relaxed)
    }

    /// No more checkpoints.
    pub fn close(&self) {
        self.lock().closing = true;
        self.woken.notify_all();
    }

    /// Waits for a commit, and then for the rest of the interval, so that one checkpoint serves many commits. False when it is over.
    fn wait(&self, interval: Duration) -> bool {
        let idle = |state: &mut State| !state.written && !state.closing;
        let state = self.woken.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        let until_closed = self.woken.wait_timeout_while(state, interval, |state| !state.closing);
        let (mut state, _) = until_closed.unwrap_or_else(PoisonError::into_inner);
        state.written = false;
        !state.closing
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Moves the log into the database in small steps beside the writer, so that no commit pays for it.
pub fn run(connection: &Connection, signal: &Arc<CheckpointSignal>, interval: Duration, log_limit_mib: u32) {
    while signal.wait(interval) {
        match checkpoint(connection) {
            Ok(log_pages) if log_pages > i64::from(log_limit_mib) * PAGES_PER_MIB => signal.log_is_long.store(true, Ordering::Relaxed),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "a checkpoint failed; the next one follows"),
        }
    }
}

/// Moves the log into the database as far as nobody reads from it; gives the pages of the log. The log begins anew with the first commit
/// that finds all of it moved: under load that is only so when the lane itself moves the rest between two commits.
pub fn checkpoint(connection: &Connection) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)").map_err(fault)?;
    statement.query_row([], |row| row.get(1)).map_err(fault)
}
