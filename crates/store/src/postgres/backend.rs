use std::sync::Arc;

use refundry_engine::task::Task;
use refundry_engine::{Changes, Scope, Snapshot, Timestamp};
use tokio::runtime::{Builder, Runtime};

use super::apply::{self, Calls};
use super::arrays::Param;
use super::connect::{ANSWER_MARGIN, Connector, Use};
use super::load::{self, Memory};
use super::options::Moment;
use super::session::{Call, Failed, Session};
use super::settings::Settings;
use super::tasks;
use crate::lane::{Backend, More};
use crate::{Claim, StoreError};

const NEW_WRITER: &str = "SELECT ('x' || substr(md5(gen_random_uuid()::text), 1, 15))::bit(60)::int8";
/// Waits for a commit that is still under way on the other side, and says when it was made: at 0 if it was not. Then it never will be, even if its
/// statements arrive only now.
const SETTLE: &str = "INSERT INTO commits (merchant_id, writer, commit_id, at) VALUES ($1, $2, $3, 0) \
    ON CONFLICT (merchant_id, writer) DO UPDATE SET commit_id = greatest(commits.commit_id, excluded.commit_id), \
    at = CASE WHEN commits.commit_id < excluded.commit_id THEN 0 ELSE commits.at END RETURNING at";
/// A commit that was settled meanwhile fails by a number that is missing.
const MARK: &str = "INSERT INTO commits (merchant_id, writer, commit_id, at) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (merchant_id, writer) DO UPDATE SET at = excluded.at, \
    commit_id = CASE WHEN commits.commit_id < excluded.commit_id THEN excluded.commit_id END";
const FORGET_WRITER: &str = "DELETE FROM commits WHERE merchant_id = $1 AND writer = $2";

/// The writer of one lane. Whatever it waits for, it waits for on its own thread; nobody else uses its connection.
pub struct PostgresBackend {
    runtime: Option<Runtime>,
    connector: Connector,
    session: Option<Session>,
    /// Whether the database did not come back in the time that a batch waits for it. The next ones are told so at once, until it is there again: whoever
    /// stands at the end of a queue must not wait that long for each batch before.
    given_up: bool,
    /// Whether the server has begun a transaction.
    begun: bool,
    /// Whether the transaction writes the row of `commits`.
    marked: bool,
    pending: Vec<Call>,
    memory: Memory,
    writer: Option<i64>,
    commit_id: i64,
    /// Its number in the store.
    lane: usize,
    /// The row of `commits` that this lane writes: 0 where tables are not distributed.
    marked_merchant: i64,
}

impl PostgresBackend {
    /// Over a connection that is made when it is first needed.
    pub fn new(connector: Connector, lane: usize) -> Result<Self, StoreError> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| StoreError::TryAgain(Arc::new(error)))?;
        let marked_merchant = connector.placement().marked_merchant(lane);
        Ok(Self {
            runtime: Some(runtime),
            connector,
            session: None,
            given_up: false,
            begun: false,
            marked: false,
            pending: Vec::new(),
            memory: Memory::default(),
            writer: None,
            commit_id: 0,
            lane,
            marked_merchant,
        })
    }

    /// Takes what it left in the database back: nobody will ask how its last commit ended.
    pub fn leave(&mut self) {
        let (Some(writer), Some(_)) = (self.writer, &self.session) else { return };
        let call = Call { sql: FORGET_WRITER, params: [self.marked_merchant, writer].map(Param::Int).into() };
        // A row that stays, as those of killed processes do, is a few bytes.
        self.send(None, &[call], None).map(drop).unwrap_or_default();
        self.session = None;
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.as_ref().expect("it is there until the backend is dropped").block_on(future)
    }

    /// One trip to the server and back. After a lost connection there is none.
    fn send(&mut self, first: Option<&str>, calls: &[Call], last: Option<&str>) -> Result<Vec<Vec<tokio_postgres::Row>>, Failed> {
        let Some(mut session) = self.session.take() else {
            return Err(Failed::Lost(StoreError::Closed));
        };
        let sent = self.wait(session.send(first, calls, last));
        if !matches!(sent, Err(Failed::Lost(_))) {
            self.session = Some(session);
        }
        sent
    }

    /// Connects when there is no connection, however long the database takes to come back, within the limit of the options.
    fn connect(&mut self) -> Result<(), StoreError> {
        if self.session.as_ref().is_some_and(|session| !session.is_closed()) {
            return Ok(());
        }
        self.session = None;
        let wait_max = self.connector.options().statement_timeout + ANSWER_MARGIN;
        let connected = match self.given_up {
            true => self.wait(self.connector.connect(Use::Write)),
            false => self.wait(self.connector.connect_patiently(Use::Write)),
        };
        self.given_up = connected.is_err();
        let client = connected?;
        let mut session = Session::new(client, wait_max, &self.connector, self.lane);
        if self.writer.is_none() {
            let call = Call { sql: NEW_WRITER, params: Vec::new() };
            let rows = self.wait(session.send(None, &[call], None)).map_err(error_of)?;
            self.writer = rows.first().and_then(|rows| rows.first()).map(|row| row.get(0));
        }
        // It may be another server now, which never heard of what was kept, and counts its versions anew.
        self.memory.settings = Settings::default();
        self.session = Some(session);
        Ok(())
    }

    /// Whether somebody takes the connection away now. What was begun on it is taken back first, as the server does when it notices.
    fn is_taken_away(&mut self, moment: Moment) -> Option<StoreError> {
        let taken = self.connector.options().faults.as_ref().is_some_and(|faults| faults.takes_connection(moment));
        if !taken {
            return None;
        }
        if moment != Moment::AfterCommit {
            self.rollback();
        }
        self.session = None;
        Some(StoreError::Conflict(Arc::new(std::io::Error::from(std::io::ErrorKind::ConnectionReset))))
    }

    /// Finds out whether a commit whose answer was lost was made.
    fn settle(&mut self, lost: StoreError) -> Result<(), StoreError> {
        let unsure = |error: StoreError| StoreError::Unsure(Arc::new(error));
        for _ in 0..self.connector.options().attempts_max.max(1) {
            self.connect().map_err(unsure)?;
            let commit = [self.marked_merchant, self.writer.unwrap_or_default(), self.commit_id];
            match self.send(None, &[Call { sql: SETTLE, params: commit.map(Param::Int).into() }], None) {
                Ok(rows) => {
                    let at: Option<i64> = rows.first().and_then(|rows| rows.first()).map(|row| row.get(0));
                    return if at.is_some_and(|at| at != 0) { Ok(()) } else { Err(StoreError::Conflict(Arc::new(lost))) };
                }
                Err(Failed::Refused(error) | Failed::Lost(error)) => {
                    tracing::warn!(cause = &error as &dyn std::error::Error, "it could not be found out yet how a commit ended");
                }
            }
        }
        Err(unsure(lost))
    }
}

