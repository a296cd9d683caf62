use refundry_engine::Timestamp;
use refundry_engine::payment::Payment;
use rusqlite::{Connection, Row, params};

use super::apply::prepared;
use super::columns::Columns;
use super::fault::fault;
use crate::StoreError;
use crate::rows::payment::{converted_text, settling_text};
use crate::rows::share::sharing_text;
use crate::rows::{json_text, minor_of, payment};
use crate::words::{mode_word, status_word};

/// Writes a new payment.
pub const INSERT: &str = "INSERT INTO payments (merchant_id, payment_id, mode, status, currency, merchant_reference, payment_reference, \
    terminal_id, method, paid_at, authorised_minor, captured_minor, marketing_minor, fee_minor, reserved_minor, quote, notify_url, details, \
    created_at, settled, charged_back_minor, open_chargebacks, open_retrievals, refunded_minor, refunded_marketing_minor, refund_count, \
    fee_given_back_minor, unsettled_left_minor, reserve_left_minor, updated_at, settle_at, reserve_release_at, reconciled_at, settling, converted, sharing) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, \
    ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, \
    ?32, ?33, ?34, ?35, ?36)";

/// Writes what the operator's payment system and the settlement changed. References never change, and so no index does.
pub const UPDATE_FACTS: &str = "UPDATE payments SET status = ?3, terminal_id = ?4, method = ?5, paid_at = ?6, authorised_minor = ?7, \
    captured_minor = ?8, marketing_minor = ?9, fee_minor = ?10, reserved_minor = ?11, quote = ?12, notify_url = ?13, details = ?14, \
    mode = ?15, settle_at = ?16, reserve_release_at = ?17, reconciled_at = ?18, settling = ?19, converted = ?20 WHERE merchant_id = ?1 AND payment_id = ?2";

/// Writes what refunds, settlement and disputes change.
pub const UPDATE_SUMS: &str = "UPDATE payments SET settled = ?3, charged_back_minor = ?4, open_chargebacks = ?5, open_retrievals = ?6, \
    refunded_minor = ?7, refunded_marketing_minor = ?8, refund_count = ?9, fee_given_back_minor = ?10, unsettled_left_minor = ?11, \
    reserve_left_minor = ?12, updated_at = ?13, refund_ids = refund_ids || ?14, sharing = ?15 WHERE merchant_id = ?1 AND payment_id = ?2";

/// Reads a payment.
pub fn read(row: &Row<'_>) -> Result<Payment, StoreError> {
    payment::read(&mut Columns::new(row, "payment"))
}

fn us(instant: Option<Timestamp>) -> Option<i64> {
    instant.map(Timestamp::us)
}

/// Runs [`INSERT`].
pub fn insert(connection: &Connection, payment: &Payment) -> Result<(), StoreError> {
    let currency = payment.currency();
    let minor = |amount| minor_of(amount, currency);
    let quote = payment.quote.as_ref().map(json_text).transpose()?;
    prepared(connection, INSERT)?
        .execute(params![
            payment.merchant_id.get(),
            payment.id.get(),
            mode_word(payment.mode),
            status_word(payment.status),
            currency.code(),
            payment.merchant_reference,
            payment.payment_reference,
            payment.terminal_id.get(),
            payment.method,
            payment.paid_at.us(),
            minor(payment.authorised)?,
            minor(payment.captured)?,
            minor(payment.marketing)?,
            minor(payment.fee)?,
            minor(payment.reserved)?,
            quote,
            payment.notify_url,
            json_text(payment.details.as_ref())?,
            payment.created_at.us(),
            payment.settled,
            minor(payment.charged_back)?,
            payment.open_chargebacks,
            payment.open_retrievals,
            minor(payment.refunded)?,
            minor(payment.refunded_marketing)?,
            payment.refund_count,
            minor(payment.fee_given_back)?,
            minor(payment.unsettled_left)?,
            minor(payment.reserve_left)?,
            payment.updated_at.us(),
            us(payment.settling.settle_at),
            us(payment.settling.reserve_release_at),
            us(payment.settling.reconciled_at),
            settling_text(&payment.settling)?,
            converted_text(payment)?,
            sharing_text(payment.sharing.as_deref())?,
        ])
        .map_err(fault)?;
    Ok(())
}

/// Runs [`UPDATE_FACTS`].
pub fn update_facts(connection: &Connection, payment: &Payment) -> Result<(), StoreError> {
    let minor = |amount| minor_of(amount, payment.currency());
    let quote = payment.quote.as_ref().map(json_text).transpose()?;
    let changed = prepared(connection, UPDATE_FACTS)?.execute(params![
        payment.merchant_id.get(),
        payment.id.get(),
        status_word(payment.status),
        payment.terminal_id.get(),
        payment.method,
        payment.paid_at.us(),
        minor(payment.authorised)?,
        minor(payment.captured)?,
        minor(payment.marketing)?,
        minor(payment.fee)?,
        minor(payment.reserved)?,
        quote,
        payment.notify_url,
        json_text(payment.details.as_ref())?,
        mode_word(payment.mode),
        us(payment.settling.settle_at),
        us(payment.settling.reserve_release_at),
        us(payment.settling.reconciled_at),
        settling_text(&payment.settling)?,
        converted_text(payment)?,
    ]);
    changed.map(drop).map_err(fault)
}

/// Runs [`UPDATE_SUMS`]; `named` are the refunds that are new, each behind a comma.
pub fn update_sums(connection: &Connection, payment: &Payment, named: &str) -> Result<(), StoreError> {
    let minor = |amount| minor_of(amount, payment.currency());
    let changed = prepared(connection, UPDATE_SUMS)?.execute(params![
        payment.merchant_id.get(),
        payment.id.get(),
        payment.settled,
        minor(payment.charged_back)?,
        payment.open_chargebacks,
        payment.open_retrievals,
        minor(payment.refunded)?,
        minor(payment.refunded_marketing)?,
        payment.refund_count,
        minor(payment.fee_given_back)?,
        minor(payment.unsettled_left)?,
        minor(payment.reserve_left)?,
        payment.updated_at.us(),
        named,
        sharing_text(payment.sharing.as_deref())?,
    ]);
    changed.map(drop).map_err(fault)
}
