use std::collections::BTreeMap;
use std::sync::LazyLock;

use refundry_engine::task::Task;
use refundry_engine::{MerchantId, TaskId, Timestamp};
use tokio_postgres::Row;

use super::apply::Calls;
use super::arrays::{Param, Rows};
use super::columns::Columns;
use super::session::Call;
use super::statements::put;
use crate::rows::{self, ReadColumns as _};
use crate::{Claim, StoreError};

static PUT: LazyLock<String> = LazyLock::new(|| {
    let columns = "merchant_id int8, task_id int8, lane int8, kind text, due_at int8, claimable_at int8, tries int8, note text";
    put("tasks", columns, "merchant_id, task_id")
});
const REMOVE: &str = "DELETE FROM tasks USING UNNEST($1::int8[], $2::int8[]) AS u (m, i) WHERE merchant_id = m AND task_id = i \
    AND /* shard */ merchant_id = ANY($3)";
const GIVE_BACK: &str = "UPDATE tasks SET claimable_at = due_at FROM UNNEST($1::int8[], $2::int8[], $3::int8[]) AS u (m, i, due) \
    WHERE merchant_id = m AND task_id = i AND due_at = due AND claimable_at > $4 AND /* shard */ merchant_id = ANY($1)";
/// Rows that another node is taking just now are passed over.
static CLAIM: LazyLock<String> = LazyLock::new(|| {
    let columns = rows::other::TASK_COLUMNS.replace("claimable_at", "free_since");
    format!(
        "UPDATE tasks SET claimable_at = $4 FROM (SELECT due.m, due.i, due.free_since FROM UNNEST($2::text[]) AS k (wanted) CROSS JOIN LATERAL \
        (SELECT merchant_id AS m, task_id AS i, claimable_at AS free_since FROM tasks WHERE lane = $1::int8 AND kind = wanted \
        AND claimable_at <= $3 ORDER BY claimable_at LIMIT $5 FOR UPDATE SKIP LOCKED) AS due ORDER BY due.free_since, due.m, due.i LIMIT $5) AS found \
        WHERE merchant_id = m AND task_id = i RETURNING {columns}"
    )
});

/// Puts and removes tasks. A task that is due already is born leased when somebody in this process takes it over at once.
pub fn add_to(calls: &mut Calls, tasks: &BTreeMap<(MerchantId, TaskId), Option<Task>>, now: Timestamp, lease_ms: Option<i64>, lane: i64) {
    let (mut written, mut removed) = (Rows::of(8), Rows::of(2));
    for ((merchant_id, id), task) in tasks {
        let Some(task) = task else {
            removed.int(merchant_id.get()).int(id.get());
            continue;
        };
        let claimable_at = match lease_ms {
            Some(lease_ms) if task.due_at <= now => now.plus_ms(lease_ms),
            Some(_) | None => task.due_at,
        };
        written.int(merchant_id.get()).int(id.get()).int(lane).text(task.kind.word()).int(task.due_at.us());
        written.int(claimable_at.us()).int(task.tries).text(&task.note);
    }
    calls.add(&PUT, written);
    calls.add_of(REMOVE, removed, tasks.keys().map(|(merchant_id, _)| *merchant_id));
}

/// Takes tasks that are due and free, those first that have been free the longest, and leases them.
pub fn claim(claim: &Claim, lane: i64) -> Call {
    let mut kinds = Rows::of(1);
    for kind in &claim.kinds {
        kinds.text(kind.word());
    }
    let mut params = vec![Param::Int(lane)];
    params.extend(kinds.into_params());
    params.extend([claim.now.us(), claim.lease_until.us(), i64::from(claim.limit)].map(Param::Int));
    Call { sql: &CLAIM, params }
}

/// Gives tasks back that were not begun. One that moved on meanwhile has another due time, and one whose lease is over may be somebody else's.
pub fn give_back(claim: &Claim) -> Option<Call> {
    let mut rows = Rows::of(3);
    for task in &claim.given_back {
        rows.int(task.merchant_id.get()).int(task.id.get()).int(task.due_at.us());
    }
    let mut params = rows.into_params();
    params.push(Param::Int(claim.now.us()));
    (!claim.given_back.is_empty()).then_some(Call { sql: GIVE_BACK, params })
}

/// The tasks that a claim took, in order.
pub fn claimed(rows: &[Row]) -> Result<Vec<Task>, StoreError> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let mut columns = Columns::new(row, "task");
        let task = rows::other::task(&mut columns)?;
        found.push((columns.int()?, task));
    }
    found.sort_by_key(|(free_since, task)| (*free_since, task.merchant_id, task.id));
    Ok(found.into_iter().map(|(_, task)| task).collect())
}

/// Every statement of this file, for those who look at plans.
#[cfg(test)]
pub fn statements() -> Vec<&'static str> {
    vec![&PUT, REMOVE, GIVE_BACK, &CLAIM]
}
