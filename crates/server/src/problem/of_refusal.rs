//! Every refusal of the engine as a problem. There is no catch-all: a new refusal does not compile until it has a kind here.

use refundry_engine::{Language, Refusal, Timestamp};
use refundry_ledger::Money;
use serde_json::{Value, json};

use super::{Kind, Problem, in_chinese, kinds};
use crate::views::{AmountView, Rfc3339};

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let problem = Self::new(kind(&refusal)).saying(refusal.text(Language::En), chinese(&refusal));
        let problem = match field(&refusal) {
            Some(field) => problem.about(field),
            None => problem,
        };
        match fact(refusal) {
            Some((name, value)) => problem.fact(name, value),
            None => problem,
        }
    }
}

impl Problem {
    /// The key lacks a permission.
    pub fn permission_missing(permission: &str) -> Self {
        Refusal::NotAllowed { permission: permission.to_owned() }.into()
    }

    /// There is no such thing for this key.
    pub fn unknown(what: &str) -> Self {
        Refusal::Unknown { what: what.to_owned() }.into()
    }
}

fn chinese(refusal: &Refusal) -> String {
    match refusal {
        Refusal::FieldInvalid { field, rule } => format!("{field} 不符合要求：{}。", in_chinese(rule)),
        other => other.text(Language::Zh),
    }
}

