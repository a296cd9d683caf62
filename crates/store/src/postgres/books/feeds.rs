use std::collections::BTreeMap;

use tokio_postgres::Client;

use super::each;
use crate::StoreError;
use crate::books::{self, Findings};
use crate::postgres::columns::Columns;
use crate::rows::ReadColumns as _;

/// Each task has what it is about. Tasks of other kinds are about a merchant as a whole.
pub async fn check_tasks(client: &Client, findings: &mut Findings) -> Result<(), StoreError> {
    let sql = "SELECT tasks.merchant_id, task_id, kind FROM tasks \
        LEFT JOIN notifications ON notifications.merchant_id = tasks.merchant_id AND notification_id = task_id \
        LEFT JOIN refunds ON refunds.merchant_id = tasks.merchant_id AND refunds.refund_id = task_id \
        WHERE CASE kind WHEN 'deliver_notification' THEN notification_id IS NULL \
        WHEN 'submit_refund' THEN refunds.refund_id IS NULL WHEN 'resolve_refund' THEN refunds.refund_id IS NULL \
        WHEN 'release_refund' THEN refunds.refund_id IS NULL ELSE false END";
    each(client, sql, |row| {
        let mut columns = Columns::new(row, "task");
        books::task_of_nothing(findings, columns.int()?, columns.int()?, columns.text()?);
        Ok(())
    })
    .await
}

/// The feeds have no gaps, and their counters are their last numbers.
pub async fn check_events(client: &Client, merchants: &[i64], findings: &mut Findings) -> Result<(), StoreError> {
    let mut last = BTreeMap::new();
    let sql = "SELECT merchant_id, sequence, before FROM (SELECT merchant_id, sequence, \
        lag(sequence) OVER of_merchant AS before, lead(sequence) OVER of_merchant AS next FROM events \
        WINDOW of_merchant AS (PARTITION BY merchant_id ORDER BY sequence)) AS feed \
        WHERE sequence <> coalesce(before, 0) + 1 OR next IS NULL";
    each(client, sql, |row| {
        let mut columns = Columns::new(row, "event");
        let (merchant_id, sequence) = (columns.int()?, columns.int()?);
        books::event(findings, merchant_id, sequence, columns.int_or_null()?.unwrap_or(0));
        let end: &mut i64 = last.entry(merchant_id).or_insert(sequence);
        *end = sequence.max(*end);
        Ok(())
    })
    .await?;
    let mut counted = BTreeMap::new();
    each(client, "SELECT merchant_id, value FROM counters WHERE name = 'last_sequence'", |row| {
        let mut columns = Columns::new(row, "counter");
        counted.insert(columns.int()?, columns.int()?);
        Ok(())
    })
    .await?;
    for merchant_id in merchants {
        let of = |numbers: &BTreeMap<i64, i64>| numbers.get(merchant_id).copied().unwrap_or(0);
        books::last_sequence(findings, *merchant_id, of(&counted), of(&last));
    }
    Ok(())
}

/// Each notification with its task and its event.
pub async fn check_notifications(client: &Client, findings: &mut Findings) -> Result<(), StoreError> {
    let sql = "SELECT merchant_id, notification_id, due, tasks, events FROM (SELECT notifications.merchant_id, notification_id, \
        (state = 'due')::int4 AS due, (task_id IS NOT NULL)::int4 AS tasks, (sequence IS NOT NULL)::int4 AS events FROM notifications \
        LEFT JOIN tasks ON tasks.merchant_id = notifications.merchant_id AND task_id = notification_id \
        LEFT JOIN events ON events.merchant_id = notifications.merchant_id AND sequence = event_sequence) AS beside \
        WHERE tasks <> due OR events <> 1";
    each(client, sql, |row| {
        let mut columns = Columns::new(row, "notification");
        let (merchant_id, id, due) = (columns.int()?, columns.int()?, columns.flag()?);
        books::notification(findings, merchant_id, id, due, (columns.int()?, columns.int()?));
        Ok(())
    })
    .await
}
