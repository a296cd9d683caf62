//! What is said with a business code (`errMsg`): Chinese first, with the receiver and the highest amount that would have been possible. Amounts
//! are in fen, as everywhere on this wire.

use refundry_engine::refund::{FailReason, Refund, RefundState};
use refundry_engine::{Language, Refusal, Timestamp};

use super::codes::{self, BusinessCode};
use crate::WireError;
use crate::time_text::plain;

/// Letters of a message.
const LENGTH_MAX: usize = 128;

/// What a refusal says.
pub fn of_refusal(refusal: &Refusal) -> String {
    let code = codes::of_refusal(refusal);
    cut(&match refusal {
        Refusal::ExceedsReceiver { account, highest } => {
            let highest = highest.minor();
            format!("{account}最多可退{highest} / {account} can give back {highest} at most")
        }
        Refusal::ExceedsReturned { highest } => both("分账退回与垫资合计最多", "receivers and advance together at most", highest.minor()),
        Refusal::LinesExceedAmount { over } => both("明细合计超出退款总金额", "the lines exceed totalAmt by", over.minor()),
        Refusal::ExceedsUnshared { needed, unshared } => {
            let (needed, unshared) = (needed.minor(), unshared.minor());
            format!("剩余未分账金额{unshared}，需要{needed} / {unshared} unshared, {needed} needed")
        }
        Refusal::ExceedsPool { highest } => both("分账金额超限，最多可分", "can be shared at most", highest.minor()),
        Refusal::ExceedsAdvanced { highest } => both("最多可收回垫资", "can be recovered at most", highest.minor()),
        Refusal::UnknownReceiver { account } => format!("二级商户号有误：{account} / receiver {account} is unknown"),
        Refusal::ReceiverTwice { account } => format!("{account}重复出现 / receiver {account} is named twice"),
        Refusal::ReceiverNotEnoughFunds { account, highest } => {
            let highest = highest.minor();
            format!("{}：{account}最多可退{highest} / {account} has {highest}", code.text)
        }
        Refusal::ExceedsPayment { captured: highest }
        | Refusal::ExceedsRefundable { refundable: highest }
        | Refusal::PartialNotAllowed { refundable: highest }
        | Refusal::ExceedsAuthorised { authorised: highest } => both("退款金额超限，最多可退", "can be refunded at most", highest.minor()),
        Refusal::ExceedsMarketing { refundable } => both("营销退款金额超限，最多可退", "marketing at most", refundable.minor()),
        Refusal::RefundWindowExceeded { until } => too_late("已超过可退款期限", *until),
        Refusal::ShareWindowExceeded { until } => too_late("已超过可分账期限", *until),
        Refusal::PaymentInconsistent { .. } => "两个原订单号不是同一笔支付 / the two original numbers name different payments".to_owned(),
        Refusal::PaymentStatusForbids { .. } | Refusal::PaymentCancelled | Refusal::PaymentClosed => {
            "订单已支付或已关闭 / the order is paid or closed".to_owned()
        }
        Refusal::ShareRunning => "分账处理中，请分批次执行 / a share of the payment is running".to_owned(),
        Refusal::RefundOpen => "退款处理中，请分批次执行 / a refund of the payment is running".to_owned(),
        Refusal::RepeatInconsistent { field, first, now } => format!("{}：{field} {first} → {now}", code.text),
        // The vendor's own text says all there is to say.
        Refusal::UnknownMerchant
        | Refusal::AgentNotLinked
        | Refusal::UnknownTerminal
        | Refusal::UnknownPayment
        | Refusal::UnknownRefund
        | Refusal::UnknownShare
        | Refusal::PaymentNotCaptured { .. } => code.text.to_owned(),
        other => format!("{}：{}", code.text, other.text(Language::Zh)),
    })
}

/// What a refund that failed says.
pub fn of_failure(reason: &FailReason) -> String {
    let text = codes::of_failure(reason).text;
    cut(&match reason {
        FailReason::DeclinedByAcquirer { code, text: said } => format!("{text}：{code} {said}"),
        FailReason::ChargedBack => "交易已拒付 / charged back".to_owned(),
        FailReason::ReceiverNotEnoughFunds { account } => format!("{text}：{account} / {account} lacks the money"),
        // What a reviewer writes is for the operator's people.
        FailReason::RejectedByReviewer { .. } | FailReason::FundsExpired | FailReason::NotEnoughFunds => text.to_owned(),
    })
}

/// Code and message of a refund that will not be paid out; nothing for every other.
pub fn of_refund(refund: &Refund) -> Option<(BusinessCode, String)> {
    match &refund.state {
        RefundState::Failed { reason, .. } => Some((codes::of_failure(reason), of_failure(reason))),
        RefundState::Cancelled { .. } => Some((codes::OF_CANCELLATION, "商户已撤销退款 / taken back by the merchant".to_owned())),
        RefundState::Pending { .. }
        | RefundState::Submitted { .. }
        | RefundState::Unresolved { .. }
        | RefundState::Succeeded { .. }
        | RefundState::Returned { .. } => None,
    }
}

/// What a request that was proved, and is not what it should be, is told.
pub fn of_wire_error(error: &WireError) -> String {
    let text = codes::of_wire_error(error).text;
    cut(&match error {
        WireError::Field { field, rule, .. } => format!("{text}：{field} {rule}"),
        WireError::UnknownPath
        | WireError::MethodNotAllowed
        | WireError::MediaType
        | WireError::TooLarge { .. }
        | WireError::UnknownCaller
        | WireError::NoKey
        | WireError::OtherAccount
        | WireError::CallerAddress { .. }
        | WireError::BadSignature
        | WireError::NotAllowed
        | WireError::TooMany => text.to_owned(),
    })
}

fn both(chinese: &str, english: &str, minor: i64) -> String {
    format!("{chinese}{minor} / {english} {minor}")
}

fn too_late(chinese: &str, until: Timestamp) -> String {
    let until = plain(until);
    format!("{chinese}：{until} / until {until}")
}

fn cut(text: &str) -> String {
    text.chars().take(LENGTH_MAX).collect()
}
