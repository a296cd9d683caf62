//! A stored function per refund, called by a prepared statement: one round trip, one transaction.

use anyhow::bail;
use deadpool_postgres::Pool;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::answer::{Made, Outcome, Refused};
use super::order::Order;

const CALL: &str = "SELECT * FROM refund_by_hand($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";

/// Puts the function into the database.
pub async fn install(client: &Client) -> anyhow::Result<()> {
    Ok(client.batch_execute(include_str!("function.sql")).await?)
}

/// Does it.
pub async fn refund(pool: &Pool, order: &Order<'_>) -> anyhow::Result<Outcome> {
    let connection = pool.get().await?;
    let statement = connection.prepare_cached(CALL).await?;
    let (caller, wish) = (order.caller, order.wish);
    // The name of the terminal, which only the database knows, is the last thing that the facts say: it appends the end.
    let facts = order.facts("");
    let facts = facts.strip_suffix("\"]]").unwrap_or(&facts);
    let ids: Vec<i64> = order.terminals.iter().map(|terminal| terminal.id).collect();
    let names: Vec<String> = order.terminals.iter().map(|terminal| facts_end(&terminal.name)).collect();
    let acquirers: Vec<&str> = order.terminals.iter().map(|terminal| terminal.acquirer.as_str()).collect();
    let row: [&(dyn ToSql + Sync); 16] = [
        &caller.merchant_id,
        &caller.mode,
        &caller.applicant,
        &order.number,
        &wish.payment_reference,
        &wish.amount.value,
        &wish.amount.currency,
        &order.compared(),
        &order.extras(),
        &order.refund_id,
        &order.entry_id(),
        &order.now,
        &facts,
        &ids,
        &names,
        &acquirers,
    ];
    let row = connection.query_one(&statement, &row).await?;
    let outcome: &str = row.get(0);
    if let Some(refused) = Refused::ALL.into_iter().find(|refused| refused.code() == outcome) {
        return Ok(Outcome::Refused(refused));
    }
    let made = Made {
        refund_id: row.get(1),
        payment_id: row.get(2),
        terminal_id: row.get(3),
        state: row.get(4),
        refundable: row.get(5),
        attempts: row.get(6),
        created_at: row.get(7),
        updated_at: row.get(8),
    };
    match outcome {
        "made" => Ok(Outcome::Made(made)),
        "replayed" => Ok(Outcome::Replayed(made)),
        other => bail!("the function answered {other}"),
    }
}

/// The rest of the facts when the terminal has this name.
fn facts_end(terminal: &str) -> String {
    let text = serde_json::to_string(terminal).unwrap_or_default();
    format!("{}]]", text.strip_prefix('"').unwrap_or(&text))
}
