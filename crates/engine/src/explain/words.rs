use super::{Language, Text, Who, text};
use crate::refund::{FailReason, RefundStateName};

impl Who {
    /// The stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reviewer => "reviewer",
            Self::Merchant => "merchant",
            Self::Refundry => "refundry",
            Self::Acquirer => "acquirer",
            Self::Network => "network",
            Self::Operator => "operator",
            Self::Nobody => "nobody",
        }
    }

    /// What people read.
    pub const fn text(self, language: Language) -> &'static str {
        let (en, zh) = match self {
            Self::Reviewer => ("A reviewer", "审核人"),
            Self::Merchant => ("The merchant", "商户"),
            Self::Refundry => ("Refundry, by itself", "系统自动处理"),
            Self::Acquirer => ("The acquirer", "收单机构"),
            Self::Network => ("The card network", "卡组织"),
            Self::Operator => ("The operator", "运营方"),
            Self::Nobody => ("Nobody", "无须等待"),
        };
        match language {
            Language::En => en,
            Language::Zh => zh,
        }
    }
}

impl RefundStateName {
    /// What people read.
    pub const fn text(self, language: Language) -> &'static str {
        let (en, zh) = match self {
            Self::Pending => ("Pending", "待审核"),
            Self::Submitted => ("Submitted", "审核成功未处理"),
            Self::Unresolved => ("Unresolved", "待查证"),
            Self::Succeeded => ("Succeeded", "成功"),
            Self::Failed => ("Failed", "失败"),
            Self::Cancelled => ("Cancelled", "已撤回"),
            Self::Returned => ("Returned", "已退回"),
        };
        match language {
            Language::En => en,
            Language::Zh => zh,
        }
    }
}

impl FailReason {
    /// The cause in one language.
    pub fn text(&self, language: Language) -> String {
        let explained = self.explained();
        match language {
            Language::En => explained.en,
            Language::Zh => explained.zh,
        }
    }

    pub(super) fn explained(&self) -> Text {
        match self {
            Self::DeclinedByAcquirer { code, text: words } => text(
                format!("The acquirer declined it with code {code}: {words}."),
                format!("收单机构拒绝了该退款，代码 {code}：{words}。"),
            ),
            Self::RejectedByReviewer { by, note } => {
                text(format!("{by} rejected it in review: {note}."), format!("审核人 {by} 驳回了该退款：{note}。"))
            }
            Self::FundsExpired => text("The money for it did not come in time.", "账户可用资金不足：在等待期限内没有足够的资金入账。"),
            Self::ChargedBack => text("A chargeback took the payment's money back before it was sent.", "退款发出之前，该笔支付已被拒付。"),
            Self::ReceiverNotEnoughFunds { account } => text(
                format!("The receiver {account} had not the money that it was to give back."),
                format!("分账接收方 {account} 可用资金不足，无法退回其分账金额。"),
            ),
            Self::NotEnoughFunds => {
                text("The money for it was not there when it was to be sent.", "账户可用资金不足：发送时资金不在账上。")
            }
        }
    }
}
