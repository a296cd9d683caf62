use refundry_engine::payment::SettlementQuote;
use refundry_engine::refund::{Holds, Refund, RefundState, RefundStateName};
use refundry_engine::{MerchantId, PaymentId, RefundId, TerminalId};
use refundry_ledger::Money;
use rusqlite::{Connection, Row, params};

use super::apply::prepared;
use serde::{Deserialize, Serialize};

use super::columns::{Columns, json_text, minor_of};
use super::fault::fault;
use crate::StoreError;
use crate::words::{mode_from, mode_word};

/// The columns of a refund, in the order in which [`read`] wants them; filters read the first seven by place.
pub const COLUMNS: &str = "merchant_id, refund_id, mode, state, currency, amount_minor, payment_id, payment_reference, terminal_id, dialect, \
    number, marketing_minor, refund_fee_minor, fee_given_back_minor, applicant, acquirer, created_at, extras, state_body, drawn, \
    acquirer_reference, attempts, updated_at";

/// Writes a new refund.
pub const INSERT: &str = "INSERT INTO refunds (merchant_id, refund_id, mode, state, currency, amount_minor, payment_id, payment_reference, \
    terminal_id, dialect, number, marketing_minor, refund_fee_minor, fee_given_back_minor, applicant, acquirer, created_at, extras, \
    state_body, waits_for, drawn, acquirer_reference, attempts, updated_at, event_sequences) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, \
    ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)";

/// Writes what changes after a refund was accepted.
pub const UPDATE: &str = "UPDATE refunds SET state = ?3, state_body = ?4, waits_for = ?5, drawn = ?6, acquirer_reference = ?7, \
    attempts = ?8, updated_at = ?9, fee_given_back_minor = ?10, refund_fee_minor = ?11, \
    event_sequences = event_sequences || ?12 WHERE merchant_id = ?1 AND refund_id = ?2";

/// What waits for a person.
pub const WAITS_FOR_REVIEW: &str = "review";
/// What waits for the end of its undo window.
const WAITS_FOR_DELAY: &str = "delay";
/// What waits for the acquirer's word.
const WAITS_FOR_ANSWER: &str = "answer";

/// Attributes that most refunds do not have.
#[derive(Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Extras {
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quote: Option<SettlementQuote>,
    #[serde(skip_serializing_if = "Option::is_none", with = "money_or_none")]
    gross_settlement: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notify_url: Option<String>,
}

/// What a refund waits for when it is pending for want of money of a currency.
pub fn waits_for_funds(currency: refundry_ledger::Currency) -> String {
    format!("funds:{currency}")
}

/// Reads a refund.
pub fn read(row: &Row<'_>) -> Result<Refund, StoreError> {
    let mut columns = Columns::new(row, "refund");
    let merchant_id = MerchantId::new(columns.int()?);
    let id = RefundId::new(columns.int()?);
    let mode = columns.word(mode_from)?;
    let state_name = columns.word(state_from)?;
    let currency = columns.currency()?;
    let amount = columns.money(currency)?;
    let payment_id = PaymentId::new(columns.int()?);
    let payment_reference = columns.string()?;
    let terminal_id = TerminalId::new(columns.int()?);
    let (dialect, number) = (columns.string()?, columns.string()?);
    let (marketing, refund_fee, fee_given_back) = (columns.money(currency)?, columns.money(currency)?, columns.money(currency)?);
    let applicant = columns.word(|word| word.parse().ok())?;
    let acquirer = columns.string()?;
    let created_at = columns.instant()?;
    let extras: Extras = columns.json_or_null()?.unwrap_or_default();
    Ok(Refund {
        id,
        merchant_id,
        terminal_id,
        payment_id,
        payment_reference,
        mode,
        dialect,
        number,
        merchant_reference: extras.merchant_reference,
        amount,
        marketing,
        refund_fee,
        fee_given_back,
        quote: extras.quote,
        gross_settlement: extras.gross_settlement,
        reason: extras.reason,
        metadata: extras.metadata,
        notify_url: extras.notify_url,
        applicant,
        created_at,
        state: read_state(&mut columns, state_name)?,
        drawn: columns.json_or_null()?,
        acquirer,
        acquirer_reference: columns.string_or_null()?,
        attempts: columns.small()?,
        updated_at: columns.instant()?,
    })
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
            refund.applicant.to_string(),
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
    ]);
    changed.map(drop).map_err(fault)
}

/// Reads the stored word of a state.
pub fn state_from(word: &str) -> Option<RefundStateName> {
    RefundStateName::ALL.into_iter().find(|state| state.word() == word)
}

fn read_state(columns: &mut Columns<'_>, name: RefundStateName) -> Result<RefundState, StoreError> {
    let state: RefundState = columns.json_or_null()?.unwrap_or(RefundState::Pending { holds: Holds::default() });
    if state.name() != name {
        return Err(columns.unreadable("it is not the state beside it"));
    }
    Ok(state)
}

fn state_text(state: &RefundState) -> Result<Option<String>, StoreError> {
    match state {
        RefundState::Pending { holds } if holds.is_empty() => Ok(None),
        _ => json_text(state).map(Some),
    }
}

fn waits_for(refund: &Refund) -> Option<String> {
    match &refund.state {
        RefundState::Pending { holds } if holds.review.is_some() => Some(WAITS_FOR_REVIEW.to_owned()),
        RefundState::Pending { holds } if holds.funds.is_some() => Some(waits_for_funds(refund.amount.currency())),
        RefundState::Pending { holds } if holds.delay_until.is_some() => Some(WAITS_FOR_DELAY.to_owned()),
        RefundState::Unresolved { .. } => Some(WAITS_FOR_ANSWER.to_owned()),
        RefundState::Pending { .. }
        | RefundState::Submitted { .. }
        | RefundState::Succeeded { .. }
        | RefundState::Failed { .. }
        | RefundState::Cancelled { .. }
        | RefundState::Returned { .. } => None,
    }
}

fn extras_text(refund: &Refund) -> Result<Option<String>, StoreError> {
    let extras = Extras {
        merchant_reference: refund.merchant_reference.clone(),
        quote: refund.quote.clone(),
        gross_settlement: refund.gross_settlement,
        reason: refund.reason.clone(),
        metadata: refund.metadata.clone(),
        notify_url: refund.notify_url.clone(),
    };
    if extras == Extras::default() {
        return Ok(None);
    }
    json_text(&extras).map(Some)
}

mod money_or_none {
    use refundry_engine::money_text;
    use refundry_ledger::Money;
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(money: &Option<Money>, serializer: S) -> Result<S::Ok, S::Error> {
        match money {
            Some(money) => money_text::serialize(money, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Money>, D::Error> {
        money_text::deserialize(deserializer).map(Some)
    }
}
