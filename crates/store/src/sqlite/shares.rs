//! Shares, and the numbers by which receivers are named: how they are loaded, written and read.

use std::collections::BTreeSet;

use refundry_engine::merchant::{Merchant, Mode};
use refundry_engine::payment::Payment;
use refundry_engine::share::{Share, ShareKey};
use refundry_engine::{Changes, MerchantId, Scope, ShareId, Snapshot, Write};
use refundry_ledger::Currency;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params};

use super::SqliteStore;
use super::apply::prepared;
use super::columns::Columns;
use super::fault::fault;
use super::lists::{ALL_IDS, has_text};
use super::load::{body, find};
use super::pages::Listing;
use super::payment_row;
use crate::rows::share::{COLUMNS, Stored, open_of, read, remembered};
use crate::rows::{self, ReadColumns as _};
use crate::share_reads::is_advanced;
use crate::words::mode_word;
use crate::{Page, PageRequest, Reading, ShareFilter, ShareReads, StoreError};

impl ShareReads for SqliteStore {
    fn share<'a>(&'a self, merchant_id: MerchantId, key: &'a ShareKey) -> Reading<'a, Option<Share>> {
        let key = key.clone();
        self.readers.read(move |connection| find_one(connection, merchant_id, &key))
    }

    fn shares<'a>(&'a self, filter: &'a ShareFilter, page: PageRequest) -> Reading<'a, Page<Share>> {
        let filter = filter.clone();
        self.readers.read(move |connection| list(connection, &filter, page))
    }

    fn advances(&self, merchant_id: MerchantId, page: PageRequest) -> Reading<'_, Page<Payment>> {
        self.readers.read(move |connection| advances(connection, merchant_id, page))
    }

    fn merchant_by_account<'a>(&'a self, mode: Mode, account: &'a str) -> Reading<'a, Option<Merchant>> {
        let account = account.to_owned();
        self.readers.read(move |connection| {
            let sql = "SELECT body FROM accounts CROSS JOIN merchants ON merchants.merchant_id = accounts.merchant_id \
                WHERE accounts.mode = ?1 AND account = ?2";
            find(connection, sql, (mode_word(mode), &account), body)
        })
    }
}

/// Loads the shares that a scope names, and those that its keys stand for; the keys are loaded already.
pub fn load(connection: &Connection, scope: &Scope, snapshot: &mut Snapshot) -> Result<(), StoreError> {
    let repeated = snapshot.remembered.values().filter_map(remembered).map(|(merchant_id, id)| (merchant_id, ShareKey::Id(id)));
    let keys: Vec<(MerchantId, ShareKey)> = scope.shares.iter().cloned().chain(repeated).collect();
    for (merchant_id, key) in keys {
        let found = find_one(connection, merchant_id, &key)?;
        snapshot.shares.extend(found.map(|share| ((merchant_id, share.id), share)));
    }
    Ok(())
}

/// Loads what the payments of a snapshot have planned and running.
pub fn load_open(connection: &Connection, snapshot: &mut Snapshot) -> Result<(), StoreError> {
    let open: BTreeSet<(MerchantId, ShareId)> = snapshot.payments.values().flat_map(open_of).collect();
    for (merchant_id, id) in open {
        let found = find_one(connection, merchant_id, &ShareKey::Id(id))?;
        snapshot.shares.extend(found.map(|share| ((merchant_id, id), share)));
    }
    Ok(())
}

/// Counts the open refunds of payments that do not count them themselves, because they know of no share yet.
pub fn count_open_refunds(connection: &Connection, scope: &Scope, snapshot: &mut Snapshot) -> Result<(), StoreError> {
    let sql = "SELECT count(*) FROM json_each((SELECT '[' || substr(refund_ids, 2) || ']' FROM payments \
        WHERE merchant_id = ?1 AND payment_id = ?2)) AS named CROSS JOIN refunds ON merchant_id = ?1 AND refund_id = named.value \
        WHERE state IN ('pending', 'submitted', 'unresolved')";
    for (merchant_id, key) in &scope.open_refunds {
        let Some(payment) = snapshot.payment(*merchant_id, key) else { continue };
        let asked = (payment.merchant_id, payment.id);
        let may_have = payment.sharing.is_none() && payment.refund_count > 0;
        let count = |row: &Row<'_>| Columns::new(row, "refund").small();
        let open = if may_have { find(connection, sql, (merchant_id.get(), payment.id.get()), count)?.unwrap_or(0) } else { 0 };
        snapshot.open_refunds.insert(asked, open);
    }
    Ok(())
}

/// Whose books the payments and shares of a snapshot touch beside those of the giver, and in which currency.
pub fn receivers(snapshot: &Snapshot) -> BTreeSet<(MerchantId, Currency)> {
    let of_payments = snapshot.payments.values().flat_map(|payment| {
        let currency = payment.currency();
        rows::share::receivers_of(payment).map(move |merchant_id| (merchant_id, currency))
    });
    let lines = snapshot.shares.values().flat_map(|share| &share.lines);
    of_payments.chain(lines.map(|line| (line.receiver_id, line.amount.currency()))).collect()
}

