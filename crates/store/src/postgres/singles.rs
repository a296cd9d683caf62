//! Reads that give one row, or few.

use refundry_engine::credential::Credential;
use refundry_engine::merchant::Merchant;
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::task::TaskKind;
use refundry_engine::{MerchantId, Timestamp, chart};
use serde::de::DeserializeOwned;
use tokio_postgres::Row;

use super::columns::Columns;
use super::readers::Reader;
use crate::rows::{self, ReadColumns as _};
use crate::{BalanceRow, PAGE_LIMIT_MAX, Page, PageRequest, StoreError, TaskFigures};

/// Reads the JSON text that is a row's only column.
pub fn body<T: DeserializeOwned>(row: &Row) -> Result<T, StoreError> {
    Columns::new(row, "setting").json()
}

/// Reads a payment.
pub fn payment_row(row: &Row) -> Result<Payment, StoreError> {
    rows::payment::read(&mut Columns::new(row, "payment"))
}

/// One payment.
pub async fn payment(reader: Reader, merchant_id: MerchantId, key: PaymentKey) -> Result<Option<Payment>, StoreError> {
    let columns = rows::payment::COLUMNS;
    let by_id = format!("SELECT {columns} FROM payments WHERE merchant_id = $1 AND payment_id = $2");
    let by_reference = format!("SELECT {columns} FROM payments WHERE merchant_id = $1 AND payment_reference = $2");
    match &key {
        PaymentKey::Id(id) => reader.first(&by_id, &[&merchant_id.get(), &id.get()], payment_row).await,
        PaymentKey::Reference(reference) => reader.first(&by_reference, &[&merchant_id.get(), reference], payment_row).await,
    }
}

/// Merchants by id.
pub async fn merchants(reader: Reader, page: PageRequest) -> Result<Page<Merchant>, StoreError> {
    let sql = "SELECT body FROM merchants WHERE merchant_id > $1 ORDER BY merchant_id LIMIT $2";
    let limit = page.limit.clamp(1, PAGE_LIMIT_MAX);
    let rows: Vec<Merchant> = reader.all(sql, &[&page.after.unwrap_or(i64::MIN), &i64::from(limit + 1)], body).await?;
    Ok(cut(rows, limit as usize, |merchant| merchant.id.get()))
}

/// Credentials by id.
pub async fn credentials(reader: Reader, of: Option<MerchantId>, page: PageRequest) -> Result<Page<Credential>, StoreError> {
    let of_all = "SELECT body FROM credentials WHERE credential_id > $1 ORDER BY credential_id LIMIT $2";
    let of_one = "SELECT body FROM credentials WHERE credential_id > $1 AND merchant_id = $3 ORDER BY credential_id LIMIT $2";
    let limit = page.limit.clamp(1, PAGE_LIMIT_MAX);
    let (after, count) = (page.after.unwrap_or(i64::MIN), i64::from(limit + 1));
    let rows: Vec<Credential> = match of {
        Some(merchant_id) => reader.all(of_one, &[&after, &count, &merchant_id.get()], body).await?,
        None => reader.all(of_all, &[&after, &count], body).await?,
    };
    Ok(cut(rows, limit as usize, |credential| credential.id.get()))
}

/// Every balance that is not zero.
pub async fn balances(reader: Reader, merchant_id: MerchantId) -> Result<Vec<BalanceRow>, StoreError> {
    let sql = "SELECT currency, account, balance_minor FROM balances WHERE merchant_id = $1 AND balance_minor <> 0 \
        ORDER BY currency, account";
    let read = |row: &Row| {
        let mut columns = Columns::new(row, "balance");
        let currency = columns.currency()?;
        let account = chart::by_code(columns.small()?).ok_or_else(|| columns.unreadable("the account is not known"))?;
        Ok(BalanceRow { account, currency, minor: columns.int()? })
    };
    reader.all(sql, &[&merchant_id.get()], read).await
}

/// How much is due, and since when.
pub async fn task_figures(reader: Reader, now: Timestamp) -> Result<TaskFigures, StoreError> {
    let read = |row: &Row| {
        let mut columns = Columns::new(row, "task");
        Ok((columns.word(TaskKind::from_word)?, columns.int()?))
    };
    let open = reader.all("SELECT kind, count(*) FROM tasks GROUP BY kind ORDER BY kind", &[], read).await?;
    let number = |row: &Row| Columns::new(row, "task").int_or_null();
    let oldest = reader.first("SELECT min(due_at) FROM tasks WHERE due_at <= $1", &[&now.us()], number).await?.flatten();
    let parked = reader.first("SELECT count(*) FROM notifications WHERE state = 'parked'", &[], number).await?.flatten();
    Ok(TaskFigures { open, oldest_due_at: oldest.map(Timestamp::from_us), parked_notifications: parked.unwrap_or(0) })
}

/// A page of rows that were read with one more than the limit.
pub fn cut<T>(mut rows: Vec<T>, limit: usize, id: impl Fn(&T) -> i64) -> Page<T> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = if more { rows.last().map(id) } else { None };
    Page { rows, next }
}
