//! The check of the books: recomputes every running figure from the rows that it is a figure of. Everything is one snapshot, so a database that works
//! is checked as it stood at one instant, and nobody waits for the check. The rows of a table are joined with those of another by the database, all at
//! once, and come here as a stream: neither the number of trips nor the memory of this process grows with that of refunds.

mod feeds;
mod money;
mod refunds;
mod shares;

use futures::TryStreamExt as _;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use super::columns::Columns;
use super::placement::Placement;
use super::readers::read_fault;
use crate::books::Findings;
use crate::rows::ReadColumns as _;
use crate::{BooksReport, StoreError};

/// One snapshot for everything. Whole tables are joined: memory for it spares the disk. Processes side by side would need memory that containers
/// keep short, and take the processors from those who are served.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL work_mem = '64MB'; \
    SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off; SET LOCAL enable_seqscan = on";

/// Tables whose rows belong to merchants. Rows without a merchant are checked too, as they would be lost otherwise.
const TABLES: [&str; 10] =
    ["merchants", "payments", "refunds", "shares", "events", "tasks", "balances", "counters", "remembered", "notifications"];

/// Checks everything. Shards, where there are some, have no snapshot in common: then nobody may write meanwhile.
pub async fn check(client: Client, placement: &Placement) -> Result<BooksReport, StoreError> {
    client.batch_execute(BEGIN).await.map_err(read_fault)?;
    let mut findings = Findings::new();
    let merchants = merchants(&client, placement).await?;
    findings.report.merchants = i64::try_from(merchants.len()).unwrap_or(i64::MAX);
    refunds::check_payments(&client, &mut findings).await?;
    refunds::check_refunds(&client, &mut findings).await?;
    refunds::check_keys(&client, &mut findings).await?;
    shares::check(&client, &mut findings).await?;
    feeds::check_tasks(&client, &mut findings).await?;
    feeds::check_events(&client, &merchants, &mut findings).await?;
    feeds::check_notifications(&client, &mut findings).await?;
    money::check(&client, &mut findings).await?;
    client.batch_execute("COMMIT").await.map_err(read_fault)?;
    Ok(findings.into_report())
}

/// Everybody of whom there is a row, found by one look into each index for each merchant; shards are read whole, because they are not looked into
/// by turns.
async fn merchants(client: &Client, placement: &Placement) -> Result<Vec<i64>, StoreError> {
    let of_table = |table: &str| match placement {
        Placement::Shards(_) => format!("(SELECT DISTINCT merchant_id AS id FROM {table})"),
        Placement::OnePlace(_) => format!(
            "(WITH RECURSIVE found (id) AS (SELECT min(merchant_id) FROM {table} UNION ALL \
            SELECT (SELECT min(merchant_id) FROM {table} WHERE merchant_id > id) FROM found WHERE id IS NOT NULL) SELECT id FROM found)"
        ),
    };
    let of_tables = TABLES.map(of_table).join(" UNION ");
    let mut merchants = Vec::new();
    each(client, &format!("SELECT id FROM ({of_tables}) AS of_tables WHERE id IS NOT NULL ORDER BY id"), |row| {
        merchants.push(Columns::new(row, "merchant").int()?);
        Ok(())
    })
    .await?;
    Ok(merchants)
}

/// Runs a statement and looks at each row as it comes.
async fn each(client: &Client, sql: &str, mut look: impl FnMut(&Row) -> Result<(), StoreError>) -> Result<(), StoreError> {
    let rows = client.query_raw(sql, std::iter::empty::<&(dyn ToSql + Sync)>()).await.map_err(read_fault)?;
    let mut rows = std::pin::pin!(rows);
    while let Some(row) = rows.try_next().await.map_err(read_fault)? {
        look(&row)?;
    }
    Ok(())
}
