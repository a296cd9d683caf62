use std::collections::BTreeMap;

use refundry_engine::{MerchantId, chart};
use rusqlite::Connection;

use super::each;
use crate::rows::ReadColumns as _;
use crate::sqlite::columns::Columns;
use crate::{BooksReport, StoreError};

/// Each balance is the fold of its postings, and the book of a currency sums to zero.
pub fn check_balances(connection: &Connection, report: &mut BooksReport) -> Result<(), StoreError> {
    let mut folded: BTreeMap<(i64, String, i64), i128> = BTreeMap::new();
    let sql = "SELECT merchant_id, debit_account, credit_account, amount_minor, currency FROM postings";
    each(connection, sql, [], |row| {
        let mut columns = Columns::new(row, "posting");
        let (merchant_id, debit, credit, minor) = (columns.int()?, columns.int()?, columns.int()?, i128::from(columns.int()?));
        let currency = columns.text()?;
        report.postings += 1;
        for (account, change) in [(debit, -minor), (credit, minor)] {
            *folded.entry((merchant_id, currency.to_owned(), account)).or_default() += change;
        }
        Ok(())
    })?;
    let mut sums: BTreeMap<(i64, String), i128> = BTreeMap::new();
    each(connection, "SELECT merchant_id, currency, account, balance_minor FROM balances", [], |row| {
        let mut columns = Columns::new(row, "balance");
        let (merchant_id, currency) = (columns.int()?, columns.string()?);
        let (account, minor) = (columns.int()?, i128::from(columns.int()?));
        *sums.entry((merchant_id, currency.clone())).or_default() += minor;
        let expected = folded.remove(&(merchant_id, currency.clone(), account)).unwrap_or(0);
        report.expect_number("balance_is_fold_of_postings", || name(merchant_id, &currency, account), minor, expected);
        Ok(())
    })?;
    for ((merchant_id, currency, account), expected) in folded {
        report.expect_number("balance_is_fold_of_postings", || name(merchant_id, &currency, account), 0, expected);
    }
    for ((merchant_id, currency), sum) in sums {
        report.expect_number("book_sums_to_zero", || format!("{} {currency}", MerchantId::new(merchant_id)), sum, 0);
    }
    Ok(())
}

/// What is between the books of givers and receivers is zero over all merchants.
pub fn check_shares_due(connection: &Connection, report: &mut BooksReport) -> Result<(), StoreError> {
    let mut sums: BTreeMap<String, i128> = BTreeMap::new();
    let sql = "SELECT currency, balance_minor FROM balances WHERE account = ?1";
    each(connection, sql, [chart::SHARES_DUE.code()], |row| {
        let mut columns = Columns::new(row, "balance");
        let (currency, minor) = (columns.string()?, columns.int()?);
        *sums.entry(currency).or_default() += i128::from(minor);
        Ok(())
    })?;
    for (currency, sum) in sums {
        report.expect_number("shares_due_sum_to_zero", || format!("all merchants {currency}"), sum, 0);
    }
    Ok(())
}

fn name(merchant_id: i64, currency: &str, account: i64) -> String {
    let known = u8::try_from(account).ok().and_then(chart::by_code);
    let account = known.map_or_else(|| account.to_string(), |account| account.name().to_owned());
    format!("{} {account} {currency}", MerchantId::new(merchant_id))
}
