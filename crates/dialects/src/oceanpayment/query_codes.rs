//! The codes of queryRefund, which the lists of orders and the numbers of parcels use, too.

use refundry_engine::Refusal;
use refundry_engine::refund::RefundState;

use super::codes::{ResultCode, ResultText, result_codes};
use crate::{Flaw, WireError};

result_codes! {
    REFUNDED "00" "Refunded";
    IN_PROCESS "01" "Audit Success untreated";
    PENDING "02" "Pending";
    FAILED "03" "Audit failure";
    NO_REFUND_ID "04" "Refund ID does not exist";
    BAD_SIGNATURE "05" "Error signature information";
    CALLER_ADDRESS "06" "Incorrect registered IP address, Your ip address is";
    NO_RECORD "92" "No transaction record on file";
    INVALID_REFUND_ID "93" "Invalid Refund ID";
    INVALID_ACCOUNT "94" "Invalid Account";
    INVALID_TERMINAL "95" "Invalid Terminal";
    INSUFFICIENT "96" "Parameter passing is insufficient, empty or error parameters";
    NO_PAYMENT "97" "No payment data";
    BAD_TRANSMISSION "98" "Incorrect parameter transmission";
    SYSTEM_ERROR "99" "System error";
    EMPTY_ACCOUNT "100" "Account cannot be empty";
    EMPTY_TERMINAL "101" "Terminal cannot be empty";
    EMPTY_REFUND_ID "102" "Refund ID cannot be empty";
    REFUND_NUMBER "103" "Incorrect refund_number";
}

/// What can be forced: all but the states, which would have no refund to speak of.
pub const FORCIBLE: &[&str] = &["04", "05", "06", "92", "93", "94", "95", "96", "97", "98", "99", "100", "101", "102", "103"];

/// What a question about refunds is never refused for, by its native code.
fn parameter(refusal: &Refusal) -> ResultText {
    ResultText::saying(INSUFFICIENT, &format!("{}: {}", INSUFFICIENT.text, refusal.code()))
}

/// How a refund stands. What came back after a success stays a success.
pub const fn of_state(state: &RefundState) -> ResultCode {
    match state {
        RefundState::Pending { .. } => PENDING,
        RefundState::Submitted { .. } | RefundState::Unresolved { .. } => IN_PROCESS,
        RefundState::Succeeded { .. } | RefundState::Returned { .. } => REFUNDED,
        RefundState::Failed { .. } | RefundState::Cancelled { .. } => FAILED,
    }
}

