//! Result codes: which one each refusal and each wire error has, with the vendor's texts.

use std::borrow::Cow;

use refundry_engine::Refusal;
use refundry_engine::refund::FailReason;

use crate::WireError;

/// What a result code tells the caller to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultStatus {
    /// Done, or accepted.
    Success,
    /// Will not be done.
    Failure,
    /// Not known: the same request may be sent again.
    Unknown,
}

impl ResultStatus {
    /// The letter on the wire.
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Success => "S",
            Self::Failure => "F",
            Self::Unknown => "U",
        }
    }
}

/// A result code with its status and the vendor's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResultCode {
    /// The code.
    pub code: &'static str,
    /// What it tells the caller to do.
    pub status: ResultStatus,
    /// The vendor's text.
    pub message: &'static str,
}

macro_rules! result_codes {
    ($($name:ident $status:ident $message:literal;)*) => {
        $(
            #[doc = concat!("\"", $message, "\"")]
            pub const $name: ResultCode =
                ResultCode { code: stringify!($name), status: ResultStatus::$status, message: $message };
        )*

        /// All of them, by name.
        pub const ALL: &[ResultCode] = &[$($name),*];
    };
}

result_codes! {
    ACCESS_DENIED Failure "Access is denied.";
    CLIENT_INVALID Failure "The client is invalid.";
    CURRENCY_NOT_SUPPORT Failure "The currency is not supported.";
    INVALID_API Failure "The called API is invalid or not active.";
    INVALID_MERCHANT_STATUS Failure "The merchant status is abnormal because restrictions exist.";
    INVALID_SIGNATURE Failure "The signature is not validated. Sign the path, client-id, request-time and the body exactly as they are sent, with the private key whose public key is registered for this client.";
    KEY_NOT_FOUND Failure "The private key or public key of Alipay or the merchant is not found.";
    MEDIA_TYPE_NOT_ACCEPTABLE Failure "The server does not implement the media type that is acceptable to the client.";
    MERCHANT_BALANCE_NOT_ENOUGH Failure "The merchant balance is not enough.";
    METHOD_NOT_SUPPORTED Failure "The server does not implement the requested HTTP method.";
    MULTIPLE_REFUNDS_NOT_SUPPORTED Failure "Multiple refunds are not supported.";
    NO_INTERFACE_DEF Failure "API is not defined.";
    ORDER_IS_CANCELED Failure "The transaction is canceled.";
    ORDER_IS_CLOSED Failure "The request you initiated has the same paymentRequestId as that of the existed transaction, which is closed.";
    ORDER_NOT_EXIST Failure "The order does not exist.";
    ORDER_STATUS_INVALID Failure "The order status is invalid.";
    PARAM_ILLEGAL Failure "The required parameters are not passed, or illegal parameters exist. For example, a non-numeric input, an invalid date, or the length and type of the parameter are wrong.";
    PARTIAL_REFUND_NOT_SUPPORTED Failure "A partial refund is not supported for this transaction.";
    PAYMENT_METHOD_NOT_SUPPORTED Failure "The payment method does not support canceling or refunding transactions if the payment status is successful.";
    PROCESS_FAIL Failure "A general business failure occurred.";
    REFUND_AMOUNT_EXCEED Failure "The total refund amount exceeds the payment amount.";
    REFUND_IN_PROCESS Unknown "The refund is being processed.";
    REFUND_NOT_SUPPORTED Failure "Refunds are not supported for this transaction.";
    REFUND_WINDOW_EXCEED Failure "The refund date exceeds the refundable period that is agreed in the contract.";
    REPEAT_REQ_INCONSISTENT Failure "Repeated requests are inconsistent.";
    REQUEST_TRAFFIC_EXCEED_LIMIT Unknown "The request traffic exceeds the limit.";
    SUCCESS Success "success";
    SYSTEM_ERROR Failure "A system error occurred.";
    UNKNOWN_EXCEPTION Unknown "An API call has failed, which is caused by unknown reasons.";
}

/// The vendor's in-store list for refunds.
pub const IN_STORE: [&str; 14] = [
    "SUCCESS",
    "ACCESS_DENIED",
    "CLIENT_INVALID",
    "CURRENCY_NOT_SUPPORT",
    "MEDIA_TYPE_NOT_ACCEPTABLE",
    "MULTIPLE_REFUNDS_NOT_SUPPORTED",
    "MERCHANT_BALANCE_NOT_ENOUGH",
    "METHOD_NOT_SUPPORTED",
    "ORDER_IS_CANCELED",
    "ORDER_NOT_EXIST",
    "ORDER_STATUS_INVALID",
    "REFUND_AMOUNT_EXCEED",
    "REFUND_WINDOW_EXCEED",
    "REPEAT_REQ_INCONSISTENT",
];

