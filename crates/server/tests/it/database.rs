//! The database of a test: a file or a database on a server, as the run wants it.

use std::sync::Arc;

use refundry_scratch::{Engine, ScratchDatabase};
use refundry_store::{CommitObserver, PostgresOptions, PostgresStore, SqliteOptions, SqliteStore, Store, SyncMode};
use tempfile::TempDir;

/// It is gone afterwards, and whoever is connected with it.
pub enum Database {
    /// On a file, because readers of a database in memory make its writer wait.
    File(TempDir),
    Server(ScratchDatabase),
}

impl Database {
    /// An empty one.
    pub fn new() -> Self {
        match Engine::of_this_run() {
            Engine::Sqlite => Self::File(TempDir::new().unwrap()),
            Engine::Postgres => Self::Server(ScratchDatabase::from_template("refundry_store_schema_2", |url| {
                drop(PostgresStore::open(&PostgresOptions::url(url)).unwrap());
            })),
        }
    }

    /// As a server opens it, but without waiting for the disk. Every call is another process on the same database.
    pub fn open(&self, observer: Arc<dyn CommitObserver>) -> Arc<dyn Store> {
        match self {
            Self::File(folder) => {
                let file = SqliteOptions::file(folder.path().join("refundry.db"));
                let options = SqliteOptions { sync: SyncMode::Off, readers: 2, observer: Some(observer), ..file };
                Arc::new(SqliteStore::open(&options).unwrap())
            }
            Self::Server(database) => {
                let options = PostgresOptions { lanes: 2, readers: 4, observer: Some(observer), ..PostgresOptions::url(database.url()) };
                Arc::new(PostgresStore::open(&options).unwrap())
            }
        }
    }
}
