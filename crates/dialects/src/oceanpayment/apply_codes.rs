//! The codes of applyRefund, which captures and voids use, too.

use refundry_engine::Refusal;

use super::codes::{ResultCode, ResultText, result_codes};
use crate::{Flaw, WireError};

result_codes! {
    REFUNDED "00" "Refunded";
    BAD_TRANSMISSION "01" "Incorrect parameter transmission";
    CALLER_ADDRESS "03" "Incorrect registered IP address";
    INSUFFICIENT "04" "Insufficient parameter transmission";
    INVALID_ACCOUNT "05" "Invalid Account";
    INVALID_TERMINAL "06" "Invalid Terminal";
    PAYMENT_ID_FORMAT "08" "Incorrect format of payment_id";
    OVER_ORDER_AMOUNT "09" "Refund amount over order amount";
    REFUND_TYPE "10" "Incorrect refund type";
    REFUND_PARAMETER "11" "Incorrect refund parameter";
    BAD_SIGNATURE "12" "Incorrect SHA256";
    FAILED_TRANSACTION "13" "Failed transaction,can not apply for refund";
    SUSPENDED "14" "Transaction suspended,can not apply for refund";
    ORDER_AMOUNT "15" "Incorrect order amount";
    ORDER_CURRENCY "16" "Incorrect order currency";
    RESERVE_IN_SETTLEMENT "17" "Rolling reserve is being settled, can not apply for refund";
    AMOUNT_FORMAT "18" "Incorrect refund_amount format";
    AMOUNT_AND_TYPE "19" "Incorrect refund amount and refund type";
    PARTIAL_NOT_SUPPORTED "20" "Partial refund is not supported";
    IN_SETTLEMENT "21" "payment is being settled, can not apply for refund";
    ORDER_AMOUNT_FORMAT "22" "Incorrect order amount format";
    DESCRIPTION_LENGTH "23" "refund description over length";
    NOT_RECONCILED "24" "waiting for payment status checked";
    OVER_REFUNDABLE "25" "refund_amount over refundable amount";
    NO_ACCOUNT "26" "Account cannot be empty";
    NO_TERMINAL "27" "Terminal cannot be empty";
    NO_PAYMENT_ID "28" "Payment_id cannot be empty";
    NO_DESCRIPTION "29" "Refund_description cannot be empty";
    NO_AMOUNT "30" "Refund_amount cannot be empty";
    TOO_LATE "41" "Refund request has exceeded the acceptable refund period";
    NO_PAYMENT "98" "No payment data";
    SYSTEM_ERROR "99" "System error";
}

/// What can be forced: all but the success, which would have no refund to speak of.
pub const FORCIBLE: &[&str] = &[
    "01", "03", "04", "05", "06", "08", "09", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19", "20", "21", "22", "23", "24",
    "25", "26", "27", "28", "29", "30", "41", "98", "99",
];

/// The result of a refusal.
pub fn of_refusal(refusal: &Refusal) -> ResultText {
    let code = match refusal {
        Refusal::UnknownMerchant | Refusal::AgentNotLinked | Refusal::MerchantSuspended => INVALID_ACCOUNT,
        Refusal::UnknownTerminal | Refusal::TerminalSuspended | Refusal::NotAllowed { .. } => INVALID_TERMINAL,
        Refusal::RepeatInconsistent { field, first, now } => return parameter(&format!("{field} was {first} and is {now}")),
        Refusal::UnknownPayment => NO_PAYMENT,
        Refusal::PaymentCancelled | Refusal::PaymentClosed | Refusal::PaymentNotCaptured { .. } | Refusal::PaymentStatusForbids { .. } => {
            FAILED_TRANSACTION
        }
        Refusal::CurrencyMismatch { .. } => ORDER_CURRENCY,
        Refusal::PaymentInconsistent { .. } => ORDER_AMOUNT,
        Refusal::AmountNotPositive | Refusal::OutOfRange => AMOUNT_FORMAT,
        Refusal::RefundWindowExceeded { .. } => TOO_LATE,
        Refusal::PartialNotAllowed { .. } | Refusal::TooManyRefunds { .. } => PARTIAL_NOT_SUPPORTED,
        Refusal::PaymentUnreconciled => NOT_RECONCILED,
        Refusal::PayoutInPreparation => IN_SETTLEMENT,
        Refusal::ReserveInSettlement => RESERVE_IN_SETTLEMENT,
        Refusal::RetrievalOpen | Refusal::ChargebackOpen | Refusal::ShareRunning | Refusal::RefundOpen => SUSPENDED,
        Refusal::ExceedsPayment { .. } | Refusal::ExceedsAuthorised { .. } => OVER_ORDER_AMOUNT,
        Refusal::ExtentMismatch { .. } => AMOUNT_AND_TYPE,
        Refusal::ExceedsRefundable { .. }
        | Refusal::ExceedsMarketing { .. }
        | Refusal::ExpectedRemainingStale { .. }
        | Refusal::ExceedsUnshared { .. }
        | Refusal::ReceiverNotEnoughFunds { .. }
        | Refusal::NotEnoughFunds { .. } => OVER_REFUNDABLE,
        Refusal::FieldInvalid { field, rule } => return invalid_field(field, rule),
        Refusal::UnknownRefund
        | Refusal::PayoutsOnHold
        | Refusal::PayoutIsPrepared { .. }
        | Refusal::RefundsWaitForMoney { .. }
        | Refusal::NothingToPayOut { .. }
        | Refusal::BelowPayoutMinimum { .. }
        | Refusal::PayoutStateForbids { .. }
        | Refusal::AdjustmentIsDecided { .. }
        | Refusal::SecondPersonNeeded
        | Refusal::ReceiverTwice { .. }
        | Refusal::ReceiverIsGiver
        | Refusal::ShareWindowExceeded { .. }
        | Refusal::UnknownReceiver { .. }
        | Refusal::ExceedsReceiver { .. }
        | Refusal::ExceedsReturned { .. }
        | Refusal::LinesExceedAmount { .. }
        | Refusal::ExceedsPool { .. }
        | Refusal::ExceedsAdvanced { .. }
        | Refusal::UnknownShare
        | Refusal::ShareStateForbids { .. }
        | Refusal::RefundStateForbids { .. }
        | Refusal::ReviewerIsApplicant
        | Refusal::ReviewerIsNoPerson
        | Refusal::ReviewerApprovedAlready
        | Refusal::ReviewedContentChanged
        | Refusal::DisputeStateForbids { .. }
        | Refusal::ArnIsSet { .. }
        | Refusal::AlreadyExists { .. }
        | Refusal::LimitReached { .. }
        | Refusal::Unknown { .. } => REFUND_PARAMETER,
    };
    code.into()
}

