//! Shares, and the numbers by which receivers are named: how they are loaded, written and read.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use refundry_engine::merchant::{Merchant, Mode};
use refundry_engine::payment::Payment;
use refundry_engine::share::{Share, ShareKey};
use refundry_engine::{Changes, MerchantId, PaymentId, Scope, ShareId, Snapshot, Write};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::PostgresStore;
use super::apply::Calls;
use super::arrays::{Array, Param, Rows};
use super::columns::Columns;
use super::pages::{ALL_IDS, Listing, of_merchant};
use super::readers::Reader;
use super::session::Call;
use super::singles::{body, payment_row};
use super::statements::{insert, put, update};
use crate::rows::share::{COLUMNS, Stored, open_of, read, remembered};
use crate::rows::{self, ReadColumns as _};
use crate::share_reads::is_advanced;
use crate::words::mode_word;
use crate::{Page, PageRequest, Reading, ShareFilter, ShareReads, StoreError};

/// Finds those that a scope, a payment or a repeated request names by id.
pub static BY_ID: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {COLUMNS} FROM UNNEST($1::int8[], $2::int8[]) AS k (m, i) JOIN shares ON merchant_id = m AND share_id = i \
        WHERE /* shard */ merchant_id = ANY($3)"
    )
});
/// Finds those that a scope names by the giver's number.
pub static BY_NUMBER: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {COLUMNS} FROM UNNEST($1::int8[], $2::text[], $3::text[]) AS k (m, n, d) JOIN shares ON merchant_id = m AND number = n \
        AND dialect = d WHERE /* shard */ merchant_id = ANY($4)"
    )
});
/// The payments of those that a scope names by id.
pub static PAYMENTS_BY_ID: LazyLock<String> = LazyLock::new(|| {
    payments_of("UNNEST($1::int8[], $2::int8[]) AS k (km, ki) JOIN shares ON shares.merchant_id = km AND share_id = ki", 3)
});
/// The payments of those that a scope names by number.
pub static PAYMENTS_BY_NUMBER: LazyLock<String> = LazyLock::new(|| {
    let found = "UNNEST($1::int8[], $2::text[], $3::text[]) AS k (km, kn, kd) JOIN shares ON shares.merchant_id = km AND number = kn \
        AND dialect = kd";
    payments_of(found, 4)
});
/// How many refunds of payments are open.
pub const OPEN_REFUNDS: &str = "SELECT m, p, count(*) FROM UNNEST($1::int8[], $2::int8[]) AS k (m, p) \
    JOIN payments ON payments.merchant_id = m AND payments.payment_id = p \
    CROSS JOIN LATERAL UNNEST(string_to_array(substr(refund_ids, 2), ',')::int8[]) AS named (one_id) CROSS JOIN LATERAL \
    (SELECT 1 FROM refunds WHERE refunds.merchant_id = m AND /* shard */ refunds.merchant_id = ANY($3) AND refunds.refund_id = one_id \
    AND refunds.state IN ('pending', 'submitted', 'unresolved') LIMIT 1) AS open \
    WHERE /* shard */ payments.merchant_id = ANY($3) GROUP BY m, p";
static INSERT: LazyLock<String> = LazyLock::new(|| {
    let columns = "merchant_id int8, share_id int8, mode text, state text, payment_id int8, dialect text, number text, currency text, \
        amount_minor int8, due_at int8, body text";
    insert("shares", columns)
});
static UPDATE: LazyLock<String> =
    LazyLock::new(|| update("shares", "merchant_id int8, share_id int8", "state text, due_at int8, body text"));
static PUT_ACCOUNTS: LazyLock<String> = LazyLock::new(|| put("accounts", "merchant_id int8, mode text, account text", "merchant_id"));
const FORGET_ACCOUNTS: &str = "DELETE FROM accounts WHERE merchant_id = ANY($1)";

fn payments_of(found: &str, merchants: usize) -> String {
    format!(
        "SELECT {} FROM (SELECT DISTINCT shares.merchant_id AS m, shares.payment_id AS p FROM {found} \
        WHERE /* shard */ shares.merchant_id = ANY(${merchants})) AS of_shares \
        JOIN payments ON merchant_id = m AND payment_id = p WHERE /* shard */ merchant_id = ANY(${merchants})",
        rows::payment::COLUMNS
    )
}