fn kind(refusal: &Refusal) -> &'static Kind {
    match refusal {
        Refusal::UnknownMerchant => &kinds::UNKNOWN_MERCHANT,
        Refusal::AgentNotLinked => &kinds::AGENT_NOT_LINKED,
        Refusal::MerchantSuspended => &kinds::MERCHANT_SUSPENDED,
        Refusal::UnknownTerminal => &kinds::UNKNOWN_TERMINAL,
        Refusal::TerminalSuspended => &kinds::TERMINAL_SUSPENDED,
        Refusal::NotAllowed { .. } => &kinds::NOT_ALLOWED,
        Refusal::RepeatInconsistent { .. } => &kinds::REPEAT_INCONSISTENT,
        Refusal::UnknownPayment => &kinds::UNKNOWN_PAYMENT,
        Refusal::PaymentCancelled => &kinds::PAYMENT_CANCELLED,
        Refusal::PaymentClosed => &kinds::PAYMENT_CLOSED,
        Refusal::PaymentNotCaptured { .. } => &kinds::PAYMENT_NOT_CAPTURED,
        Refusal::CurrencyMismatch { .. } => &kinds::CURRENCY_MISMATCH,
        Refusal::AmountNotPositive => &kinds::AMOUNT_NOT_POSITIVE,
        Refusal::ReceiverTwice { .. } => &kinds::RECEIVER_TWICE,
        Refusal::ReceiverIsGiver => &kinds::RECEIVER_IS_GIVER,
        Refusal::RefundWindowExceeded { .. } => &kinds::REFUND_WINDOW_EXCEEDED,
        Refusal::ShareWindowExceeded { .. } => &kinds::SHARE_WINDOW_EXCEEDED,
        Refusal::PartialNotAllowed { .. } => &kinds::PARTIAL_NOT_ALLOWED,
        Refusal::TooManyRefunds { .. } => &kinds::TOO_MANY_REFUNDS,
        Refusal::PaymentUnreconciled => &kinds::PAYMENT_UNRECONCILED,
        Refusal::PayoutInPreparation => &kinds::PAYOUT_IN_PREPARATION,
        Refusal::ReserveInSettlement => &kinds::RESERVE_IN_SETTLEMENT,
        Refusal::RetrievalOpen => &kinds::RETRIEVAL_OPEN,
        Refusal::ChargebackOpen => &kinds::CHARGEBACK_OPEN,
        Refusal::ShareRunning => &kinds::SHARE_RUNNING,
        Refusal::RefundOpen => &kinds::REFUND_OPEN,
        Refusal::ExpectedRemainingStale { .. } => &kinds::EXPECTED_REMAINING_STALE,
        Refusal::ExceedsPayment { .. } => &kinds::EXCEEDS_PAYMENT,
        Refusal::ExtentMismatch { .. } => &kinds::EXTENT_MISMATCH,
        Refusal::ExceedsRefundable { .. } => &kinds::EXCEEDS_REFUNDABLE,
        Refusal::ExceedsAuthorised { .. } => &kinds::EXCEEDS_AUTHORISED,
        Refusal::ExceedsMarketing { .. } => &kinds::EXCEEDS_MARKETING,
        Refusal::UnknownReceiver { .. } => &kinds::UNKNOWN_RECEIVER,
        Refusal::ExceedsReceiver { .. } => &kinds::EXCEEDS_RECEIVER,
        Refusal::ExceedsReturned { .. } => &kinds::EXCEEDS_RETURNED,
        Refusal::LinesExceedAmount { .. } => &kinds::LINES_EXCEED_AMOUNT,
        Refusal::ExceedsUnshared { .. } => &kinds::EXCEEDS_UNSHARED,
        Refusal::ExceedsPool { .. } => &kinds::EXCEEDS_POOL,
        Refusal::ExceedsAdvanced { .. } => &kinds::EXCEEDS_ADVANCED,
        Refusal::NotEnoughFunds { .. } => &kinds::NOT_ENOUGH_FUNDS,
        Refusal::ReceiverNotEnoughFunds { .. } => &kinds::RECEIVER_NOT_ENOUGH_FUNDS,
        Refusal::UnknownShare => &kinds::UNKNOWN_SHARE,
        Refusal::ShareStateForbids { .. } => &kinds::SHARE_STATE_FORBIDS,
        Refusal::UnknownRefund => &kinds::UNKNOWN_REFUND,
        Refusal::RefundStateForbids { .. } => &kinds::REFUND_STATE_FORBIDS,
        Refusal::DisputeStateForbids { .. } => &kinds::DISPUTE_STATE_FORBIDS,
        Refusal::ReviewerIsApplicant => &kinds::REVIEWER_IS_APPLICANT,
        Refusal::ReviewerIsNoPerson => &kinds::REVIEWER_IS_NO_PERSON,
        Refusal::ReviewerApprovedAlready => &kinds::REVIEWER_APPROVED_ALREADY,
        Refusal::ReviewedContentChanged => &kinds::REVIEWED_CONTENT_CHANGED,
        Refusal::ArnIsSet { .. } => &kinds::ARN_IS_SET,
        Refusal::PaymentInconsistent { .. } => &kinds::PAYMENT_INCONSISTENT,
        Refusal::PaymentStatusForbids { .. } => &kinds::PAYMENT_STATUS_FORBIDS,
        Refusal::PayoutsOnHold => &kinds::PAYOUTS_ON_HOLD,
        Refusal::PayoutIsPrepared { .. } => &kinds::PAYOUT_IS_PREPARED,
        Refusal::RefundsWaitForMoney { .. } => &kinds::REFUNDS_WAIT_FOR_MONEY,
        Refusal::NothingToPayOut { .. } => &kinds::NOTHING_TO_PAY_OUT,
        Refusal::BelowPayoutMinimum { .. } => &kinds::BELOW_PAYOUT_MINIMUM,
        Refusal::PayoutStateForbids { .. } => &kinds::PAYOUT_STATE_FORBIDS,
        Refusal::AdjustmentIsDecided { .. } => &kinds::ADJUSTMENT_IS_DECIDED,
        Refusal::SecondPersonNeeded => &kinds::SECOND_PERSON_NEEDED,
        Refusal::FieldInvalid { .. } => &kinds::FIELD_INVALID,
        Refusal::AlreadyExists { .. } => &kinds::ALREADY_EXISTS,
        Refusal::LimitReached { .. } => &kinds::LIMIT_REACHED,
        Refusal::Unknown { .. } => &kinds::UNKNOWN,
        Refusal::OutOfRange => &kinds::OUT_OF_RANGE,
    }
}