/// The result of a refusal; `by_id` when the question was by our id.
pub fn of_refusal(refusal: &Refusal, by_id: bool) -> ResultText {
    let code = match refusal {
        Refusal::UnknownMerchant | Refusal::AgentNotLinked | Refusal::MerchantSuspended => INVALID_ACCOUNT,
        Refusal::UnknownTerminal | Refusal::TerminalSuspended | Refusal::NotAllowed { .. } => INVALID_TERMINAL,
        Refusal::UnknownRefund if by_id => NO_REFUND_ID,
        Refusal::UnknownRefund => NO_RECORD,
        Refusal::UnknownPayment => NO_PAYMENT,
        Refusal::Unknown { what } if what == "refund_number" => REFUND_NUMBER,
        Refusal::FieldInvalid { field, .. } if field == "number" => REFUND_NUMBER,
        Refusal::FieldInvalid { field, rule } => {
            return ResultText::saying(INSUFFICIENT, &format!("{}: {field} {rule}", INSUFFICIENT.text));
        }
        Refusal::Unknown { .. }
        | Refusal::RepeatInconsistent { .. }
        | Refusal::PaymentCancelled
        | Refusal::PaymentClosed
        | Refusal::PaymentNotCaptured { .. }
        | Refusal::CurrencyMismatch { .. }
        | Refusal::AmountNotPositive
        | Refusal::RefundWindowExceeded { .. }
        | Refusal::PartialNotAllowed { .. }
        | Refusal::TooManyRefunds { .. }
        | Refusal::PaymentUnreconciled
        | Refusal::PayoutInPreparation
        | Refusal::ReserveInSettlement
        | Refusal::RetrievalOpen
        | Refusal::ChargebackOpen
        | Refusal::ExpectedRemainingStale { .. }
        | Refusal::ExceedsPayment { .. }
        | Refusal::ExtentMismatch { .. }
        | Refusal::ExceedsRefundable { .. }
        | Refusal::ExceedsMarketing { .. }
        | Refusal::ExceedsAuthorised { .. }
        | Refusal::NotEnoughFunds { .. }
        | Refusal::PayoutsOnHold
        | Refusal::PayoutIsPrepared { .. }
        | Refusal::RefundsWaitForMoney { .. }
        | Refusal::NothingToPayOut { .. }
        | Refusal::BelowPayoutMinimum { .. }
        | Refusal::PayoutStateForbids { .. }
        | Refusal::AdjustmentIsDecided { .. }
        | Refusal::SecondPersonNeeded
        | Refusal::RefundStateForbids { .. }
        | Refusal::ReviewerIsApplicant
        | Refusal::ReviewerIsNoPerson
        | Refusal::ReviewerApprovedAlready
        | Refusal::ReviewedContentChanged
        | Refusal::DisputeStateForbids { .. }
        | Refusal::ArnIsSet { .. }
        | Refusal::PaymentInconsistent { .. }
        | Refusal::PaymentStatusForbids { .. }
        | Refusal::AlreadyExists { .. }
        | Refusal::LimitReached { .. }
        | Refusal::OutOfRange => return parameter(refusal),
        Refusal::ReceiverTwice { .. } | Refusal::ReceiverIsGiver | Refusal::ShareWindowExceeded { .. } => return parameter(refusal),
        Refusal::ShareRunning | Refusal::RefundOpen | Refusal::UnknownReceiver { .. } => return parameter(refusal),
        Refusal::ExceedsReceiver { .. } | Refusal::ExceedsReturned { .. } => return parameter(refusal),
        Refusal::LinesExceedAmount { .. } | Refusal::ExceedsUnshared { .. } => return parameter(refusal),
        Refusal::ExceedsPool { .. } | Refusal::ExceedsAdvanced { .. } => return parameter(refusal),
        Refusal::ReceiverNotEnoughFunds { .. } | Refusal::UnknownShare => return parameter(refusal),
        Refusal::ShareStateForbids { .. } => return parameter(refusal),
    };
    code.into()
}

/// The result of a request that is malformed or not proved.
pub fn of_wire_error(error: &WireError) -> ResultText {
    let code = match error {
        WireError::UnknownPath | WireError::MethodNotAllowed | WireError::MediaType | WireError::TooLarge { .. } => BAD_TRANSMISSION,
        WireError::UnknownCaller | WireError::NotAllowed => INVALID_TERMINAL,
        WireError::OtherAccount => INVALID_ACCOUNT,
        WireError::CallerAddress { address } => {
            let address = address.map_or_else(|| "not known".to_owned(), |address| address.to_string());
            return ResultText::saying(CALLER_ADDRESS, &format!("{} {address}", CALLER_ADDRESS.text));
        }
        WireError::NoKey | WireError::BadSignature => BAD_SIGNATURE,
        WireError::Field { field, flaw, rule } => return of_field(field, *flaw, rule),
        WireError::TooMany => SYSTEM_ERROR,
    };
    code.into()
}

fn of_field(field: &str, flaw: Flaw, rule: &str) -> ResultText {
    let code = match (field, flaw) {
        ("body", _) => BAD_TRANSMISSION,
        ("refund_id", Flaw::Missing | Flaw::Empty) => EMPTY_REFUND_ID,
        ("refund_id", Flaw::TooLong | Flaw::Malformed) => INVALID_REFUND_ID,
        ("refund_number", Flaw::TooLong | Flaw::Malformed) => REFUND_NUMBER,
        ("account", Flaw::Empty) => EMPTY_ACCOUNT,
        ("account", Flaw::TooLong | Flaw::Malformed) => INVALID_ACCOUNT,
        ("terminal", Flaw::Empty) => EMPTY_TERMINAL,
        ("terminal", Flaw::TooLong | Flaw::Malformed) => INVALID_TERMINAL,
        ("signValue", Flaw::Empty | Flaw::TooLong | Flaw::Malformed) => BAD_SIGNATURE,
        (other, Flaw::Missing | Flaw::Empty | Flaw::TooLong | Flaw::Malformed) => {
            return ResultText::saying(INSUFFICIENT, &format!("{}: {other} {rule}", INSUFFICIENT.text));
        }
    };
    code.into()
}

/// The result of a code that was forced; one that is not ours is an error of the system.
pub fn of_forced(code: &str) -> ResultCode {
    ALL.iter().copied().find(|known| known.code == code).unwrap_or(SYSTEM_ERROR)
}
