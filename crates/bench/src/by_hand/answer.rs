//! What a caller is told.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::ids::id_text;
use super::order::{Order, amount_text};

/// What became of an order.
#[derive(Debug)]
pub enum Outcome {
    /// A refund was made.
    Made(Made),
    /// It was made before.
    Replayed(Made),
    /// It is not made.
    Refused(Refused),
}

/// A refund as it stands.
#[derive(Debug)]
pub struct Made {
    /// Its id.
    pub refund_id: i64,
    /// Of which payment.
    pub payment_id: i64,
    /// The payment's channel.
    pub terminal_id: i64,
    /// Where it stands.
    pub state: String,
    /// What is left of the payment.
    pub refundable: i64,
    /// How often it was submitted.
    pub attempts: i32,
    /// When it was asked for.
    pub created_at: i64,
    /// When it changed last.
    pub updated_at: i64,
}

/// Why a refund is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The number stands for something else.
    RepeatInconsistent,
    /// There is no such payment.
    UnknownPayment,
    /// Nothing was captured, or it was given back.
    PaymentNotCaptured,
    /// The payment is in another currency.
    CurrencyMismatch,
    /// Nothing is asked for.
    AmountNotPositive,
    /// Somebody disputes the payment.
    Disputed,
    /// More than is left.
    ExceedsRefundable,
    /// The merchant has not enough.
    NotEnoughFunds,
}

impl Refused {
    /// All of them, in the order in which they are looked for.
    pub const ALL: [Self; 8] = [
        Self::RepeatInconsistent,
        Self::UnknownPayment,
        Self::PaymentNotCaptured,
        Self::CurrencyMismatch,
        Self::AmountNotPositive,
        Self::Disputed,
        Self::ExceedsRefundable,
        Self::NotEnoughFunds,
    ];

    /// Its stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::RepeatInconsistent => "repeat_inconsistent",
            Self::UnknownPayment => "unknown_payment",
            Self::PaymentNotCaptured => "payment_not_captured",
            Self::CurrencyMismatch => "currency_mismatch",
            Self::AmountNotPositive => "amount_not_positive",
            Self::Disputed => "disputed",
            Self::ExceedsRefundable => "exceeds_refundable",
            Self::NotEnoughFunds => "not_enough_funds",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::RepeatInconsistent => StatusCode::CONFLICT,
            Self::UnknownPayment => StatusCode::NOT_FOUND,
            Self::PaymentNotCaptured
            | Self::CurrencyMismatch
            | Self::AmountNotPositive
            | Self::Disputed
            | Self::ExceedsRefundable
            | Self::NotEnoughFunds => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

#[derive(Serialize)]
struct RefundView<'a> {
    refund_id: &'a str,
    merchant_id: String,
    terminal_id: String,
    payment_id: String,
    payment_reference: &'a str,
    mode: &'a str,
    dialect: &'a str,
    number: &'a str,
    state: &'a str,
    #[serde(rename = "final")]
    is_final: bool,
    amount: AmountView<'a>,
    refundable: AmountView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    applicant: &'a str,
    attempts: i32,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize)]
struct AmountView<'a> {
    value: i64,
    currency: &'a str,
    text: String,
}

#[derive(Serialize)]
struct Problem {
    code: &'static str,
    status: u16,
}

/// The answer to an order.
pub fn answered(order: &Order<'_>, outcome: &Outcome) -> Response {
    match outcome {
        Outcome::Made(made) => refund(order, made, StatusCode::CREATED),
        Outcome::Replayed(made) => refund(order, made, StatusCode::OK),
        Outcome::Refused(refused) => problem(refused.status(), refused.code()),
    }
}

/// An answer that says no.
pub fn problem(status: StatusCode, code: &'static str) -> Response {
    (status, Json(Problem { code, status: status.as_u16() })).into_response()
}

fn refund(order: &Order<'_>, made: &Made, status: StatusCode) -> Response {
    let (wish, refund_id) = (order.wish, id_text("ref", made.refund_id));
    let amount = |value| AmountView { value, currency: &wish.amount.currency, text: amount_text(value, &wish.amount.currency) };
    let view = RefundView {
        refund_id: &refund_id,
        merchant_id: id_text("mer", order.caller.merchant_id),
        terminal_id: id_text("ter", made.terminal_id),
        payment_id: id_text("pay", made.payment_id),
        payment_reference: &wish.payment_reference,
        mode: &order.caller.mode,
        dialect: "native",
        number: order.number,
        state: &made.state,
        is_final: made.state == "succeeded",
        amount: amount(wish.amount.value),
        refundable: amount(made.refundable),
        reason: wish.reason.as_deref(),
        applicant: &order.caller.applicant,
        attempts: made.attempts,
        created_at: time_text(made.created_at),
        updated_at: time_text(made.updated_at),
    };
    let mut response = (status, Json(view)).into_response();
    if let Ok(location) = HeaderValue::try_from(format!("/api/v1/refunds/{refund_id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// An instant as RFC 3339.
pub fn time_text(us: i64) -> String {
    jiff::Timestamp::from_microsecond(us).map_or_else(|_| String::new(), |at| format!("{at:.6}"))
}
