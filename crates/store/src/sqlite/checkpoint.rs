use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use super::fault::fault;
use crate::StoreError;

/// How long the lane may take to answer when it is asked to move the log; an idle lane does not answer, and need not.
const LANE_WAIT: Duration = Duration::from_millis(500);
const PAGES_PER_MIB: i64 = 256;

/// Tells the thread that makes checkpoints that there is something to do, or that it is over.
#[derive(Default)]
pub struct CheckpointSignal {
    state: Mutex<State>,
    woken: Condvar,
}

#[derive(Default)]
struct State {
    written: bool,
    log_is_long: bool,
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

    /// Whether the lane is asked to move the rest of the log, so that the log begins anew.
    pub fn log_is_long(&self) -> bool {
        self.lock().log_is_long
    }

    /// The lane did what it was asked to.
    pub fn log_was_moved(&self) {
        self.lock().log_is_long = false;
        self.woken.notify_all();
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

    /// Asks the lane, and leaves the log alone until it was done: two checkpoints hinder each other.
    fn ask_lane(&self) {
        let mut state = self.lock();
        state.log_is_long = true;
        let open = |state: &mut State| state.log_is_long && !state.closing;
        drop(self.woken.wait_timeout_while(state, LANE_WAIT, open));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Moves the log into the database in small steps beside the writer, so that no commit pays for it.
pub fn run(connection: &Connection, signal: &Arc<CheckpointSignal>, interval: Duration, log_limit_mib: u32) {
    while signal.wait(interval) {
        match checkpoint(connection) {
            Ok(log_pages) if log_pages > i64::from(log_limit_mib) * PAGES_PER_MIB => signal.ask_lane(),
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
