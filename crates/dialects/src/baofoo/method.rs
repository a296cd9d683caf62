//! What can be called; all of it at one address.

/// A method of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Asks for a refund.
    OrderRefund,
    /// Asks how a refund stands.
    RefundQuery,
    /// Asks how a payment stands.
    OrderQuery,
    /// Asks what is left of a payment.
    OrderBalanceQuery,
    /// Shares a payment's money.
    ShareAfterPay,
    /// Asks how a share stands.
    ShareQuery,
    /// Orders a payment.
    UnifiedOrder,
    /// Closes an order that is not paid.
    OrderClose,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::OrderRefund,
        Self::RefundQuery,
        Self::OrderQuery,
        Self::OrderBalanceQuery,
        Self::ShareAfterPay,
        Self::ShareQuery,
        Self::UnifiedOrder,
        Self::OrderClose,
    ];

    /// The vendor's name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::OrderRefund => "order_refund",
            Self::RefundQuery => "refund_query",
            Self::OrderQuery => "order_query",
            Self::OrderBalanceQuery => "order_balance_query",
            Self::ShareAfterPay => "share_after_pay",
            Self::ShareQuery => "share_query",
            Self::UnifiedOrder => "unified_order",
            Self::OrderClose => "order_close",
        }
    }

    /// Reads the vendor's name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.word() == word)
    }

    /// Whether it changes anything, so that an answer that we do not know leaves its caller in doubt.
    pub const fn acts(self) -> bool {
        match self {
            Self::OrderRefund | Self::ShareAfterPay | Self::UnifiedOrder | Self::OrderClose => true,
            Self::RefundQuery | Self::OrderQuery | Self::OrderBalanceQuery | Self::ShareQuery => false,
        }
    }

    /// The members that only one method knows. The method's name is not signed: a text that was signed for one method must not do for another.
    pub const fn marks() -> [(Self, &'static str); 3] {
        [(Self::OrderRefund, "refundAmt"), (Self::ShareAfterPay, "sharingDetails"), (Self::UnifiedOrder, "txnAmt")]
    }
}
