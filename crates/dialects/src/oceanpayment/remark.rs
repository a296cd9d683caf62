//! What became of a refund in words: the remark (备注) that merchants know from the vendor's portal, with English behind it.

use refundry_engine::refund::{FailReason, RefundState};

/// Done.
pub const REFUNDED: &str = "退款成功 (Refunded)";
/// Taken back by the merchant.
pub const CANCELLED: &str = "商户自行取消 (Cancelled by the merchant)";
/// No money came in time.
pub const NOT_ENOUGH_FUNDS: &str = "账户可用资金不足 (Insufficient available funds)";
/// The bank or the network said no.
pub const DECLINED: &str = "银行处理失败 (Declined by the bank)";
/// The reviewer said no.
pub const REJECTED: &str = "审核不通过 (Rejected in review)";
/// The issuer took the money back before the refund was sent.
pub const CHARGED_BACK: &str = "交易已拒付 (Charged back)";
/// The money came back after a success.
pub const RETURNED: &str = "退款被退回 (Returned by the bank)";

/// Why a refund was not paid out; empty for every other state.
pub const fn of_failure(state: &RefundState) -> &'static str {
    match state {
        RefundState::Failed { reason, .. } => of_reason(reason),
        RefundState::Cancelled { .. } => CANCELLED,
        RefundState::Pending { .. }
        | RefundState::Submitted { .. }
        | RefundState::Unresolved { .. }
        | RefundState::Succeeded { .. }
        | RefundState::Returned { .. } => "",
    }
}

const fn of_reason(reason: &FailReason) -> &'static str {
    match reason {
        FailReason::DeclinedByAcquirer { .. } => DECLINED,
        FailReason::RejectedByReviewer { .. } => REJECTED,
        FailReason::ChargedBack => CHARGED_BACK,
        FailReason::FundsExpired | FailReason::NotEnoughFunds | FailReason::ReceiverNotEnoughFunds { .. } => NOT_ENOUGH_FUNDS,
    }
}
