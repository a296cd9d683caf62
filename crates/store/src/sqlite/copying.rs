//! A file as one side of a copy.

use std::path::Path;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params_from_iter};

use super::connect::{Connector, Use};
use super::fault::{commit_fault, fault};
use super::migrations;
use super::options::{Location, SqliteOptions, SyncMode};
use crate::StoreError;
use crate::copy::form::{Batch, CopyError, KeyPart, Kind, Side, Table, Wanted, fields, number};
use crate::copy::{SOURCE, TARGET, refuse_if_withheld};

/// Pages of the log after which SQLite itself moves it into the file while rows are written.
const LOG_PAGES: u32 = 4_000;

/// A connection that reads a file, or fills one.
pub struct SqliteSide {
    connection: Connection,
    batch_rows: u64,
}

impl SqliteSide {
    /// Takes a file that is there for itself, at this program's version. Nobody else may have it open, not even idly.
    pub fn alone(file: &Path) -> Result<Self, CopyError> {
        let shown = file.display().to_string();
        if !file.is_file() {
            return Err(CopyError::Missing(shown));
        }
        migrations::check_length(file)?;
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(fault)?;
        // Said before the file is first looked at, this asks for a lock that every open connection to it prevents.
        let locked =
            connection.execute_batch("PRAGMA busy_timeout = 500; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT").map_err(fault);
        match locked {
            Err(StoreError::TryAgain(_)) => return Err(CopyError::InUse(shown)),
            other => other?,
        }
        connection.execute_batch("PRAGMA synchronous = FULL").map_err(fault)?;
        migrations::migrate(&connection)?;
        Ok(Self { connection, batch_rows: 1 })
    }

    /// Reads a file that nobody writes.
    pub fn reader(file: &Path, batch_rows: u64) -> Result<Self, CopyError> {
        let options = SqliteOptions { reader_cache_kib: 16 * 1024, ..SqliteOptions::file(file) };
        let connection = Connector::at(&options)?.connect(Use::Read)?;
        Ok(Self { connection, batch_rows })
    }

    /// Fills a file that is new and empty.
    pub fn writer(file: &Path, batch_rows: u64) -> Result<Self, CopyError> {
        let options = SqliteOptions { sync: SyncMode::Normal, cache_kib: 64 * 1024, ..SqliteOptions::file(file) };
        let (_, connection) = Connector::open(&options)?;
        connection.execute_batch(&format!("PRAGMA wal_autocheckpoint = {LOG_PAGES}")).map_err(fault)?;
        Ok(Self { connection, batch_rows })
    }

    /// A random name.
    pub fn new_name(&self) -> Result<String, CopyError> {
        Ok(self.connection.query_row("SELECT lower(hex(randomblob(16)))", [], |row| row.get(0)).map_err(fault)?)
    }

    /// Takes rows of `meta` away that begin so.
    pub fn forget(&mut self, beginning: &str) -> Result<(), CopyError> {
        let sql = "DELETE FROM meta WHERE substr(name, 1, length(?1)) = ?1";
        self.connection.execute(sql, [beginning]).map_err(fault)?;
        Ok(())
    }

    /// Makes a single file of it, on the disk, and closes it.
    pub fn end(self) -> Result<(), CopyError> {
        self.connection.execute_batch("PRAGMA synchronous = FULL").map_err(fault)?;
        let state: String = self.connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0)).map_err(fault)?;
        tracing::debug!(journal_mode = state, "the copy is a single file");
        Ok(self.connection.close().map_err(|(_, error)| fault(error))?)
    }

    fn change(&self, rows: Option<(&Table, &Batch)>, meta: (&str, &str)) -> Result<(), CopyError> {
        if let Some((table, batch)) = rows {
            self.insert(table, batch)?;
        }
        let put = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.connection.prepare_cached(put).and_then(|mut put| put.execute(meta)).map_err(fault)?;
        self.connection.execute_batch("COMMIT").map_err(commit_fault)?;
        Ok(())
    }

    fn insert(&self, table: &Table, batch: &Batch) -> Result<(), CopyError> {
        let places = vec!["?"; table.columns.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES ({places})", table.name, table.column_names());
        let mut insert = self.connection.prepare_cached(&sql).map_err(fault)?;
        for row in batch.each() {
            for (place, (field, column)) in (1..).zip(fields(row).zip(&table.columns)) {
                let bound = match (field, column.kind) {
                    (None, _) => insert.raw_bind_parameter(place, Option::<i64>::None),
                    (Some(field), Kind::Text) => insert.raw_bind_parameter(place, String::from_utf8_lossy(field)),
                    (Some(field), Kind::Int2 | Kind::Int4 | Kind::Int8) => insert.raw_bind_parameter(place, number(field)),
                };
                bound.map_err(fault)?;
            }
            insert.raw_execute().map_err(fault)?;
        }
        Ok(())
    }
}

