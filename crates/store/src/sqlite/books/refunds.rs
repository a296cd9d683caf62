use std::collections::BTreeMap;

use refundry_engine::payment::Payment;
use refundry_engine::refund::{RefundState, RefundStateName};
use refundry_engine::{MerchantId, RefundId};
use refundry_ledger::Currency;
use rusqlite::Connection;

use super::each;
use crate::rows;
use crate::rows::ReadColumns as _;
use crate::sqlite::columns::Columns;
use crate::sqlite::fault::fault;
use crate::sqlite::load::WAITING;
use crate::sqlite::{payment_row, refund_row};
use crate::{BooksReport, StoreError};

/// What the refunds of a payment that count sum up to.
#[derive(Default)]
struct Sums {
    /// Those that do not count too.
    named: i128,
    refunded: i128,
    marketing: i128,
    count: i128,
    fee_given_back: i128,
}

/// Each payment names its refunds, its running sums are theirs, and they stay within what was captured.
pub fn check_payments(connection: &Connection, merchant_id: i64, report: &mut BooksReport) -> Result<(), StoreError> {
    let mut named = 0;
    let sql = format!("SELECT {}, refund_ids FROM payments WHERE merchant_id = ?1", rows::payment::COLUMNS);
    let place = rows::payment::COLUMNS.split(',').count();
    each(connection, &sql, [merchant_id], |row| {
        let payment = payment_row::read(row)?;
        let refund_ids: String = row.get(place).map_err(fault)?;
        report.payments += 1;
        let sums = sums_of(connection, &payment, &refund_ids)?;
        named += sums.named;
        let row = || payment.id.to_string();
        report.expect_number("payment_names_its_refunds", row, refund_ids.matches(',').count() as i128, sums.named);
        report.expect_number("payment_refunded_is_sum_of_refunds", row, payment.refunded.minor().into(), sums.refunded);
        report.expect_number("payment_marketing_is_sum_of_refunds", row, payment.refunded_marketing.minor().into(), sums.marketing);
        report.expect_number("payment_refund_count_is_count_of_refunds", row, payment.refund_count.into(), sums.count);
        report.expect_number("payment_fee_given_back_is_sum_of_refunds", row, payment.fee_given_back.minor().into(), sums.fee_given_back);
        if sums.refunded > i128::from(payment.captured.minor()) {
            report.expect("refunds_are_within_captured", row(), sums.refunded, format!("at most {}", payment.captured.minor()));
        }
        if sums.marketing > i128::from(payment.marketing.minor()) {
            report.expect("refunds_are_within_marketing", row(), sums.marketing, format!("at most {}", payment.marketing.minor()));
        }
        Ok(())
    })?;
    each(connection, "SELECT count(*) FROM refunds WHERE merchant_id = ?1", [merchant_id], |row| {
        let refunds: i64 = row.get(0).map_err(fault)?;
        report.expect_number("payments_name_all_refunds", || MerchantId::new(merchant_id).to_string(), named, refunds.into());
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
        if counts(columns.word(rows::refund::state_from)?) {
            sums.refunded += i128::from(columns.int()?);
            sums.marketing += i128::from(columns.int()?);
            sums.fee_given_back += i128::from(columns.int()?);
            sums.count += 1;
        }
        Ok(())
    })?;
    Ok(sums)
}

/// Whether a refund in this state counts against its payment.
const fn counts(state: RefundStateName) -> bool {
    match state {
        RefundStateName::Pending | RefundStateName::Submitted | RefundStateName::Unresolved | RefundStateName::Succeeded => true,
        RefundStateName::Failed | RefundStateName::Cancelled | RefundStateName::Returned => false,
    }
}

