use rusqlite::Connection;

use super::each;
use crate::StoreError;
use crate::books::{Findings, Money};
use crate::rows::ReadColumns as _;
use crate::sqlite::columns::Columns;

/// Every balance with its postings, and the sums over them.
pub fn check(connection: &Connection, findings: &mut Findings) -> Result<(), StoreError> {
    let mut money = Money::default();
    let sql = "SELECT merchant_id, debit_account, credit_account, amount_minor, currency FROM postings";
    each(connection, sql, [], |row| {
        let mut columns = Columns::new(row, "posting");
        let (merchant_id, accounts, minor) = (columns.int()?, (columns.int()?, columns.int()?), columns.int()?);
        findings.report.postings += 1;
        money.posted(merchant_id, columns.text()?, accounts, minor.into());
        Ok(())
    })?;
    let sql = "SELECT merchant_id, currency, account, balance_minor FROM balances ORDER BY merchant_id, currency, account";
    each(connection, sql, [], |row| {
        let mut columns = Columns::new(row, "balance");
        let key = (columns.int()?, columns.text()?, columns.int()?);
        money.balance(findings, key, columns.int()?);
        Ok(())
    })?;
    money.finish(findings);
    Ok(())
}
