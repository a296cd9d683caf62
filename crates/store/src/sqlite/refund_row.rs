use refundry_engine::refund::Refund;
use rusqlite::{Connection, Row, params};

use super::apply::prepared;
use super::columns::Columns;
use super::fault::fault;
use crate::StoreError;
use crate::rows::refund::{extras_text, state_text, waits_for};
use crate::rows::share::sharing_text;
use crate::rows::{self, json_text, minor_of};
use crate::words::mode_word;

/// Writes a new refund.
pub const INSERT: &str = "INSERT INTO refunds (merchant_id, refund_id, mode, state, currency, amount_minor, payment_id, payment_reference, \
    terminal_id, dialect, number, marketing_minor, refund_fee_minor, fee_given_back_minor, applicant, acquirer, created_at, extras, \
    state_body, waits_for, drawn, acquirer_reference, attempts, updated_at, event_sequences, sharing) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, \
    ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26)";

/// Writes what changes after a refund was accepted.
pub const UPDATE: &str = "UPDATE refunds SET state = ?3, state_body = ?4, waits_for = ?5, drawn = ?6, acquirer_reference = ?7, \
    attempts = ?8, updated_at = ?9, fee_given_back_minor = ?10, refund_fee_minor = ?11, \
    event_sequences = event_sequences || ?12, sharing = ?13 WHERE merchant_id = ?1 AND refund_id = ?2";

/// Writes what only an edit changes.
pub const REWRITE: &str =
    "UPDATE refunds SET amount_minor = ?3, marketing_minor = ?4, extras = ?5 WHERE merchant_id = ?1 AND refund_id = ?2";

/// Reads a refund.
pub fn read(row: &Row<'_>) -> Result<Refund, StoreError> {
    rows::refund::read(&mut Columns::new(row, "refund"))
}

/// Runs [`INSERT`]; `named` are its events, each behind a comma.
pub fn insert(connection: &Connection, refund: &Refund, named: &str) -> Result<(), StoreError> {
    let currency = refund.amount.currency();
    prepared(connection, INSERT)?
        .execute(params![
            refund.merchant_id.get(),
            refund.id.get(),
            mode_word(refund.mode),
            refund.state.name().word(),
            currency.code(),
            refund.amount.minor(),
            refund.payment_id.get(),
            refund.payment_reference,
            refund.terminal_id.get(),
            refund.dialect,
            refund.number,
            minor_of(refund.marketing, currency)?,
            minor_of(refund.refund_fee, currency)?,
            minor_of(refund.fee_given_back, currency)?,
            refund.applicant.stored(),
            refund.acquirer,
            refund.created_at.us(),
            extras_text(refund)?,
            state_text(&refund.state)?,
            waits_for(refund),
            refund.drawn.as_ref().map(json_text).transpose()?,
            refund.acquirer_reference,
            refund.attempts,
            refund.updated_at.us(),
            named,
            sharing_text(refund.sharing.as_deref())?,
        ])
        .map_err(fault)?;
    Ok(())
}

/// Runs [`UPDATE`]; `named` are the events that are new, each behind a comma.
pub fn update(connection: &Connection, refund: &Refund, named: &str) -> Result<(), StoreError> {
    let currency = refund.amount.currency();
    let changed = prepared(connection, UPDATE)?.execute(params![
        refund.merchant_id.get(),
        refund.id.get(),
        refund.state.name().word(),
        state_text(&refund.state)?,
        waits_for(refund),
        refund.drawn.as_ref().map(json_text).transpose()?,
        refund.acquirer_reference,
        refund.attempts,
        refund.updated_at.us(),
        minor_of(refund.fee_given_back, currency)?,
        minor_of(refund.refund_fee, currency)?,
        named,
        sharing_text(refund.sharing.as_deref())?,
    ]);
    changed.map(drop).map_err(fault)
}

/// Runs [`REWRITE`].
pub fn rewrite(connection: &Connection, refund: &Refund) -> Result<(), StoreError> {
    let marketing_minor = minor_of(refund.marketing, refund.amount.currency())?;
    let row = params![refund.merchant_id.get(), refund.id.get(), refund.amount.minor(), marketing_minor, extras_text(refund)?];
    prepared(connection, REWRITE)?.execute(row).map(drop).map_err(fault)
}