/// A field that the engine or the service found wrong, by the name that it has there.
fn invalid_field(field: &str, rule: &str) -> ResultText {
    match field {
        "amount" => AMOUNT_FORMAT.into(),
        "reason" => DESCRIPTION_LENGTH.into(),
        "payment_reference" => PAYMENT_ID_FORMAT.into(),
        other => parameter(&format!("{other} {rule}")),
    }
}

/// The result of a request that is malformed or not proved.
pub fn of_wire_error(error: &WireError) -> ResultText {
    let code = match error {
        WireError::UnknownPath | WireError::MethodNotAllowed | WireError::MediaType | WireError::TooLarge { .. } => BAD_TRANSMISSION,
        WireError::UnknownCaller | WireError::NotAllowed => INVALID_TERMINAL,
        WireError::OtherAccount => INVALID_ACCOUNT,
        WireError::CallerAddress { .. } => CALLER_ADDRESS,
        WireError::NoKey | WireError::BadSignature => BAD_SIGNATURE,
        WireError::Field { field, flaw, rule } => return of_field(field, *flaw, rule),
        WireError::TooMany => SYSTEM_ERROR,
    };
    code.into()
}

fn of_field(field: &str, flaw: Flaw, rule: &str) -> ResultText {
    let code = match (field, flaw) {
        ("body", _) => BAD_TRANSMISSION,
        (_, Flaw::Missing) => INSUFFICIENT,
        ("account", Flaw::Empty) => NO_ACCOUNT,
        ("account", Flaw::TooLong | Flaw::Malformed) => INVALID_ACCOUNT,
        ("terminal", Flaw::Empty) => NO_TERMINAL,
        ("terminal", Flaw::TooLong | Flaw::Malformed) => INVALID_TERMINAL,
        ("signValue", _) => BAD_SIGNATURE,
        ("payment_id", Flaw::Empty) => NO_PAYMENT_ID,
        ("payment_id", Flaw::TooLong | Flaw::Malformed) => PAYMENT_ID_FORMAT,
        ("refund_description", Flaw::Empty) => NO_DESCRIPTION,
        ("refund_description", Flaw::TooLong) => DESCRIPTION_LENGTH,
        ("refund_amount", Flaw::Empty) => NO_AMOUNT,
        ("refund_amount", Flaw::TooLong | Flaw::Malformed) => AMOUNT_FORMAT,
        ("refund_type", _) => REFUND_TYPE,
        ("order_amount", _) => ORDER_AMOUNT_FORMAT,
        ("order_currency", _) => ORDER_CURRENCY,
        (other, Flaw::Empty | Flaw::TooLong | Flaw::Malformed) => return parameter(&format!("{other} {rule}")),
    };
    code.into()
}

/// The result of a code that was forced; one that is not ours is an error of the system.
pub fn of_forced(code: &str) -> ResultCode {
    ALL.iter().copied().find(|known| known.code == code).unwrap_or(SYSTEM_ERROR)
}

fn parameter(why: &str) -> ResultText {
    ResultText::saying(REFUND_PARAMETER, &format!("{}: {why}", REFUND_PARAMETER.text))
}
