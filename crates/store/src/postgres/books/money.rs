use tokio_postgres::Client;

use super::each;
use crate::StoreError;
use crate::books::{Findings, Money};
use crate::postgres::columns::Columns;
use crate::rows::ReadColumns as _;

/// Every balance with its postings, and the sums over them.
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
    let sql = "SELECT merchant_id, currency, account, balance_minor FROM balances ORDER BY merchant_id, currency, account";
    each(client, sql, |row| {
        let mut columns = Columns::new(row, "balance");
        let key = (columns.int()?, columns.text()?, columns.int()?);
        money.balance(findings, key, columns.int()?);
        Ok(())
    })
    .await?;
    money.finish(findings);
    Ok(())
}
