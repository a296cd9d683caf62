//! Distributes the tables of a database by merchant, with Citus. Every step is a commit of its own and is found done when it is looked for again, so that
//! whatever stops it, it goes on where it stopped.

use std::collections::BTreeMap;

use tokio_postgres::Client;

use super::catalogue::{self, Placed};
use super::connect::{Connector, Use};
use super::fault::fault;
use super::tables::{Spread, TABLES};
use super::{PostgresOptions, migrations};
use crate::StoreError;

/// How tables are to be distributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DistributeWish {
    /// Say what would be done, do nothing.
    pub dry_run: bool,
    /// Move rows that are there already. Whoever wants to write waits until it is done.
    pub move_rows: bool,
    /// Into how many shards.
    pub shards: u16,
}

/// One statement of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistributeStep {
    /// The statement.
    pub sql: String,
    /// What it would do is done already.
    pub was_done: bool,
}

/// Why tables are not distributed.
#[derive(Debug, thiserror::Error)]
pub enum DistributeError {
    /// The extension is not there; `installed` says that only `CREATE EXTENSION` is missing.
    #[error("the database has no extension citus")]
    NoCitus {
        /// The server knows it.
        installed: bool,
    },
    /// Processes serve from the database.
    #[error("{0} processes serve from the database")]
    NodesServe(i64),
    /// There are rows, which are moved only when that is wished.
    #[error("the tables hold rows, {bytes} bytes")]
    HoldsRows {
        /// With indexes.
        bytes: i64,
    },
    /// Somebody distributed a table in another way.
    #[error("the table {0} is distributed in another way")]
    PlacedOtherwise(&'static str),
    /// The database did not do it.
    #[error("the database could not be distributed")]
    Store(#[from] StoreError),
}

const HAS_CITUS: &str = "SELECT EXISTS (SELECT FROM pg_proc WHERE proname = 'create_distributed_table' AND pg_function_is_visible(oid)), \
    EXISTS (SELECT FROM pg_available_extensions WHERE name = 'citus')";
const SERVING: &str =
    "SELECT count(*) FROM nodes WHERE holder <> '' AND leased_until > (extract(epoch FROM clock_timestamp()) * 1000000)::int8";
const SIZE: &str = "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::int8 FROM pg_class WHERE relname = ANY($1) AND relkind = 'r' \
    AND pg_table_is_visible(oid)";

/// Distributes what is not distributed yet, and tells of each statement before it is run. Gives the number of shards.
pub async fn distribute(
    options: &PostgresOptions,
    wish: &DistributeWish,
    mut tell: impl FnMut(&DistributeStep),
) -> Result<usize, DistributeError> {
    let connector = Connector::new(options)?;
    let mut client = connector.connect(Use::Long).await?;
    let placed = catalogue::placed(&client).await?;
    let steps = steps(&placed, wish)?;
    if wish.dry_run {
        steps.iter().for_each(&mut tell);
        refuse_without_citus(&client).await?;
        return Ok(usize::from(wish.shards));
    }
    refuse_without_citus(&client).await?;
    migrations::migrate(&mut client).await?;
    // Whoever serves from distributed tables does not know the tables that a new version added.
    if !placed.contains_key(TABLES[0].0) {
        let serving: i64 = client.query_one(SERVING, &[]).await.map_err(fault)?.get(0);
        if serving > 0 {
            return Err(DistributeError::NodesServe(serving));
        }
    }
    if !wish.move_rows {
        refuse_rows(&client, &placed).await?;
    }
    for step in &steps {
        tell(step);
        if !step.was_done {
            client.execute(step.sql.as_str(), &[]).await.map_err(fault)?;
        }
    }
    Ok(catalogue::placement(&client, options.lanes).await?.lanes())
}

fn steps(placed: &BTreeMap<String, Placed>, wish: &DistributeWish) -> Result<Vec<DistributeStep>, DistributeError> {
    let mut steps = Vec::new();
    let first = TABLES[0].0;
    for (table, spread) in TABLES {
        let is = placed.get(*table);
        let was_done = match (spread, is) {
            (_, None) => false,
            (Spread::ByMerchant, Some(Placed::ByHash(_))) if is == placed.get(first) => true,
            (Spread::Everywhere(_), Some(Placed::Everywhere)) => true,
            (Spread::ByMerchant | Spread::Everywhere(_), Some(_)) => return Err(DistributeError::PlacedOtherwise(table)),
        };
        let sql = match spread {
            Spread::ByMerchant if *table == first => {
                let shards = wish.shards;
                format!("SELECT create_distributed_table('{table}', 'merchant_id', shard_count => {shards}, colocate_with => 'none')")
            }
            Spread::ByMerchant => format!("SELECT create_distributed_table('{table}', 'merchant_id', colocate_with => '{first}')"),
            Spread::Everywhere(_) => format!("SELECT create_reference_table('{table}')"),
        };
        steps.push(DistributeStep { sql, was_done });
        if wish.move_rows {
            // The rows that were copied stay where nobody sees them. Once more does no harm, should it have been stopped just before.
            let sql = format!("SELECT truncate_local_data_after_distributing_table('{table}')");
            steps.push(DistributeStep { sql, was_done: false });
        }
    }
    Ok(steps)
}

async fn refuse_without_citus(client: &Client) -> Result<(), DistributeError> {
    let row = client.query_one(HAS_CITUS, &[]).await.map_err(fault)?;
    let (there, installed): (bool, bool) = (row.get(0), row.get(1));
    if there { Ok(()) } else { Err(DistributeError::NoCitus { installed }) }
}

async fn refuse_rows(client: &Client, placed: &BTreeMap<String, Placed>) -> Result<(), DistributeError> {
    let whole: Vec<&str> = TABLES.iter().map(|(table, _)| *table).filter(|table| !placed.contains_key(*table)).collect();
    for (table, _) in TABLES.iter().filter(|(table, spread)| *spread == Spread::ByMerchant && whole.contains(table)) {
        let holds: bool = client.query_one(&format!("SELECT EXISTS (SELECT FROM {table})"), &[]).await.map_err(fault)?.get(0);
        if holds {
            let bytes = client.query_one(SIZE, &[&whole]).await.map_err(fault)?.get(0);
            return Err(DistributeError::HoldsRows { bytes });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WISH: DistributeWish = DistributeWish { dry_run: false, move_rows: false, shards: 48 };

    fn named(placed: &[(&str, Placed)]) -> BTreeMap<String, Placed> {
        placed.iter().map(|(table, how)| ((*table).to_owned(), *how)).collect()
    }

    #[test]
    fn what_is_done_is_not_done_again() {
        let all = steps(&BTreeMap::new(), &WISH).unwrap();
        assert_eq!(all.len(), TABLES.len());
        assert!(all.iter().all(|step| !step.was_done));
        let first = "SELECT create_distributed_table('merchants', 'merchant_id', shard_count => 48, colocate_with => 'none')";
        assert_eq!(all[0].sql, first);
        let half = steps(&named(&[("merchants", Placed::ByHash(3)), ("terminals", Placed::ByHash(3))]), &WISH).unwrap();
        let done: Vec<bool> = half.iter().map(|step| step.was_done).take(3).collect();
        assert_eq!(done, [true, true, false]);
    }

    #[test]
    fn what_was_done_otherwise_is_left_alone() {
        for placed in [
            named(&[("merchants", Placed::Everywhere)]),
            named(&[("merchants", Placed::ByHash(3)), ("refunds", Placed::ByHash(4))]),
            named(&[("merchants", Placed::ByHash(3)), ("meta", Placed::Otherwise)]),
            named(&[("credentials", Placed::ByHash(3))]),
        ] {
            assert!(matches!(steps(&placed, &WISH), Err(DistributeError::PlacedOtherwise(_))), "{placed:?}");
        }
    }

    #[test]
    fn rows_that_were_moved_are_not_kept_twice() {
        let moving = steps(&BTreeMap::new(), &DistributeWish { move_rows: true, ..WISH }).unwrap();
        assert_eq!(moving.len(), 2 * TABLES.len());
        assert_eq!(moving[1].sql, "SELECT truncate_local_data_after_distributing_table('merchants')");
    }
}
