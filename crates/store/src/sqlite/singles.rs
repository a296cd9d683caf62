//! Reads that give one row, or few.

use refundry_engine::credential::Credential;
use refundry_engine::merchant::{Merchant, Terminal};
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::task::TaskKind;
use refundry_engine::{MerchantId, Timestamp, chart};
use rusqlite::{Connection, Params, Row, params};

use super::apply::prepared;
use super::columns::Columns;
use super::fault::fault;
use super::load::{self, FIND_REFERENCE, body, find};
use super::payment_row;
use crate::rows;
use crate::rows::ReadColumns as _;
use crate::{BalanceRow, PAGE_LIMIT_MAX, Page, PageRequest, StoreError, TaskFigures};

/// Runs a statement that gives a few rows.
pub fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = prepared(connection, sql)?;
    let mut rows = statement.query(params).map_err(fault)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(fault)? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// One payment.
pub fn payment(connection: &Connection, merchant_id: MerchantId, key: &PaymentKey) -> Result<Option<Payment>, StoreError> {
    let id = match key {
        PaymentKey::Id(id) => Some(id.get()),
        PaymentKey::Reference(reference) => {
            find(connection, FIND_REFERENCE, (merchant_id.get(), reference), |row| Columns::new(row, "payment").int())?
        }
    };
    let sql = format!("SELECT {} FROM payments WHERE merchant_id = ?1 AND payment_id = ?2", rows::payment::COLUMNS);
    id.map_or(Ok(None), |id| find(connection, &sql, (merchant_id.get(), id), payment_row::read))
}

/// Merchants by id.
pub fn merchants(connection: &Connection, page: PageRequest) -> Result<Page<Merchant>, StoreError> {
    let sql = "SELECT body FROM merchants WHERE merchant_id > ?1 ORDER BY merchant_id LIMIT ?2";
    let limit = page.limit.clamp(1, PAGE_LIMIT_MAX);
    let rows: Vec<Merchant> = all(connection, sql, params![page.after.unwrap_or(i64::MIN), limit + 1], body)?;
    Ok(cut(rows, limit as usize, |merchant| merchant.id.get()))
}

/// All terminals of a merchant.
pub fn terminals(connection: &Connection, merchant_id: MerchantId) -> Result<Vec<Terminal>, StoreError> {
    all(connection, "SELECT body FROM terminals WHERE merchant_id = ?1 ORDER BY terminal_id", [merchant_id.get()], body)
}

/// Credentials by a dialect's name for the caller.
pub fn credentials_by_lookup(connection: &Connection, dialect: &str, lookup: &str) -> Result<Vec<Credential>, StoreError> {
    let sql = "SELECT body FROM credentials WHERE dialect = ?1 AND lookup = ?2 ORDER BY key_version, scheme";
    all(connection, sql, (dialect, lookup), body)
}

/// Credentials by id.
pub fn credentials(connection: &Connection, merchant_id: Option<MerchantId>, page: PageRequest) -> Result<Page<Credential>, StoreError> {
    let of_all = "SELECT body FROM credentials WHERE credential_id > ?1 AND ?3 IS NULL ORDER BY credential_id LIMIT ?2";
    let of_one = "SELECT body FROM credentials INDEXED BY credentials_of_merchant WHERE credential_id > ?1 AND merchant_id = ?3 ORDER BY credential_id LIMIT ?2";
    let sql = if merchant_id.is_some() { of_one } else { of_all };
    let limit = page.limit.clamp(1, PAGE_LIMIT_MAX);
    let params = params![page.after.unwrap_or(i64::MIN), limit + 1, merchant_id.map(|id| id.get())];
    let rows: Vec<Credential> = all(connection, sql, params, body)?;
    Ok(cut(rows, limit as usize, |credential| credential.id.get()))
}

/// Every balance that is not zero.
pub fn balances(connection: &Connection, merchant_id: MerchantId) -> Result<Vec<BalanceRow>, StoreError> {
    let sql = "SELECT currency, account, balance_minor FROM balances WHERE merchant_id = ?1 AND balance_minor <> 0 \
        ORDER BY currency, account";
    all(connection, sql, [merchant_id.get()], |row| {
        let mut columns = Columns::new(row, "balance");
        let currency = columns.currency()?;
        let account = chart::by_code(columns.small()?).ok_or_else(|| columns.unreadable("the account is not known"))?;
        Ok(BalanceRow { account, currency, minor: columns.int()? })
    })
}

/// How much is due, and since when.
pub fn task_figures(connection: &Connection, now: Timestamp) -> Result<TaskFigures, StoreError> {
    let open = all(connection, "SELECT kind, count(*) FROM tasks GROUP BY kind", [], |row| {
        let mut columns = Columns::new(row, "task");
        Ok((columns.word(TaskKind::from_word)?, columns.int()?))
    })?;
    let number = |sql: &str, params: &[i64]| {
        let read = |row: &Row<'_>| Columns::new(row, "task").int_or_null();
        find(connection, sql, rusqlite::params_from_iter(params), read).map(Option::flatten)
    };
    let oldest = number("SELECT min(due_at) FROM tasks WHERE due_at <= ?1", &[now.us()])?;
    let parked = number("SELECT count(*) FROM notifications INDEXED BY notifications_parked WHERE state = 'parked'", &[])?;
    Ok(TaskFigures { open, oldest_due_at: oldest.map(Timestamp::from_us), parked_notifications: parked.unwrap_or(0) })
}

/// One merchant.
pub fn merchant(connection: &Connection, id: MerchantId) -> Result<Option<Merchant>, StoreError> {
    find(connection, load::FIND_MERCHANT, [id.get()], body)
}

/// A page of rows that were read with one more than the limit.
pub fn cut<T>(mut rows: Vec<T>, limit: usize, id: impl Fn(&T) -> i64) -> Page<T> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = if more { rows.last().map(id) } else { None };
    Page { rows, next }
}