impl ShareReads for PostgresStore {
    fn share<'a>(&'a self, merchant_id: MerchantId, key: &'a ShareKey) -> Reading<'a, Option<Share>> {
        let key = key.clone();
        self.readers.read(move |reader| find_one(reader, merchant_id, key))
    }

    fn shares<'a>(&'a self, filter: &'a ShareFilter, page: PageRequest) -> Reading<'a, Page<Share>> {
        let filter = filter.clone();
        self.readers.read(move |reader| list(reader, filter, page))
    }

    fn advances(&self, merchant_id: MerchantId, page: PageRequest) -> Reading<'_, Page<Payment>> {
        self.readers.read(move |reader| advances(reader, merchant_id, page))
    }

    fn merchant_by_account<'a>(&'a self, mode: Mode, account: &'a str) -> Reading<'a, Option<Merchant>> {
        let account = account.to_owned();
        self.readers.read(move |reader| by_account(reader, mode, account))
    }
}

/// Those that a scope names by id, and those that it names by number.
pub fn keys(named: &BTreeSet<(MerchantId, ShareKey)>) -> (Vec<(MerchantId, i64)>, impl Fn() -> Rows) {
    let (mut by_id, mut by_number) = (Vec::new(), Vec::new());
    for (merchant_id, key) in named {
        match key {
            ShareKey::Id(id) => by_id.push((*merchant_id, id.get())),
            ShareKey::Number { dialect, number } => by_number.push((*merchant_id, number.clone(), dialect.clone())),
        }
    }
    let rows = move || {
        let mut rows = Rows::of(3);
        for (merchant_id, number, dialect) in &by_number {
            rows.int(merchant_id.get()).text(number).text(dialect);
        }
        rows
    };
    (by_id, rows)
}

/// Keeps one that was loaded.
pub fn keep(snapshot: &mut Snapshot, row: &Row) -> Result<(), StoreError> {
    let share = read_row(row)?;
    snapshot.shares.insert((share.merchant_id, share.id), share);
    Ok(())
}

/// Keeps how many refunds of a payment are open.
pub fn keep_open_refunds(snapshot: &mut Snapshot, row: &Row) -> Result<(), StoreError> {
    let mut columns = Columns::new(row, "refund");
    let key = (MerchantId::new(columns.int()?), PaymentId::new(columns.int()?));
    snapshot.open_refunds.insert(key, columns.small()?);
    Ok(())
}

/// What only the first trip tells is needed: shares behind repeated requests, and those that payments have planned and running.
pub fn missing(snapshot: &Snapshot) -> BTreeSet<(MerchantId, ShareId)> {
    let repeated = snapshot.remembered.values().filter_map(remembered);
    let wanted = snapshot.payments.values().flat_map(open_of).chain(repeated);
    wanted.filter(|key| !snapshot.shares.contains_key(key)).collect()
}

/// The payments whose open refunds must be counted: those that are asked about and do not count them themselves, because they know of no share yet.
/// Of every other that is asked about it is said that there are none.
pub fn to_count(scope: &Scope, snapshot: &mut Snapshot) -> Vec<(MerchantId, i64)> {
    let asked = scope.open_refunds.iter().filter_map(|(merchant_id, key)| snapshot.payment(*merchant_id, key));
    let asked: Vec<_> =
        asked.map(|payment| (payment.merchant_id, payment.id, payment.sharing.is_none() && payment.refund_count > 0)).collect();
    snapshot.open_refunds.extend(asked.iter().map(|(merchant_id, id, _)| ((*merchant_id, *id), 0)));
    asked.into_iter().filter(|(_, _, may_have)| *may_have).map(|(merchant_id, id, _)| (merchant_id, id.get())).collect()
}

/// What was decided.
pub fn add_to(calls: &mut Calls, changes: &Changes) -> Result<(), StoreError> {
    let (mut inserted, mut updated, mut updated_of) = (Rows::of(11), Rows::of(5), Vec::new());
    for write in changes.shares.values() {
        let share = write.row();
        let Stored { mode, state, currency, amount_minor, due_at, body } = Stored::of(share)?;
        match write {
            Write::Insert(_) => {
                inserted.int(share.merchant_id.get()).int(share.id.get()).text(mode).text(state).int(share.payment_id.get());
                inserted.text(&share.dialect).text(&share.number).text(currency).int(amount_minor).int_or_null(due_at).text(&body);
            }
            Write::Update(_) => {
                updated.int(share.merchant_id.get()).int(share.id.get()).text(state).int_or_null(due_at).text(&body);
                updated_of.push(share.merchant_id);
            }
        }
    }
    calls.add(&INSERT, inserted);
    calls.add_of(&UPDATE, updated, updated_of);
    Ok(())
}