/// The field of the request that is to be corrected, where one is.
fn field(refusal: &Refusal) -> Option<String> {
    let name = match refusal {
        Refusal::CurrencyMismatch { .. } => "amount.currency",
        Refusal::AmountNotPositive => "amount.value",
        Refusal::PartialNotAllowed { .. }
        | Refusal::ExceedsPayment { .. }
        | Refusal::ExtentMismatch { .. }
        | Refusal::ExceedsRefundable { .. }
        | Refusal::ExceedsAuthorised { .. }
        | Refusal::OutOfRange => "amount",
        Refusal::ExceedsMarketing { .. } => "marketing_amount",
        Refusal::ReceiverTwice { .. }
        | Refusal::ReceiverIsGiver
        | Refusal::UnknownReceiver { .. }
        | Refusal::ExceedsReceiver { .. }
        | Refusal::ExceedsReturned { .. }
        | Refusal::LinesExceedAmount { .. }
        | Refusal::ExceedsUnshared { .. }
        | Refusal::ExceedsPool { .. } => "shares",
        Refusal::ExceedsAdvanced { .. } => "amount",
        Refusal::ExpectedRemainingStale { .. } => "expected_remaining",
        Refusal::ReviewedContentChanged => "content_hash",
        Refusal::RepeatInconsistent { field, .. }
        | Refusal::PaymentInconsistent { field }
        | Refusal::FieldInvalid { field, .. }
        | Refusal::AlreadyExists { field } => field,
        Refusal::ShareWindowExceeded { .. } | Refusal::ShareRunning | Refusal::RefundOpen | Refusal::UnknownShare => return None,
        Refusal::ReceiverNotEnoughFunds { .. } | Refusal::ShareStateForbids { .. } => return None,
        Refusal::UnknownMerchant
        | Refusal::AgentNotLinked
        | Refusal::MerchantSuspended
        | Refusal::UnknownTerminal
        | Refusal::TerminalSuspended
        | Refusal::NotAllowed { .. }
        | Refusal::UnknownPayment
        | Refusal::PaymentCancelled
        | Refusal::PaymentClosed
        | Refusal::PaymentNotCaptured { .. }
        | Refusal::RefundWindowExceeded { .. }
        | Refusal::TooManyRefunds { .. }
        | Refusal::PaymentUnreconciled
        | Refusal::PayoutInPreparation
        | Refusal::ReserveInSettlement
        | Refusal::RetrievalOpen
        | Refusal::ChargebackOpen
        | Refusal::PayoutsOnHold
        | Refusal::PayoutIsPrepared { .. }
        | Refusal::RefundsWaitForMoney { .. }
        | Refusal::NothingToPayOut { .. }
        | Refusal::BelowPayoutMinimum { .. }
        | Refusal::PayoutStateForbids { .. }
        | Refusal::AdjustmentIsDecided { .. }
        | Refusal::SecondPersonNeeded
        | Refusal::NotEnoughFunds { .. }
        | Refusal::UnknownRefund
        | Refusal::RefundStateForbids { .. }
        | Refusal::DisputeStateForbids { .. }
        | Refusal::ReviewerIsApplicant
        | Refusal::ReviewerIsNoPerson
        | Refusal::ReviewerApprovedAlready
        | Refusal::ArnIsSet { .. }
        | Refusal::PaymentStatusForbids { .. }
        | Refusal::LimitReached { .. }
        | Refusal::Unknown { .. } => return None,
    };
    Some(name.to_owned())
}

