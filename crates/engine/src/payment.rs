//! One purchase, from authorisation on, and what is left of it.

use std::sync::Arc;

use refundry_ledger::{Currency, Money, MoneyError};
use serde::{Deserialize, Serialize};

use crate::refund::Refund;
use crate::settlement::Settling;
use crate::share::Sharing;
use crate::{MerchantId, Mode, PaymentId, TerminalId, Timestamp};

/// Letters of a reference that merchants or operators give.
pub const REFERENCE_LENGTH_MAX: usize = 64;
/// Bytes of the rare attributes of a payment, as JSON.
pub const DETAILS_LENGTH_MAX: usize = 16 * 1024;

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Not decided yet.
    Pending,
    /// Authorised, nothing taken.
    Authorised,
    /// The money was taken; refunds are possible.
    Captured,
    /// Declined.
    Failed,
    /// Voided before capture.
    Cancelled,
    /// Expired or closed without being paid.
    Closed,
}

impl PaymentStatus {
    /// All of them, in the order of a payment's life.
    pub const ALL: [Self; 6] = [Self::Pending, Self::Authorised, Self::Captured, Self::Failed, Self::Cancelled, Self::Closed];

    /// The stored word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Authorised => "authorised",
            Self::Captured => "captured",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Closed => "closed",
        }
    }
}

/// The rate at which a payment settles in another currency. The price is an exact decimal: `mantissa / 10^scale`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementQuote {
    /// Whoever gave the quote names it so; up to 64 letters.
    pub quote_id: Option<String>,
    /// The settlement currency.
    #[serde(with = "currency_text")]
    pub settlement_currency: Currency,
    /// Digits of the price: one major unit of the payment currency in major units of the settlement currency.
    pub price_mantissa: i64,
    /// Decimal places of the price, at most 12.
    pub price_scale: u32,
    /// From when.
    pub start_at: Option<Timestamp>,
    /// Until when.
    pub expiry_at: Option<Timestamp>,
    /// Whether the rate is locked; only then do answers carry it.
    pub guaranteed: bool,
}

impl SettlementQuote {
    /// An amount in the settlement currency, rounded half up to its minor unit; nothing when that leaves the range.
    pub fn convert(&self, amount: Money) -> Option<Money> {
        let digits = i64::from(self.settlement_currency.exponent()) - i64::from(amount.currency().exponent()) - i64::from(self.price_scale);
        let power = 10i128.checked_pow(u32::try_from(digits.unsigned_abs()).ok()?)?;
        let product = i128::from(amount.minor()).checked_mul(i128::from(self.price_mantissa))?;
        let minor = if digits >= 0 { product.checked_mul(power)? } else { product.checked_add(power / 2)?.div_euclid(power) };
        i64::try_from(minor).ok().map(|minor| Money::new(minor, self.settlement_currency))
    }
}

/// What of a payment went through its rate, so that the parts of an amount sum to the whole, whatever fails in between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Converted {
    /// The payment's money that became money of the settlement currency, less what came back, in minor units of the payment's currency.
    #[serde(rename = "c")]
    pub crossed_minor: i64,
    /// What it became, in minor units of the settlement currency.
    #[serde(rename = "s")]
    pub settlement_minor: i64,
    /// Σ settlement amount of the refunds that count, in minor units of the settlement currency.
    #[serde(rename = "r")]
    pub refunded_minor: i64,
}

impl Converted {
    /// What so much more of the payment's money becomes when it crosses, or what it must come from when it is below zero. Nothing becomes nothing: what
    /// rounding left open waits for the next part.
    pub(crate) fn would_become(&self, quote: &SettlementQuote, captured: Money, minor: i64) -> i64 {
        if minor == 0 {
            return 0;
        }
        let crossed = self.crossed_minor.saturating_add(minor);
        let worth = |minor: i64| quote.convert(Money::new(minor, captured.currency())).map_or(0, Money::minor);
        let all = captured.minor();
        let target = worth(all).saturating_sub(worth(all.saturating_sub(crossed)));
        target.saturating_sub(self.settlement_minor)
    }

    /// So much crosses as exactly that.
    pub(crate) const fn cross_as(&mut self, minor: i64, became: i64) {
        self.crossed_minor = self.crossed_minor.saturating_add(minor);
        self.settlement_minor = self.settlement_minor.saturating_add(became);
    }
}

