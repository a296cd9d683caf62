use rusqlite::Connection;

use super::each;
use crate::StoreError;
use crate::books::{self, Findings};
use crate::rows::ReadColumns as _;
use crate::sqlite::columns::Columns;

/// Each task has what it is about. Tasks of other kinds are about a merchant as a whole.
pub fn check_tasks(connection: &Connection, merchant_id: i64, findings: &mut Findings) -> Result<(), StoreError> {
    let sql = "SELECT task_id, kind FROM tasks WHERE merchant_id = ?1 AND CASE \
        WHEN kind = 'deliver_notification' THEN NOT EXISTS (SELECT 1 FROM notifications WHERE notifications.merchant_id = ?1 \
            AND notification_id = task_id) \
        WHEN kind IN ('submit_refund', 'resolve_refund', 'release_refund') \
            THEN NOT EXISTS (SELECT 1 FROM refunds WHERE refunds.merchant_id = ?1 AND refund_id = task_id) \
        ELSE 0 END";
    each(connection, sql, [merchant_id], |row| {
        let mut columns = Columns::new(row, "task");
        books::task_of_nothing(findings, merchant_id, columns.int()?, columns.text()?);
        Ok(())
    })
}
