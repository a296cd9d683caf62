use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::CommitObserver;

/// When a lane asks whether its connection is lost now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Nothing is begun.
    BeforeLoad,
    /// Everything is decided, and nothing is written.
    BeforeCommit,
    /// The commit is made, and its answer is on its way.
    AfterCommit,
}

/// Takes connections away from lanes: for tests and the simulator.
pub trait ConnectionFaults: Send + Sync {
    /// Whether the connection is lost now.
    fn takes_connection(&self, moment: Moment) -> bool;
}

/// A statement on its way to the server.
#[derive(Clone, Copy, Debug)]
pub struct SentStatement<'a> {
    /// The lane that sends it; reads have none.
    pub lane: Option<usize>,
    /// Its text, with the conditions that distributed tables need.
    pub sql: &'a str,
    /// The numbers in its parameters, in their order; none of texts, nor of most reads.
    pub numbers: &'a [Vec<i64>],
}

/// Hears of every statement before it is sent: for tests of what statements touch.
pub trait StatementObserver: Send + Sync {
    /// One statement; begins and ends of transactions too.
    fn sent(&self, statement: SentStatement<'_>);
}

/// How a store on PostgreSQL is opened.
#[derive(Clone)]
pub struct PostgresOptions {
    /// Where the database is: `postgres://user:password@host:port/name`, with several hosts where it may move: the one that takes writes is used.
    pub url: String,
    /// The password, when it does not stand in the address.
    pub password: Option<String>,
    /// Certificates that the server's must be signed by, beside those of the machine; PEM.
    pub certificates: Option<PathBuf>,
    /// Lanes that write side by side, each with a connection; merchants are shared out among them. Where tables are distributed, each shard has one.
    pub lanes: usize,
    /// Connections for reads; 0 reads on the caller's thread.
    pub readers: usize,
    /// Commands of one commit at most.
    pub batch_max: usize,
    /// Commands that may wait before each lane; more are told to try again.
    pub queued_max: usize,
    /// How long to wait for one connection.
    pub connect_timeout: Duration,
    /// How long one statement may take, those of long checks excepted.
    pub statement_timeout: Duration,
    /// How long to wait for a row that another node writes; zero to wait not at all.
    pub lock_timeout: Duration,
    /// How long a lane looks for a database that is gone before those who wait are told to try again: longer than a failover takes.
    pub recover_for: Duration,
    /// How often a batch is run again when another node was in the way.
    pub attempts_max: u32,
    /// Leases tasks that are due when they are made, for so long, because whoever hears of the commit hands them to a worker at once.
    pub lease_new_tasks_ms: Option<i64>,
    /// Hears of commits.
    pub observer: Option<Arc<dyn CommitObserver>>,
    /// Takes connections away from the lanes.
    pub faults: Option<Arc<dyn ConnectionFaults>>,
    /// Hears of statements.
    pub statements: Option<Arc<dyn StatementObserver>>,
    /// Whether the lanes have threads of their own. Without them somebody else calls `step`.
    pub threads: bool,
}

impl PostgresOptions {
    /// For a server.
    pub fn url(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            password: None,
            certificates: None,
            lanes: 2,
            readers: 4,
            batch_max: 256,
            queued_max: 16_384,
            connect_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(5),
            recover_for: Duration::from_secs(45),
            attempts_max: 8,
            lease_new_tasks_ms: None,
            observer: None,
            faults: None,
            statements: None,
            threads: true,
        }
    }

    /// For tests and the simulator: nothing moves unless it is told to, and nobody is waited for.
    pub fn stepped(url: impl Into<String>) -> Self {
        Self { lanes: 1, readers: 0, lock_timeout: Duration::ZERO, threads: false, ..Self::url(url) }
    }
}
