//! Disputes and daily rates: how they are loaded, written and read.

use std::collections::BTreeSet;

use refundry_engine::dispute::{Dispute, DisputeKey, DisputeKind, DisputeState};
use refundry_engine::rate::DailyRate;
use refundry_engine::{Changes, MerchantId, Snapshot, Write};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params};

use super::apply::prepared;
use super::columns::Columns;
use super::fault::fault;
use super::lists::{ALL_IDS, has_text, is_at_least, number};
use super::load::find;
use super::pages::{Listing, merchants};
use super::{SqliteStore, singles};
use crate::rows::dispute::{COLUMNS, RATE_COLUMNS, rate, read};
use crate::rows::{ReadColumns as _, json_text};
use crate::words::mode_word;
use crate::{DisputeFilter, DisputeReads, OpenDisputes, Page, PageRequest, RateFilter, Reading, StoreError};

const PUT_RATE: &str = "INSERT INTO daily_rates (base, quoted, valid_on, price_mantissa, price_scale) VALUES (?1, ?2, ?3, ?4, ?5) \
    ON CONFLICT (base, quoted, valid_on) DO UPDATE SET price_mantissa = excluded.price_mantissa, price_scale = excluded.price_scale";

impl DisputeReads for SqliteStore {
    fn dispute<'a>(&'a self, merchant_id: MerchantId, key: &'a DisputeKey) -> Reading<'a, Option<Dispute>> {
        let key = key.clone();
        self.readers.read(move |connection| find_one(connection, merchant_id, &key))
    }

    fn disputes<'a>(&'a self, filter: &'a DisputeFilter, page: PageRequest) -> Reading<'a, Page<Dispute>> {
        let filter = filter.clone();
        self.readers.read(move |connection| list(connection, &filter, page))
    }

    fn open_disputes(&self, merchant_id: MerchantId) -> Reading<'_, Vec<OpenDisputes>> {
        self.readers.read(move |connection| open(connection, merchant_id))
    }

    fn rates(&self, filter: RateFilter) -> Reading<'_, Vec<DailyRate>> {
        self.readers.read(move |connection| rates(connection, &filter))
    }
}

fn read_row(row: &Row<'_>) -> Result<Dispute, StoreError> {
    read(&mut Columns::new(row, "dispute"))
}

fn read_rate(row: &Row<'_>) -> Result<DailyRate, StoreError> {
    rate(&mut Columns::new(row, "rate"))
}

/// Loads those that a scope names.
pub fn load(connection: &Connection, keys: &BTreeSet<(MerchantId, DisputeKey)>, snapshot: &mut Snapshot) -> Result<(), StoreError> {
    for (merchant_id, key) in keys {
        if let Some(dispute) = find_one(connection, *merchant_id, key)? {
            snapshot.dispute_references.insert((*merchant_id, dispute.network_reference.clone()), dispute.id);
            snapshot.disputes.insert((*merchant_id, dispute.id), dispute);
        }
    }
    Ok(())
}

/// One dispute.
fn find_one(connection: &Connection, merchant_id: MerchantId, key: &DisputeKey) -> Result<Option<Dispute>, StoreError> {
    match key {
        DisputeKey::Id(id) => {
            let sql = format!("SELECT {COLUMNS} FROM disputes WHERE merchant_id = ?1 AND dispute_id = ?2");
            find(connection, &sql, (merchant_id.get(), id.get()), read_row)
        }
        DisputeKey::NetworkReference(reference) => {
            let sql = format!("SELECT {COLUMNS} FROM disputes WHERE merchant_id = ?1 AND network_reference = ?2");
            find(connection, &sql, (merchant_id.get(), reference), read_row)
        }
    }
}

/// Writes what was decided.
pub fn apply(connection: &Connection, changes: &Changes) -> Result<(), StoreError> {
    for write in changes.disputes.values() {
        match write {
            Write::Insert(dispute) => insert(connection, dispute)?,
            Write::Update(dispute) => update(connection, dispute)?,
        }
    }
    for rate in &changes.rates {
        let row = params![rate.base.code(), rate.quoted.code(), rate.day.get(), rate.price_mantissa, rate.price_scale];
        prepared(connection, PUT_RATE)?.execute(row).map_err(fault)?;
    }
    Ok(())
}

