use refundry_engine::MerchantId;
use refundry_engine::notification::Notification;
use refundry_engine::payment::Payment;
use refundry_engine::refund::{Refund, RefundStateName};
use refundry_engine::verdict::AuditLine;
use rusqlite::types::Value;
use rusqlite::{Connection, Row};

use super::fault::fault;
use super::pages::{Listing, id_range, merchants};
use super::{other_rows, payment_row, refund_row};
use crate::rows;
use crate::words::{mode_word, status_word};
use crate::{NotificationFilter, Page, PageRequest, PaymentFilter, RefundFilter, StoreError};

/// Every id.
pub const ALL_IDS: (i64, i64) = (i64::MIN, i64::MAX);

// Without statistics SQLite prefers the clustered key wherever its second column is in the condition or the order, and so would read all rows
// of a merchant to find a few. Hence the names of indexes.

/// A page of payments.
pub fn payments(connection: &Connection, filter: &PaymentFilter, page: PageRequest) -> Result<Page<Payment>, StoreError> {
    let columns = rows::payment::COLUMNS;
    let (index, by_reference) = match filter.merchant_reference {
        Some(_) => ("INDEXED BY payments_by_merchant_reference", "AND merchant_reference = ?4"),
        None => ("", ""),
    };
    let (from, to) = id_range(filter.from, filter.to);
    let fits = |row: &Row<'_>| {
        Ok(has_text(row, 2, filter.mode.map(mode_word))?
            && has_text(row, 3, filter.status.map(status_word))?
            && has_text(row, 4, filter.currency.map(|currency| currency.code()))?
            && is_at_least(row, 9, filter.from.map(|from| from.us()))?
            && filter.to.is_none_or(|to| number(row, 9).is_ok_and(|paid_at| paid_at < to.us()))
            && (!filter.exposed || payment_row::read(row)?.exposure() > 0))
    };
    let listing = Listing {
        select: format!("SELECT {columns} FROM payments {index} WHERE merchant_id = ?1 {by_reference}"),
        id: "payment_id",
        extra: filter.merchant_reference.clone().map(Value::Text),
        from,
        to,
        fits: &fits,
        read: payment_row::read,
    };
    listing.page(connection, &merchants(connection, filter.merchant_id, filter.mode)?, page)
}

/// A page of refunds.
pub fn refunds(connection: &Connection, filter: &RefundFilter, page: PageRequest) -> Result<Page<Refund>, StoreError> {
    let (from, to) = id_range(filter.from, filter.to);
    let (select, extra) = refund_source(filter);
    let fits = |row: &Row<'_>| {
        Ok(has_text(row, 2, filter.mode.map(mode_word))?
            && has_text(row, 3, filter.state.map(|state| state.word()))?
            && has_text(row, 4, filter.currency.map(|currency| currency.code()))?
            && is_at_least(row, 5, filter.amount_minor_min)?
            && filter.amount_minor_max.is_none_or(|most| number(row, 5).is_ok_and(|minor| minor <= most))
            && filter.payment_id.is_none_or(|payment_id| number(row, 6).is_ok_and(|id| id == payment_id.get()))
            && has_text(row, 10, filter.number.as_deref())?
            && is_at_least(row, 16, filter.from.map(|from| from.us()))?
            && filter.to.is_none_or(|to| number(row, 16).is_ok_and(|created_at| created_at < to.us()))
            && (filter.batch.is_none() || refund_row::read(row)?.batch == filter.batch))
    };
    let listing = Listing { select, id: "refund_id", extra, from, to, fits: &fits, read: refund_row::read };
    listing.page(connection, &merchants(connection, filter.merchant_id, filter.mode)?, page)
}

