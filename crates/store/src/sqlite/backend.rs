use std::collections::BTreeMap;
use std::sync::Arc;

use refundry_engine::merchant::{Merchant, Terminal};
use refundry_engine::task::Task;
use refundry_engine::{Changes, MerchantId, PaymentId, Scope, Snapshot, TerminalId, Timestamp};
use rusqlite::Connection;

use super::checkpoint::{CheckpointSignal, checkpoint};
use super::fault::{commit_fault, fault};
use super::{apply, load, tasks};
use crate::lane::{Backend, More};
use crate::rows::payment::Facts;
use crate::{Claim, StoreError};

/// Settings that are kept parsed; more are forgotten all at once.
const SETTINGS_CACHED_MAX: usize = 20_000;

/// The writer of a SQLite database.
pub struct SqliteBackend {
    connection: Connection,
    lease_new_tasks_ms: Option<i64>,
    checkpoints: Arc<CheckpointSignal>,
    settings: Settings,
    /// What the payments of this batch said when they were loaded.
    facts: BTreeMap<(MerchantId, PaymentId), Facts>,
}

/// Merchants and terminals, parsed, as of a version of the database.
#[derive(Default)]
pub struct Settings {
    data_version: i64,
    merchants: BTreeMap<MerchantId, Arc<Merchant>>,
    terminals: BTreeMap<(MerchantId, TerminalId), Arc<Terminal>>,
}

impl SqliteBackend {
    /// Over the connection that writes.
    pub fn new(connection: Connection, lease_new_tasks_ms: Option<i64>, checkpoints: Arc<CheckpointSignal>) -> Self {
        Self { connection, lease_new_tasks_ms, checkpoints, settings: Settings::default(), facts: BTreeMap::new() }
    }
}

impl Backend for SqliteBackend {
    fn begin(&mut self) -> Result<(), StoreError> {
        self.facts.clear();
        self.connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([])).map_err(fault)?;
        Ok(())
    }

    /// One connection writes, so nobody is waited for.
    fn load(&mut self, scope: Scope, _more: &mut More<'_>) -> Result<Snapshot, StoreError> {
        self.settings.forget_if_stale(&self.connection)?;
        load::load(&self.connection, &mut self.settings, &mut self.facts, &scope)
    }

    fn apply(&mut self, changes: &Changes, snapshot: &Snapshot, now: Timestamp) -> Result<(), StoreError> {
        apply::apply(&self.connection, changes, snapshot, &self.facts)?;
        tasks::put(&self.connection, &changes.tasks, now, self.lease_new_tasks_ms)
    }

    fn claim(&mut self, claim: &Claim) -> Result<Vec<Task>, StoreError> {
        tasks::claim(&self.connection, claim)
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([])).map_err(commit_fault)?;
        self.settings.keep(changes);
        self.checkpoints.written();
        Ok(())
    }

    fn rollback(&mut self) {
        if self.connection.is_autocommit() {
            return;
        }
        if let Err(error) = self.connection.execute_batch("ROLLBACK") {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }

    fn rest(&mut self) {
        if self.checkpoints.log_is_long() {
            if let Err(error) = checkpoint(&self.connection) {
                tracing::debug!(%error, "the log could not begin anew");
            }
            self.checkpoints.log_was_moved();
        }
    }
}

impl Settings {
    /// One merchant.
    pub fn merchant(
        &mut self,
        id: MerchantId,
        read: impl FnOnce() -> Result<Option<Merchant>, StoreError>,
    ) -> Result<Option<Arc<Merchant>>, StoreError> {
        if let Some(known) = self.merchants.get(&id) {
            return Ok(Some(Arc::clone(known)));
        }
        let found = read()?.map(Arc::new);
        if let Some(merchant) = &found {
            self.merchants.insert(id, Arc::clone(merchant));
        }
        Ok(found)
    }

    /// One terminal.
    pub fn terminal(
        &mut self,
        key: (MerchantId, TerminalId),
        read: impl FnOnce() -> Result<Option<Terminal>, StoreError>,
    ) -> Result<Option<Arc<Terminal>>, StoreError> {
        if let Some(known) = self.terminals.get(&key) {
            return Ok(Some(Arc::clone(known)));
        }
        let found = read()?.map(Arc::new);
        if let Some(terminal) = &found {
            self.terminals.insert(key, Arc::clone(terminal));
        }
        Ok(found)
    }

    /// SQLite's number changes when another connection wrote, so that what another process changed is seen.
    fn forget_if_stale(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let mut statement = connection.prepare_cached("PRAGMA data_version").map_err(fault)?;
        let data_version: i64 = statement.query_row([], |row| row.get(0)).map_err(fault)?;
        if data_version != self.data_version || self.merchants.len() + self.terminals.len() > SETTINGS_CACHED_MAX {
            *self = Self { data_version, ..Self::default() };
        }
        Ok(())
    }

    fn keep(&mut self, changes: &Changes) {
        self.merchants.extend(changes.merchants.iter().map(|(id, merchant)| (*id, Arc::clone(merchant))));
        self.terminals.extend(changes.terminals.iter().map(|(key, terminal)| (*key, Arc::clone(terminal))));
    }
}
