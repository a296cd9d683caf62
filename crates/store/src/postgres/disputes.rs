//! Disputes and daily rates: how they are loaded, written and read.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use refundry_engine::dispute::{Dispute, DisputeKey, DisputeKind, DisputeState};
use refundry_engine::rate::DailyRate;
use refundry_engine::{Changes, MerchantId, Snapshot, Write};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::PostgresStore;
use super::apply::Calls;
use super::arrays::Rows;
use super::columns::Columns;
use super::pages::{ALL_IDS, Listing, merchants, of_merchant};
use super::readers::Reader;
use super::statements::{insert, put, update};
use crate::rows::dispute::{COLUMNS, RATE_COLUMNS, rate, read};
use crate::rows::{ReadColumns as _, json_text};
use crate::words::mode_word;
use crate::{DisputeFilter, DisputeReads, OpenDisputes, Page, PageRequest, RateFilter, Reading, StoreError};

/// Finds those that a scope names by id.
pub static BY_ID: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {COLUMNS} FROM UNNEST($1::int8[], $2::int8[]) AS k (m, i) JOIN disputes ON merchant_id = m AND dispute_id = i \
        WHERE /* shard */ merchant_id = ANY($3)"
    )
});
/// Finds those that a scope names by the network's number.
pub static BY_REFERENCE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {COLUMNS} FROM UNNEST($1::int8[], $2::text[]) AS k (m, r) JOIN disputes ON merchant_id = m AND network_reference = r \
        WHERE /* shard */ merchant_id = ANY($3)"
    )
});
static INSERT: LazyLock<String> = LazyLock::new(|| {
    let columns = "merchant_id int8, dispute_id int8, mode text, kind text, state text, currency text, payment_id int8, opened_at int8, \
        amount_minor int8, network_reference text, reply_by int8, updated_at int8, body text";
    insert("disputes", columns)
});
static UPDATE: LazyLock<String> =
    LazyLock::new(|| update("disputes", "merchant_id int8, dispute_id int8", "state text, updated_at int8, body text"));
static PUT_RATES: LazyLock<String> = LazyLock::new(|| {
    let columns = "base text, quoted text, valid_on int8, price_mantissa int8, price_scale int8";
    put("daily_rates", columns, "base, quoted, valid_on")
});

impl DisputeReads for PostgresStore {
    fn dispute<'a>(&'a self, merchant_id: MerchantId, key: &'a DisputeKey) -> Reading<'a, Option<Dispute>> {
        let key = key.clone();
        self.readers.read(move |reader| find_one(reader, merchant_id, key))
    }

    fn disputes<'a>(&'a self, filter: &'a DisputeFilter, page: PageRequest) -> Reading<'a, Page<Dispute>> {
        let filter = filter.clone();
        self.readers.read(move |reader| list(reader, filter, page))
    }

    fn open_disputes(&self, merchant_id: MerchantId) -> Reading<'_, Vec<OpenDisputes>> {
        self.readers.read(move |reader| open(reader, merchant_id))
    }

    fn rates(&self, filter: RateFilter) -> Reading<'_, Vec<DailyRate>> {
        self.readers.read(move |reader| rates(reader, filter))
    }
}

/// Those that a scope names by id, and those that it names by the network's number.
pub fn keys(named: &BTreeSet<(MerchantId, DisputeKey)>) -> (Vec<(MerchantId, i64)>, Rows) {
    let (mut by_id, mut by_reference) = (Vec::new(), Rows::of(2));
    for (merchant_id, key) in named {
        match key {
            DisputeKey::Id(id) => by_id.push((*merchant_id, id.get())),
            DisputeKey::NetworkReference(reference) => drop(by_reference.int(merchant_id.get()).text(reference)),
        }
    }
    (by_id, by_reference)
}

/// Keeps one that was loaded.
pub fn keep(snapshot: &mut Snapshot, row: &Row) -> Result<(), StoreError> {
    let dispute = read_row(row)?;
    snapshot.dispute_references.insert((dispute.merchant_id, dispute.network_reference.clone()), dispute.id);
    snapshot.disputes.insert((dispute.merchant_id, dispute.id), dispute);
    Ok(())
}

/// Reads a dispute.
fn read_row(row: &Row) -> Result<Dispute, StoreError> {
    read(&mut Columns::new(row, "dispute"))
}