/// What the vendor's lists name for refund, without SUCCESS: a forced success would have no refund to speak of.
pub const OF_REFUND: &[&str] = &[
    "ACCESS_DENIED",
    "CLIENT_INVALID",
    "CURRENCY_NOT_SUPPORT",
    "INVALID_API",
    "INVALID_MERCHANT_STATUS",
    "INVALID_SIGNATURE",
    "KEY_NOT_FOUND",
    "MEDIA_TYPE_NOT_ACCEPTABLE",
    "MERCHANT_BALANCE_NOT_ENOUGH",
    "METHOD_NOT_SUPPORTED",
    "MULTIPLE_REFUNDS_NOT_SUPPORTED",
    "NO_INTERFACE_DEF",
    "ORDER_IS_CANCELED",
    "ORDER_IS_CLOSED",
    "ORDER_NOT_EXIST",
    "ORDER_STATUS_INVALID",
    "PARAM_ILLEGAL",
    "PARTIAL_REFUND_NOT_SUPPORTED",
    "PAYMENT_METHOD_NOT_SUPPORTED",
    "PROCESS_FAIL",
    "REFUND_AMOUNT_EXCEED",
    "REFUND_IN_PROCESS",
    "REFUND_NOT_SUPPORTED",
    "REFUND_WINDOW_EXCEED",
    "REPEAT_REQ_INCONSISTENT",
    "REQUEST_TRAFFIC_EXCEED_LIMIT",
    "SYSTEM_ERROR",
    "UNKNOWN_EXCEPTION",
];

/// What the vendor's lists name for inquiryRefund, without SUCCESS.
pub const OF_INQUIRY: &[&str] = &[
    "ACCESS_DENIED",
    "CLIENT_INVALID",
    "INVALID_API",
    "KEY_NOT_FOUND",
    "MEDIA_TYPE_NOT_ACCEPTABLE",
    "METHOD_NOT_SUPPORTED",
    "NO_INTERFACE_DEF",
    "ORDER_NOT_EXIST",
    "PARAM_ILLEGAL",
    "PROCESS_FAIL",
    "REQUEST_TRAFFIC_EXCEED_LIMIT",
    "SYSTEM_ERROR",
    "UNKNOWN_EXCEPTION",
];

/// Letters of a result message.
const MESSAGE_LENGTH_MAX: usize = 256;

/// A result as it goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultText {
    /// The code.
    pub code: ResultCode,
    /// What is said with it.
    pub message: Cow<'static, str>,
}

impl From<ResultCode> for ResultText {
    fn from(code: ResultCode) -> Self {
        Self { code, message: Cow::Borrowed(code.message) }
    }
}

impl ResultText {
    fn saying(code: ResultCode, message: &str) -> Self {
        Self { code, message: Cow::Owned(message.chars().take(MESSAGE_LENGTH_MAX).collect()) }
    }
}

