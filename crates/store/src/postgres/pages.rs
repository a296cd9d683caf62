//! Pages of a list, newest first. A list of one merchant is a range of its key; a list of all merchants merges those ranges, because no key begins with
//! anything but the merchant.

use std::cmp::Reverse;

use refundry_engine::ids::first_id_at;
use refundry_engine::{MerchantId, Mode, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::columns::Columns;
use super::readers::Reader;
use super::statements::SHARD;
use crate::rows::ReadColumns as _;
use crate::words::mode_word;
use crate::{PAGE_LIMIT_MAX, PAGE_SCAN_MAX, Page, PageRequest, StoreError};

/// An id may be a little ahead of the clock, when very many are made at once or the clock went back.
const ID_CLOCK_MARGIN_MS: i64 = 60_000;
/// Rows that are fetched at once; a filter that fits rarely needs more than one fetch.
const FETCH: usize = 256;

/// A list: where its rows come from and which of them it wants.
pub struct Listing<T> {
    /// The columns, the first two of which are the merchant and the id.
    pub columns: &'static str,
    /// `FROM … WHERE` with [`of_merchant`], and a condition on `$5` when there is an extra parameter.
    pub source: String,
    /// The column of the ids, which the rows are ordered by.
    pub id: &'static str,
    /// What `$5` is.
    pub extra: Option<Box<dyn ToSql + Sync + Send>>,
    /// The first id that is wanted.
    pub from: i64,
    /// The first id that is not wanted any more.
    pub to: i64,
    /// Which rows are wanted.
    pub fits: Box<dyn Fn(&T) -> bool + Send + Sync>,
    /// Reads a row.
    pub read: fn(&Row) -> Result<T, StoreError>,
}

/// That rows of a table are those of the merchant of the list whose turn it is.
pub fn of_merchant(table: &str) -> String {
    format!("{table}.merchant_id = m AND {SHARD} {table}.merchant_id = ANY($1)")
}

/// Every id.
pub const ALL_IDS: (i64, i64) = (i64::MIN, i64::MAX);

/// The ids that rows of a span of time may have.
pub fn id_range(from: Option<Timestamp>, to: Option<Timestamp>) -> (i64, i64) {
    let first = from.map_or(i64::MIN, |from| first_id_at(from.plus_ms(-ID_CLOCK_MARGIN_MS)));
    let last = to.map_or(i64::MAX, |to| first_id_at(to.plus_ms(ID_CLOCK_MARGIN_MS)));
    (first, last)
}

/// The merchants whose rows a list is made of: the one that is named unless it is of the other mode, or all of a mode.
pub async fn merchants(reader: &Reader, named: Option<MerchantId>, mode: Option<Mode>) -> Result<Vec<i64>, StoreError> {
    if let (Some(merchant_id), None) = (named, mode) {
        return Ok(vec![merchant_id.get()]);
    }
    let sql = "SELECT merchant_id FROM merchants WHERE ($1::int8 IS NULL OR merchant_id = $1) AND ($2::text IS NULL OR mode = $2)";
    let read = |row: &Row| Columns::new(row, "merchant").int();
    reader.all(sql, &[&named.map(|id| id.get()), &mode.map(mode_word)], read).await
}

impl<T> Listing<T> {
    /// One page of the rows of `merchants`.
    pub async fn page(&self, reader: &Reader, merchants: &[i64], page: PageRequest) -> Result<Page<T>, StoreError> {
        let limit = page.limit.clamp(1, PAGE_LIMIT_MAX) as usize;
        let fetch = FETCH.max(limit + 1);
        let mut before = page.after.unwrap_or(i64::MAX).min(self.to);
        let mut found = Page { rows: Vec::new(), next: None };
        let mut last: Option<(i64, i64)> = None;
        let mut looked_at = 0;
        let groups = reader.placement().together(merchants.to_vec());
        loop {
            let rows = self.fetch(reader, &groups, before, fetch).await?;
            for row in &rows {
                let place = place_of(row)?;
                if last.is_some_and(|last| place >= last) {
                    // It was looked at with the rows before.
                    continue;
                }
                // Two merchants may have rows of the same id; a cursor between them would lose one.
                let full = found.rows.len() >= limit || looked_at >= PAGE_SCAN_MAX;
                if let Some((id, _)) = last.filter(|(id, _)| full && *id != place.0) {
                    found.next = Some(id);
                    return Ok(found);
                }
                last = Some(place);
                looked_at += 1;
                let read = (self.read)(row)?;
                if (self.fits)(&read) {
                    found.rows.push(read);
                }
            }
            let Some((id, _)) = last.filter(|_| rows.len() == fetch) else { return Ok(found) };
            before = id.saturating_add(1);
        }
    }

    /// The newest rows of all groups.
    async fn fetch(&self, reader: &Reader, groups: &[Vec<i64>], before: i64, count: usize) -> Result<Vec<Row>, StoreError> {
        if let [merchants] = groups {
            return self.fetch_of(reader, merchants, before, count).await;
        }
        let mut placed = Vec::new();
        for merchants in groups {
            for row in self.fetch_of(reader, merchants, before, count).await? {
                placed.push((place_of(&row)?, row));
            }
        }
        placed.sort_by_key(|(place, _)| Reverse(*place));
        Ok(placed.into_iter().take(count).map(|(_, row)| row).collect())
    }

    async fn fetch_of(&self, reader: &Reader, merchants: &[i64], before: i64, count: usize) -> Result<Vec<Row>, StoreError> {
        let Self { columns, source, id, .. } = self;
        let sql = format!(
            "SELECT newest.* FROM UNNEST($1::int8[]) AS k (m) CROSS JOIN LATERAL (SELECT {columns} {source} AND {id} < $2 AND {id} >= $3 \
            ORDER BY {id} DESC LIMIT $4) AS newest ORDER BY {id} DESC, merchant_id DESC LIMIT $4"
        );
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let mut params: Vec<&(dyn ToSql + Sync)> = vec![&merchants, &before, &self.from, &count];
        if let Some(extra) = &self.extra {
            params.push(extra.as_ref());
        }
        reader.rows(&reader.placement().text_of(&sql), &params).await
    }
}

fn place_of(row: &Row) -> Result<(i64, i64), StoreError> {
    let mut columns = Columns::new(row, "list");
    let merchant_id = columns.int()?;
    Ok((columns.int()?, merchant_id))
}