/// What was decided.
pub fn add_to(calls: &mut Calls, changes: &Changes) -> Result<(), StoreError> {
    let (mut inserted, mut updated, mut updated_of) = (Rows::of(13), Rows::of(5), Vec::new());
    for write in changes.disputes.values() {
        match write {
            Write::Insert(dispute) => {
                inserted.int(dispute.merchant_id.get()).int(dispute.id.get()).text(mode_word(dispute.mode)).text(dispute.kind.word());
                inserted.text(dispute.state.word()).text(dispute.amount.currency().code()).int(dispute.payment_id.get());
                inserted.int(dispute.opened_at.us()).int(dispute.amount.minor()).text(&dispute.network_reference);
                inserted.int_or_null(dispute.reply_by.map(|at| at.us())).int(dispute.updated_at.us()).text(&json_text(&dispute.body)?);
            }
            Write::Update(dispute) => {
                updated.int(dispute.merchant_id.get()).int(dispute.id.get()).text(dispute.state.word()).int(dispute.updated_at.us());
                updated.text(&json_text(&dispute.body)?);
                updated_of.push(dispute.merchant_id);
            }
        }
    }
    calls.add(&INSERT, inserted);
    calls.add_of(&UPDATE, updated, updated_of);
    let mut rates = Rows::of(5);
    // One statement cannot write a row twice; the last of the same day counts.
    let last: std::collections::BTreeMap<_, _> =
        changes.rates.iter().map(|rate| ((rate.base.code(), rate.quoted.code(), rate.day), rate)).collect();
    for rate in last.values() {
        rates.text(rate.base.code()).text(rate.quoted.code()).int(i64::from(rate.day.get())).int(rate.price_mantissa);
        rates.int(i64::from(rate.price_scale));
    }
    calls.add(&PUT_RATES, rates);
    Ok(())
}

/// One dispute.
async fn find_one(reader: Reader, merchant_id: MerchantId, key: DisputeKey) -> Result<Option<Dispute>, StoreError> {
    match &key {
        DisputeKey::Id(id) => {
            let sql = format!("SELECT {COLUMNS} FROM disputes WHERE merchant_id = $1 AND dispute_id = $2");
            reader.first(&sql, &[&merchant_id.get(), &id.get()], read_row).await
        }
        DisputeKey::NetworkReference(reference) => {
            let sql = format!("SELECT {COLUMNS} FROM disputes WHERE merchant_id = $1 AND network_reference = $2");
            reader.first(&sql, &[&merchant_id.get(), reference], read_row).await
        }
    }
}

/// A page of disputes, newest first.
async fn list(reader: Reader, filter: DisputeFilter, page: PageRequest) -> Result<Page<Dispute>, StoreError> {
    let of = merchants(&reader, filter.merchant_id, filter.mode).await?;
    // What is open is rare; the words stand in the text so that its index is used.
    let is_open = filter.open || filter.state.is_some_and(DisputeState::is_open);
    let condition = match filter.payment_id {
        Some(_) => "AND payment_id = $5",
        None if is_open => "AND state IN ('open', 'represented')",
        None => "",
    };
    let listing = Listing {
        columns: COLUMNS,
        source: format!("FROM disputes WHERE {} {condition}", of_merchant("disputes")),
        id: "dispute_id",
        extra: filter.payment_id.map(|id| Box::new(id.get()) as Box<dyn ToSql + Sync + Send>),
        from: ALL_IDS.0,
        to: ALL_IDS.1,
        fits: Box::new(move |dispute: &Dispute| {
            filter.mode.is_none_or(|mode| dispute.mode == mode)
                && filter.kind.is_none_or(|kind| dispute.kind == kind)
                && filter.state.is_none_or(|state| dispute.state == state)
                && (!filter.open || dispute.is_open())
                && filter.from.is_none_or(|from| dispute.opened_at >= from)
                && filter.to.is_none_or(|to| dispute.opened_at < to)
        }),
        read: read_row,
    };
    listing.page(&reader, &of, page).await
}

/// How many are open, by kind and state.
async fn open(reader: Reader, merchant_id: MerchantId) -> Result<Vec<OpenDisputes>, StoreError> {
    let sql = "SELECT kind, state, count(*) FROM disputes WHERE merchant_id = $1 AND state IN ('open', 'represented') \
        GROUP BY kind, state ORDER BY kind, state";
    let read = |row: &Row| {
        let mut columns = Columns::new(row, "dispute");
        let kind = columns.word(DisputeKind::from_word)?;
        Ok(OpenDisputes { kind, state: columns.word(DisputeState::from_word)?, count: columns.int()? })
    };
    reader.all(sql, &[&merchant_id.get()], read).await
}

/// Rates, the newest day first.
async fn rates(reader: Reader, filter: RateFilter) -> Result<Vec<DailyRate>, StoreError> {
    let sql = format!(
        "SELECT {RATE_COLUMNS} FROM daily_rates WHERE ($1::text IS NULL OR base = $1) AND ($2::text IS NULL OR quoted = $2) \
        AND valid_on >= $3::int8 AND valid_on <= $4::int8 ORDER BY valid_on DESC, base, quoted LIMIT $5"
    );
    let (first, last) = filter.days();
    let (base, quoted) = (filter.base.map(|base| base.code()), filter.quoted.map(|quoted| quoted.code()));
    let read = |row: &Row| rate(&mut Columns::new(row, "rate"));
    reader.all(&sql, &[&base, &quoted, &i64::from(first), &i64::from(last), &i64::from(filter.limit())], read).await
}

/// Every statement of this file that lanes send, for those who look at plans.
#[cfg(test)]
pub fn statements() -> Vec<&'static str> {
    vec![&BY_ID, &BY_REFERENCE, &INSERT, &UPDATE, &PUT_RATES]
}
