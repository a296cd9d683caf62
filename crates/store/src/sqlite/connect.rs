use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::fault::fault;
use super::migrations;
use super::options::{Location, SqliteOptions, SyncMode};
use crate::StoreError;

const STATEMENTS_CACHED: usize = 128;
/// What a file of ours may be used for, as the system counts it: to be read and written by its owner.
const OWNER_ONLY: u32 = 0o600;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// The lane.
    Write,
    /// Reads.
    Read,
    /// Checkpoints.
    Checkpoint,
}

/// Opens further connections to one database.
#[derive(Clone)]
pub struct Connector {
    name: String,
    options: SqliteOptions,
}

impl Connector {
    /// Creates the database when it is not there, and brings it to this program's version. Gives the first connection with it: an
    /// in-memory database lives as long as one of its connections.
    pub fn open(options: &SqliteOptions) -> Result<(Self, Connection), StoreError> {
        let connector = Self::at(options)?;
        if let (Location::File(path), None) = (&options.location, &options.vfs) {
            match create_for_owner(path) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(StoreError::TryAgain(Arc::new(error))),
                Ok(()) | Err(_) => {}
            }
        }
        let connection = connector.connect(Use::Write)?;
        migrations::migrate(&connection)?;
        Ok((connector, connection))
    }

    /// For a database that is there, or a new one in memory.
    pub fn at(options: &SqliteOptions) -> Result<Self, StoreError> {
        static MEMORIES: AtomicU64 = AtomicU64::new(0);
        let name = match &options.location {
            Location::File(path) => {
                if options.vfs.is_none() {
                    migrations::check_length(path)?;
                }
                path.to_str().ok_or_else(|| StoreError::Damaged("the database's path is not UTF-8".to_owned()))?.to_owned()
            }
            Location::Memory => format!("file:/refundry-{}?vfs=memdb", MEMORIES.fetch_add(1, Ordering::Relaxed)),
        };
        Ok(Self { name, options: options.clone() })
    }

    /// One more connection.
    pub fn connect(&self, purpose: Use) -> Result<Connection, StoreError> {
        let access = match purpose {
            Use::Write | Use::Checkpoint => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            Use::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        };
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let connection = match &self.options.vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(&self.name, flags, vfs.as_str()),
            None => Connection::open_with_flags(&self.name, flags),
        }
        .map_err(fault)?;
        // Plans never depend on the values of a statement; else SQLite prepares some of them anew for each value.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(fault)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
        connection.busy_timeout(Duration::from_millis(u64::from(self.options.busy_timeout_ms))).map_err(fault)?;
        connection.execute_batch(&self.pragmas(purpose)).map_err(fault)?;
        Ok(connection)
    }

    fn pragmas(&self, purpose: Use) -> String {
        let cache_kib = if purpose == Use::Write { self.options.cache_kib } else { self.options.reader_cache_kib };
        let sync = match self.options.sync {
            SyncMode::Full => "FULL",
            SyncMode::Normal => "NORMAL",
            SyncMode::Off => "OFF",
        };
        let mut text = format!("PRAGMA cache_size = -{cache_kib}; PRAGMA synchronous = {sync}; PRAGMA temp_store = MEMORY;");
        if purpose != Use::Read {
            text.push_str("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;");
        }
        if let (Use::Write, Some(pages)) = (purpose, self.options.pages_max) {
            text.push_str(&format!("PRAGMA max_page_count = {pages};"));
        }
        text
    }
}

/// Makes an empty file that only its owner may read: keys, people and shoppers stand in it. SQLite gives the files beside it the same permissions.
/// Fails when there is a file of that name.
pub fn create_for_owner(file: &Path) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(file).map(drop)
}
