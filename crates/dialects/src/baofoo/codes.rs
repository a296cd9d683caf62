//! The vendor's business codes, and which refusal, failure and wire error has which.

use refundry_engine::Refusal;
use refundry_engine::refund::FailReason;

use super::method::Method;
use crate::{Flaw, WireError};

/// A business code with the vendor's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusinessCode {
    /// The code.
    pub code: &'static str,
    /// The vendor's text.
    pub text: &'static str,
}

macro_rules! business_codes {
    ($($name:ident $code:literal $text:literal;)*) => {
        $(
            #[doc = concat!($code, " ", $text)]
            pub const $name: BusinessCode = BusinessCode { code: $code, text: $text };
        )*

        /// All of them, in the vendor's order.
        pub const ALL: &[BusinessCode] = &[$($name),*];

        /// What can be forced: all of them, because none is a success.
        pub const FORCIBLE: &[&str] = &[$($code),*];
    };
}

business_codes! {
    INVALID_PARAMETER "INVALID_PARAMETER" "参数无效";
    SYSTEM_BUSY "SYSTEM_BUSY" "系统繁忙，请稍后再试";
    ORDER_CREATED_FAIL "ORDER_CREATED_FAIL" "订单创建失败";
    UNOPENED_PRODUCT "UNOPENED_PRODUCT" "商户未开通此产品";
    TRADE_AMT_EXCEEDS_LIMIT "TRADE_AMT_EXCEEDS_LIMIT" "交易金额超过单笔支付限额";
    AGENT_RELATION_NOT_EXISTS "AGENT_RELATION_NOT_EXISTS" "代理商关系不存在";
    RISK_REFUSED "RISK_REFUSED" "风控拒绝";
    MERCHANT_NOT_EXIST "MERCHANT_NOT_EXIST" "商户号不存在";
    TERMINAL_NOT_EXIST "TERMINAL_NOT_EXIST" "终端号不存在";
    MERID_TERID_NOT_MATCH "MERID_TERID_NOT_MATCH" "商户号和终端号不匹配";
    VERIFY_ERROR "VERIFY_ERROR" "验签错误";
    DGTL_DEC_ERROR "DGTL_DEC_ERROR" "数字信封解密失败";
    ORDER_EXIST "ORDER_EXIST" "订单已存在";
    ORDER_NOT_EXIST "ORDER_NOT_EXIST" "原订单不存在";
    SHARE_INFO_NOT_CORRECT "SHARE_INFO_NOT_CORRECT" "分账信息校验不通过";
    SHARE_DEPLOY_NOT_EXIST "SHARE_DEPLOY_NOT_EXIST" "分账配置不存在";
    DEPLOY_NOT_CORRECT "DEPLOY_NOT_CORRECT" "分账配置不正确";
    FEE_MER_ID_ERROR "FEE_MER_ID_ERROR" "扣费商户号传入错误";
    PAY_CODE_ERROR "PAY_CODE_ERROR" "支付方式传入错误";
    TRADE_UNCONFIRMED "TRADE_UNCONFIRMED" "交易结果未知，请稍后查询";
    ORDER_NOT_SUPPORT_REFUNDS "ORDER_NOT_SUPPORT_REFUNDS" "订单未支付成功，无法退款";
    REFUND_AMT_EXCEEDS "REFUND_AMT_EXCEEDS" "退款金额超限";
    NOT_SUPPORT_PAY_CODE "NOT_SUPPORT_PAY_CODE" "不支持的支付方式";
    NOT_SUPPORT_CONCURRENT "NOT_SUPPORT_CONCURRENT" "不支持的并发操作";
    CHANNEL_RETURN_ERR "CHANNEL_RETURN_ERR" "渠道返回错误";
    MERCHANT_NOT_REPORT "MERCHANT_NOT_REPORT" "商户未在渠道报备";
    CM_NOT_ENOUGH_BALANCE_REFUND "CM_NOT_ENOUGH_BALANCE_REFUND" "没有足够的余额退款";
}

