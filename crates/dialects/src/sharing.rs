//! What callers say of a payment that is shared among merchants: the payment by its names, the shares, the order that it comes from.

use refundry_engine::ShareId;
use refundry_engine::Timestamp;
use refundry_engine::idempotency::ComparedFields;
use refundry_engine::payment::PaymentKey;
use refundry_ledger::Money;

/// The name under which the payment is compared when a number comes again. Of a payment that is named by its order number alone, whoever finds it
/// adds the number that the merchant was given, so that it is the same wish by whichever name.
pub const COMPARED_PAYMENT: &str = "originTradeNo";

/// How a caller names a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedPayment {
    /// By the number that the merchant was given, or by our id.
    Key(PaymentKey),
    /// By the merchant's order number.
    OrderNumber(String),
    /// By both: the order number must be the payment's.
    Both {
        /// The number that counts.
        key: PaymentKey,
        /// The merchant's order number.
        order_number: String,
    },
}

impl From<PaymentKey> for NamedPayment {
    fn from(key: PaymentKey) -> Self {
        Self::Key(key)
    }
}

/// What a refund says of its payment's shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedShares {
    /// What receivers give back.
    pub lines: AskedReturns,
    /// What the merchant pays in their place (垫资).
    pub advance: Option<Money>,
}

/// What receivers give back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedReturns {
    /// So much each.
    Named(Vec<AskedPart>),
    /// Everybody in proportion to what they have left.
    ProRata,
}

/// What one receiver gets or gives back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedPart {
    /// The receiver's account number, as it was sent.
    pub account: String,
    /// How much.
    pub amount: Money,
}

/// A share as it is asked for on the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct ShareWish {
    /// The merchant's number.
    pub number: String,
    /// What is compared when the number comes again.
    pub compared: ComparedFields,
    /// Which payment.
    pub payment: NamedPayment,
    /// Who gets how much.
    pub lines: Vec<AskedPart>,
    /// Where its end is announced.
    pub notify_url: Option<String>,
    /// When the merchant says that it asked, as it was sent.
    pub asked_at_text: Option<String>,
}

/// Which share is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareInquiry {
    /// By our id.
    Id(ShareId),
    /// By the merchant's number.
    Number(String),
    /// By a text that cannot be one of our ids: it is unknown.
    Nonsense,
}

/// A payment as it is ordered on the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderWish {
    /// The merchant's order number.
    pub number: String,
    /// What is compared when the number comes again.
    pub compared: ComparedFields,
    /// How much in all, marketing part included.
    pub amount: Money,
    /// What of it the merchant's marketing pays.
    pub marketing: Money,
    /// How the shopper pays.
    pub method: String,
    /// Minutes in which it can be paid.
    pub expires_minutes: u32,
    /// Where its end is announced.
    pub notify_url: Option<String>,
    /// How its money is shared once it is paid.
    pub sharing: Option<PlannedSharing>,
    /// When the merchant says that it asked, as it was sent.
    pub asked_at_text: Option<String>,
}

/// A share that is ordered together with its payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedSharing {
    /// The merchant's number for the share.
    pub number: String,
    /// What is compared when that number comes again.
    pub compared: ComparedFields,
    /// Who gets how much.
    pub lines: Vec<AskedPart>,
    /// When it begins.
    pub due_at: Timestamp,
    /// Where its end is announced.
    pub notify_url: Option<String>,
}

/// What is left of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderBalance {
    /// The number that the merchant was given for the payment.
    pub payment_reference: String,
    /// The merchant's order number.
    pub order_number: String,
    /// What was paid in all, marketing part included.
    pub total: Money,
    /// What of it is neither shared, nor being shared, nor refunded.
    pub unshared: Money,
    /// Σ of the refunds that succeeded.
    pub refunded: Money,
    /// Σ of the refunds that are under way.
    pub refunding: Money,
}
