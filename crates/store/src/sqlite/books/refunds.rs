use refundry_engine::payment::Payment;
use rusqlite::Connection;

use super::{each, shares};
use crate::StoreError;
use crate::books::{self, Findings, RefundBeside, Sums, Waiting};
use crate::rows;
use crate::rows::ReadColumns as _;
use crate::sqlite::columns::Columns;
use crate::sqlite::fault::fault;
use crate::sqlite::load::WAITING;
use crate::sqlite::{payment_row, refund_row};

/// Each payment with its refunds.
pub fn check_payments(connection: &Connection, merchant_id: i64, findings: &mut Findings) -> Result<(), StoreError> {
    let mut named = 0;
    let disputed = shares::disputed(connection, merchant_id)?;
    let sql = format!("SELECT {}, refund_ids FROM payments WHERE merchant_id = ?1", rows::payment::COLUMNS);
    let place = rows::payment::COLUMNS.split(',').count();
    each(connection, &sql, [merchant_id], |row| {
        let payment = payment_row::read(row)?;
        let refund_ids: String = row.get(place).map_err(fault)?;
        let sums = sums_of(connection, &payment, &refund_ids)?;
        named += sums.named;
        sums.check(findings, &payment, &refund_ids);
        disputed.check(findings, &payment);
        shares::check_payment(connection, &payment, &refund_ids, findings)?;
        Ok(())
    })?;
    each(connection, "SELECT count(*) FROM refunds WHERE merchant_id = ?1", [merchant_id], |row| {
        books::refunds_named(findings, merchant_id, named, row.get(0).map_err(fault)?);
        Ok(())
    })
}

fn sums_of(connection: &Connection, payment: &Payment, refund_ids: &str) -> Result<Sums, StoreError> {
    let mut sums = Sums::default();
    if refund_ids.is_empty() {
        return Ok(sums);
    }
    let sql = "SELECT state, amount_minor, marketing_minor, fee_given_back_minor FROM (SELECT DISTINCT value AS one_id FROM \
        json_each('[' || substr(?3, 2) || ']')) CROSS JOIN refunds ON refund_id = one_id WHERE merchant_id = ?1 AND payment_id = ?2";
    each(connection, sql, (payment.merchant_id.get(), payment.id.get(), refund_ids), |row| {
        let mut columns = Columns::new(row, "refund");
        sums.named += 1;
        if books::counts(columns.word(rows::refund::state_from)?) {
            sums.refunded += i128::from(columns.int()?);
            sums.marketing += i128::from(columns.int()?);
            sums.fee_given_back += i128::from(columns.int()?);
            sums.count += 1;
        }
        Ok(())
    })?;
    Ok(sums)
}

/// Each refund with its payment, its next step and its events; those that wait for money are as many as is counted.
pub fn check_refunds(connection: &Connection, merchant_id: i64, findings: &mut Findings) -> Result<(), StoreError> {
    let mut waiting = Waiting::default();
    let next_step = "SELECT count(*) FROM tasks WHERE tasks.merchant_id = refunds.merchant_id AND task_id = refund_id \
        AND kind IN ('submit_refund', 'resolve_refund', 'release_refund')";
    let payments =
        "SELECT count(*) FROM payments WHERE payments.merchant_id = refunds.merchant_id AND payments.payment_id = refunds.payment_id";
    let events = "SELECT count(*) FROM (SELECT DISTINCT value AS one_sequence FROM json_each('[' || substr(event_sequences, 2) || ']')) \
        CROSS JOIN events ON sequence = one_sequence WHERE events.merchant_id = refunds.merchant_id AND events.refund_id = refunds.refund_id";
    let columns = rows::refund::COLUMNS;
    let sql = format!(
        "SELECT {columns}, ({next_step}), ({payments}), ({events}), length(event_sequences) - length(replace(event_sequences, ',', '')) \
        FROM refunds WHERE merchant_id = ?1"
    );
    let mut named = 0;
    let place = rows::refund::COLUMNS.split(',').count();
    each(connection, &sql, [merchant_id], |row| {
        let refund = refund_row::read(row)?;
        let number = |place: usize| row.get::<_, i64>(place).map_err(fault);
        let (steps, payments, events) = (number(place)?, number(place + 1)?, number(place + 2)?);
        named += i128::from(events);
        books::refund(findings, &refund, &RefundBeside { steps, payments, events, named: number(place + 3)? }, &mut waiting);
        Ok(())
    })?;
    each(connection, "SELECT count(*) FROM events WHERE merchant_id = ?1 AND refund_id IS NOT NULL", [merchant_id], |row| {
        books::events_named(findings, merchant_id, named, row.get(0).map_err(fault)?);
        Ok(())
    })?;
    check_waiting(connection, merchant_id, waiting, findings)
}

fn check_waiting(connection: &Connection, merchant_id: i64, mut waiting: Waiting, findings: &mut Findings) -> Result<(), StoreError> {
    debug_assert_eq!(WAITING, "waiting:", "the statement cuts it off");
    let sql = "SELECT substr(name, 9), value FROM counters WHERE merchant_id = ?1 AND name LIKE 'waiting:%' ORDER BY name";
    each(connection, sql, [merchant_id], |row| {
        let mut columns = Columns::new(row, "counter");
        let currency = columns.currency()?;
        waiting.counter(findings, (merchant_id, currency), columns.int()?);
        Ok(())
    })?;
    waiting.finish(findings);
    Ok(())
}

/// What was accepted for a key is there, and each refund with a number has a key: what stands for a number is forgotten after a while.
pub fn check_keys(connection: &Connection, merchant_id: i64, findings: &mut Findings) -> Result<(), StoreError> {
    let sql = "SELECT remembered.number, refund_id FROM remembered WHERE merchant_id = ?1 AND refund_id IS NOT NULL AND scope <> 'share' \
        AND NOT (dialect = 'native' AND scope = 'adjustment') \
        AND NOT EXISTS \
        (SELECT 1 FROM refunds WHERE refunds.merchant_id = ?1 AND refunds.refund_id = remembered.refund_id AND \
        (refunds.number = remembered.number OR remembered.scope = 'stand-in') AND refunds.dialect = remembered.dialect) ORDER BY remembered.number, dialect, scope";
    each(connection, sql, [merchant_id], |row| {
        let mut columns = Columns::new(row, "remembered key");
        books::key_without_refund(findings, merchant_id, columns.text()?, columns.int()?);
        Ok(())
    })?;
    let sql = "SELECT refund_id FROM refunds WHERE merchant_id = ?1 AND number <> '' AND NOT EXISTS (SELECT 1 FROM remembered WHERE \
        remembered.merchant_id = ?1 AND remembered.number = refunds.number AND remembered.refund_id = refunds.refund_id)";
    each(connection, sql, [merchant_id], |row| {
        books::refund_without_key(findings, merchant_id, Columns::new(row, "refund").int()?);
        Ok(())
    })
}
