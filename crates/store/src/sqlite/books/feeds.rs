use refundry_engine::{MerchantId, NotificationId};
use rusqlite::Connection;

use super::each;
use crate::rows::ReadColumns as _;
use crate::sqlite::columns::Columns;
use crate::sqlite::load::LAST_SEQUENCE;
use crate::{BooksReport, StoreError};

/// A merchant's feed has no gaps, and its counter is its last number.
pub fn check_events(connection: &Connection, merchant_id: i64, report: &mut BooksReport) -> Result<(), StoreError> {
    let mut last = 0;
    let name = |sequence: i64| format!("{} {sequence}", MerchantId::new(merchant_id));
    each(connection, "SELECT sequence FROM events WHERE merchant_id = ?1 ORDER BY sequence", [merchant_id], |row| {
        let sequence = Columns::new(row, "event").int()?;
        report.expect_number("events_have_no_gap", || name(sequence), sequence.into(), i128::from(last) + 1);
        last = sequence;
        Ok(())
    })?;
    let mut counted = 0;
    each(connection, "SELECT value FROM counters WHERE merchant_id = ?1 AND name = ?2", (merchant_id, LAST_SEQUENCE), |row| {
        counted = Columns::new(row, "counter").int()?;
        Ok(())
    })?;
    report.expect_number("last_sequence_is_that_of_the_feed", || name(last), counted.into(), last.into());
    Ok(())
}

/// A notification that is due has a task, one that is not has none, and each announces an event that is there.
pub fn check_notifications(connection: &Connection, merchant_id: i64, report: &mut BooksReport) -> Result<(), StoreError> {
    let sql = "SELECT notification_id, state = 'due', (SELECT count(*) FROM tasks WHERE tasks.merchant_id = ?1 AND task_id = notification_id), \
        (SELECT count(*) FROM events WHERE events.merchant_id = ?1 AND sequence = event_sequence) FROM notifications WHERE merchant_id = ?1";
    each(connection, sql, [merchant_id], |row| {
        let mut columns = Columns::new(row, "notification");
        let id = NotificationId::new(columns.int()?);
        let (due, tasks, events) = (columns.int()?, columns.int()?, columns.int()?);
        report.expect_number("due_notification_has_a_task", || id.to_string(), tasks.into(), due.into());
        report.expect_number("notification_has_its_event", || id.to_string(), events.into(), 1);
        Ok(())
    })
}
