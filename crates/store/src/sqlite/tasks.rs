use std::collections::BTreeMap;

use refundry_engine::task::{Task, TaskKind};
use refundry_engine::{MerchantId, TaskId, Timestamp};
use rusqlite::{Connection, params};

use super::apply::prepared;
use super::columns::Columns;
use super::fault::fault;
use super::other_rows;
use crate::rows;
use crate::rows::ReadColumns as _;
use crate::{Claim, StoreError};

/// SQLite has one lane; the column is there because every backend has the same schema.
const LANE: i64 = 0;

/// Puts and removes tasks. A task that is due already is born leased when somebody in this process takes it over at once.
pub fn put(
    connection: &Connection,
    tasks: &BTreeMap<(MerchantId, TaskId), Option<Task>>,
    now: Timestamp,
    lease_ms: Option<i64>,
) -> Result<(), StoreError> {
    let put = "INSERT INTO tasks (merchant_id, task_id, lane, kind, due_at, claimable_at, tries, note) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (merchant_id, task_id) DO UPDATE SET kind = excluded.kind, \
        due_at = excluded.due_at, claimable_at = excluded.claimable_at, tries = excluded.tries, note = excluded.note";
    let remove = "DELETE FROM tasks WHERE merchant_id = ?1 AND task_id = ?2";
    for ((merchant_id, id), task) in tasks {
        let written = match task {
            Some(task) => {
                let claimable_at = match lease_ms {
                    Some(lease_ms) if task.due_at <= now => now.plus_ms(lease_ms),
                    Some(_) | None => task.due_at,
                };
                prepared(connection, put)?.execute(params![
                    merchant_id.get(),
                    id.get(),
                    LANE,
                    task.kind.word(),
                    task.due_at.us(),
                    claimable_at.us(),
                    task.tries,
                    task.note,
                ])
            }
            None => prepared(connection, remove)?.execute(params![merchant_id.get(), id.get()]),
        };
        written.map_err(fault)?;
    }
    Ok(())
}

/// Takes tasks that are due and free, those first that have been free the longest, and leases them.
pub fn claim(connection: &Connection, claim: &Claim) -> Result<Vec<Task>, StoreError> {
    give_back(connection, claim)?;
    let mut found = Vec::new();
    for kind in &claim.kinds {
        find_claimable(connection, claim, *kind, &mut found)?;
    }
    found.sort_by_key(|(claimable_at, task)| (*claimable_at, task.merchant_id, task.id));
    found.truncate(usize::try_from(claim.limit).unwrap_or(usize::MAX));
    let mut lease = prepared(connection, "UPDATE tasks SET claimable_at = ?3 WHERE merchant_id = ?1 AND task_id = ?2")?;
    for (_, task) in &found {
        lease.execute(params![task.merchant_id.get(), task.id.get(), claim.lease_until.us()]).map_err(fault)?;
    }
    Ok(found.into_iter().map(|(_, task)| task).collect())
}

/// A task that moved on meanwhile has another due time, and one whose lease is over may be somebody else's.
fn give_back(connection: &Connection, claim: &Claim) -> Result<(), StoreError> {
    let free = "UPDATE tasks SET claimable_at = due_at WHERE merchant_id = ?1 AND task_id = ?2 AND due_at = ?3 AND claimable_at > ?4";
    for task in &claim.given_back {
        let params = params![task.merchant_id.get(), task.id.get(), task.due_at.us(), claim.now.us()];
        prepared(connection, free)?.execute(params).map_err(fault)?;
    }
    Ok(())
}

fn find_claimable(connection: &Connection, claim: &Claim, kind: TaskKind, found: &mut Vec<(i64, Task)>) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT {} FROM tasks WHERE lane = ?1 AND kind = ?2 AND claimable_at <= ?3 ORDER BY claimable_at LIMIT ?4",
        rows::other::TASK_COLUMNS
    );
    let mut statement = prepared(connection, &sql)?;
    let mut rows = statement.query(params![LANE, kind.word(), claim.now.us(), claim.limit]).map_err(fault)?;
    while let Some(row) = rows.next().map_err(fault)? {
        let task = other_rows::task(row)?;
        let claimable_at = row.get_ref(6).map_err(fault)?.as_i64().map_err(|_| Columns::new(row, "task").unreadable("claimable_at"))?;
        found.push((claimable_at, task));
    }
    Ok(())
}
