//! The database that the configuration names, opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use refundry_store::{CommitObserver, PostgresOptions, PostgresStore, SqliteOptions, SqliteStore, Store, SyncMode};

use crate::config::{self, Config};

/// Where a configuration keeps everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file of SQLite.
    File(PathBuf),
    /// A PostgreSQL, by its address.
    Postgres(String),
}

impl Place {
    /// The place that an address names; any address that the configuration lets pass is one.
    pub fn of(url: &str) -> Self {
        match url.strip_prefix("sqlite://") {
            Some(path) => Self::File(PathBuf::from(path)),
            None => Self::Postgres(url.to_owned()),
        }
    }
}

/// As it may be shown: without the password.
impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Postgres(url) => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
                let rest = rest.split('?').next().unwrap_or_default();
                match rest.rsplit_once('@') {
                    Some((caller, place)) => {
                        let user = caller.split(':').next().unwrap_or_default();
                        write!(formatter, "{scheme}://{user}@{place}")
                    }
                    None => write!(formatter, "{scheme}://{rest}"),
                }
            }
        }
    }
}

/// Opens the database of a configuration. `works` says whether this process carries tasks out.
pub fn open_store(config: &Config, works: bool, observer: Arc<dyn CommitObserver>) -> anyhow::Result<Arc<dyn Store>> {
    let place = Place::of(&config.database.url);
    let lease_new_tasks_ms = works.then_some(config.workers.lease_ms);
    let opened: Result<Arc<dyn Store>, _> = match &place {
        Place::File(file) => {
            let options = SqliteOptions { lease_new_tasks_ms, observer: Some(observer), ..sqlite_options(&config.database, file) };
            SqliteStore::open(&options).map(|store| Arc::new(store) as Arc<dyn Store>)
        }
        Place::Postgres(_) => {
            let options = PostgresOptions { lease_new_tasks_ms, observer: Some(observer), ..postgres_options(&config.database) };
            PostgresStore::open(&options).map(|store| Arc::new(store) as Arc<dyn Store>)
        }
    };
    opened.with_context(|| format!("open the database {place} / 无法打开数据库 {place}"))
}

/// How a configuration opens a file of SQLite.
pub fn sqlite_options(database: &config::Database, file: &Path) -> SqliteOptions {
    SqliteOptions {
        sync: match database.sync {
            config::Sync::Full => SyncMode::Full,
            config::Sync::Normal => SyncMode::Normal,
        },
        batch_max: database.batch_max,
        queued_max: database.queue_max,
        readers: database.readers,
        cache_kib: u32::try_from(database.cache_bytes / 1_024).unwrap_or(u32::MAX),
        reader_cache_kib: u32::try_from(database.reader_cache_bytes / 1_024).unwrap_or(u32::MAX),
        busy_timeout_ms: database.busy_timeout_ms,
        checkpoint_interval_ms: database.checkpoint_interval_ms,
        log_limit_mib: u32::try_from(database.wal_bytes_max / (1_024 * 1_024)).unwrap_or(u32::MAX),
        ..SqliteOptions::file(file)
    }
}

/// How a configuration opens a PostgreSQL.
pub fn postgres_options(database: &config::Database) -> PostgresOptions {
    PostgresOptions {
        password: (!database.password.is_empty()).then(|| database.password.clone()),
        certificates: (!database.certificates.is_empty()).then(|| PathBuf::from(&database.certificates)),
        lanes: database.lanes,
        readers: database.readers,
        batch_max: database.batch_max,
        queued_max: database.queue_max,
        connect_timeout: Duration::from_millis(database.connect_timeout_ms),
        statement_timeout: Duration::from_millis(database.statement_timeout_ms),
        lock_timeout: Duration::from_millis(database.lock_timeout_ms),
        recover_for: Duration::from_millis(database.recover_for_ms),
        ..PostgresOptions::url(&database.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_shown_without_passwords() {
        for (url, shown) in [
            ("sqlite:///var/lib/refundry.db", "/var/lib/refundry.db"),
            (
                "postgres://user:secret@one:5432,two:5433/refundry?target_session_attrs=read-write",
                "postgres://user@one:5432,two:5433/refundry",
            ),
            ("postgres://user:sec@ret@one/refundry?password=more", "postgres://user@one/refundry"),
            ("postgresql://one/refundry", "postgresql://one/refundry"),
        ] {
            assert_eq!(Place::of(url).to_string(), shown);
        }
    }
}
