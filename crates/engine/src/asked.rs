//! What callers say about a refund in words that only its payment explains: amounts without a currency, "the whole", "a part".

use std::fmt;

use refundry_ledger::{Currency, Money};

use crate::Refusal;
use crate::payment::Payment;

/// An amount as a caller names it. Some protocols send no currency: the amount is then in the payment's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum AskedAmount {
    /// With its currency.
    Money(Money),
    /// In whatever currency the payment is.
    Decimal(Decimal),
}

/// A decimal number of major units without a currency: `digits / 10^places`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// All its digits.
    pub digits: i64,
    /// How many of them stand behind the point; none of the last ones is a zero.
    pub places: u32,
}

/// How much of a payment a caller says that a refund gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All that was taken.
    Whole,
    /// Less than that.
    Part,
}

/// What a caller believes of the payment's order; a refund of another order is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderClaim {
    /// Its amount.
    pub amount: Option<AskedAmount>,
    /// Its currency.
    pub currency: Option<Currency>,
}

impl AskedAmount {
    /// The amount of a payment in `currency`; nothing when it has more decimals than the currency, or leaves the range.
    pub fn of_payment_in(self, currency: Currency) -> Option<Money> {
        match self {
            Self::Money(money) => Some(money),
            Self::Decimal(decimal) => decimal.in_currency(currency),
        }
    }

    /// The amount when it has a currency.
    pub const fn money(self) -> Option<Money> {
        match self {
            Self::Money(money) => Some(money),
            Self::Decimal(_) => None,
        }
    }
}

impl Decimal {
    /// Reads digits with at most one point between them, such as `12`, `12.3`, `0.05`; no sign, no blank, no more than sixteen digits.
    pub fn parse(text: &str) -> Option<Self> {
        const DIGITS_MAX: usize = 16;
        let (whole, fraction) = match text.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (text, ""),
        };
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(fraction) || whole.len() + fraction.len() > DIGITS_MAX {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let digits = format!("{whole}{fraction}").parse().ok()?;
        Some(Self { digits, places: u32::try_from(fraction.len()).ok()? })
    }

    /// As money; nothing when it has more decimals than the currency, or leaves the range.
    pub fn in_currency(self, currency: Currency) -> Option<Money> {
        let power = currency.exponent().checked_sub(self.places)?;
        let minor = self.digits.checked_mul(10_i64.checked_pow(power)?)?;
        Some(Money::new(minor, currency))
    }
}

impl OrderClaim {
    /// Whether it is the payment's order: its currency, then what was authorised or, of a part, what was taken.
    pub(crate) fn check(self, payment: &Payment) -> Result<(), Refusal> {
        let expected = payment.currency();
        if self.currency.is_some_and(|currency| currency != expected) {
            return Err(Refusal::CurrencyMismatch { expected });
        }
        let fits = |amount: AskedAmount| {
            let amount = amount.of_payment_in(expected);
            amount == Some(payment.authorised) || amount == Some(payment.captured)
        };
        match self.amount {
            Some(amount) if !fits(amount) => Err(Refusal::PaymentInconsistent { field: "order_amount".to_owned() }),
            Some(_) | None => Ok(()),
        }
    }
}

impl Extent {
    /// Whether `amount` of a payment is what the caller calls it.
    pub(crate) fn check(self, payment: &Payment, amount: Money) -> Result<(), Refusal> {
        let captured = payment.captured;
        if captured.is_below(amount)? {
            return Err(Refusal::ExceedsPayment { captured });
        }
        match self {
            Self::Whole if amount != captured => Err(Refusal::ExtentMismatch { captured }),
            Self::Part if amount == captured => Err(Refusal::ExtentMismatch { captured }),
            Self::Whole | Self::Part => Ok(()),
        }
    }
}

impl From<Money> for AskedAmount {
    fn from(money: Money) -> Self {
        Self::Money(money)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.places as usize;
        let digits = format!("{:0>width$}", self.digits, width = places.saturating_add(1));
        let (whole, fraction) = digits.split_at(digits.len() - places);
        if fraction.is_empty() { f.write_str(whole) } else { write!(f, "{whole}.{fraction}") }
    }
}

impl fmt::Debug for AskedAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Money(money) => money.fmt(f),
            Self::Decimal(decimal) => fmt::Display::fmt(decimal, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly_and_become_money_of_any_currency() {
        for (text, shown, jpy, eur, kwd) in [
            ("10", "10", Some(10), Some(1_000), Some(10_000)),
            ("10.00", "10", Some(10), Some(1_000), Some(10_000)),
            ("0.1", "0.1", None, Some(10), Some(100)),
            ("0.010", "0.01", None, Some(1), Some(10)),
            ("00012.345", "12.345", None, None, Some(12_345)),
            ("0", "0", Some(0), Some(0), Some(0)),
            ("9999999999999999", "9999999999999999", Some(9_999_999_999_999_999), Some(999_999_999_999_999_900), None),
        ] {
            let decimal = Decimal::parse(text).unwrap();
            assert_eq!(decimal.to_string(), shown);
            for (code, minor) in [("JPY", jpy), ("EUR", eur), ("KWD", kwd)] {
                assert_eq!(decimal.in_currency(code.parse().unwrap()).map(Money::minor), minor, "{text} {code}");
            }
        }
        for text in ["", ".", "1.", ".5", "-1", "+1", "1,0", "1.2.3", " 1", "1e3", "１", "12345678901234567", "x"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
