use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Row};

use super::fault::fault;
use crate::StoreError;

/// How long writers may be held up by a checkpoint that begins the log anew.
const RESTART_WAIT_MS: u64 = 100;
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
    if let Err(error) = connection.busy_timeout(Duration::from_millis(RESTART_WAIT_MS)) {
        tracing::warn!(%error, "checkpoints give up at once when somebody reads");
    }
    let limit = i64::from(log_limit_mib) * PAGES_PER_MIB;
    let mut restart_above = limit;
    while signal.wait(interval) {
        match checkpoint(connection, "PASSIVE") {
            Ok(Checkpoint { log_pages, .. }) if log_pages > restart_above => {
                // Writers wait meanwhile: while somebody reads for long, it is not tried again before the log has doubled.
                let restarted = checkpoint(connection, "RESTART").is_ok_and(|restart| !restart.hindered);
                restart_above = if restarted { limit } else { log_pages.saturating_mul(2) };
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "a checkpoint failed; the next one follows"),
        }
    }
}

/// How far a checkpoint came.
pub struct Checkpoint {
    /// Somebody who reads or writes kept it from its end.
    pub hindered: bool,
    /// Pages in the log.
    pub log_pages: i64,
}

/// Moves the log into the database.
pub fn checkpoint(connection: &Connection, kind: &str) -> Result<Checkpoint, StoreError> {
    let read = |row: &Row<'_>| Ok(Checkpoint { hindered: row.get(0)?, log_pages: row.get(1)? });
    connection.query_row(&format!("PRAGMA wal_checkpoint({kind})"), [], read).map_err(fault)
}
