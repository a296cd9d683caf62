//! The recent refunds of merchants whose rules count them; for all others nothing is read.

use refundry_engine::review_rule::{RECENT_REFUNDS_MAX, recent_wanted};
use refundry_engine::{Scope, Snapshot, ids};
use rusqlite::{Connection, params};

use super::apply::prepared;
use super::columns::Columns;
use super::fault::fault;
use crate::StoreError;
use crate::rows::recent::{COLUMNS, read};

/// Loads what the rules about velocity of a batch count.
pub fn load(connection: &Connection, scope: &Scope, snapshot: &mut Snapshot) -> Result<(), StoreError> {
    for (merchant_id, since) in recent_wanted(snapshot, scope) {
        let known = snapshot.recent.open(merchant_id);
        let sql = format!("SELECT {COLUMNS} FROM refunds WHERE merchant_id = ?1 AND refund_id >= ?2 ORDER BY refund_id DESC LIMIT ?3");
        let mut statement = prepared(connection, &sql)?;
        let mut rows = statement.query(params![merchant_id.get(), ids::first_id_at(since), RECENT_REFUNDS_MAX]).map_err(fault)?;
        while let Some(row) = rows.next().map_err(fault)? {
            let (id, refund) = read(&mut Columns::new(row, "recent refund"))?;
            known.insert(id, refund);
        }
    }
    Ok(())
}
