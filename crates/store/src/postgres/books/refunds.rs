use std::collections::BTreeMap;

use refundry_engine::refund::RefundStateName;
use tokio_postgres::Client;

use super::{each, shares};
use crate::StoreError;
use crate::books::{self, Findings, RefundBeside, Sums, Waiting};
use crate::postgres::columns::Columns;
use crate::postgres::load::WAITING;
use crate::rows;
use crate::rows::ReadColumns as _;

/// Each payment with its refunds.
pub async fn check_payments(client: &Client, findings: &mut Findings) -> Result<(), StoreError> {
    // Figures by merchant: refunds that payments name, and refunds that there are.
    let mut named: BTreeMap<i64, (i128, i64)> = BTreeMap::new();
    let disputed = shares::disputed(client).await?;
    let sql = format!(
        "SELECT {}, refund_ids, coalesce(named, 0), sum_refunded, sum_marketing, coalesce(counting, 0), sum_given_back \
        FROM payments LEFT JOIN ({}) AS sums USING (merchant_id, payment_id)",
        rows::payment::COLUMNS,
        sums_of_payments()
    );
    each(client, &sql, |row| {
        let mut columns = Columns::new(row, "payment");
        let payment = rows::payment::read(&mut columns)?;
        let refund_ids = columns.text()?;
        let sums = Sums {
            named: columns.int()?.into(),
            refunded: sum(&mut columns)?,
            marketing: sum(&mut columns)?,
            count: columns.int()?.into(),
            fee_given_back: sum(&mut columns)?,
        };
        named.entry(payment.merchant_id.get()).or_default().0 += sums.named;
        sums.check(findings, &payment, refund_ids);
        disputed.check(findings, &payment);
        Ok(())
    })
    .await?;
    each(client, "SELECT merchant_id, count(*) FROM refunds GROUP BY merchant_id", |row| {
        let mut columns = Columns::new(row, "refund");
        let merchant_id = columns.int()?;
        named.entry(merchant_id).or_default().1 = columns.int()?;
        Ok(())
    })
    .await?;
    for (merchant_id, (named, refunds)) in named {
        books::refunds_named(findings, merchant_id, named, refunds);
    }
    Ok(())
}

/// What the refunds that each payment names sum up to. A number that is named twice counts once. Names are taken apart once for each payment, and not
/// once for each of its refunds.
fn sums_of_payments() -> String {
    let counting = RefundStateName::ALL.into_iter().filter(|state| books::counts(*state)).map(|state| format!("'{}'", state.word()));
    let counting = format!("state IN ({})", counting.collect::<Vec<_>>().join(", "));
    let of_counting = |column: &str, name: &str| format!("sum({column}) FILTER (WHERE {counting})::text AS {name}");
    format!(
        "WITH naming AS MATERIALIZED (SELECT merchant_id, payment_id, refund_id FROM payments CROSS JOIN LATERAL \
        (SELECT DISTINCT UNNEST(string_to_array(substr(refund_ids, 2), ','))::int8 AS refund_id) AS one WHERE refund_ids <> '') \
        SELECT merchant_id, payment_id, count(*) AS named, {}, {}, count(*) FILTER (WHERE {counting}) AS counting, {} \
        FROM naming JOIN refunds USING (merchant_id, payment_id, refund_id) GROUP BY merchant_id, payment_id",
        of_counting("amount_minor", "sum_refunded"),
        of_counting("marketing_minor", "sum_marketing"),
        of_counting("fee_given_back_minor", "sum_given_back"),
    )
}

/// A sum of many may be larger than any column; that of none is missing.
fn sum(columns: &mut Columns<'_>) -> Result<i128, StoreError> {
    let digits = columns.text_or_null()?.unwrap_or("0");
    digits.parse().map_err(|_| columns.unreadable("the sum is not a number"))
}