/// The numbers of merchants that were written, which no other of their mode may have.
pub fn add_accounts(calls: &mut Calls, changes: &Changes) {
    let mut without = BTreeSet::new();
    let mut accounts = Rows::of(3);
    for merchant in changes.merchants.values() {
        match &merchant.account {
            Some(account) => drop(accounts.int(merchant.id.get()).text(mode_word(merchant.mode)).text(account)),
            None => drop(without.insert(merchant.id.get())),
        }
    }
    if !without.is_empty() {
        calls.0.push(Call { sql: FORGET_ACCOUNTS, params: vec![Param::Array(Array::of_ints(without))] });
    }
    calls.add(&PUT_ACCOUNTS, accounts);
}

fn read_row(row: &Row) -> Result<Share, StoreError> {
    read(&mut Columns::new(row, "share"))
}

/// One share; of several with a number, which only forgotten keys allow, the newest.
async fn find_one(reader: Reader, merchant_id: MerchantId, key: ShareKey) -> Result<Option<Share>, StoreError> {
    match &key {
        ShareKey::Id(id) => {
            let sql = format!("SELECT {COLUMNS} FROM shares WHERE merchant_id = $1 AND share_id = $2");
            reader.first(&sql, &[&merchant_id.get(), &id.get()], read_row).await
        }
        ShareKey::Number { dialect, number } => {
            let sql = format!(
                "SELECT {COLUMNS} FROM shares WHERE merchant_id = $1 AND number = $2 AND dialect = $3 ORDER BY share_id DESC LIMIT 1"
            );
            reader.first(&sql, &[&merchant_id.get(), number, dialect], read_row).await
        }
    }
}

async fn by_account(reader: Reader, mode: Mode, account: String) -> Result<Option<Merchant>, StoreError> {
    let sql = "SELECT merchant_id FROM accounts WHERE mode = $1 AND account = $2";
    let id = reader.first(sql, &[&mode_word(mode), &account], |row| Columns::new(row, "account").int()).await?;
    match id {
        Some(id) => reader.first("SELECT body FROM merchants WHERE merchant_id = $1", &[&id], body).await,
        None => Ok(None),
    }
}

/// A page of shares, newest first.
async fn list(reader: Reader, filter: ShareFilter, page: PageRequest) -> Result<Page<Share>, StoreError> {
    let condition = if filter.payment_id.is_some() { "AND payment_id = $5" } else { "" };
    let listing = Listing {
        columns: COLUMNS,
        source: format!("FROM shares WHERE {} {condition}", of_merchant("shares")),
        id: "share_id",
        extra: filter.payment_id.map(|id| Box::new(id.get()) as Box<dyn ToSql + Sync + Send>),
        from: ALL_IDS.0,
        to: ALL_IDS.1,
        fits: Box::new(move |share: &Share| filter.state.is_none_or(|state| share.state.name() == state)),
        read: read_row,
    };
    listing.page(&reader, &[filter.merchant_id.get()], page).await
}

/// A page of payments with advances. Nothing is advanced of a payment that has no shares, so these lead to it.
async fn advances(reader: Reader, merchant_id: MerchantId, page: PageRequest) -> Result<Page<Payment>, StoreError> {
    let ids = format!(
        "SELECT DISTINCT shares.payment_id AS one_id FROM shares WHERE {} AND shares.payment_id < $2 AND shares.payment_id >= $3 \
        ORDER BY one_id DESC LIMIT $4",
        of_merchant("shares")
    );
    let listing = Listing {
        columns: rows::payment::COLUMNS,
        source: format!("FROM ({ids}) AS one JOIN payments ON payment_id = one_id WHERE {}", of_merchant("payments")),
        id: "payment_id",
        extra: None,
        from: ALL_IDS.0,
        to: ALL_IDS.1,
        fits: Box::new(is_advanced),
        read: payment_row,
    };
    listing.page(&reader, &[merchant_id.get()], page).await
}

/// Every statement of this file that lanes send, for those who look at plans.
#[cfg(test)]
pub fn statements() -> Vec<&'static str> {
    vec![&BY_ID, &BY_NUMBER, &PAYMENTS_BY_ID, &PAYMENTS_BY_NUMBER, OPEN_REFUNDS, &INSERT, &UPDATE, &PUT_ACCOUNTS]
}
