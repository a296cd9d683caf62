//! What the catalogue of Citus says of our tables. On a PostgreSQL without it, tables are in one place.

use std::collections::BTreeMap;

use tokio_postgres::Client;

use super::fault::fault;
use super::placement::{Placement, Shards, hash};
use super::tables::{Spread, TABLES};
use crate::StoreError;

/// How a table is placed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// By hash, beside all tables of the same group.
    ByHash(i32),
    /// The same rows everywhere.
    Everywhere,
    /// In another way than we ask for.
    Otherwise,
}

const HAS_CATALOGUE: &str = "SELECT to_regclass('pg_dist_partition') IS NOT NULL";
const PLACED: &str = "SELECT relname::text, partmethod::text, repmodel::text, colocationid FROM pg_dist_partition JOIN pg_class \
    ON pg_class.oid = logicalrelid WHERE pg_table_is_visible(pg_class.oid)";
const RANGES: &str = "SELECT shardminvalue::int4, shardmaxvalue::int4 FROM pg_dist_shard WHERE logicalrelid = 'merchants'::regclass";
const SHARD_OF: &str = "SELECT shardminvalue::int4 <= $2 AND $2 <= shardmaxvalue::int4 FROM pg_dist_shard \
    WHERE shardid = get_shard_id_for_distribution_column('merchants'::regclass, $1::int8)";
/// Merchants whose shards are asked for, to find out whether our hash is the database's.
const ASKED: [i64; 8] = [0, 1, -1, 7, 4_294_967_296, 1_234_567_890_123, i64::MIN, i64::MAX];

/// How the tables of this database are placed, by name; empty without Citus.
pub async fn placed(client: &Client) -> Result<BTreeMap<String, Placed>, StoreError> {
    let has_catalogue: bool = client.query_one(HAS_CATALOGUE, &[]).await.map_err(fault)?.get(0);
    if !has_catalogue {
        return Ok(BTreeMap::new());
    }
    let rows = client.query(PLACED, &[]).await.map_err(fault)?;
    let placed = rows.iter().map(|row| {
        let (table, method, replication): (&str, &str, &str) = (row.get(0), row.get(1), row.get(2));
        let how = match (method, replication) {
            ("h", _) => Placed::ByHash(row.get(3)),
            ("n", "t") => Placed::Everywhere,
            _ => Placed::Otherwise,
        };
        (table.to_owned(), how)
    });
    Ok(placed.collect())
}

/// Where rows are. Tables that are distributed by halves are a fault: rows would be looked for where they are not.
pub async fn placement(client: &Client, lanes: usize) -> Result<Placement, StoreError> {
    let placed = placed(client).await?;
    let Some(first) = placed.get(TABLES[0].0) else { return Ok(Placement::OnePlace(lanes)) };
    for (table, spread) in TABLES {
        let as_wished = match spread {
            Spread::ByMerchant => placed.get(*table) == Some(first) && matches!(first, Placed::ByHash(_)),
            Spread::Everywhere(_) => placed.get(*table) == Some(&Placed::Everywhere),
        };
        if !as_wished {
            let why = format!("the table {table} is not distributed as the others are: run `refundry distribute` again");
            return Err(StoreError::Damaged(why));
        }
    }
    let ranges = client.query(RANGES, &[]).await.map_err(fault)?;
    let ranges: Vec<(i32, i32)> = ranges.iter().map(|row| (row.get(0), row.get(1))).collect();
    let shards = Shards::of(ranges).ok_or_else(|| StoreError::Damaged("the shards of the tables leave gaps".to_owned()))?;
    for merchant_id in ASKED {
        let ours = client.query_opt(SHARD_OF, &[&merchant_id, &hash(merchant_id)]).await.map_err(fault)?;
        if ours.map(|row| row.get(0)) != Some(true) {
            let why = format!("the database places merchant {merchant_id} by another hash than this program knows");
            return Err(StoreError::Damaged(why));
        }
    }
    Ok(Placement::Shards(shards))
}
