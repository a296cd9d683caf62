use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};

use super::fault::fault;
use crate::StoreError;

/// Marks a file as ours, in its header: "RFND".
pub const APPLICATION_ID: i64 = 0x5246_4E44;

/// All migrations, oldest first. One that was ever applied is never edited: its checksum stands in every database.
const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_first_schema", include_str!("../../migrations/sqlite/0001_first_schema.sql")),
    ("0002_several_nodes", include_str!("../../migrations/sqlite/0002_several_nodes.sql")),
    ("0003_lifecycle_and_funds", include_str!("../../migrations/sqlite/0003_lifecycle_and_funds.sql")),
    ("0004_shares", include_str!("../../migrations/sqlite/0004_shares.sql")),
    ("0005_statement_lines", include_str!("../../migrations/sqlite/0005_statement_lines.sql")),
];

/// How many migrations this program knows.
pub const KNOWN: usize = MIGRATIONS.len();

const CREATE_META: &str = "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO meta (name, value) VALUES ('installation', lower(hex(randomblob(16))));";

/// Brings a database to the version of this program, or says why it cannot be ours.
pub fn migrate(connection: &Connection) -> Result<(), StoreError> {
    let applied = identify(connection)?;
    if applied == MIGRATIONS.len() {
        return check_applied(connection, applied);
    }
    connection.execute_batch("BEGIN IMMEDIATE").map_err(fault)?;
    let result = apply_missing(connection).and_then(|()| connection.execute_batch("COMMIT").map_err(fault));
    if result.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").map_err(fault)?;
    }
    result
}

/// Refuses a file that is cut off: its header says how many pages it should have. A file with a log beside it may rightly be shorter.
pub fn check_length(path: &Path) -> Result<(), StoreError> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
    if length(path) == 0 || length(Path::new(&log)) > 0 {
        return Ok(());
    }
    let bytes = read_header(path)?;
    let number = |from: usize, count: usize| bytes[from..from + count].iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    let page_bytes = if number(16, 2) == 1 { 65_536 } else { number(16, 2) };
    let expected = page_bytes * number(28, 4);
    if length(path) < expected {
        return Err(StoreError::Damaged(format!(
            "{} has {} bytes and should have {expected}: it was cut off; restore a backup",
            path.display(),
            length(path)
        )));
    }
    Ok(())
}

fn read_header(path: &Path) -> Result<[u8; 100], StoreError> {
    use std::io::Read as _;
    let mut bytes = [0; 100];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut bytes));
    match read {
        Ok(()) if bytes.starts_with(b"SQLite format 3\0") => Ok(bytes),
        Ok(()) => Err(StoreError::Damaged(format!("{} is not a SQLite database", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(StoreError::Damaged(format!("{} is too short for a database", path.display())))
        }
        Err(error) => Err(StoreError::TryAgain(std::sync::Arc::new(error))),
    }
}

fn identify(connection: &Connection) -> Result<usize, StoreError> {
    let pragma = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).map_err(fault);
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(fault)?;
    if tables == 0 {
        return Ok(0);
    }
    if application != APPLICATION_ID {
        return Err(StoreError::Damaged("the file holds another program's database; name another file".to_owned()));
    }
    match usize::try_from(version) {
        Ok(applied) if applied <= MIGRATIONS.len() => Ok(applied),
        _ => Err(StoreError::Damaged(format!(
            "the file has schema version {version}, this program knows up to {}; use the newer program",
            MIGRATIONS.len()
        ))),
    }
}

fn apply_missing(connection: &Connection) -> Result<(), StoreError> {
    // Another process may have migrated while this one waited for the lock.
    let applied = identify(connection)?;
    if applied == 0 {
        connection.execute_batch(CREATE_META).map_err(fault)?;
        connection.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}")).map_err(fault)?;
    }
    check_applied(connection, applied)?;
    for (name, sql) in &MIGRATIONS[applied..] {
        connection.execute_batch(sql).map_err(fault)?;
        let row = (format!("migration:{name}"), checksum(sql));
        connection.execute("INSERT INTO meta (name, value) VALUES (?1, ?2)", row).map_err(fault)?;
    }
    connection.execute_batch(&format!("PRAGMA user_version = {}", MIGRATIONS.len())).map_err(fault)
}

fn check_applied(connection: &Connection, applied: usize) -> Result<(), StoreError> {
    for (name, sql) in &MIGRATIONS[..applied] {
        let stored: Option<String> = connection
            .query_row("SELECT value FROM meta WHERE name = ?1", [format!("migration:{name}")], |row| row.get(0))
            .optional()
            .map_err(fault)?;
        if stored.as_deref() != Some(checksum(sql).as_str()) {
            return Err(StoreError::Damaged(format!("migration {name} was applied with another content; restore the program or a backup")));
        }
    }
    Ok(())
}

/// FNV-1a of 64 bits: it guards against an edit by mistake, not against an attacker.
fn checksum(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}