/// Attributes that no decision reads; searched and shown only. The card number is never among them: first six and last four only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PaymentDetails {
    /// Visa, Mastercard and so on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card_scheme: Option<String>,
    /// First six digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card_first6: Option<String>,
    /// Last four digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card_last4: Option<String>,
    /// ISO 3166 alpha-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer_country: Option<String>,
    /// Of the payment's answer, such as 80000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_code: Option<String>,
    /// Of the payment's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_text: Option<String>,
    /// Was a pre-authorisation.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pre_authorised: bool,
    /// Was authenticated with 3-D Secure.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub three_d_secure: bool,
    /// Was taken in a shop, face to face.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub offline: bool,
    /// The shopper's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shopper_email: Option<String>,
    /// The shopper's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shopper_ip: Option<String>,
    /// The shop's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site_url: Option<String>,
    /// Carrier's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
    /// Whatever else the operator wants to find again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What the fee is made of, as far as the operator says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee_parts: Option<FeeParts>,
}

/// Parts of a fee that statements show apart, in minor units of the payment's currency; the rest of the fee is the operator's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeeParts {
    /// To the issuer.
    pub interchange_minor: i64,
    /// To the network, for a card of another country.
    pub cross_border_minor: i64,
    /// To the network.
    pub scheme_minor: i64,
    /// For each payment, whatever its amount.
    pub fixed_minor: i64,
}

impl FeeParts {
    /// All of them.
    pub const fn all(&self) -> [i64; 4] {
        [self.interchange_minor, self.cross_border_minor, self.scheme_minor, self.fixed_minor]
    }
}

/// One purchase and what is left of it. The running sums are kept on the payment so that a refund is decided without reading the others;
/// `doctor books` recomputes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Ours; carries the payment's own time.
    pub id: PaymentId,
    /// Whose.
    pub merchant_id: MerchantId,
    /// Which acceptance channel took it.
    pub terminal_id: TerminalId,
    /// Sandbox or live.
    pub mode: Mode,
    /// The number that the merchant was given; unique per merchant; what every dialect looks up and answers with.
    pub payment_reference: String,
    /// The merchant's order number.
    pub merchant_reference: String,
    /// Payment method, such as `card` or `ALIPAY_CN`.
    pub method: String,
    /// Where it stands.
    pub status: PaymentStatus,
    /// When it was paid; the refund window counts from here.
    pub paid_at: Timestamp,
    /// What was authorised.
    pub authorised: Money,
    /// What was taken in all, marketing part included; zero before capture.
    pub captured: Money,
    /// The part of `captured` that the merchant's marketing paid.
    pub marketing: Money,
    /// The operator's fee.
    pub fee: Money,
    /// The part that was kept as reserve at capture.
    pub reserved: Money,
    /// Σ amount of the refunds that count (not failed, cancelled or returned).
    pub refunded: Money,
    /// Σ marketing part of the refunds that count.
    pub refunded_marketing: Money,
    /// Number of refunds that count.
    pub refund_count: u32,
    /// The part of the fee that was given back.
    pub fee_given_back: Money,
    /// What of this payment's money is still unsettled.
    pub unsettled_left: Money,
    /// What of this payment's money is still in the reserve.
    pub reserve_left: Money,
    /// Whether its unsettled money has become available.
    pub settled: bool,
    /// When that is due, and the goods that it waits for.
    pub settling: Settling,
    /// Σ chargebacks that were not won back.
    pub charged_back: Money,
    /// Chargebacks that are open.
    pub open_chargebacks: u32,
    /// Retrievals that are open; they freeze refunds.
    pub open_retrievals: u32,
    /// The stored rate, when it settles in another currency.
    pub quote: Option<SettlementQuote>,
    /// What it remembers of its shares; nothing of ordinary payments, whose fee is taken from their own money.
    pub sharing: Option<Box<Sharing>>,
    /// What went through that rate so far; nothing without one.
    pub converted: Converted,
    /// Where this payment's refunds are announced, unless the request says otherwise.
    pub notify_url: Option<String>,
    /// What no decision reads.
    pub details: Arc<PaymentDetails>,
    /// When we learned of it.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

impl Payment {
    /// Its currency.
    pub fn currency(&self) -> Currency {
        self.captured.currency()
    }

