//! How a refund is stored.

use refundry_engine::payment::SettlementQuote;
use refundry_engine::refund::{Holds, Refund, RefundState, RefundStateName};
use refundry_engine::{MerchantId, PaymentId, RefundId, TerminalId};
use refundry_ledger::Money;
use serde::{Deserialize, Serialize};

use super::columns::{ReadColumns, json_text};
use crate::StoreError;
use crate::words::mode_from;

/// The columns of a refund, in the order in which [`read`] wants them; filters read the first seven by place.
pub const COLUMNS: &str = "merchant_id, refund_id, mode, state, currency, amount_minor, payment_id, payment_reference, terminal_id, dialect, \
    number, marketing_minor, refund_fee_minor, fee_given_back_minor, applicant, acquirer, created_at, extras, state_body, drawn, \
    acquirer_reference, attempts, updated_at, sharing";

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
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edits: Option<u32>,
}

/// What a refund was worth in the settlement currency, from what is stored of its rare attributes; nothing without a rate.
pub fn gross_minor(extras: Option<&str>) -> Result<i64, StoreError> {
    let unreadable = |error: serde_json::Error| StoreError::Unreadable { what: "refund", why: error.to_string() };
    let extras: Extras = extras.map(serde_json::from_str).transpose().map_err(unreadable)?.unwrap_or_default();
    Ok(extras.gross_settlement.map_or(0, Money::minor))
}

/// What a refund waits for when it is pending for want of money of a currency.
pub fn waits_for_funds(currency: refundry_ledger::Currency) -> String {
    format!("funds:{currency}")
}

/// Reads a refund.
pub fn read<'r>(columns: &mut impl ReadColumns<'r>) -> Result<Refund, StoreError> {
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
        batch: extras.batch,
        edits: extras.edits.unwrap_or(0),
        applicant,
        created_at,
        state: read_state(columns, state_name)?,
        drawn: columns.json_or_null()?,
        acquirer,
        acquirer_reference: columns.string_or_null()?,
        attempts: columns.small()?,
        updated_at: columns.instant()?,
        sharing: columns.json_or_null()?,
    })
}

/// Reads the stored word of a state.
pub fn state_from(word: &str) -> Option<RefundStateName> {
    RefundStateName::ALL.into_iter().find(|state| state.word() == word)
}

fn read_state<'r>(columns: &mut impl ReadColumns<'r>, name: RefundStateName) -> Result<RefundState, StoreError> {
    let state: RefundState = columns.json_or_null()?.unwrap_or(RefundState::Pending { holds: Holds::default() });
    if state.name() != name {
        return Err(columns.unreadable("it is not the state beside it"));
    }
    Ok(state)
}

/// What is stored of a state beside its word.
pub fn state_text(state: &RefundState) -> Result<Option<String>, StoreError> {
    match state {
        RefundState::Pending { holds } if holds.is_empty() => Ok(None),
        _ => json_text(state).map(Some),
    }
}

/// What holds a refund or is unclear about it.
pub fn waits_for(refund: &Refund) -> Option<String> {
    match &refund.state {
        RefundState::Pending { holds } if holds.review.is_some() => Some(WAITS_FOR_REVIEW.to_owned()),
        RefundState::Pending { holds } if holds.funds.is_some() => Some(waits_for_funds(refund.funding_currency())),
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

/// What is stored of the attributes that most refunds do not have.
pub fn extras_text(refund: &Refund) -> Result<Option<String>, StoreError> {
    let extras = Extras {
        merchant_reference: refund.merchant_reference.clone(),
        quote: refund.quote.clone(),
        gross_settlement: refund.gross_settlement,
        reason: refund.reason.clone(),
        metadata: refund.metadata.clone(),
        notify_url: refund.notify_url.clone(),
        batch: refund.batch.clone(),
        edits: (refund.edits > 0).then_some(refund.edits),
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
