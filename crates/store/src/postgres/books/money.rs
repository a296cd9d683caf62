use refundry_engine::payout::Payout;
use refundry_engine::posting_rules::SPENDABLE;
use tokio_postgres::Client;

use super::{each, shares};
use crate::StoreError;
use crate::books::{Findings, MAY_BE_EXPOSED, Money, Payouts};
use crate::postgres::columns::Columns;
use crate::rows;
use crate::rows::ReadColumns as _;

/// Every balance and every payout with their postings, and the sums over them.
pub async fn check(client: &Client, findings: &mut Findings) -> Result<(), StoreError> {
    let mut money = Money::default();
    // A sum of many may be larger than any column.
    let sql = "SELECT merchant_id, debit_account, credit_account, sum(amount_minor)::text, currency, count(*) FROM postings \
        GROUP BY merchant_id, debit_account, credit_account, currency";
    each(client, sql, |row| {
        let mut columns = Columns::new(row, "posting");
        let (merchant_id, accounts) = (columns.int()?, (columns.int()?, columns.int()?));
        let minor = columns.word(|digits| digits.parse().ok())?;
        money.posted(merchant_id, columns.text()?, accounts, minor);
        findings.report.postings += columns.int()?;
        Ok(())
    })
    .await?;
    let sql = "SELECT merchant_id, currency, sum(unsettled_left_minor)::text, sum(reserve_left_minor)::text FROM payments \
        GROUP BY merchant_id, currency";
    each(client, sql, |row| {
        let mut columns = Columns::new(row, "payment");
        let (merchant_id, currency) = (columns.int()?, columns.text()?);
        let unsettled = columns.word(|digits| digits.parse().ok())?;
        money.left(merchant_id, currency, [unsettled, columns.word(|digits| digits.parse().ok())?]);
        Ok(())
    })
    .await?;
    shares::add_to(client, &mut money).await?;
    each(client, &format!("SELECT {} FROM payments WHERE {MAY_BE_EXPOSED}", rows::payment::COLUMNS), |row| {
        money.exposed(&rows::payment::read(&mut Columns::new(row, "payment"))?);
        Ok(())
    })
    .await?;
    money.check_left(findings);
    let mut payouts = Payouts::default();
    let available = i64::from(SPENDABLE.code());
    let sql = format!(
        "SELECT merchant_id, currency, period, cause, CASE debit_account WHEN {available} THEN 1 ELSE 0 END::int8 AS out, \
        sum(amount_minor)::text, count(*) FROM postings WHERE debit_account = {available} OR credit_account = {available} \
        GROUP BY merchant_id, currency, period, cause, out"
    );
    each(client, &sql, |row| {
        let mut columns = Columns::new(row, "posting");
        let (merchant_id, currency) = (columns.int()?, columns.text()?);
        let (of, is_debit) = ((columns.int()?, columns.text()?), columns.flag()?);
        let minor = columns.word(|digits| digits.parse().ok())?;
        payouts.posted((merchant_id, currency), of, is_debit, (minor, columns.int()?.into()));
        Ok(())
    })
    .await?;
    each(client, "SELECT body FROM payouts ORDER BY merchant_id, payout_id", |row| {
        let payout: Payout = Columns::new(row, "payout").json()?;
        payouts.payout(findings, &payout);
        Ok(())
    })
    .await?;
    let sql = "SELECT merchant_id, currency, account, balance_minor, turnover FROM balances ORDER BY merchant_id, currency, account";
    each(client, sql, |row| {
        let mut columns = Columns::new(row, "balance");
        let key = (columns.int()?, columns.text()?, columns.int()?);
        let minor = columns.int()?;
        money.balance(findings, key, minor);
        if let Some(pots) = columns.json_or_null()? {
            payouts.pots(findings, (key.0, key.1), minor, &pots);
        }
        Ok(())
    })
    .await?;
    money.finish(findings);
    Ok(())
}
