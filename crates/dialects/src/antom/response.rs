//! Answers: always HTTP 200, what became of it is in `result`. Empty members are left out, because the vendor's clients break on `null`.

use refundry_engine::Timestamp;
use refundry_engine::payment::SettlementQuote;
use refundry_engine::refund::{ArnState, Refund, RefundState};
use refundry_ledger::Money;
use serde::Serialize;
use serde_json::value::RawValue;

use super::codes::{self, ResultText};
use super::{auth, refund_id};
use crate::time_text::iso_8601;
use crate::{Answer, Context, WireResponse, scheme};

/// An outcome to bytes, signed unless the caller proved itself with an API key.
pub fn render(outcome: &Answer<'_>, context: &Context<'_>) -> WireResponse {
    let body = match outcome {
        Answer::Refund { refund, synchronous, .. } => refund_answer(refund, *synchronous),
        Answer::Inquiry { refund } => inquiry_answer(refund),
        // Nothing of the kind is asked in this dialect.
        Answer::Orders { .. }
        | Answer::Authorisation { .. }
        | Answer::Tracking { .. }
        | Answer::Share { .. }
        | Answer::Order { .. }
        | Answer::Balance(_) => Body::only(codes::INVALID_API.into()),
        Answer::Refused(refusal) => Body::only(codes::of_refusal(refusal)),
        Answer::Malformed(error) => Body::only(codes::of_wire_error(error)),
        Answer::Fault => Body::only(codes::UNKNOWN_EXCEPTION.into()),
        Answer::Forced(code) => Body::only(codes::of_forced(code).into()),
    };
    let body = body.json();
    let mut headers = vec![("content-type", "application/json;charset=UTF-8".to_owned())];
    if context.scheme != scheme::API_KEY {
        let time = iso_8601(context.now);
        headers.push(("signature", auth::answer_signature(context, &time, &body)));
        headers.push(("response-time", time));
        headers.push(("client-id", context.lookup.to_owned()));
    }
    WireResponse { status: 200, headers, body }
}

/// Members of answers and notifications, in the order of the vendor's samples.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultMember>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_amount: Option<AmountMember>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gross_settlement_amount: Option<AmountMember>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settlement_quote: Option<QuoteMember>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultMember {
    result_code: &'static str,
    result_status: &'static str,
    result_message: String,
}

#[derive(Serialize)]
pub struct AmountMember {
    currency: &'static str,
    value: String,
}

/// The price is a number and `guaranteed` a boolean, against the documents: two of the vendor's clients read nothing else.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QuoteMember {
    #[serde(skip_serializing_if = "Option::is_none")]
    quote_id: Option<String>,
    quote_currency_pair: String,
    quote_price: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quote_start_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quote_expiry_time: Option<String>,
    guaranteed: bool,
}

impl Body {
    fn only(result: ResultText) -> Self {
        Self { result: Some(result.into()), ..Self::default() }
    }

    /// What every answer and notification about a refund has.
    pub fn about(refund: &Refund, result: ResultText) -> Self {
        let quoted = refund.quote.as_ref().filter(|quote| quote.guaranteed).zip(refund.gross_settlement);
        Self {
            refund_request_id: Some(refund.number.clone()),
            refund_id: Some(refund_id::render(refund.id)),
            refund_amount: Some(refund.amount.into()),
            gross_settlement_amount: quoted.map(|(_, gross)| gross.into()),
            settlement_quote: quoted.and_then(|(quote, _)| QuoteMember::new(quote, refund.amount)),
            ..Self::only(result)
        }
    }

    /// Compact JSON.
    pub fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts, booleans and a checked number always serialize")
    }
}

impl From<ResultText> for ResultMember {
    fn from(result: ResultText) -> Self {
        Self { result_code: result.code.code, result_status: result.code.status.letter(), result_message: result.message.into_owned() }
    }
}

impl From<Money> for AmountMember {
    fn from(money: Money) -> Self {
        Self { currency: money.currency().code(), value: money.minor().to_string() }
    }
}

