//! The check of the books: recomputes every running figure from the rows that it is a figure of, in one snapshot, and reads each table once
//! in the order of its key. Its memory grows with the number of balances, not with that of refunds.

mod feeds;
mod money;
mod refunds;
mod steps;

use rusqlite::{Connection, Params, Row};

use super::apply::prepared;
use super::fault::fault;
use crate::{BookFault, BooksReport, StoreError};

/// Faults that are named one by one; a file with more of them needs another cure than a list.
const FAULTS_MAX: usize = 1_000;
/// Faults of the file itself that SQLite is asked for.
const FILE_FAULTS_MAX: u32 = 10;

/// Checks everything.
pub fn check(connection: &Connection) -> Result<BooksReport, StoreError> {
    connection.execute_batch("BEGIN").map_err(fault)?;
    let checked = check_snapshot(connection);
    connection.execute_batch("COMMIT").map_err(fault)?;
    checked
}

fn check_snapshot(connection: &Connection) -> Result<BooksReport, StoreError> {
    let mut report = BooksReport::default();
    check_file(connection, &mut report)?;
    let mut merchants = Vec::new();
    // Whoever has rows but no merchant is checked too, as the rows would be lost otherwise.
    let sql = "SELECT merchant_id FROM merchants UNION SELECT DISTINCT merchant_id FROM payments UNION \
        SELECT DISTINCT merchant_id FROM balances ORDER BY 1";
    each(connection, sql, [], |row| {
        merchants.push(row.get(0).map_err(fault)?);
        Ok(())
    })?;
    for merchant_id in merchants {
        report.merchants += 1;
        refunds::check_payments(connection, merchant_id, &mut report)?;
        refunds::check_refunds(connection, merchant_id, &mut report)?;
        refunds::check_keys(connection, merchant_id, &mut report)?;
        steps::check_tasks(connection, merchant_id, &mut report)?;
        feeds::check_events(connection, merchant_id, &mut report)?;
        feeds::check_notifications(connection, merchant_id, &mut report)?;
    }
    money::check_balances(connection, &mut report)?;
    money::check_shares_due(connection, &mut report)?;
    Ok(report)
}

fn check_file(connection: &Connection, report: &mut BooksReport) -> Result<(), StoreError> {
    each(connection, &format!("PRAGMA quick_check({FILE_FAULTS_MAX})"), [], |row| {
        let found: String = row.get(0).map_err(fault)?;
        report.expect("file_is_sound", "file", found, "ok");
        Ok(())
    })
}

impl BooksReport {
    /// Names a row where what is found is not what it should be.
    fn expect(&mut self, rule: &'static str, row: impl ToString, found: impl ToString, expected: impl ToString) {
        let (found, expected) = (found.to_string(), expected.to_string());
        if found == expected {
            return;
        }
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(BookFault { rule, row: row.to_string(), found, expected });
        } else if self.faults.len() == FAULTS_MAX {
            let (found, expected) = (format!("more than {FAULTS_MAX}"), "none".to_owned());
            self.faults.push(BookFault { rule: "faults_are_few", row: "report".to_owned(), found, expected });
        }
    }

    /// The same for a number that stands in a row; cheap when it is right.
    fn expect_number(&mut self, rule: &'static str, row: impl Fn() -> String, found: i128, expected: i128) {
        if found != expected {
            self.expect(rule, row(), found, expected);
        }
    }
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
