use rusqlite::Connection;

use super::each;
use crate::StoreError;
use crate::books::{self, Findings};
use crate::rows::ReadColumns as _;
use crate::sqlite::columns::Columns;
use crate::sqlite::load::LAST_SEQUENCE;

/// A merchant's feed has no gaps, and its counter is its last number.
pub fn check_events(connection: &Connection, merchant_id: i64, findings: &mut Findings) -> Result<(), StoreError> {
    let mut last = 0;
    each(connection, "SELECT sequence FROM events WHERE merchant_id = ?1 ORDER BY sequence", [merchant_id], |row| {
        let sequence = Columns::new(row, "event").int()?;
        books::event(findings, merchant_id, sequence, last);
        last = sequence;
        Ok(())
    })?;
    let mut counted = 0;
    each(connection, "SELECT value FROM counters WHERE merchant_id = ?1 AND name = ?2", (merchant_id, LAST_SEQUENCE), |row| {
        counted = Columns::new(row, "counter").int()?;
        Ok(())
    })?;
    books::last_sequence(findings, merchant_id, counted, last);
    Ok(())
}

/// Each notification with its task and its event.
pub fn check_notifications(connection: &Connection, merchant_id: i64, findings: &mut Findings) -> Result<(), StoreError> {
    let sql = "SELECT notification_id, state = 'due', (SELECT count(*) FROM tasks WHERE tasks.merchant_id = ?1 AND task_id = notification_id), \
        (SELECT count(*) FROM events WHERE events.merchant_id = ?1 AND sequence = event_sequence) FROM notifications WHERE merchant_id = ?1";
    each(connection, sql, [merchant_id], |row| {
        let mut columns = Columns::new(row, "notification");
        let (id, due) = (columns.int()?, columns.flag()?);
        books::notification(findings, merchant_id, id, due, (columns.int()?, columns.int()?));
        Ok(())
    })
}
