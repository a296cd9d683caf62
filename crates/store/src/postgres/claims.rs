//! Claims where tables are distributed: one look at all shards that locks nothing, then in each shard an update of what still stands as it was seen.
//! Of two nodes that saw the same task, one finds it changed. Tasks are all in lane 0: a shard has its own anyway, and a number in its rows would be
//! wrong as soon as the shard is split, so that nobody would claim them any more.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use refundry_engine::task::Task;
use tokio_postgres::Row;

use super::arrays::{Array, Param, Rows};
use super::columns::Columns;
use super::readers::Reader;
use super::session::Call;
use super::tasks;
use crate::rows::{self, ReadColumns as _};
use crate::{Claim, StoreError};

/// How often a claim looks again when others took everything that it saw.
const LOOKS_MAX: usize = 4;
const DUE: &str = "SELECT merchant_id, task_id, claimable_at FROM tasks WHERE lane = 0 AND kind = $1 AND claimable_at <= $2 \
    ORDER BY claimable_at LIMIT $3";
static TAKE: LazyLock<String> = LazyLock::new(|| {
    let columns = rows::other::TASK_COLUMNS.replace("claimable_at", "free_since");
    format!(
        "UPDATE tasks SET claimable_at = $5 FROM UNNEST($1::int8[], $2::int8[], $3::int8[]) AS u (m, i, free_since) WHERE merchant_id = m \
        AND task_id = i AND claimable_at = free_since AND /* shard */ merchant_id = ANY($4) RETURNING {columns}"
    )
});

/// A task that was seen: since when it is free, whose it is, which.
type Seen = (i64, i64, i64);

/// Takes tasks that are due and free, those first that have been free the longest, and leases them.
pub async fn claim(reader: Reader, claim: Claim) -> Result<Vec<Task>, StoreError> {
    give_back(&reader, &claim).await?;
    let mut taken = Vec::new();
    for _ in 0..LOOKS_MAX {
        let seen = due(&reader, &claim).await?;
        let others_were_faster = !seen.is_empty();
        for seen in by_lane(&reader, seen, |(_, merchant_id, _)| *merchant_id).into_values() {
            taken.extend(reader.call(take(&seen, &claim)).await?);
        }
        if !taken.is_empty() || !others_were_faster {
            break;
        }
    }
    tasks::claimed(&taken)
}

async fn due(reader: &Reader, claim: &Claim) -> Result<Vec<Seen>, StoreError> {
    let read = |row: &Row| {
        let mut columns = Columns::new(row, "task");
        let (merchant_id, task_id) = (columns.int()?, columns.int()?);
        Ok((columns.int()?, merchant_id, task_id))
    };
    let limit = i64::from(claim.limit);
    let mut seen: Vec<Seen> = Vec::new();
    for kind in &claim.kinds {
        seen.extend(reader.all(DUE, &[&kind.word(), &claim.now.us(), &limit], read).await?);
    }
    seen.sort_unstable();
    seen.truncate(claim.limit as usize);
    Ok(seen)
}

fn take(seen: &[Seen], claim: &Claim) -> Call {
    let mut rows = Rows::of(3);
    for (free_since, merchant_id, task_id) in seen {
        rows.int(*merchant_id).int(*task_id).int(*free_since);
    }
    let mut params = rows.into_params();
    params.push(Param::Array(Array::of_ints(seen.iter().map(|(_, merchant_id, _)| *merchant_id))));
    params.push(Param::Int(claim.lease_until.us()));
    Call { sql: &TAKE, params }
}

async fn give_back(reader: &Reader, claim: &Claim) -> Result<(), StoreError> {
    for given_back in by_lane(reader, claim.given_back.clone(), |task| task.merchant_id.get()).into_values() {
        if let Some(call) = tasks::give_back(&Claim { given_back, ..claim.clone() }) {
            reader.call(call).await?;
        }
    }
    Ok(())
}

fn by_lane<T>(reader: &Reader, rows: Vec<T>, merchant_of: impl Fn(&T) -> i64) -> BTreeMap<usize, Vec<T>> {
    let mut lanes: BTreeMap<usize, Vec<T>> = BTreeMap::new();
    for row in rows {
        lanes.entry(reader.placement().lane_of(merchant_of(&row))).or_default().push(row);
    }
    lanes
}