/// The code of a refusal. What of it is said with it is [`message`](super::message)'s affair.
pub fn of_refusal(refusal: &Refusal) -> BusinessCode {
    match refusal {
        Refusal::UnknownMerchant => MERCHANT_NOT_EXIST,
        Refusal::AgentNotLinked => AGENT_RELATION_NOT_EXISTS,
        Refusal::MerchantSuspended | Refusal::TerminalSuspended | Refusal::NotAllowed { .. } => UNOPENED_PRODUCT,
        Refusal::UnknownTerminal => TERMINAL_NOT_EXIST,
        Refusal::RepeatInconsistent { .. } | Refusal::AlreadyExists { .. } => ORDER_EXIST,
        Refusal::UnknownPayment | Refusal::UnknownRefund | Refusal::UnknownShare => ORDER_NOT_EXIST,
        Refusal::PaymentCancelled
        | Refusal::PaymentClosed
        | Refusal::PaymentNotCaptured { .. }
        | Refusal::RefundWindowExceeded { .. }
        | Refusal::ShareWindowExceeded { .. }
        | Refusal::PaymentUnreconciled
        | Refusal::RetrievalOpen
        | Refusal::ChargebackOpen => ORDER_NOT_SUPPORT_REFUNDS,
        Refusal::ShareRunning | Refusal::RefundOpen | Refusal::PayoutInPreparation | Refusal::ReserveInSettlement => NOT_SUPPORT_CONCURRENT,
        Refusal::ExceedsPayment { .. }
        | Refusal::ExceedsRefundable { .. }
        | Refusal::ExceedsAuthorised { .. }
        | Refusal::ExceedsMarketing { .. }
        | Refusal::TooManyRefunds { .. }
        | Refusal::PartialNotAllowed { .. } => REFUND_AMT_EXCEEDS,
        Refusal::UnknownReceiver { .. }
        | Refusal::ReceiverIsGiver
        | Refusal::ExceedsReceiver { .. }
        | Refusal::ExceedsReturned { .. }
        | Refusal::LinesExceedAmount { .. }
        | Refusal::ExceedsUnshared { .. }
        | Refusal::ExceedsPool { .. }
        | Refusal::ExceedsAdvanced { .. } => SHARE_INFO_NOT_CORRECT,
        Refusal::NotEnoughFunds { .. } | Refusal::ReceiverNotEnoughFunds { .. } => CM_NOT_ENOUGH_BALANCE_REFUND,
        Refusal::LimitReached { .. } => SYSTEM_BUSY,
        Refusal::CurrencyMismatch { .. }
        | Refusal::AmountNotPositive
        | Refusal::ReceiverTwice { .. }
        | Refusal::ExpectedRemainingStale { .. }
        | Refusal::ExtentMismatch { .. }
        | Refusal::PaymentInconsistent { .. }
        | Refusal::PaymentStatusForbids { .. }
        | Refusal::FieldInvalid { .. }
        | Refusal::OutOfRange
        | Refusal::Unknown { .. }
        | Refusal::ShareStateForbids { .. }
        | Refusal::RefundStateForbids { .. }
        | Refusal::DisputeStateForbids { .. }
        | Refusal::ReviewerIsApplicant
        | Refusal::ReviewerIsNoPerson
        | Refusal::ReviewerApprovedAlready
        | Refusal::ReviewedContentChanged
        | Refusal::ArnIsSet { .. }
        | Refusal::PayoutsOnHold
        | Refusal::PayoutIsPrepared { .. }
        | Refusal::RefundsWaitForMoney { .. }
        | Refusal::NothingToPayOut { .. }
        | Refusal::BelowPayoutMinimum { .. }
        | Refusal::PayoutStateForbids { .. }
        | Refusal::AdjustmentIsDecided { .. }
        | Refusal::SecondPersonNeeded => INVALID_PARAMETER,
    }
}

/// The code of a refund that failed after it was accepted.
pub const fn of_failure(reason: &FailReason) -> BusinessCode {
    match reason {
        FailReason::DeclinedByAcquirer { .. } => CHANNEL_RETURN_ERR,
        FailReason::RejectedByReviewer { .. } => RISK_REFUSED,
        FailReason::ChargedBack => ORDER_NOT_SUPPORT_REFUNDS,
        FailReason::FundsExpired | FailReason::NotEnoughFunds | FailReason::ReceiverNotEnoughFunds { .. } => CM_NOT_ENOUGH_BALANCE_REFUND,
    }
}

/// The code of a refund that the merchant took back before it was sent.
pub const OF_CANCELLATION: BusinessCode = ORDER_CREATED_FAIL;

/// The code of a request that was proved, and is not what it should be.
pub fn of_wire_error(error: &WireError) -> BusinessCode {
    match error {
        WireError::UnknownCaller | WireError::NotAllowed => MERCHANT_NOT_EXIST,
        WireError::OtherAccount => MERID_TERID_NOT_MATCH,
        WireError::NoKey | WireError::BadSignature => VERIFY_ERROR,
        WireError::TooMany => SYSTEM_BUSY,
        WireError::CallerAddress { .. } => RISK_REFUSED,
        WireError::Field { field, flaw, .. } => of_field(field, *flaw),
        WireError::UnknownPath | WireError::MethodNotAllowed | WireError::MediaType | WireError::TooLarge { .. } => INVALID_PARAMETER,
    }
}

fn of_field(field: &str, flaw: Flaw) -> BusinessCode {
    match (field, flaw) {
        ("payCode", Flaw::TooLong | Flaw::Malformed) => PAY_CODE_ERROR,
        (_, Flaw::Missing | Flaw::Empty | Flaw::TooLong | Flaw::Malformed) => INVALID_PARAMETER,
    }
}

/// The code of what we do not know ourselves: whoever asked for something to be done has to ask what became of it.
pub const fn of_fault(method: Option<Method>) -> BusinessCode {
    match method {
        Some(method) if method.acts() => TRADE_UNCONFIRMED,
        Some(_) | None => SYSTEM_BUSY,
    }
}

/// The code that was forced; one that is not the vendor's is an error of the system.
pub fn of_forced(code: &str) -> BusinessCode {
    ALL.iter().copied().find(|known| known.code == code).unwrap_or(SYSTEM_BUSY)
}