/// Each refund can be read, has a payment, and a next step unless it is over; those that wait for money are as many as is counted.
pub fn check_refunds(connection: &Connection, merchant_id: i64, report: &mut BooksReport) -> Result<(), StoreError> {
    let mut waiting: BTreeMap<Currency, i128> = BTreeMap::new();
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
        report.refunds += 1;
        let number = |place: usize| row.get::<_, i64>(place).map_err(fault);
        let (steps, payments, events) = (number(place)?, number(place + 1)?, number(place + 2)?);
        named += events;
        let (in_review, waits) = match &refund.state {
            RefundState::Pending { holds } => (holds.review.is_some(), holds.funds.is_some()),
            _ => (false, false),
        };
        if waits {
            *waiting.entry(refund.amount.currency()).or_default() += 1;
        }
        let expected = i64::from(!refund.state.is_final());
        let name = || refund.id.to_string();
        if !in_review || steps > 1 {
            report.expect_number("refund_has_one_next_step", name, steps.into(), expected.into());
        }
        report.expect_number("refund_has_its_payment", name, payments.into(), 1);
        report.expect_number("refund_names_its_events", name, number(place + 3)?.into(), events.into());
        Ok(())
    })?;
    each(connection, "SELECT count(*) FROM events WHERE merchant_id = ?1 AND refund_id IS NOT NULL", [merchant_id], |row| {
        let events: i64 = row.get(0).map_err(fault)?;
        report.expect_number("refunds_name_all_events", || MerchantId::new(merchant_id).to_string(), named.into(), events.into());
        Ok(())
    })?;
    check_waiting(connection, merchant_id, waiting, report)
}

fn check_waiting(
    connection: &Connection,
    merchant_id: i64,
    mut waiting: BTreeMap<Currency, i128>,
    report: &mut BooksReport,
) -> Result<(), StoreError> {
    let name = |currency: Currency| format!("{} {currency}", MerchantId::new(merchant_id));
    each(
        connection,
        "SELECT substr(name, 9), value FROM counters WHERE merchant_id = ?1 AND name LIKE 'waiting:%'",
        [merchant_id],
        |row| {
            debug_assert_eq!(WAITING, "waiting:", "the statement cuts it off");
            let mut columns = Columns::new(row, "counter");
            let currency = columns.currency()?;
            let expected = waiting.remove(&currency).unwrap_or(0);
            report.expect_number("waiting_is_count_of_refunds", || name(currency), columns.int()?.into(), expected);
            Ok(())
        },
    )?;
    for (currency, expected) in waiting {
        report.expect_number("waiting_is_count_of_refunds", || name(currency), 0, expected);
    }
    Ok(())
}

/// What was accepted for a key is there.
pub fn check_keys(connection: &Connection, merchant_id: i64, report: &mut BooksReport) -> Result<(), StoreError> {
    let sql = "SELECT remembered.number, refund_id FROM remembered WHERE merchant_id = ?1 AND refund_id IS NOT NULL AND NOT EXISTS \
        (SELECT 1 FROM refunds WHERE refunds.merchant_id = ?1 AND refunds.refund_id = remembered.refund_id AND \
        refunds.number = remembered.number AND refunds.dialect = remembered.dialect)";
    each(connection, sql, [merchant_id], |row| {
        let mut columns = Columns::new(row, "remembered key");
        let (number, refund_id) = (columns.string()?, RefundId::new(columns.int()?));
        report.expect("remembered_key_has_its_refund", format!("{} {number}", MerchantId::new(merchant_id)), "no refund", refund_id);
        Ok(())
    })?;
    let sql = "SELECT refund_id FROM refunds WHERE merchant_id = ?1 AND NOT EXISTS (SELECT 1 FROM remembered WHERE \
        remembered.merchant_id = ?1 AND remembered.number = refunds.number AND remembered.refund_id = refunds.refund_id)";
    each(connection, sql, [merchant_id], |row| {
        let refund_id = RefundId::new(Columns::new(row, "refund").int()?);
        report.expect("refund_has_its_key", refund_id, "no key", "a key");
        Ok(())
    })
}