/// Writes what was decided.
pub fn apply(connection: &Connection, changes: &Changes) -> Result<(), StoreError> {
    for write in changes.shares.values() {
        match write {
            Write::Insert(share) => insert(connection, share)?,
            Write::Update(share) => update(connection, share)?,
        }
    }
    Ok(())
}

fn insert(connection: &Connection, share: &Share) -> Result<(), StoreError> {
    let sql = "INSERT INTO shares (merchant_id, share_id, mode, state, payment_id, dialect, number, currency, amount_minor, due_at, body) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let Stored { mode, state, currency, amount_minor, due_at, body } = Stored::of(share)?;
    let ids = (share.merchant_id.get(), share.id.get(), share.payment_id.get());
    let row = params![ids.0, ids.1, mode, state, ids.2, share.dialect, share.number, currency, amount_minor, due_at, body];
    prepared(connection, sql)?.execute(row).map(drop).map_err(fault)
}

fn update(connection: &Connection, share: &Share) -> Result<(), StoreError> {
    let sql = "UPDATE shares SET state = ?3, due_at = ?4, body = ?5 WHERE merchant_id = ?1 AND share_id = ?2";
    let Stored { state, due_at, body, .. } = Stored::of(share)?;
    let row = params![share.merchant_id.get(), share.id.get(), state, due_at, body];
    prepared(connection, sql)?.execute(row).map(drop).map_err(fault)
}

/// Keeps the number of a merchant, which no other of its mode may have.
pub fn put_account(connection: &Connection, merchant: &Merchant) -> Result<(), StoreError> {
    let Some(account) = &merchant.account else {
        let sql = "DELETE FROM accounts WHERE merchant_id = ?1";
        return prepared(connection, sql)?.execute([merchant.id.get()]).map(drop).map_err(fault);
    };
    let sql = "INSERT INTO accounts (merchant_id, mode, account) VALUES (?1, ?2, ?3) \
        ON CONFLICT (merchant_id) DO UPDATE SET mode = excluded.mode, account = excluded.account";
    prepared(connection, sql)?.execute(params![merchant.id.get(), mode_word(merchant.mode), account]).map(drop).map_err(fault)
}

fn read_row(row: &Row<'_>) -> Result<Share, StoreError> {
    read(&mut Columns::new(row, "share"))
}

/// One share; of several with a number, which only forgotten keys allow, the newest.
fn find_one(connection: &Connection, merchant_id: MerchantId, key: &ShareKey) -> Result<Option<Share>, StoreError> {
    match key {
        ShareKey::Id(id) => {
            let sql = format!("SELECT {COLUMNS} FROM shares WHERE merchant_id = ?1 AND share_id = ?2");
            find(connection, &sql, (merchant_id.get(), id.get()), read_row)
        }
        ShareKey::Number { dialect, number } => {
            let sql = format!(
                "SELECT {COLUMNS} FROM shares INDEXED BY shares_by_number WHERE merchant_id = ?1 AND number = ?2 AND dialect = ?3 \
                ORDER BY share_id DESC LIMIT 1"
            );
            find(connection, &sql, (merchant_id.get(), number, dialect), read_row)
        }
    }
}

/// A page of shares, newest first.
fn list(connection: &Connection, filter: &ShareFilter, page: PageRequest) -> Result<Page<Share>, StoreError> {
    let (index, condition) = match filter.payment_id {
        Some(_) => ("INDEXED BY shares_of_payment", "AND payment_id = ?4"),
        None => ("", ""),
    };
    let fits = |row: &Row<'_>| has_text(row, 2, filter.state.map(|state| state.word()));
    let listing = Listing {
        select: format!("SELECT {COLUMNS} FROM shares {index} WHERE merchant_id = ?1 {condition}"),
        id: "share_id",
        extra: filter.payment_id.map(|id| Value::Integer(id.get())),
        from: ALL_IDS.0,
        to: ALL_IDS.1,
        fits: &fits,
        read: read_row,
    };
    listing.page(connection, &[filter.merchant_id.get()], page)
}

/// A page of payments with advances. Nothing is advanced of a payment that has no shares, so these lead to it.
fn advances(connection: &Connection, merchant_id: MerchantId, page: PageRequest) -> Result<Page<Payment>, StoreError> {
    let fits = |row: &Row<'_>| payment_row::read(row).map(|payment| is_advanced(&payment));
    let listing = Listing {
        select: format!(
            "SELECT {} FROM (SELECT DISTINCT payment_id AS one_id FROM shares INDEXED BY shares_of_payment WHERE merchant_id = ?1 \
            AND payment_id < ?2 AND payment_id >= ?3 ORDER BY payment_id DESC) CROSS JOIN payments ON payment_id = one_id WHERE merchant_id = ?1",
            rows::payment::COLUMNS
        ),
        id: "payment_id",
        extra: None,
        from: ALL_IDS.0,
        to: ALL_IDS.1,
        fits: &fits,
        read: payment_row::read,
    };
    listing.page(connection, &[merchant_id.get()], page)
}
