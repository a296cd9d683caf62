use refundry_engine::Timestamp;
use tokio_postgres::{Client, Row};

use super::columns::Columns;
use super::fault::fault;
use super::migrations;
use super::readers::read_fault;
use crate::nodes::{NodeRow, choose};
use crate::rows::ReadColumns as _;
use crate::{NodeLease, NodeWish, StoreError};

/// One process after the other: leases are few and short.
const BEGIN: &str = "BEGIN; LOCK TABLE nodes IN SHARE ROW EXCLUSIVE MODE";
/// The clock of the database decides whose time is over: a process whose own clock runs ahead takes nobody's number away.
const CLOCK: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8";
const NODES: &str = "SELECT node, holder, leased_until FROM nodes ORDER BY node";
const PUT: &str = "INSERT INTO nodes (node, holder, leased_until, migrations) VALUES ($1, $2, $3, $4) ON CONFLICT (node) DO UPDATE \
    SET holder = excluded.holder, leased_until = greatest(nodes.leased_until, excluded.leased_until), migrations = excluded.migrations";
/// Whoever gets the number next makes ids of later instants than its last holder did.
const GIVE_BACK: &str = "UPDATE nodes SET holder = '', leased_until = $2 WHERE holder = $1";

/// Leases, prolongs or takes back the number of a process.
pub async fn lease(client: Client, wish: NodeWish) -> Result<Option<NodeLease>, StoreError> {
    client.batch_execute(BEGIN).await.map_err(read_fault)?;
    // A connection that is given up takes the transaction back.
    let leased = change(&client, &wish).await?;
    client.batch_execute("COMMIT").await.map_err(read_fault)?;
    Ok(leased)
}

async fn change(client: &Client, wish: &NodeWish) -> Result<Option<NodeLease>, StoreError> {
    if wish.lease_ms <= 0 {
        client.execute(GIVE_BACK, &[&wish.holder, &wish.now.us()]).await.map_err(fault)?;
        return Ok(None);
    }
    let now = Timestamp::from_us(client.query_one(CLOCK, &[]).await.map_err(fault)?.get(0));
    let rows = client.query(NODES, &[]).await.map_err(fault)?;
    let rows: Vec<NodeRow> = rows.iter().map(node).collect::<Result<_, _>>()?;
    let Some(lease) = choose(&rows, &wish.holder, now) else { return Ok(None) };
    let until = now.max(wish.now).plus_ms(wish.lease_ms);
    let known = i32::try_from(migrations::KNOWN).unwrap_or(i32::MAX);
    client.execute(PUT, &[&i32::from(lease.node), &wish.holder, &until.us(), &known]).await.map_err(fault)?;
    Ok(Some(lease))
}

fn node(row: &Row) -> Result<NodeRow, StoreError> {
    let mut columns = Columns::new(row, "node");
    Ok(NodeRow { node: columns.small()?, holder: columns.string()?, leased_until: Timestamp::from_us(columns.int()?) })
}