impl Side for SqliteSide {
    fn count(&mut self, table: &Table) -> Result<u64, CopyError> {
        let count: i64 = self.connection.query_row(&format!("SELECT count(*) FROM {}", table.name), [], |row| row.get(0)).map_err(fault)?;
        Ok(count.unsigned_abs())
    }

    fn rows(&mut self, table: &Table, wanted: Wanted<'_>, each: &mut dyn FnMut(&Batch) -> Result<(), CopyError>) -> Result<(), CopyError> {
        let (behind, parts) = match wanted {
            Wanted::All | Wanted::After([]) => (String::new(), Vec::new()),
            Wanted::After(key) => {
                let places = vec!["?"; key.len()].join(", ");
                (format!("WHERE ({}) > ({places})", table.key_names()), key.iter().map(parameter).collect())
            }
        };
        let sql = format!("SELECT {} FROM {} {behind} ORDER BY {}", table.column_names(), table.name, table.key_names());
        let mut statement = self.connection.prepare(&sql).map_err(fault)?;
        let mut found = statement.query(params_from_iter(parts)).map_err(fault)?;
        let mut batch = Batch::default();
        while let Some(row) = found.next().map_err(fault)? {
            batch.begin_row(table.columns.len());
            for (place, column) in table.columns.iter().enumerate() {
                match row.get_ref(place).map_err(fault)? {
                    ValueRef::Null => batch.null(),
                    ValueRef::Integer(number) => batch.int(number, table, *column)?,
                    ValueRef::Text(text) => batch.text(text, table, *column)?,
                    ValueRef::Real(_) | ValueRef::Blob(_) => {
                        return Err(CopyError::unreadable(table, format!("{} is neither a number nor a text", column.name)));
                    }
                }
            }
            if batch.is_full(self.batch_rows) {
                each(&std::mem::take(&mut batch))?;
            }
        }
        if batch.rows() > 0 { each(&batch) } else { Ok(()) }
    }

    fn meta(&mut self, name: &str) -> Result<Option<String>, CopyError> {
        Ok(meta(&self.connection, name)?)
    }

    fn write(&mut self, rows: Option<(&Table, &Batch)>, meta: (&str, &str)) -> Result<(), CopyError> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(fault)?;
        let written = self.change(rows, meta);
        if written.is_err() && !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK").map_err(fault)?;
        }
        written
    }

    fn settle(&mut self, _: &Table) -> Result<(), CopyError> {
        Ok(())
    }
}

/// A row of `meta`.
fn meta(connection: &Connection, name: &str) -> Result<Option<String>, StoreError> {
    let found = connection.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0));
    found.optional().map_err(fault)
}

/// Refuses to serve a file that is being moved, or that a copy is being made into.
pub fn refuse_while_copied(connection: &Connection, location: &Location) -> Result<(), StoreError> {
    let Location::File(file) = location else { return Ok(()) };
    let place = format!("sqlite://{}", file.display());
    refuse_if_withheld(&place, meta(connection, SOURCE)?, meta(connection, TARGET)?)
}

fn parameter(part: &KeyPart) -> Value {
    match part {
        KeyPart::Int(number) => Value::Integer(*number),
        KeyPart::Text(text) => Value::Text(text.clone()),
    }
}