impl QuoteMember {
    fn new(quote: &SettlementQuote, amount: Money) -> Option<Self> {
        Some(Self {
            quote_id: quote.quote_id.clone(),
            quote_currency_pair: format!("{}/{}", amount.currency(), quote.settlement_currency),
            quote_price: RawValue::from_string(decimal(quote.price_mantissa, quote.price_scale)).ok()?,
            quote_start_time: quote.start_at.map(iso_8601),
            quote_expiry_time: quote.expiry_at.map(iso_8601),
            guaranteed: quote.guaranteed,
        })
    }
}

/// A synchronous terminal's callers are told how the refund stands. An asynchronous one's are told that it was accepted, for ever the same.
fn refund_answer(refund: &Refund, synchronous: bool) -> Body {
    let accepted = || Body { payment_id: Some(refund.payment_reference.clone()), ..Body::about(refund, codes::SUCCESS.into()) };
    if !synchronous {
        return accepted();
    }
    match &refund.state {
        RefundState::Pending { .. } | RefundState::Submitted { .. } | RefundState::Unresolved { .. } => {
            Body::only(codes::REFUND_IN_PROCESS.into())
        }
        RefundState::Succeeded { .. } | RefundState::Returned { .. } => {
            Body { refund_time: succeeded_at(&refund.state).map(iso_8601), ..accepted() }
        }
        RefundState::Failed { reason, .. } => Body::only(codes::of_failure(reason).into()),
        RefundState::Cancelled { .. } => Body::only(codes::PROCESS_FAIL.into()),
    }
}

fn inquiry_answer(refund: &Refund) -> Body {
    let refund_status = match &refund.state {
        RefundState::Pending { .. } | RefundState::Submitted { .. } | RefundState::Unresolved { .. } => "PROCESSING",
        RefundState::Succeeded { .. } | RefundState::Returned { .. } => "SUCCESS",
        RefundState::Failed { .. } | RefundState::Cancelled { .. } => "FAIL",
    };
    Body {
        refund_status: Some(refund_status),
        refund_time: succeeded_at(&refund.state).map(iso_8601),
        arn: known_arn(&refund.state).map(|(arn, _)| arn),
        metadata: refund.metadata.clone(),
        ..Body::about(refund, codes::SUCCESS.into())
    }
}

/// When the acquirer paid it out; that the money came back later does not change what was said.
fn succeeded_at(state: &RefundState) -> Option<Timestamp> {
    match state {
        RefundState::Succeeded { at, .. } | RefundState::Returned { succeeded_at: at, .. } => Some(*at),
        RefundState::Pending { .. }
        | RefundState::Submitted { .. }
        | RefundState::Unresolved { .. }
        | RefundState::Failed { .. }
        | RefundState::Cancelled { .. } => None,
    }
}

/// The network's number, and when it came.
pub fn known_arn(state: &RefundState) -> Option<(String, Timestamp)> {
    match state {
        RefundState::Succeeded { arn: ArnState::Known { arn, at }, .. }
        | RefundState::Returned { arn: ArnState::Known { arn, at }, .. } => Some((arn.to_string(), *at)),
        RefundState::Succeeded { arn: ArnState::Awaited, .. }
        | RefundState::Returned { arn: ArnState::Awaited, .. }
        | RefundState::Pending { .. }
        | RefundState::Submitted { .. }
        | RefundState::Unresolved { .. }
        | RefundState::Failed { .. }
        | RefundState::Cancelled { .. } => None,
    }
}

/// `mantissa / 10^scale`, exactly, without zeros at the end: a receiver that reads and writes the number must come to the same text.
fn decimal(mantissa: i64, scale: u32) -> String {
    let scale = scale as usize;
    let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = scale.saturating_add(1));
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let fraction = fraction.trim_end_matches('0');
    let sign = if mantissa < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn prices_are_exact() {
        for (mantissa, scale, text) in [
            (108_512, 5, "1.08512"),
            (5, 0, "5"),
            (1_100, 3, "1.1"),
            (7, 12, "0.000000000007"),
            (0, 2, "0"),
            (500, 2, "5"),
            (-25, 1, "-2.5"),
        ] {
            assert_eq!(decimal(mantissa, scale), text);
        }
    }
}
