use refundry_engine::payment::Payment;
use rusqlite::{Connection, Row};

use super::each;
use crate::StoreError;
use crate::books::{self, Disputed, FIGURES, Findings, Money, ShareBeside};
use crate::rows::ReadColumns as _;
use crate::rows::share::{COLUMNS, read};
use crate::sqlite::columns::Columns;
use crate::sqlite::load::find;

/// What the disputes of each payment of a merchant sum up to.
pub fn disputed(connection: &Connection, merchant_id: i64) -> Result<Disputed, StoreError> {
    let mut disputed = Disputed::default();
    let sql = format!("SELECT payment_id, {FIGURES} FROM disputes WHERE merchant_id = ?1 GROUP BY payment_id");
    each(connection, &sql, [merchant_id], |row| {
        let mut columns = Columns::new(row, "dispute");
        let payment_id = columns.int()?;
        disputed.add(merchant_id, payment_id, [columns.int()?, columns.int()?, columns.int()?]);
        Ok(())
    })?;
    Ok(disputed)
}

/// A payment that knows of shares or of a rate, with each of its shares and refunds.
pub fn check_payment(connection: &Connection, payment: &Payment, refund_ids: &str, findings: &mut Findings) -> Result<(), StoreError> {
    if !books::needs_each_refund(payment) {
        return Ok(());
    }
    let text = |row: &Row<'_>| Columns::new(row, "share").string_or_null();
    let key = (payment.merchant_id.get(), payment.id.get());
    let sql = "SELECT '[' || group_concat(body, ',') || ']' FROM shares INDEXED BY shares_of_payment WHERE merchant_id = ?1 \
        AND payment_id = ?2";
    let shares = find(connection, sql, key, text)?.flatten();
    let sql = "SELECT json_group_array(json_array(state, amount_minor - marketing_minor - fee_given_back_minor, sharing, extras)) FROM \
        (SELECT DISTINCT value AS one_id FROM json_each('[' || substr(?3, 2) || ']')) CROSS JOIN refunds ON refund_id = one_id \
        WHERE merchant_id = ?1 AND payment_id = ?2";
    let refunds = if refund_ids.is_empty() { None } else { find(connection, sql, (key.0, key.1, refund_ids), text)?.flatten() };
    books::sharing(findings, payment, shares.as_deref(), refunds.as_deref())
}

/// Each share with its payment, which knows of shares, its key and its next step, and each key with its share.
pub fn check(connection: &Connection, merchant_id: i64, findings: &mut Findings) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, \
        (SELECT count(*) FROM tasks WHERE tasks.merchant_id = ?1 AND task_id = share_id AND kind IN ('start_share', 'finish_share')), \
        (SELECT count(*) FROM payments WHERE payments.merchant_id = ?1 AND payments.payment_id = shares.payment_id \
            AND sharing IS NOT NULL), \
        (SELECT count(*) FROM remembered WHERE remembered.merchant_id = ?1 AND remembered.number = shares.number \
            AND remembered.dialect = shares.dialect AND scope = 'share' AND refund_id = share_id) \
        FROM shares WHERE merchant_id = ?1"
    );
    each(connection, &sql, [merchant_id], |row| {
        let mut columns = Columns::new(row, "share");
        let share = read(&mut columns)?;
        let (steps, payments, keys) = (columns.int()?, columns.int()?, columns.int()?);
        books::share(findings, &share, &ShareBeside { steps, payments, keys });
        Ok(())
    })?;
    let sql = "SELECT number, refund_id FROM remembered WHERE merchant_id = ?1 AND scope = 'share' AND refund_id IS NOT NULL \
        AND NOT EXISTS (SELECT 1 FROM shares WHERE shares.merchant_id = ?1 AND share_id = refund_id)";
    each(connection, sql, [merchant_id], |row| {
        let mut columns = Columns::new(row, "remembered key");
        books::key_without_share(findings, merchant_id, columns.text()?, columns.int()?);
        Ok(())
    })
}

/// What receivers have unsettled, and what was advanced for them.
pub fn add_to(connection: &Connection, money: &mut Money) -> Result<(), StoreError> {
    each(connection, "SELECT merchant_id, currency, sharing FROM payments WHERE sharing IS NOT NULL", [], |row| {
        let mut columns = Columns::new(row, "payment");
        let (merchant_id, currency) = (columns.int()?, columns.text()?);
        money.shared(merchant_id, currency, &columns.json()?);
        Ok(())
    })?;
    let sql = "SELECT merchant_id, currency, sharing FROM refunds WHERE sharing IS NOT NULL AND drawn IS NULL AND state = 'pending'";
    each(connection, sql, [], |row| {
        let mut columns = Columns::new(row, "refund");
        let (merchant_id, currency) = (columns.int()?, columns.text()?);
        money.promised(merchant_id, currency, &columns.json()?);
        Ok(())
    })
}
