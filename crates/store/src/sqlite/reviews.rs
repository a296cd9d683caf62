//! What waits for people, as SQLite finds it.

use refundry_engine::Timestamp;
use refundry_engine::ids::first_id_at;
use refundry_engine::refund::Refund;
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::columns::Columns;
use super::load::find;
use super::refund_row;
use super::singles::{all, cut};
use crate::reads::PAGE_LIMIT_MAX;
use crate::reviews::{LATE_MAX, LateBefore, LateFigures, ReviewFilter, ReviewReads};
use crate::rows::refund::COLUMNS;
use crate::rows::reviews::{LATE_COLUMNS, free_since, review_figures};
use crate::words::mode_word;
use crate::{Page, PageRequest, Reading, StoreError};

impl ReviewReads for SqliteStore {
    fn reviews(&self, filter: ReviewFilter, page: PageRequest) -> Reading<'_, Page<Refund>> {
        self.readers.read(move |connection| reviews(connection, filter, page))
    }

    fn late(&self, before: LateBefore) -> Reading<'_, LateFigures> {
        self.readers.read(move |connection| late(connection, before))
    }
}

fn reviews(connection: &Connection, filter: ReviewFilter, page: PageRequest) -> Result<Page<Refund>, StoreError> {
    // The second of two equal conditions lets the planner see that the index holds every row that is wanted.
    let of_all = format!(
        "SELECT {COLUMNS} FROM refunds INDEXED BY refunds_that_wait WHERE waits_for = 'review' AND waits_for IS NOT NULL \
        AND refund_id > ?1 AND mode = ?2 AND ?4 IS NULL ORDER BY refund_id LIMIT ?3"
    );
    let of_one = format!(
        "SELECT {COLUMNS} FROM refunds INDEXED BY refunds_that_wait WHERE merchant_id = ?4 AND waits_for = 'review' \
        AND refund_id > ?1 AND mode = ?2 ORDER BY refund_id LIMIT ?3"
    );
    let sql = if filter.merchant_id.is_some() { of_one } else { of_all };
    let limit = page.limit.clamp(1, PAGE_LIMIT_MAX);
    let of = filter.merchant_id.map(|id| id.get());
    let params = params![page.after.unwrap_or(i64::MIN), mode_word(filter.mode), limit + 1, of];
    let rows: Vec<Refund> = all(connection, &sql, params, refund_row::read)?;
    Ok(cut(rows, limit as usize, |refund| refund.id.get()))
}

fn late(connection: &Connection, before: LateBefore) -> Result<LateFigures, StoreError> {
    let reviews = "SELECT count(*), count(*) FILTER (WHERE refund_id < ?1), min(refund_id) FROM refunds INDEXED BY refunds_that_wait \
        WHERE waits_for = 'review' AND waits_for IS NOT NULL";
    let read = |row: &rusqlite::Row<'_>| review_figures(&mut Columns::new(row, "review figures"));
    let figures = find(connection, reviews, [first_id_at(before.review)], read)?.unwrap_or_default();
    let to_submit = format!(
        "SELECT {LATE_COLUMNS} FROM tasks CROSS JOIN refunds ON refunds.merchant_id = tasks.merchant_id AND refunds.refund_id = tasks.task_id \
        WHERE tasks.kind = 'submit_refund' AND refunds.refund_id < ?1 LIMIT ?2"
    );
    let params = params![first_id_at(before.hand_over), LATE_MAX];
    let free: Vec<Timestamp> = all(connection, &to_submit, params, |row| free_since(&mut Columns::new(row, "late refund")))?;
    let hand_overs = free.into_iter().filter(|since| *since < before.hand_over).map(|_| 1_i64).sum();
    Ok(LateFigures { hand_overs, ..figures })
}