/// A page of notifications.
pub fn notifications(connection: &Connection, filter: &NotificationFilter, page: PageRequest) -> Result<Page<Notification>, StoreError> {
    use refundry_engine::notification::NotificationState;
    let columns = rows::other::NOTIFICATION_COLUMNS;
    let (index, condition) = match (filter.refund_id, filter.state) {
        (Some(_), _) => ("INDEXED BY notifications_of_refund", "AND refund_id = ?4"),
        // The word stands in the text so that the index of parked ones is used.
        (None, Some(NotificationState::Parked)) => ("INDEXED BY notifications_parked", "AND state = 'parked'"),
        (None, Some(NotificationState::Due | NotificationState::Delivered) | None) => ("", ""),
    };
    let fits = |row: &Row<'_>| has_text(row, 2, filter.state.map(|state| state.word()));
    let listing = Listing {
        select: format!("SELECT {columns} FROM notifications {index} WHERE merchant_id = ?1 {condition}"),
        id: "notification_id",
        extra: filter.refund_id.map(|id| Value::Integer(id.get())),
        from: ALL_IDS.0,
        to: ALL_IDS.1,
        fits: &fits,
        read: other_rows::notification,
    };
    let of = merchants(connection, filter.merchant_id, filter.mode)?;
    listing.page(connection, &of, page)
}

/// A page of the audit log.
pub fn audit(connection: &Connection, merchant_id: Option<MerchantId>, page: PageRequest) -> Result<Page<AuditLine>, StoreError> {
    let mut of = merchants(connection, merchant_id, None)?;
    if merchant_id.is_none() {
        of.push(0);
    }
    let listing = Listing {
        select: format!("SELECT {} FROM audit WHERE merchant_id = ?1", rows::other::AUDIT_COLUMNS),
        id: "audit_id",
        extra: None,
        from: ALL_IDS.0,
        to: ALL_IDS.1,
        fits: &|_| Ok(true),
        read: other_rows::audit_line,
    };
    listing.page(connection, &of, page)
}

/// Where the refunds of a filter are found. Refunds that are open are few and found by their tasks, because each has one unless a person
/// has to decide.
fn refund_source(filter: &RefundFilter) -> (String, Option<Value>) {
    let columns = rows::refund::COLUMNS;
    let plain = |index: &str, condition: &str| format!("SELECT {columns} FROM refunds {index} WHERE merchant_id = ?1 {condition}");
    let among = |ids: &str| format!("SELECT {columns} FROM ({ids}) CROSS JOIN refunds ON refund_id = one_id WHERE merchant_id = ?1");
    if let Some(payment_id) = filter.payment_id {
        let ids = "SELECT value AS one_id FROM json_each((SELECT '[' || substr(refund_ids, 2) || ']' FROM payments \
            WHERE merchant_id = ?1 AND payment_id = ?4))";
        return (among(ids), Some(Value::Integer(payment_id.get())));
    }
    if let Some(number) = &filter.number {
        let ids = "SELECT refund_id AS one_id FROM remembered WHERE merchant_id = ?1 AND number = ?4 AND refund_id IS NOT NULL";
        return (among(ids), Some(Value::Text(number.clone())));
    }
    match filter.state {
        Some(RefundStateName::Unresolved) => (plain("INDEXED BY refunds_that_wait", "AND waits_for = 'answer'"), None),
        Some(RefundStateName::Pending | RefundStateName::Submitted) => {
            let ids = "SELECT task_id AS one_id FROM tasks WHERE merchant_id = ?1 AND task_id < ?2 AND task_id >= ?3 \
                UNION SELECT refund_id FROM refunds INDEXED BY refunds_that_wait WHERE merchant_id = ?1 AND waits_for = 'review' \
                AND refund_id < ?2 AND refund_id >= ?3";
            (among(ids), None)
        }
        Some(RefundStateName::Succeeded | RefundStateName::Failed | RefundStateName::Cancelled | RefundStateName::Returned) | None => {
            (plain("", ""), None)
        }
    }
}

/// Whether a column holds the text that is wanted, if one is.
pub fn has_text(row: &Row<'_>, place: usize, wanted: Option<&str>) -> Result<bool, StoreError> {
    let Some(wanted) = wanted else { return Ok(true) };
    Ok(row.get_ref(place).map_err(fault)?.as_str().is_ok_and(|text| text == wanted))
}

/// Whether a column holds at least the number that is wanted, if one is.
pub fn is_at_least(row: &Row<'_>, place: usize, least: Option<i64>) -> Result<bool, StoreError> {
    let Some(least) = least else { return Ok(true) };
    Ok(number(row, place)? >= least)
}

/// The number in a column.
pub fn number(row: &Row<'_>, place: usize) -> Result<i64, StoreError> {
    row.get(place).map_err(fault)
}
