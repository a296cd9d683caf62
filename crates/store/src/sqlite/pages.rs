//! Pages of a list, newest first. A list of one merchant is a range of its clustered key; a list of all merchants merges those ranges,
//! because no key begins with anything but the merchant.

use std::collections::BinaryHeap;

use refundry_engine::ids::{first_id_at, instant_of};
use refundry_engine::{MerchantId, Mode, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, Statement, params};

use super::apply::prepared;
use super::columns::Columns;
use super::fault::fault;
use crate::rows::ReadColumns as _;
use crate::words::mode_word;
use crate::{PAGE_LIMIT_MAX, PAGE_SCAN_MAX, Page, PageRequest, StoreError};

/// An id may be a little ahead of the clock, when very many are made at once or the clock went back.
const ID_CLOCK_MARGIN_MS: i64 = 60_000;

/// A list: where its rows come from and which of them it wants.
pub struct Listing<'a, T> {
    /// `SELECT … FROM … WHERE … = ?1` (the merchant) and a last condition on `?4`, when there is one.
    pub select: String,
    /// The column of the ids, which the rows are ordered by.
    pub id: &'static str,
    /// What `?4` is.
    pub extra: Option<Value>,
    /// The first id that is wanted.
    pub from: i64,
    /// The first id that is not wanted any more.
    pub to: i64,
    /// Which rows are wanted; the second column is the id.
    pub fits: &'a dyn Fn(&Row<'_>) -> Result<bool, StoreError>,
    /// Reads a row.
    pub read: fn(&Row<'_>) -> Result<T, StoreError>,
}

/// The ids that rows of a span of time may have.
pub fn id_range(from: Option<Timestamp>, to: Option<Timestamp>) -> (i64, i64) {
    let first = from.map_or(i64::MIN, |from| first_id_at(from.plus_ms(-ID_CLOCK_MARGIN_MS)));
    let last = to.map_or(i64::MAX, |to| first_id_at(to.plus_ms(ID_CLOCK_MARGIN_MS)));
    debug_assert!(from.is_none_or(|from| instant_of(first) <= from), "the margin widens the range");
    (first, last)
}

/// The merchants whose rows a list is made of: the one that is named unless it is of the other mode, or all of a mode.
pub fn merchants(connection: &Connection, named: Option<MerchantId>, mode: Option<Mode>) -> Result<Vec<i64>, StoreError> {
    if let (Some(merchant_id), None) = (named, mode) {
        return Ok(vec![merchant_id.get()]);
    }
    let sql = "SELECT merchant_id FROM merchants WHERE (?1 IS NULL OR merchant_id = ?1) AND (?2 IS NULL OR mode = ?2)";
    let mut statement = prepared(connection, sql)?;
    let rows = statement.query_map((named.map(|id| id.get()), mode.map(mode_word)), |row| row.get(0)).map_err(fault)?;
    rows.collect::<Result<_, _>>().map_err(fault)
}

impl<T> Listing<'_, T> {
    /// One page of the rows of `merchants`.
    pub fn page(&self, connection: &Connection, merchants: &[i64], page: PageRequest) -> Result<Page<T>, StoreError> {
        let before = page.after.unwrap_or(i64::MAX).min(self.to);
        let limit = page.limit.clamp(1, PAGE_LIMIT_MAX) as usize;
        match merchants {
            [merchant_id] => self.page_of_one(connection, *merchant_id, before, limit),
            _ => self.page_of_many(connection, merchants, before, limit),
        }
    }

    fn page_of_one(&self, connection: &Connection, merchant_id: i64, before: i64, limit: usize) -> Result<Page<T>, StoreError> {
        let mut statement = prepared(connection, &self.sql(""))?;
        let mut rows = statement.query(params![merchant_id, before, self.from, self.extra]).map_err(fault)?;
        let mut page = Page { rows: Vec::new(), next: None };
        let mut last = None;
        let mut looked_at = 0;
        while let Some(row) = rows.next().map_err(fault)? {
            if page.rows.len() == limit || looked_at == PAGE_SCAN_MAX {
                page.next = last;
                break;
            }
            last = Some(id_of(row)?);
            looked_at += 1;
            if (self.fits)(row)? {
                page.rows.push((self.read)(row)?);
            }
        }
        Ok(page)
    }

    fn page_of_many(&self, connection: &Connection, merchants: &[i64], before: i64, limit: usize) -> Result<Page<T>, StoreError> {
        let mut newest = prepared(connection, &self.sql("LIMIT 1"))?;
        // The newest row of each merchant that was not looked at yet: its id first, so that the heap is ordered by it.
        let mut heads = BinaryHeap::new();
        for merchant_id in merchants {
            heads.extend(self.newest_before(&mut newest, *merchant_id, before, id_of)?.map(|id| (id, *merchant_id)));
        }
        let mut page = Page { rows: Vec::new(), next: None };
        let mut last = None;
        let mut looked_at = 0;
        while let Some((id, merchant_id)) = heads.pop() {
            // Two merchants may have rows of the same id; a cursor between them would lose one.
            if (page.rows.len() >= limit || looked_at >= PAGE_SCAN_MAX) && last != Some(id) {
                page.next = last;
                break;
            }
            last = Some(id);
            looked_at += 1;
            let fitting = |row: &Row<'_>| if (self.fits)(row)? { (self.read)(row).map(Some) } else { Ok(None) };
            page.rows.extend(self.newest_before(&mut newest, merchant_id, id.saturating_add(1), fitting)?.flatten());
            heads.extend(self.newest_before(&mut newest, merchant_id, id, id_of)?.map(|id| (id, merchant_id)));
        }
        Ok(page)
    }

    fn newest_before<R>(
        &self,
        newest: &mut Statement<'_>,
        merchant_id: i64,
        before: i64,
        look: impl FnOnce(&Row<'_>) -> Result<R, StoreError>,
    ) -> Result<Option<R>, StoreError> {
        let mut rows = newest.query(params![merchant_id, before, self.from, self.extra]).map_err(fault)?;
        rows.next().map_err(fault)?.map(look).transpose()
    }

    fn sql(&self, limit: &str) -> String {
        let Self { select, id, .. } = self;
        let extra = if self.extra.is_some() { "" } else { "AND ?4 IS NULL" };
        format!("{select} AND {id} < ?2 AND {id} >= ?3 {extra} ORDER BY {id} DESC {limit}")
    }
}

fn id_of(row: &Row<'_>) -> Result<i64, StoreError> {
    let mut columns = Columns::new(row, "list");
    columns.int()?;
    columns.int()
}