    /// The rate at which it settles in another currency; none when that is its own.
    pub fn foreign(&self) -> Option<&SettlementQuote> {
        self.quote.as_ref().filter(|quote| quote.settlement_currency != self.currency())
    }

    /// So much of its money crosses into the settlement currency, or comes back when it is below zero; says what it becomes there. What has crossed
    /// so far is always worth what it should be, whatever went wrong in between, so that parts sum to the whole: counted from the end of the
    /// captured amount, as refunds are.
    pub(crate) fn cross(&mut self, minor: i64) -> i64 {
        let Some(quote) = self.foreign() else { return 0 };
        let became = self.converted.would_become(quote, self.captured, minor);
        self.cross_as(minor, became);
        became
    }

    /// So much of its money crosses as exactly that.
    pub(crate) fn cross_as(&mut self, minor: i64, became: i64) {
        self.converted.cross_as(minor, became);
    }

    /// The currency in which its money is available once it is settled.
    pub fn home_currency(&self) -> Currency {
        self.quote.as_ref().map_or_else(|| self.currency(), |quote| quote.settlement_currency)
    }

    /// By how much refunds that count and chargebacks are beyond what was captured, in minor units: the exposure.
    pub fn beyond_captured(&self) -> i64 {
        self.refunded.minor().saturating_add(self.charged_back.minor()).saturating_sub(self.captured.minor()).max(0)
    }

    /// `max(0, captured − refunds that count − chargebacks not won back)`, domain rule of section 2.
    pub fn refundable(&self) -> Money {
        let left = self.captured.minor().saturating_sub(self.refunded.minor()).saturating_sub(self.charged_back.minor());
        Money::new(left.max(0), self.currency())
    }

    /// What is left of what the shopper paid: the acquirer is never made to pay more back than that.
    pub fn refundable_user_part(&self) -> Money {
        let user_part = self.captured.minor().saturating_sub(self.marketing.minor());
        let refunded = self.refunded.minor().saturating_sub(self.refunded_marketing.minor());
        let left = user_part.saturating_sub(refunded).saturating_sub(self.charged_back.minor());
        Money::new(left.max(0), self.currency())
    }

    /// A refund counts from now on: the running sums follow.
    pub(crate) fn count(&mut self, refund: &Refund) -> Result<(), MoneyError> {
        self.refunded = self.refunded.checked_add(refund.amount)?;
        self.refunded_marketing = self.refunded_marketing.checked_add(refund.marketing)?;
        self.fee_given_back = self.fee_given_back.checked_add(refund.fee_given_back)?;
        self.refund_count = self.refund_count.saturating_add(1);
        self.count_sharing(refund, 1);
        let gross = refund.gross_settlement.map_or(0, Money::minor);
        self.converted.refunded_minor = self.converted.refunded_minor.saturating_add(gross);
        Ok(())
    }

    /// A refund counts no longer.
    pub(crate) fn uncount(&mut self, refund: &Refund) -> Result<(), MoneyError> {
        self.refunded = self.refunded.checked_sub(refund.amount)?;
        self.refunded_marketing = self.refunded_marketing.checked_sub(refund.marketing)?;
        self.fee_given_back = self.fee_given_back.checked_sub(refund.fee_given_back)?;
        self.refund_count = self.refund_count.saturating_sub(1);
        self.count_sharing(refund, -1);
        let gross = refund.gross_settlement.map_or(0, Money::minor);
        self.converted.refunded_minor = self.converted.refunded_minor.saturating_sub(gross);
        Ok(())
    }

    /// What is left of the marketing part.
    pub fn refundable_marketing(&self) -> Money {
        let left = self.marketing.minor().saturating_sub(self.refunded_marketing.minor());
        Money::new(left.max(0), self.currency())
    }
}

/// How a caller names a payment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaymentKey {
    /// By our id.
    Id(PaymentId),
    /// By the number that the merchant was given.
    Reference(String),
}

/// Currencies as their three letters.
pub mod currency_text {
    use refundry_ledger::Currency;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the code.
    pub fn serialize<S: Serializer>(currency: &Currency, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(currency.code())
    }

    /// Reads the code.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Currency, D::Error> {
        let code = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        code.parse().map_err(serde::de::Error::custom)
    }
}