/// The result of a refusal.
pub fn of_refusal(refusal: &Refusal) -> ResultText {
    let code = match refusal {
        Refusal::UnknownMerchant | Refusal::AgentNotLinked | Refusal::UnknownTerminal => CLIENT_INVALID,
        Refusal::MerchantSuspended => INVALID_MERCHANT_STATUS,
        Refusal::TerminalSuspended
        | Refusal::NotAllowed { .. }
        | Refusal::ReviewerIsApplicant
        | Refusal::ReviewerIsNoPerson
        | Refusal::ReviewerApprovedAlready => ACCESS_DENIED,
        Refusal::RepeatInconsistent { field, first, now } => {
            return ResultText::saying(
                REPEAT_REQ_INCONSISTENT,
                &format!("{} {field} was {first} and is {now}.", REPEAT_REQ_INCONSISTENT.message),
            );
        }
        Refusal::UnknownPayment => ORDER_NOT_EXIST,
        Refusal::PaymentCancelled => ORDER_IS_CANCELED,
        Refusal::PaymentClosed => ORDER_IS_CLOSED,
        Refusal::PaymentNotCaptured { .. }
        | Refusal::PaymentUnreconciled
        | Refusal::PayoutInPreparation
        | Refusal::ReserveInSettlement
        | Refusal::RetrievalOpen
        | Refusal::ChargebackOpen
        | Refusal::ShareRunning
        | Refusal::RefundOpen => ORDER_STATUS_INVALID,
        Refusal::CurrencyMismatch { .. } => CURRENCY_NOT_SUPPORT,
        Refusal::AmountNotPositive => return illegal("refundAmount.value", "must be at least 1, in the smallest unit of the currency"),
        Refusal::RefundWindowExceeded { .. } => REFUND_WINDOW_EXCEED,
        Refusal::PartialNotAllowed { .. } => PARTIAL_REFUND_NOT_SUPPORTED,
        Refusal::TooManyRefunds { allowed: 0 } => REFUND_NOT_SUPPORTED,
        Refusal::TooManyRefunds { .. } => MULTIPLE_REFUNDS_NOT_SUPPORTED,
        Refusal::ExceedsPayment { .. } | Refusal::ExceedsRefundable { .. } | Refusal::ExceedsMarketing { .. } => REFUND_AMOUNT_EXCEED,
        Refusal::NotEnoughFunds { .. } | Refusal::ReceiverNotEnoughFunds { .. } => MERCHANT_BALANCE_NOT_ENOUGH,
        Refusal::UnknownRefund => return ResultText::saying(ORDER_NOT_EXIST, "The refund order does not exist."),
        Refusal::FieldInvalid { field, rule } => return illegal(field, rule),
        Refusal::ReceiverTwice { .. } | Refusal::ReceiverIsGiver | Refusal::ShareWindowExceeded { .. } => PROCESS_FAIL,
        Refusal::UnknownReceiver { .. } | Refusal::ExceedsReceiver { .. } | Refusal::ExceedsReturned { .. } => PROCESS_FAIL,
        Refusal::LinesExceedAmount { .. } | Refusal::ExceedsUnshared { .. } | Refusal::ExceedsPool { .. } => PROCESS_FAIL,
        Refusal::ExceedsAdvanced { .. } | Refusal::UnknownShare | Refusal::ShareStateForbids { .. } => PROCESS_FAIL,
        Refusal::PayoutsOnHold
        | Refusal::PayoutIsPrepared { .. }
        | Refusal::RefundsWaitForMoney { .. }
        | Refusal::NothingToPayOut { .. }
        | Refusal::BelowPayoutMinimum { .. }
        | Refusal::PayoutStateForbids { .. }
        | Refusal::AdjustmentIsDecided { .. }
        | Refusal::SecondPersonNeeded
        | Refusal::ExpectedRemainingStale { .. }
        | Refusal::ExtentMismatch { .. }
        | Refusal::RefundStateForbids { .. }
        | Refusal::ExceedsAuthorised { .. }
        | Refusal::DisputeStateForbids { .. }
        | Refusal::ReviewedContentChanged
        | Refusal::ArnIsSet { .. }
        | Refusal::PaymentInconsistent { .. }
        | Refusal::PaymentStatusForbids { .. }
        | Refusal::AlreadyExists { .. }
        | Refusal::LimitReached { .. }
        | Refusal::Unknown { .. }
        | Refusal::OutOfRange => PROCESS_FAIL,
    };
    code.into()
}

/// The result of a request that is malformed or not proved.
pub fn of_wire_error(error: &WireError) -> ResultText {
    let code = match error {
        WireError::UnknownPath => NO_INTERFACE_DEF,
        WireError::MethodNotAllowed => METHOD_NOT_SUPPORTED,
        WireError::MediaType => MEDIA_TYPE_NOT_ACCEPTABLE,
        WireError::TooLarge { limit } => return illegal("body", &format!("must not be larger than {limit} bytes")),
        WireError::UnknownCaller | WireError::OtherAccount => CLIENT_INVALID,
        WireError::NoKey => KEY_NOT_FOUND,
        WireError::BadSignature => INVALID_SIGNATURE,
        WireError::NotAllowed | WireError::CallerAddress { .. } => ACCESS_DENIED,
        WireError::Field { field, rule, .. } => return illegal(field, rule),
        WireError::TooMany => REQUEST_TRAFFIC_EXCEED_LIMIT,
    };
    code.into()
}

/// The result of a refund that failed.
pub fn of_failure(reason: &FailReason) -> ResultCode {
    match reason {
        FailReason::DeclinedByAcquirer { .. } | FailReason::RejectedByReviewer { .. } | FailReason::ChargedBack => PROCESS_FAIL,
        FailReason::FundsExpired | FailReason::NotEnoughFunds | FailReason::ReceiverNotEnoughFunds { .. } => MERCHANT_BALANCE_NOT_ENOUGH,
    }
}

/// The result of a code that was forced; one that is not ours is a business failure.
pub fn of_forced(code: &str) -> ResultCode {
    ALL.iter().copied().find(|known| known.code == code).unwrap_or(PROCESS_FAIL)
}

fn illegal(field: &str, rule: &str) -> ResultText {
    ResultText::saying(PARAM_ILLEGAL, &format!("{field} {rule}."))
}