/// The fact that programs want, in their own types.
fn fact(refusal: Refusal) -> Option<(&'static str, Value)> {
    Some(match refusal {
        Refusal::PartialNotAllowed { refundable }
        | Refusal::ExpectedRemainingStale { refundable }
        | Refusal::ExceedsRefundable { refundable }
        | Refusal::ExceedsMarketing { refundable } => ("refundable", amount(refundable)),
        Refusal::ExceedsPayment { captured } | Refusal::ExtentMismatch { captured } => ("captured", amount(captured)),
        Refusal::NothingToPayOut { due } | Refusal::BelowPayoutMinimum { due, .. } => ("due", amount(due)),
        Refusal::PayoutIsPrepared { payout_id } => ("payout_id", payout_id.to_string().into()),
        Refusal::RefundsWaitForMoney { waiting } => ("waiting", waiting.into()),
        Refusal::PayoutStateForbids { state, .. } => ("state", state.word().into()),
        Refusal::AdjustmentIsDecided { state } => ("state", state.word().into()),
        Refusal::NotEnoughFunds { missing } => ("missing", amount(missing)),
        Refusal::ExceedsReceiver { highest, .. }
        | Refusal::ExceedsReturned { highest }
        | Refusal::ExceedsPool { highest }
        | Refusal::ExceedsAdvanced { highest }
        | Refusal::ReceiverNotEnoughFunds { highest, .. } => ("highest", amount(highest)),
        Refusal::LinesExceedAmount { over } => ("over", amount(over)),
        Refusal::ExceedsUnshared { unshared, .. } => ("unshared", amount(unshared)),
        Refusal::ReceiverTwice { account } | Refusal::UnknownReceiver { account } => ("account", account.into()),
        Refusal::ShareStateForbids { state, .. } => ("state", state.word().into()),
        Refusal::RefundWindowExceeded { until } | Refusal::ShareWindowExceeded { until } => ("until", instant(until)),
        Refusal::TooManyRefunds { allowed } => ("allowed", allowed.into()),
        Refusal::LimitReached { limit, .. } => ("limit", limit.into()),
        Refusal::CurrencyMismatch { expected } => ("expected", expected.code().into()),
        Refusal::PaymentNotCaptured { status } | Refusal::PaymentStatusForbids { status } => ("status", json!(status)),
        Refusal::RefundStateForbids { state, .. } => ("state", state.word().into()),
        Refusal::DisputeStateForbids { state, .. } => ("state", state.word().into()),
        Refusal::ExceedsAuthorised { authorised } => ("authorised", amount(authorised)),
        Refusal::NotAllowed { permission } => ("permission", permission.into()),
        Refusal::ArnIsSet { arn } => ("arn", arn.into()),
        Refusal::RepeatInconsistent { first, .. } => ("first", first.into()),
        Refusal::FieldInvalid { rule, .. } => ("rule", rule.into()),
        Refusal::UnknownMerchant
        | Refusal::AgentNotLinked
        | Refusal::MerchantSuspended
        | Refusal::UnknownTerminal
        | Refusal::TerminalSuspended
        | Refusal::UnknownPayment
        | Refusal::PaymentCancelled
        | Refusal::PaymentClosed
        | Refusal::AmountNotPositive
        | Refusal::PaymentUnreconciled
        | Refusal::PayoutInPreparation
        | Refusal::ReserveInSettlement
        | Refusal::RetrievalOpen
        | Refusal::ChargebackOpen
        | Refusal::ReceiverIsGiver
        | Refusal::ShareRunning
        | Refusal::RefundOpen
        | Refusal::UnknownShare
        | Refusal::PayoutsOnHold
        | Refusal::SecondPersonNeeded
        | Refusal::UnknownRefund
        | Refusal::ReviewerIsApplicant
        | Refusal::ReviewerIsNoPerson
        | Refusal::ReviewerApprovedAlready
        | Refusal::ReviewedContentChanged
        | Refusal::PaymentInconsistent { .. }
        | Refusal::AlreadyExists { .. }
        | Refusal::Unknown { .. }
        | Refusal::OutOfRange => return None,
    })
}

fn amount(money: Money) -> Value {
    json!(AmountView::from(money))
}

fn instant(at: Timestamp) -> Value {
    Rfc3339(at).to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_engine_has_a_kind() {
        for code in Refusal::CODES {
            assert!(Kind::find(code).is_some(), "{code}");
        }
    }

    #[test]
    fn a_kind_has_the_code_of_its_refusal() {
        let field = || "x".to_owned();
        for refusal in [
            Refusal::UnknownPayment,
            Refusal::AmountNotPositive,
            Refusal::NotAllowed { permission: field() },
            Refusal::FieldInvalid { field: field(), rule: field() },
            Refusal::Unknown { what: field() },
            Refusal::OutOfRange,
        ] {
            let code = refusal.code();
            assert_eq!(Problem::from(refusal).kind().code, code);
        }
    }
}
