//! The check of the books: recomputes every running figure from the rows that it is a figure of, each merchant's and all money in one
//! snapshot, and reads each table once in the order of its key. Its memory grows with the number of balances, not with that of refunds.

mod feeds;
mod money;
mod refunds;
mod shares;
mod steps;

use rusqlite::{Connection, Params, Row};

use super::apply::prepared;
use super::fault::fault;
use crate::books::{Findings, Step};
use crate::{BooksReport, StoreError};

/// Faults of the file itself that SQLite is asked for.
const FILE_FAULTS_MAX: u32 = 10;

/// Tables whose rows belong to merchants. Rows without a merchant are checked too, as they would be lost otherwise.
const TABLES: [&str; 10] =
    ["merchants", "payments", "refunds", "shares", "events", "tasks", "balances", "counters", "remembered", "notifications"];

/// Checks everything.
pub fn check(connection: &Connection) -> Result<BooksReport, StoreError> {
    let mut findings = Findings::new();
    check_file(connection, &mut findings)?;
    let mut last = i64::MIN;
    while let Some(merchant_id) = next_merchant(connection, last)? {
        in_snapshot(connection, || check_merchant(connection, merchant_id, &mut findings))?;
        last = merchant_id;
    }
    in_snapshot(connection, || money::check(connection, &mut findings))?;
    Ok(findings.into_report())
}

fn check_merchant(connection: &Connection, merchant_id: i64, findings: &mut Findings) -> Result<(), StoreError> {
    findings.report.merchants += 1;
    refunds::check_payments(connection, merchant_id, findings)?;
    refunds::check_refunds(connection, merchant_id, findings)?;
    refunds::check_keys(connection, merchant_id, findings)?;
    shares::check(connection, merchant_id, findings)?;
    steps::check_tasks(connection, merchant_id, findings)?;
    feeds::check_events(connection, merchant_id, findings)?;
    feeds::check_notifications(connection, merchant_id, findings)
}

/// The log cannot begin anew while a snapshot is read: so each merchant has one of its own.
fn in_snapshot(connection: &Connection, read: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
    connection.execute_batch("BEGIN").map_err(fault)?;
    let result = read();
    connection.execute_batch("COMMIT").map_err(fault)?;
    result
}

fn next_merchant(connection: &Connection, last: i64) -> Result<Option<i64>, StoreError> {
    let mut next: Option<i64> = None;
    for table in TABLES {
        each(connection, &format!("SELECT min(merchant_id) FROM {table} WHERE merchant_id > ?1"), [last], |row| {
            let found: Option<i64> = row.get(0).map_err(fault)?;
            next = [next, found].into_iter().flatten().min();
            Ok(())
        })?;
    }
    Ok(next)
}

fn check_file(connection: &Connection, findings: &mut Findings) -> Result<(), StoreError> {
    findings.turn_to(i64::MIN, Step::Soundness, 0);
    each(connection, &format!("PRAGMA quick_check({FILE_FAULTS_MAX})"), [], |row| {
        let found: String = row.get(0).map_err(fault)?;
        findings.expect("file_is_sound", "file", found, "ok");
        Ok(())
    })
}

/// Runs a statement and looks at each row.
fn each(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    mut look: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = prepared(connection, sql)?;
    let mut rows = statement.query(params).map_err(fault)?;
    while let Some(row) = rows.next().map_err(fault)? {
        look(row)?;
    }
    Ok(())
}
