use std::path::PathBuf;
use std::sync::Arc;

use crate::CommitObserver;

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file, with its log beside it.
    File(PathBuf),
    /// In memory, gone when the store is dropped.
    Memory,
}

/// When written bytes are forced to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncMode {
    /// With every commit: what was acknowledged survives a loss of power.
    Full,
    /// With every checkpoint: a loss of power may lose the last commits, whole.
    Normal,
    /// Never: for tests, and for the simulator to prove that it notices.
    Off,
}

/// How a store on SQLite is opened.
#[derive(Clone)]
pub struct SqliteOptions {
    /// Where the database is.
    pub location: Location,
    /// Name of a virtual file system that was registered with SQLite before; `None` for the usual one.
    pub vfs: Option<String>,
    /// When written bytes are forced to the disk.
    pub sync: SyncMode,
    /// Commands of one commit at most.
    pub batch_max: usize,
    /// Commands that may wait; more are told to try again.
    pub queued_max: usize,
    /// Connections for reads, each with a thread; 0 reads on the caller's thread.
    pub readers: usize,
    /// Page cache of the writer.
    pub cache_kib: u32,
    /// Page cache of each reader.
    pub reader_cache_kib: u32,
    /// Milliseconds between two checkpoints; 0 for none but those that are asked for.
    pub checkpoint_interval_ms: u64,
    /// Size of the log from which on the lane itself makes a checkpoint between two commits, so that the log begins anew.
    pub log_limit_mib: u32,
    /// How long to wait for a lock that another process holds.
    pub busy_timeout_ms: u32,
    /// Largest size of the database in pages of 4 KiB; `None` for no limit but the disk.
    pub pages_max: Option<u32>,
    /// Leases tasks that are due when they are made, for so long, because whoever hears of the commit hands them to a worker at once.
    pub lease_new_tasks_ms: Option<i64>,
    /// Hears of commits.
    pub observer: Option<Arc<dyn CommitObserver>>,
    /// Whether the store runs threads of its own. Without them somebody else calls `step` and `checkpoint`.
    pub threads: bool,
}

impl SqliteOptions {
    /// For a server: durable, with threads, about 100 MiB of caches.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            location: Location::File(path.into()),
            vfs: None,
            sync: SyncMode::Full,
            batch_max: 256,
            queued_max: 16_384,
            readers: 4,
            cache_kib: 16 * 1024,
            reader_cache_kib: 4 * 1024,
            checkpoint_interval_ms: 20,
            log_limit_mib: 64,
            busy_timeout_ms: 2_000,
            pages_max: None,
            lease_new_tasks_ms: None,
            observer: None,
            threads: true,
        }
    }

    /// For tests and the simulator: in memory, and nothing moves unless it is told to.
    pub fn stepped() -> Self {
        Self {
            location: Location::Memory,
            sync: SyncMode::Off,
            readers: 0,
            checkpoint_interval_ms: 0,
            busy_timeout_ms: 0,
            threads: false,
            ..Self::file("")
        }
    }
}