/// Each refund with its payment, its next step and its events; those that wait for money are as many as is counted.
pub async fn check_refunds(client: &Client, findings: &mut Findings) -> Result<(), StoreError> {
    let mut waiting = Waiting::default();
    // Figures by merchant: events that refunds name, and events about refunds that there are.
    let mut named: BTreeMap<i64, (i128, i64)> = BTreeMap::new();
    let events = "SELECT merchant_id, refund_id, count(*) AS events FROM (SELECT merchant_id, refund_id, sequence FROM refunds \
        CROSS JOIN LATERAL (SELECT DISTINCT UNNEST(string_to_array(substr(event_sequences, 2), ','))::int8 AS sequence) AS one) AS naming \
        JOIN events USING (merchant_id, sequence, refund_id) GROUP BY merchant_id, refund_id";
    let columns = rows::refund::COLUMNS.replace("payment_id", "refunds.payment_id");
    let sql = format!(
        "SELECT {columns}, (task_id IS NOT NULL)::int4, (own.payment_id IS NOT NULL)::int4, coalesce(events, 0), \
        (length(event_sequences) - length(replace(event_sequences, ',', '')))::int8 FROM refunds \
        LEFT JOIN (SELECT merchant_id, task_id AS refund_id, task_id FROM tasks \
            WHERE kind IN ('submit_refund', 'resolve_refund', 'release_refund')) AS steps USING (merchant_id, refund_id) \
        LEFT JOIN ({events}) AS events USING (merchant_id, refund_id) \
        LEFT JOIN (SELECT merchant_id AS payer, payment_id FROM payments) AS own ON payer = merchant_id AND own.payment_id = refunds.payment_id"
    );
    each(client, &sql, |row| {
        let mut columns = Columns::new(row, "refund");
        let refund = rows::refund::read(&mut columns)?;
        let (steps, payments, events) = (columns.int()?, columns.int()?, columns.int()?);
        named.entry(refund.merchant_id.get()).or_default().0 += i128::from(events);
        books::refund(findings, &refund, &RefundBeside { steps, payments, events, named: columns.int()? }, &mut waiting);
        Ok(())
    })
    .await?;
    each(client, "SELECT merchant_id, count(*) FROM events WHERE refund_id IS NOT NULL GROUP BY merchant_id", |row| {
        let mut columns = Columns::new(row, "event");
        let merchant_id = columns.int()?;
        named.entry(merchant_id).or_default().1 = columns.int()?;
        Ok(())
    })
    .await?;
    for (merchant_id, (named, events)) in named {
        books::events_named(findings, merchant_id, named, events);
    }
    check_waiting(client, waiting, findings).await
}

async fn check_waiting(client: &Client, mut waiting: Waiting, findings: &mut Findings) -> Result<(), StoreError> {
    debug_assert_eq!(WAITING, "waiting:", "the statement cuts it off");
    let sql = "SELECT merchant_id, substr(name, 9), value FROM counters WHERE name LIKE 'waiting:%' ORDER BY merchant_id, name";
    each(client, sql, |row| {
        let mut columns = Columns::new(row, "counter");
        let key = (columns.int()?, columns.currency()?);
        waiting.counter(findings, key, columns.int()?);
        Ok(())
    })
    .await?;
    waiting.finish(findings);
    Ok(())
}

/// What was accepted for a key is there, and each refund with a number has a key: what stands for a number is forgotten after a while.
pub async fn check_keys(client: &Client, findings: &mut Findings) -> Result<(), StoreError> {
    let sql = "SELECT merchant_id, number, refund_id FROM remembered WHERE refund_id IS NOT NULL AND scope <> 'share' \
        AND NOT (dialect = 'native' AND scope = 'adjustment') \
        AND NOT EXISTS \
        (SELECT FROM refunds WHERE refunds.merchant_id = remembered.merchant_id AND refunds.refund_id = remembered.refund_id AND \
        (refunds.number = remembered.number OR remembered.scope = 'stand-in') AND refunds.dialect = remembered.dialect) ORDER BY merchant_id, number, dialect, scope";
    each(client, sql, |row| {
        let mut columns = Columns::new(row, "remembered key");
        let (merchant_id, number) = (columns.int()?, columns.text()?);
        books::key_without_refund(findings, merchant_id, number, columns.int()?);
        Ok(())
    })
    .await?;
    let sql = "SELECT merchant_id, refund_id FROM refunds WHERE refunds.number <> '' AND NOT EXISTS (SELECT FROM remembered WHERE \
        remembered.merchant_id = refunds.merchant_id AND remembered.number = refunds.number AND remembered.refund_id = refunds.refund_id)";
    each(client, sql, |row| {
        let mut columns = Columns::new(row, "refund");
        books::refund_without_key(findings, columns.int()?, columns.int()?);
        Ok(())
    })
    .await
}
