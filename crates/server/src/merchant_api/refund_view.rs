//! How a refund looks in JSON.

use refundry_engine::booked::Booked;
use refundry_engine::payment::SettlementQuote;
use refundry_engine::refund::{ArnState, FailReason, Holds, Refund, RefundState, RefundStateName};
use refundry_ledger::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::booked_view::BookedView;
use super::hold_view::{HoldView, holds_of};
use super::share_view::RefundSharingView;
use crate::views::{AmountView, ModeView, Rfc3339};

/// A refund as it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refund)]
pub struct RefundView {
    /// Ours.
    #[schema(example = "ref_0d3m4t2ykw000")]
    pub refund_id: String,
    /// Whose.
    pub merchant_id: String,
    /// The channel that asked.
    pub terminal_id: String,
    /// Of which payment.
    pub payment_id: String,
    /// The number that the merchant was given when it was paid.
    pub payment_reference: String,
    /// Sandbox or live.
    pub mode: ModeView,
    /// The dialect in which it was asked for; `native` is this API.
    pub dialect: String,
    /// The merchant's number: here, the idempotency key.
    pub number: String,
    /// Where it stands.
    pub state: StateView,
    /// Whether merchants are told that it is over.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// How much in all.
    pub amount: AmountView,
    /// The marketing part of it, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marketing_amount: Option<AmountView>,
    /// The fee for this refund, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_fee: Option<AmountView>,
    /// What of the payment's fee is given back, when it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee_given_back: Option<AmountView>,
    /// The rate for settlement in another currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<QuoteView>,
    /// The amount in the settlement currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gross_settlement_amount: Option<AmountView>,
    /// What it takes back of the payment's shares; left out of refunds of ordinary payments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharing: Option<RefundSharingView>,
    /// What it is in another currency that it is booked in; only where it is read, not where it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booked: Option<BookedView>,
    /// What is left of the payment after this answer; only where it was read for the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refundable: Option<AmountView>,
    /// A reference of the merchant behind the merchant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_reference: Option<String>,
    /// Why, in the merchant's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// As it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    /// Where its end is announced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_url: Option<String>,
    /// Your name for the refunds that were asked for together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// Who asked.
    pub applicant: String,
    /// The person or key that asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applicant_id: Option<String>,
    /// SHA-256 of what it asks for; an approval names it and holds for this content only.
    pub content_hash: String,
    /// How often its content was edited.
    #[serde(skip_serializing_if = "is_zero")]
    pub edits: u32,
    /// What holds a pending refund.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<HoldView>,
    /// How often it was submitted.
    pub attempts: u32,
    /// The acquirer's own id for our submission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acquirer_reference: Option<String>,
    /// The network's tracing number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureView>,
    /// Why the money came back after success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned_reason: Option<String>,
    /// When the acquirer paid it out although it had ended unpaid; the amount is booked as an exposure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_anyway_at: Option<Rfc3339>,
    /// When it ended: succeeded, failed, cancelled or came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Rfc3339>,
    /// When it was asked for.
    pub created_at: Rfc3339,
    /// When it changed last.
    pub updated_at: Rfc3339,
}

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RefundState)]
pub enum StateView {
    /// Accepted, not sent.
    Pending,
    /// Given to the acquirer.
    Submitted,
    /// The acquirer's answer is missing; it is being asked.
    Unresolved,
    /// Paid out.
    Succeeded,
    /// Not paid out.
    Failed,
    /// Taken back before it was sent.
    Cancelled,
    /// It had succeeded and the money came back.
    Returned,
}

