//! The rows that are short, as SQLite gives them.

use refundry_engine::event::Event;
use refundry_engine::idempotency::Remembered;
use refundry_engine::notification::{DeliveryAttempt, Notification};
use refundry_engine::task::Task;
use refundry_engine::verdict::AuditLine;
use rusqlite::Row;

use super::columns::Columns;
use crate::StoreError;
use crate::rows::other;

/// Reads a notification.
pub fn notification(row: &Row<'_>) -> Result<Notification, StoreError> {
    other::notification(&mut Columns::new(row, "notification"))
}

/// Reads a try to deliver.
pub fn delivery(row: &Row<'_>) -> Result<DeliveryAttempt, StoreError> {
    other::delivery(&mut Columns::new(row, "delivery"))
}

/// Reads what is remembered of a key.
pub fn remembered(row: &Row<'_>) -> Result<Remembered, StoreError> {
    other::remembered(&mut Columns::new(row, "remembered key"))
}

/// Reads an event.
pub fn event(row: &Row<'_>) -> Result<Event, StoreError> {
    other::event(&mut Columns::new(row, "event"))
}

/// Reads a task.
pub fn task(row: &Row<'_>) -> Result<Task, StoreError> {
    other::task(&mut Columns::new(row, "task"))
}

/// Reads a line of the audit log.
pub fn audit_line(row: &Row<'_>) -> Result<AuditLine, StoreError> {
    other::audit_line(&mut Columns::new(row, "audit line"))
}
