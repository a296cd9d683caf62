//! What waits for people, as PostgreSQL finds it.

use refundry_engine::Timestamp;
use refundry_engine::ids::first_id_at;
use refundry_engine::refund::Refund;

use super::PostgresStore;
use super::columns::Columns;
use super::readers::Reader;
use super::singles::cut;
use crate::reads::PAGE_LIMIT_MAX;
use crate::reviews::{LATE_MAX, LateBefore, LateFigures, ReviewFilter, ReviewReads};
use crate::rows;
use crate::rows::refund::COLUMNS;
use crate::rows::reviews::{LATE_COLUMNS, free_since, review_figures};
use crate::words::mode_word;
use crate::{Page, PageRequest, Reading, StoreError};

impl ReviewReads for PostgresStore {
    fn reviews(&self, filter: ReviewFilter, page: PageRequest) -> Reading<'_, Page<Refund>> {
        self.readers.read(move |reader| reviews(reader, filter, page))
    }

    fn late(&self, before: LateBefore) -> Reading<'_, LateFigures> {
        self.readers.read(move |reader| late(reader, before))
    }
}

async fn reviews(reader: Reader, filter: ReviewFilter, page: PageRequest) -> Result<Page<Refund>, StoreError> {
    let wanted = "waits_for = 'review' AND waits_for IS NOT NULL AND refund_id > $1 AND mode = $2";
    let of_all = format!("SELECT {COLUMNS} FROM refunds WHERE {wanted} ORDER BY refund_id LIMIT $3");
    let of_one = format!("SELECT {COLUMNS} FROM refunds WHERE merchant_id = $4 AND {wanted} ORDER BY refund_id LIMIT $3");
    let limit = page.limit.clamp(1, PAGE_LIMIT_MAX);
    let (after, mode, count) = (page.after.unwrap_or(i64::MIN), mode_word(filter.mode), i64::from(limit + 1));
    let read = |row: &tokio_postgres::Row| rows::refund::read(&mut Columns::new(row, "refund"));
    let found: Vec<Refund> = match filter.merchant_id {
        Some(merchant_id) => reader.all(&of_one, &[&after, &mode, &count, &merchant_id.get()], read).await?,
        None => reader.all(&of_all, &[&after, &mode, &count], read).await?,
    };
    Ok(cut(found, limit as usize, |refund| refund.id.get()))
}

async fn late(reader: Reader, before: LateBefore) -> Result<LateFigures, StoreError> {
    let reviews = "SELECT count(*), count(*) FILTER (WHERE refund_id < $1), min(refund_id) FROM refunds \
        WHERE waits_for = 'review' AND waits_for IS NOT NULL";
    let read = |row: &tokio_postgres::Row| review_figures(&mut Columns::new(row, "review figures"));
    let figures = reader.first(reviews, &[&first_id_at(before.review)], read).await?.unwrap_or_default();
    let to_submit = format!(
        "SELECT {LATE_COLUMNS} FROM tasks JOIN refunds ON refunds.merchant_id = tasks.merchant_id AND refunds.refund_id = tasks.task_id \
        WHERE tasks.kind = 'submit_refund' AND refunds.refund_id < $1 LIMIT $2"
    );
    let params: (i64, i64) = (first_id_at(before.hand_over), i64::from(LATE_MAX));
    let read = |row: &tokio_postgres::Row| free_since(&mut Columns::new(row, "late refund"));
    let free: Vec<Timestamp> = reader.all(&to_submit, &[&params.0, &params.1], read).await?;
    let hand_overs = free.into_iter().filter(|since| *since < before.hand_over).map(|_| 1_i64).sum();
    Ok(LateFigures { hand_overs, ..figures })
}
