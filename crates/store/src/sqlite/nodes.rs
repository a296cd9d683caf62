use refundry_engine::Timestamp;
use rusqlite::{Connection, params};

use super::apply::prepared;
use super::columns::Columns;
use super::fault::{commit_fault, fault};
use super::{migrations, singles};
use crate::nodes::{NodeRow, choose};
use crate::rows::ReadColumns as _;
use crate::{NodeLease, NodeWish, StoreError};

/// Leases, prolongs or takes back the number of a process. SQLite has no clock; its processes share that of their machine.
pub fn lease(connection: &Connection, wish: &NodeWish) -> Result<Option<NodeLease>, StoreError> {
    connection.execute_batch("BEGIN IMMEDIATE").map_err(fault)?;
    let leased = change(connection, wish).and_then(|leased| {
        connection.execute_batch("COMMIT").map_err(commit_fault)?;
        Ok(leased)
    });
    if leased.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").map_err(fault)?;
    }
    leased
}

fn change(connection: &Connection, wish: &NodeWish) -> Result<Option<NodeLease>, StoreError> {
    if wish.lease_ms <= 0 {
        let give_back = "UPDATE nodes SET holder = '', leased_until = ?2 WHERE holder = ?1";
        prepared(connection, give_back)?.execute(params![wish.holder, wish.now.us()]).map_err(fault)?;
        return Ok(None);
    }
    let rows = singles::all(connection, "SELECT node, holder, leased_until FROM nodes ORDER BY node", [], |row| {
        let mut columns = Columns::new(row, "node");
        Ok(NodeRow { node: columns.small()?, holder: columns.text()?.to_owned(), leased_until: Timestamp::from_us(columns.int()?) })
    })?;
    let Some(lease) = choose(&rows, &wish.holder, wish.now) else { return Ok(None) };
    let put = "INSERT INTO nodes (node, holder, leased_until, migrations) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (node) DO UPDATE \
        SET holder = excluded.holder, leased_until = max(leased_until, excluded.leased_until), migrations = excluded.migrations";
    let until = wish.now.plus_ms(wish.lease_ms);
    prepared(connection, put)?.execute(params![lease.node, wish.holder, until.us(), migrations::KNOWN as i64]).map_err(fault)?;
    Ok(Some(lease))
}