/// Why a refund failed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RefundFailure)]
pub struct FailureView {
    /// `declined_by_acquirer`, `rejected_by_reviewer`, `funds_expired` or `not_enough_funds`.
    pub kind: &'static str,
    /// The acquirer's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The acquirer's words, or the reviewer's note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Who rejected it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// The rate at which a payment settles in another currency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SettlementQuote)]
pub struct QuoteView {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote_id: Option<String>,
    /// ISO 4217.
    #[schema(example = "USD")]
    pub settlement_currency: &'static str,
    /// One major unit of the payment's currency in major units of the settlement currency, an exact decimal.
    #[schema(example = "1.0834")]
    pub price: String,
    /// From when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_at: Option<Rfc3339>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry_at: Option<Rfc3339>,
    /// Whether the rate is locked.
    pub guaranteed: bool,
}

impl RefundView {
    /// With what is left of the payment.
    pub fn with_refundable(refund: Refund, refundable: Money) -> Self {
        Self { refundable: Some(refundable.into()), ..Self::from(refund) }
    }
}

impl RefundView {
    /// With what it is in the currency that it is booked in.
    pub fn with_booked((refund, booked): (Refund, Option<Booked>)) -> Self {
        Self { booked: BookedView::of(booked), ..Self::from(refund) }
    }
}

impl From<Refund> for RefundView {
    fn from(refund: Refund) -> Self {
        let (state, currency) = (StateView::from(refund.state.name()), refund.amount.currency());
        let is_final = refund.state.is_final();
        let content_hash = refund.content_hash();
        let applicant_id = refund.applicant.principal().and_then(|principal| principal.id).map(|id| id.to_string());
        let sharing = RefundSharingView::of(&refund);
        let ended = Ended::of(refund.state);
        Self {
            sharing,
            refund_id: refund.id.to_string(),
            merchant_id: refund.merchant_id.to_string(),
            terminal_id: refund.terminal_id.to_string(),
            payment_id: refund.payment_id.to_string(),
            payment_reference: refund.payment_reference,
            mode: refund.mode.into(),
            dialect: refund.dialect,
            number: refund.number,
            state,
            is_final,
            amount: refund.amount.into(),
            marketing_amount: unless_zero(refund.marketing),
            refund_fee: unless_zero(refund.refund_fee),
            fee_given_back: unless_zero(refund.fee_given_back),
            quote: refund.quote.map(QuoteView::from),
            gross_settlement_amount: refund.gross_settlement.map(AmountView::from),
            booked: None,
            refundable: None,
            merchant_reference: refund.merchant_reference,
            reason: refund.reason,
            metadata: refund.metadata,
            notify_url: refund.notify_url,
            batch: refund.batch,
            applicant: refund.applicant.to_string(),
            applicant_id,
            content_hash,
            edits: refund.edits,
            holds: ended.holds.map(|holds| holds_of(holds, currency)).unwrap_or_default(),
            attempts: refund.attempts,
            acquirer_reference: refund.acquirer_reference,
            arn: ended.arn,
            failure: ended.failure,
            returned_reason: ended.returned_reason,
            paid_anyway_at: ended.paid_anyway_at,
            ended_at: ended.at,
            created_at: refund.created_at.into(),
            updated_at: refund.updated_at.into(),
        }
    }
}

/// What exists only in some states.
#[derive(Default)]
struct Ended {
    holds: Option<Holds>,
    at: Option<Rfc3339>,
    arn: Option<String>,
    failure: Option<FailureView>,
    returned_reason: Option<String>,
    paid_anyway_at: Option<Rfc3339>,
}

impl Ended {
    fn of(state: RefundState) -> Self {
        match state {
            RefundState::Pending { holds } => Self { holds: Some(holds), ..Self::default() },
            RefundState::Submitted { .. } | RefundState::Unresolved { .. } => Self::default(),
            RefundState::Succeeded { at, arn } => Self { at: Some(at.into()), arn: arn_text(arn), ..Self::default() },
            RefundState::Failed { at, reason, paid_anyway_at } => {
                let paid_anyway_at = paid_anyway_at.map(Rfc3339);
                Self { at: Some(at.into()), failure: Some(reason.into()), paid_anyway_at, ..Self::default() }
            }
            RefundState::Cancelled { at, paid_anyway_at, .. } => {
                Self { at: Some(at.into()), paid_anyway_at: paid_anyway_at.map(Rfc3339), ..Self::default() }
            }
            RefundState::Returned { at, reason, arn, .. } => {
                Self { at: Some(at.into()), arn: arn_text(arn), returned_reason: Some(reason), ..Self::default() }
            }
        }
    }
}

impl From<RefundStateName> for StateView {
    fn from(name: RefundStateName) -> Self {
        match name {
            RefundStateName::Pending => Self::Pending,
            RefundStateName::Submitted => Self::Submitted,
            RefundStateName::Unresolved => Self::Unresolved,
            RefundStateName::Succeeded => Self::Succeeded,
            RefundStateName::Failed => Self::Failed,
            RefundStateName::Cancelled => Self::Cancelled,
            RefundStateName::Returned => Self::Returned,
        }
    }
}

impl From<StateView> for RefundStateName {
    fn from(view: StateView) -> Self {
        match view {
            StateView::Pending => Self::Pending,
            StateView::Submitted => Self::Submitted,
            StateView::Unresolved => Self::Unresolved,
            StateView::Succeeded => Self::Succeeded,
            StateView::Failed => Self::Failed,
            StateView::Cancelled => Self::Cancelled,
            StateView::Returned => Self::Returned,
        }
    }
}

impl From<FailReason> for FailureView {
    fn from(reason: FailReason) -> Self {
        let bare = |kind| Self { kind, code: None, text: None, by: None };
        match reason {
            FailReason::DeclinedByAcquirer { code, text } => Self { code: Some(code), text: Some(text), ..bare("declined_by_acquirer") },
            FailReason::RejectedByReviewer { by, note } => {
                Self { text: Some(note), by: Some(by.to_string()), ..bare("rejected_by_reviewer") }
            }
            FailReason::FundsExpired => bare("funds_expired"),
            FailReason::NotEnoughFunds => bare("not_enough_funds"),
            FailReason::ReceiverNotEnoughFunds { account } => Self { code: Some(account), ..bare("receiver_not_enough_funds") },
            FailReason::ChargedBack => bare("charged_back"),
        }
    }
}

impl From<SettlementQuote> for QuoteView {
    fn from(quote: SettlementQuote) -> Self {
        Self {
            quote_id: quote.quote_id,
            settlement_currency: quote.settlement_currency.code(),
            price: decimal_text(quote.price_mantissa, quote.price_scale),
            start_at: quote.start_at.map(Rfc3339),
            expiry_at: quote.expiry_at.map(Rfc3339),
            guaranteed: quote.guaranteed,
        }
    }
}

/// `mantissa / 10^scale` as an exact decimal.
pub fn decimal_text(mantissa: i64, scale: u32) -> String {
    let scale = scale as usize;
    let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if mantissa < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn unless_zero(amount: Money) -> Option<AmountView> {
    (!amount.is_zero()).then(|| amount.into())
}

fn arn_text(arn: ArnState) -> Option<String> {
    match arn {
        ArnState::Awaited => None,
        ArnState::Known { arn, .. } => Some(arn.to_string()),
    }
}
