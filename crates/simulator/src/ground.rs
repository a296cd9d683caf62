//! What the processes of a run stand on: SQLite on a disk in memory that fails and forgets, or a PostgreSQL database that takes connections away.

use std::sync::Arc;

use refundry_engine::{Command, Outcome};
use refundry_store::{
    CommitObserver, Location, PostgresOptions, PostgresStore, SqliteOptions, SqliteStore, Store, StoreError, SyncMode, Ticket,
};

use crate::dice::Dice;
use crate::disk::{Disk, Loss};
use crate::lost_connections::LostConnections;
use crate::server::Server;
use crate::vfs::Vfs;

const DATABASE: &str = "/refundry.db";
/// How long a statement may really take: the machine may be busy, and a statement that is given up would be another run.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);

/// A store of which every move is made by somebody else.
pub trait SteppedStore: Store {
    /// Does what waits; false when nothing did.
    fn step(&self) -> bool;
    /// Does half of it, and keeps the transaction open.
    fn begin_step(&self) -> bool;
    /// Does the other half.
    fn finish_step(&self) -> bool;
    /// Moves the log into the database, where there is one.
    fn checkpoint(&self);
}

/// The database of a run.
pub enum Ground {
    /// SQLite, with one process.
    Disk {
        /// Where it writes to.
        disk: Disk,
        /// How it gets there.
        vfs: Vfs,
    },
    /// PostgreSQL, with one process or several.
    Server {
        /// Where it is.
        server: Arc<Server>,
        /// Lanes of each process.
        lanes: usize,
        /// Takes connections away.
        faults: Arc<LostConnections>,
    },
}

/// How a store is opened, whatever it is.
pub struct Opening {
    /// Commands of one commit at most.
    pub batch_max: usize,
    /// For how long new tasks are handed over.
    pub lease_new_tasks_ms: Option<i64>,
    /// Hears of commits.
    pub observer: Arc<dyn CommitObserver>,
}

impl Ground {
    /// A new disk.
    pub fn disk(seed: u64) -> Self {
        let disk = Disk::default();
        let vfs = Vfs::register(&disk, seed);
        Self::Disk { disk, vfs }
    }

    /// A server's database, emptied.
    pub fn server(seed: u64, server: &Arc<Server>, lanes: usize) -> Self {
        server.clear();
        Self::Server { server: server.clone(), lanes, faults: Arc::new(LostConnections::of(seed)) }
    }

    /// Opens the database for one process.
    pub fn open(&self, opening: Opening) -> Result<Arc<dyn SteppedStore>, StoreError> {
        let Opening { batch_max, lease_new_tasks_ms, observer } = opening;
        match self {
            Self::Disk { vfs, .. } => {
                let options = SqliteOptions {
                    location: Location::File(DATABASE.into()),
                    vfs: Some(vfs.name().to_owned()),
                    sync: SyncMode::Full,
                    cache_kib: 2_048,
                    reader_cache_kib: 512,
                    batch_max,
                    lease_new_tasks_ms,
                    observer: Some(observer),
                    ..SqliteOptions::stepped()
                };
                Ok(Arc::new(SqliteStore::open(&options)?))
            }
            Self::Server { server, lanes, faults, .. } => {
                let options = PostgresOptions {
                    lanes: *lanes,
                    batch_max,
                    lease_new_tasks_ms,
                    statement_timeout: PATIENCE,
                    connect_timeout: PATIENCE,
                    recover_for: PATIENCE,
                    observer: Some(observer),
                    faults: Some(faults.clone()),
                    ..PostgresOptions::stepped(server.url())
                };
                Ok(Arc::new(PostgresStore::open(&options)?))
            }
        }
    }

    /// What a process of now is born with; another one later means that the disk has died under it.
    pub fn generation(&self) -> u64 {
        match self {
            Self::Disk { disk, .. } => disk.generation(),
            Self::Server { .. } => 0,
        }
    }

    /// A process dies. A server has forgotten nothing then.
    pub fn crash(&self, loss: Loss, dice: &mut Dice) {
        match self {
            Self::Disk { disk, .. } => disk.crash(loss, dice),
            Self::Server { .. } => {}
        }
    }

    /// The disk that fails, where it is one.
    pub fn failing_disk(&self) -> Option<&Disk> {
        match self {
            Self::Disk { disk, .. } => Some(disk),
            Self::Server { .. } => None,
        }
    }

    /// Connections that were taken away so far.
    pub fn lost_connections(&self) -> u64 {
        match self {
            Self::Disk { .. } => 0,
            Self::Server { faults, .. } => faults.count(),
        }
    }

    /// Every row of every table that both engines have, as text.
    pub fn rows(&self) -> Result<Vec<String>, String> {
        match self {
            Self::Disk { vfs, .. } => crate::tables::of_sqlite(vfs.name(), DATABASE).map_err(|error| error.to_string()),
            Self::Server { server, .. } => Ok(server.rows()),
        }
    }
}

/// Runs one command to its end.
pub fn transact_now(store: &dyn SteppedStore, command: Command) -> Result<Outcome, StoreError> {
    let ticket: Ticket = store.transact(command);
    while store.step() {}
    futures::FutureExt::now_or_never(ticket).unwrap_or(Err(StoreError::Closed))
}

impl SteppedStore for SqliteStore {
    fn step(&self) -> bool {
        Self::step(self)
    }

    /// There is nobody who could come between the halves.
    fn begin_step(&self) -> bool {
        Self::step(self)
    }

    fn finish_step(&self) -> bool {
        false
    }

    fn checkpoint(&self) {
        // A checkpoint that fails is made again later.
        let _ = Self::checkpoint(self);
    }
}

impl SteppedStore for PostgresStore {
    fn step(&self) -> bool {
        Self::step(self)
    }

    fn begin_step(&self) -> bool {
        Self::begin_step(self)
    }

    fn finish_step(&self) -> bool {
        Self::finish_step(self)
    }

    fn checkpoint(&self) {}
}
