use rusqlite::{Connection, OpenFlags};

use super::*;
use crate::disk::{Ailment, Loss};

fn connect(vfs: &Vfs, synchronous: &str) -> Connection {
    let connection = Connection::open_with_flags_and_vfs("/books.db", OpenFlags::default(), vfs.name()).unwrap();
    connection.execute_batch(&format!("PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous}; PRAGMA wal_autocheckpoint=5")).unwrap();
    connection
}

fn numbers(connection: &Connection) -> Vec<i64> {
    let mut statement = connection.prepare("SELECT number FROM numbers ORDER BY 1").unwrap();
    let rows = statement.query_map((), |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn integrity(connection: &Connection) -> String {
    connection.query_row("PRAGMA integrity_check", (), |row| row.get(0)).unwrap_or_else(|error| error.to_string())
}

/// Commits `count` numbers, crashes inside the next transaction, reopens; gives the numbers that are there, or what SQLite says instead.
fn survive(seed: u64, synchronous: &str, loss: Loss, count: i64) -> Result<Vec<i64>, String> {
    let disk = Disk::default();
    let vfs = Vfs::register(&disk, seed);
    let connection = connect(&vfs, synchronous);
    connection.execute_batch("CREATE TABLE numbers (number INTEGER PRIMARY KEY, padding BLOB)").unwrap();
    for number in 0..count {
        connection.execute("INSERT INTO numbers VALUES (?1, randomblob(900))", [number]).unwrap();
    }
    connection.execute_batch("BEGIN; INSERT INTO numbers VALUES (1000000, randomblob(90000))").unwrap();
    disk.crash(loss, &mut Dice::new(seed, "crash"));
    drop(connection);
    let reopened = Connection::open_with_flags_and_vfs("/books.db", OpenFlags::default(), vfs.name()).map_err(|e| e.to_string())?;
    let found = integrity(&reopened);
    if found != "ok" {
        return Err(found);
    }
    let there = reopened.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get::<_, i64>(0)).map_err(|e| e.to_string())?;
    Ok(if there == 0 { Vec::new() } else { numbers(&reopened) })
}

#[test]
fn a_full_sync_loses_nothing_however_the_power_goes() {
    for seed in 0..40 {
        for loss in [Loss::Nothing, Loss::Everything, Loss::Tail, Loss::Scattered] {
            let count = i64::try_from(seed % 23).unwrap();
            assert_eq!(survive(seed, "FULL", loss, count), Ok((0..count).collect()), "seed {seed}, {loss:?}");
        }
    }
}

#[test]
fn without_syncing_commits_are_really_lost() {
    let lost = (0..40).filter(|seed| survive(*seed, "OFF", Loss::Tail, 20) != Ok((0..20).collect())).count();
    assert!(lost > 20, "{lost}");
    assert_ne!(survive(1, "OFF", Loss::Everything, 20), Ok((0..20).collect()));
}

#[test]
fn a_reader_beside_the_writer_sees_whole_commits() {
    let disk = Disk::default();
    let vfs = Vfs::register(&disk, 1);
    let (writer, reader) = (connect(&vfs, "FULL"), connect(&vfs, "FULL"));
    writer.execute_batch("CREATE TABLE numbers (number INTEGER PRIMARY KEY); INSERT INTO numbers VALUES (1)").unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; INSERT INTO numbers VALUES (2)").unwrap();
    assert_eq!(numbers(&reader), [1]);
    assert!(reader.execute_batch("INSERT INTO numbers VALUES (3)").is_err(), "one writer at a time");
    writer.execute_batch("COMMIT").unwrap();
    assert_eq!(numbers(&reader), [1, 2]);
    writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
    assert_eq!(numbers(&reader), [1, 2]);
    drop((writer, reader));
    assert!(!disk.exists("/books.db-wal"), "the last to close removes the log");
    assert_eq!(numbers(&connect(&vfs, "FULL")), [1, 2]);
}

#[test]
fn a_full_disk_fails_a_commit_whole_and_heals() {
    for ailment in [Ailment::Full, Ailment::WritesFail, Ailment::SyncsFail] {
        let disk = Disk::default();
        let vfs = Vfs::register(&disk, 1);
        let connection = connect(&vfs, "FULL");
        connection.execute_batch("CREATE TABLE numbers (number INTEGER PRIMARY KEY); INSERT INTO numbers VALUES (1)").unwrap();
        disk.fall_ill(Some(ailment));
        assert!(connection.execute("INSERT INTO numbers VALUES (2)", ()).is_err(), "{ailment:?}");
        disk.fall_ill(None);
        assert_eq!(numbers(&connection), [1], "{ailment:?}");
        connection.execute("INSERT INTO numbers VALUES (3)", ()).unwrap();
        assert_eq!(numbers(&connection), [1, 3], "{ailment:?}");
        assert_eq!(integrity(&connection), "ok");
    }
}