impl Backend for PostgresBackend {
    fn begin(&mut self) -> Result<(), StoreError> {
        self.memory.facts.clear();
        self.pending.clear();
        self.marked = false;
        self.connect()
    }

    fn load(&mut self, scope: Scope, more: &mut More<'_>) -> Result<Snapshot, StoreError> {
        if let Some(lost) = self.is_taken_away(Moment::BeforeLoad) {
            return Err(lost);
        }
        let Some(mut session) = self.session.take() else { return Err(StoreError::Closed) };
        self.begun = true;
        let waits = !self.connector.options().lock_timeout.is_zero();
        let runtime = self.runtime.as_ref().expect("it is there until the backend is dropped");
        let loaded = runtime.block_on(load::load(&mut session, &mut self.memory, (scope, more), waits));
        if !matches!(loaded, Err(Failed::Lost(_))) {
            self.session = Some(session);
        }
        loaded.map_err(error_of)
    }

    fn apply(&mut self, changes: &Changes, snapshot: &Snapshot, now: Timestamp) -> Result<(), StoreError> {
        let lease_ms = self.connector.options().lease_new_tasks_ms;
        let mut calls = Calls(apply::calls(changes, snapshot, &self.memory.facts)?);
        // Whoever looks for tasks looks in lane 0, also where tables are distributed: see `claims`.
        tasks::add_to(&mut calls, &changes.tasks, now, lease_ms, 0);
        self.commit_id += 1;
        let mark = [self.marked_merchant, self.writer.unwrap_or_default(), self.commit_id, now.us().max(1)];
        calls.0.push(Call { sql: MARK, params: mark.map(Param::Int).into() });
        self.pending = calls.0;
        self.marked = true;
        Ok(())
    }

    /// What the batch decided is written before, so that its tasks are seen as they are now: some are new, and some are done.
    fn claim(&mut self, claim: &Claim) -> Result<Vec<Task>, StoreError> {
        let mut calls = std::mem::take(&mut self.pending);
        calls.extend(tasks::give_back(claim));
        calls.push(tasks::claim(claim, 0));
        let answers = self.send(None, &calls, None).map_err(error_of)?;
        tasks::claimed(answers.last().map_or(&[], Vec::as_slice))
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        let calls = std::mem::take(&mut self.pending);
        if !self.begun {
            // Claims alone are a statement each, and committed by it.
            return Ok(());
        }
        if let Some(lost) = self.is_taken_away(Moment::BeforeCommit) {
            return Err(lost);
        }
        let committed = match self.send(None, &calls, Some("COMMIT")) {
            Ok(_) => match self.is_taken_away(Moment::AfterCommit) {
                Some(lost) if self.marked => self.settle(lost),
                Some(_) | None => Ok(()),
            },
            // Something of it may not even have been sent: it is taken back explicitly.
            Err(Failed::Refused(error)) => return Err(error),
            Err(Failed::Lost(error)) if !self.marked => Err(error),
            Err(Failed::Lost(error)) => self.settle(error),
        };
        self.begun = false;
        if committed.is_ok() {
            self.memory.settings.forget(changes);
            self.memory.receivers.learn_changes(changes);
        }
        committed
    }

    fn rollback(&mut self) {
        self.pending.clear();
        if std::mem::take(&mut self.begun) && self.session.is_some() {
            // A connection that is lost has nothing to be taken back on.
            self.send(Some("ROLLBACK"), &[], None).map(drop).unwrap_or_default();
        }
    }

    fn rest(&mut self) {}
}

impl Drop for PostgresBackend {
    fn drop(&mut self) {
        // A runtime must not wait for its end inside another one.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn error_of(failed: Failed) -> StoreError {
    match failed {
        Failed::Refused(error) | Failed::Lost(error) => error,
    }
}
