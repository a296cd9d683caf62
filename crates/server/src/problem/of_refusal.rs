//! Every refusal of the engine as a problem. There is no catch-all: a new refusal does not compile until it is explained here.

use refundry_engine::refund::RefundStateName;
use refundry_engine::{Refusal, Timestamp};
use refundry_ledger::{Currency, Money};
use serde_json::json;

use super::{Problem, kinds};
use crate::views::{AmountView, Rfc3339};

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownMerchant => Self::new(&kinds::UNKNOWN_MERCHANT),
            Refusal::MerchantSuspended => Self::new(&kinds::MERCHANT_SUSPENDED),
            Refusal::UnknownTerminal => Self::new(&kinds::UNKNOWN_TERMINAL),
            Refusal::TerminalSuspended => Self::new(&kinds::TERMINAL_SUSPENDED),
            Refusal::NotAllowed { permission } => Self::permission_missing(&permission),
            Refusal::RepeatInconsistent { field, first, now } => repeat_inconsistent(&field, first, now),
            Refusal::UnknownPayment => Self::new(&kinds::UNKNOWN_PAYMENT),
            Refusal::PaymentCancelled => Self::new(&kinds::PAYMENT_CANCELLED),
            Refusal::PaymentClosed => Self::new(&kinds::PAYMENT_CLOSED),
            Refusal::PaymentNotCaptured { status } => Self::new(&kinds::PAYMENT_NOT_CAPTURED).fact("status", json!(status)),
            Refusal::CurrencyMismatch { expected } => currency_mismatch(expected),
            Refusal::AmountNotPositive => Self::new(&kinds::AMOUNT_NOT_POSITIVE).about("amount.value"),
            Refusal::RefundWindowExceeded { until } => window_exceeded(until),
            Refusal::PartialNotAllowed { refundable } => with_rest(&kinds::PARTIAL_NOT_ALLOWED, refundable).about("amount"),
            Refusal::TooManyRefunds { allowed } => too_many_refunds(allowed),
            Refusal::RetrievalOpen => Self::new(&kinds::RETRIEVAL_OPEN),
            Refusal::ChargebackOpen => Self::new(&kinds::CHARGEBACK_OPEN),
            Refusal::ExpectedRemainingStale { refundable } => {
                with_rest(&kinds::EXPECTED_REMAINING_STALE, refundable).about("expected_remaining")
            }
            Refusal::ExceedsRefundable { refundable } => with_rest(&kinds::EXCEEDS_REFUNDABLE, refundable).about("amount"),
            Refusal::ExceedsMarketing { refundable } => with_rest(&kinds::EXCEEDS_MARKETING, refundable).about("marketing_amount"),
            Refusal::NotEnoughFunds { missing } => not_enough_funds(missing),
            Refusal::UnknownRefund => Self::new(&kinds::UNKNOWN_REFUND),
            Refusal::RefundStateForbids { state, verb } => state_forbids(state, &verb),
            Refusal::ReviewerIsApplicant => Self::new(&kinds::REVIEWER_IS_APPLICANT),
            Refusal::ReviewedContentChanged => Self::new(&kinds::REVIEWED_CONTENT_CHANGED).about("seen_amount"),
            Refusal::ArnIsSet { arn } => Self::new(&kinds::ARN_IS_SET).fact("arn", arn),
            Refusal::PaymentInconsistent { field } => payment_inconsistent(field),
            Refusal::PaymentStatusForbids { status } => Self::new(&kinds::PAYMENT_STATUS_FORBIDS).fact("status", json!(status)),
            Refusal::FieldInvalid { field, rule } => {
                let chinese = format!("{field} 不符合要求：{rule}");
                Self::field(field, rule, chinese)
            }
            Refusal::AlreadyExists { field } => Self::new(&kinds::ALREADY_EXISTS).about(field),
            Refusal::LimitReached { what, limit } => limit_reached(&what, limit),
            Refusal::Unknown { what } => Self::unknown(&what),
            Refusal::OutOfRange => Self::new(&kinds::OUT_OF_RANGE).about("amount"),
        }
    }
}

impl Problem {
    /// The key lacks a permission.
    pub fn permission_missing(permission: &str) -> Self {
        Self::new(&kinds::NOT_ALLOWED)
            .saying(format!("The key lacks the permission {permission}."), format!("该密钥缺少权限 {permission}。"))
            .fact("permission", permission)
    }

    /// There is no such thing for this key.
    pub fn unknown(what: &str) -> Self {
        Self::new(&kinds::UNKNOWN).saying(format!("There is no such {what} for this key."), format!("该密钥下没有此对象（{what}）。"))
    }
}

fn currency_mismatch(expected: Currency) -> Problem {
    Problem::new(&kinds::CURRENCY_MISMATCH)
        .about("amount.currency")
        .saying(format!("The payment is in {expected}."), format!("该支付的币种为 {expected}。"))
        .fact("expected", expected.code())
}

fn too_many_refunds(allowed: u32) -> Problem {
    Problem::new(&kinds::TOO_MANY_REFUNDS)
        .saying(format!("Refunds allowed for one payment: {allowed}."), format!("每笔支付最多可退款 {allowed} 次。"))
        .fact("allowed", allowed)
}

fn state_forbids(state: RefundStateName, verb: &str) -> Problem {
    let state = state.word();
    Problem::new(&kinds::REFUND_STATE_FORBIDS)
        .saying(format!("The refund is {state}: it cannot {verb}."), format!("退款当前状态为 {state}，不能再执行该操作。"))
        .fact("state", state)
}

fn payment_inconsistent(field: String) -> Problem {
    Problem::new(&kinds::PAYMENT_INCONSISTENT)
        .saying(format!("The payment is known with another {field}."), format!("该支付已登记，但 {field} 不同。"))
        .about(field)
}

fn limit_reached(what: &str, limit: u32) -> Problem {
    Problem::new(&kinds::LIMIT_REACHED)
        .saying(format!("The limit is {limit} {what}."), format!("{what} 的上限为 {limit}。"))
        .fact("limit", limit)
}

fn repeat_inconsistent(field: &str, first: String, now: String) -> Problem {
    Problem::new(&kinds::REPEAT_INCONSISTENT)
        .saying(
            format!("The idempotency key was used before with another {field}: first {first:?}, now {now:?}."),
            format!("该幂等键此前使用的 {field} 不同：先前为“{first}”，现在为“{now}”。"),
        )
        .about(field)
        .fact("first", first)
        .fact("now", now)
}

fn window_exceeded(until: Timestamp) -> Problem {
    let until = Rfc3339(until);
    Problem::new(&kinds::REFUND_WINDOW_EXCEEDED)
        .saying(format!("The payment could be refunded until {until}."), format!("该支付的可退款期限已于 {until} 结束。"))
        .fact("until", until.to_string())
}

fn with_rest(kind: &'static super::Kind, refundable: Money) -> Problem {
    Problem::new(kind)
        .saying(format!("{refundable} can be refunded."), format!("可退金额为 {refundable}。"))
        .fact("refundable", json!(AmountView::from(refundable)))
}

fn not_enough_funds(missing: Money) -> Problem {
    Problem::new(&kinds::NOT_ENOUGH_FUNDS)
        .saying(format!("{missing} are missing."), format!("缺少 {missing}。"))
        .fact("missing", json!(AmountView::from(missing)))
}