fn insert(connection: &Connection, dispute: &Dispute) -> Result<(), StoreError> {
    let sql = "INSERT INTO disputes (merchant_id, dispute_id, mode, kind, state, currency, payment_id, opened_at, amount_minor, \
        network_reference, reply_by, updated_at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let row = params![
        dispute.merchant_id.get(),
        dispute.id.get(),
        mode_word(dispute.mode),
        dispute.kind.word(),
        dispute.state.word(),
        dispute.amount.currency().code(),
        dispute.payment_id.get(),
        dispute.opened_at.us(),
        dispute.amount.minor(),
        dispute.network_reference,
        dispute.reply_by.map(|at| at.us()),
        dispute.updated_at.us(),
        json_text(&dispute.body)?,
    ];
    prepared(connection, sql)?.execute(row).map_err(fault)?;
    Ok(())
}

fn update(connection: &Connection, dispute: &Dispute) -> Result<(), StoreError> {
    let sql = "UPDATE disputes SET state = ?3, updated_at = ?4, body = ?5 WHERE merchant_id = ?1 AND dispute_id = ?2";
    let body = json_text(&dispute.body)?;
    let row = params![dispute.merchant_id.get(), dispute.id.get(), dispute.state.word(), dispute.updated_at.us(), body];
    prepared(connection, sql)?.execute(row).map_err(fault)?;
    Ok(())
}

/// A page of disputes, newest first.
fn list(connection: &Connection, filter: &DisputeFilter, page: PageRequest) -> Result<Page<Dispute>, StoreError> {
    let fits = |row: &Row<'_>| {
        Ok(has_text(row, 2, filter.mode.map(mode_word))?
            && has_text(row, 3, filter.kind.map(DisputeKind::word))?
            && has_text(row, 4, filter.state.map(DisputeState::word))?
            && (!filter.open || open_state(row)?)
            && is_at_least(row, 7, filter.from.map(|from| from.us()))?
            && filter.to.is_none_or(|to| number(row, 7).is_ok_and(|opened_at| opened_at < to.us())))
    };
    // What is open is rare; the words stand in the text so that its index is used.
    let is_open = filter.open || filter.state.is_some_and(DisputeState::is_open);
    let (index, condition) = match filter.payment_id {
        Some(_) => ("INDEXED BY disputes_of_payment", "AND payment_id = ?4"),
        None if is_open => ("INDEXED BY disputes_open", "AND state IN ('open', 'represented')"),
        None => ("", ""),
    };
    let listing = Listing {
        select: format!("SELECT {COLUMNS} FROM disputes {index} WHERE merchant_id = ?1 {condition}"),
        id: "dispute_id",
        extra: filter.payment_id.map(|id| Value::Integer(id.get())),
        from: ALL_IDS.0,
        to: ALL_IDS.1,
        fits: &fits,
        read: read_row,
    };
    listing.page(connection, &merchants(connection, filter.merchant_id, filter.mode)?, page)
}

fn open_state(row: &Row<'_>) -> Result<bool, StoreError> {
    let state = row.get_ref(4).map_err(fault)?.as_str().ok().and_then(DisputeState::from_word);
    Ok(state.is_some_and(DisputeState::is_open))
}

/// How many are open, by kind and state.
fn open(connection: &Connection, merchant_id: MerchantId) -> Result<Vec<OpenDisputes>, StoreError> {
    let sql = "SELECT kind, state, count(*) FROM disputes INDEXED BY disputes_open WHERE merchant_id = ?1 \
        AND state IN ('open', 'represented') GROUP BY kind, state ORDER BY kind, state";
    singles::all(connection, sql, [merchant_id.get()], |row| {
        let mut columns = Columns::new(row, "dispute");
        let kind = columns.word(DisputeKind::from_word)?;
        Ok(OpenDisputes { kind, state: columns.word(DisputeState::from_word)?, count: columns.int()? })
    })
}

/// Rates, the newest day first.
fn rates(connection: &Connection, filter: &RateFilter) -> Result<Vec<DailyRate>, StoreError> {
    let sql = format!(
        "SELECT {RATE_COLUMNS} FROM daily_rates WHERE (?1 IS NULL OR base = ?1) AND (?2 IS NULL OR quoted = ?2) AND valid_on >= ?3 \
        AND valid_on <= ?4 ORDER BY valid_on DESC, base, quoted LIMIT ?5"
    );
    let (first, last) = filter.days();
    let params = params![filter.base.map(|base| base.code()), filter.quoted.map(|quoted| quoted.code()), first, last, filter.limit()];
    singles::all(connection, &sql, params, read_rate)
}
