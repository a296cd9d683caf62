use refundry_engine::payout::Payout;
use refundry_engine::posting_rules::SPENDABLE;
use rusqlite::Connection;

use super::{each, shares};
use crate::StoreError;
use crate::books::{Findings, MAY_BE_EXPOSED, Money, Payouts};
use crate::rows;
use crate::rows::ReadColumns as _;
use crate::sqlite::columns::Columns;
use crate::sqlite::payment_row;

/// Every balance and every payout with their postings, and the sums over them.
pub fn check(connection: &Connection, findings: &mut Findings) -> Result<(), StoreError> {
    let mut money = Money::default();
    let mut payouts = Payouts::default();
    let sql = "SELECT merchant_id, debit_account, credit_account, amount_minor, currency, period, cause FROM postings";
    each(connection, sql, [], |row| {
        let mut columns = Columns::new(row, "posting");
        let (merchant_id, accounts, minor) = (columns.int()?, (columns.int()?, columns.int()?), columns.int()?);
        findings.report.postings += 1;
        let currency = columns.text()?;
        money.posted(merchant_id, currency, accounts, minor.into());
        let available = i64::from(SPENDABLE.code());
        if accounts.0 == available || accounts.1 == available {
            let of = (columns.int()?, columns.text()?);
            payouts.posted((merchant_id, currency), of, accounts.0 == available, (minor.into(), 1));
        }
        Ok(())
    })?;
    let sql = "SELECT merchant_id, currency, unsettled_left_minor, reserve_left_minor FROM payments";
    each(connection, sql, [], |row| {
        let mut columns = Columns::new(row, "payment");
        let (merchant_id, currency) = (columns.int()?, columns.text()?);
        money.left(merchant_id, currency, [columns.int()?.into(), columns.int()?.into()]);
        Ok(())
    })?;
    shares::add_to(connection, &mut money)?;
    let sql = format!("SELECT {} FROM payments WHERE {MAY_BE_EXPOSED}", rows::payment::COLUMNS);
    each(connection, &sql, [], |row| {
        money.exposed(&payment_row::read(row)?);
        Ok(())
    })?;
    money.check_left(findings);
    each(connection, "SELECT body FROM payouts ORDER BY merchant_id, payout_id", [], |row| {
        let payout: Payout = Columns::new(row, "payout").json()?;
        payouts.payout(findings, &payout);
        Ok(())
    })?;
    let sql = "SELECT merchant_id, currency, account, balance_minor, turnover FROM balances ORDER BY merchant_id, currency, account";
    each(connection, sql, [], |row| {
        let mut columns = Columns::new(row, "balance");
        let key = (columns.int()?, columns.text()?, columns.int()?);
        let minor = columns.int()?;
        money.balance(findings, key, minor);
        if let Some(pots) = columns.json_or_null()? {
            payouts.pots(findings, (key.0, key.1), minor, &pots);
        }
        Ok(())
    })?;
    money.finish(findings);
    Ok(())
}
