use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A currency of ISO 4217, three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The alphabetic code, such as `EUR`.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimal digits the minor unit has: 0 for JPY, 2 for EUR, 3 for KWD. Codes without a minor unit (gold, test) have 0.
    pub fn exponent(self) -> u32 {
        u32::from(self.0.exponent().unwrap_or(0))
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        iso_currency::Currency::from_code(text).map(Self).ok_or_else(|| MoneyError::UnknownCurrency(text.chars().take(8).collect()))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Currency {
    fn cmp(&self, other: &Self) -> Ordering {
        self.code().cmp(other.code())
    }
}

/// A whole number of minor units of one currency. It may be negative; what may not be is for the caller to check.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Why an amount could not be made or combined.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// No such code in ISO 4217.
    #[error("{0:?} is not a currency of ISO 4217; send three capital letters such as EUR")]
    UnknownCurrency(String),
    /// Two amounts of different currencies met.
    #[error("{left} and {right} cannot be combined")]
    CurrencyMismatch {
        /// Currency of the left amount.
        left: Currency,
        /// Currency of the right amount.
        right: Currency,
    },
    /// The result does not fit 64 bits.
    #[error("the amount is out of range")]
    OutOfRange,
    /// Not a decimal number, or more decimals than the currency has.
    #[error("{text:?} is not an amount of {currency}, which has {decimals} decimals", decimals = currency.exponent())]
    NotAnAmount {
        /// What was read, cut to a sane length.
        text: String,
        /// The currency it was read for.
        currency: Currency,
    },
}

impl Money {
    /// `minor` minor units of `currency`.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Reads major units such as `12.30`; more decimals than the currency has are refused, not rounded.
    pub fn parse_major(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let wrong = || MoneyError::NotAnAmount { text: text.chars().take(32).collect(), currency };
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let exponent = currency.exponent() as usize;
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(fraction) || fraction.len() > exponent || digits.ends_with('.') {
            return Err(wrong());
        }
        let padded = format!("{whole}{fraction:0<exponent$}");
        let minor: i64 = padded.parse().map_err(|_| MoneyError::OutOfRange)?;
        Ok(Self::new(if negative { -minor } else { minor }, currency))
    }

    /// The number of minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Above zero.
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// Exactly zero.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Below zero.
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// The sum; refuses different currencies and overflow.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.minor.checked_add(other.minor).map(|minor| Self { minor, ..self }).ok_or(MoneyError::OutOfRange)
    }

    /// The difference; refuses different currencies and overflow.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.minor.checked_sub(other.minor).map(|minor| Self { minor, ..self }).ok_or(MoneyError::OutOfRange)
    }

    /// The share `part / whole` of this amount, rounded half away from zero. Use it on cumulated parts and subtract what was given
    /// before, so that the parts sum to the whole. `whole` must be above zero and of the currency of `part`.
    pub fn share(self, part: Self, whole: Self) -> Result<Self, MoneyError> {
        part.same_currency(whole)?;
        if !whole.is_positive() {
            return Err(MoneyError::OutOfRange);
        }
        let product = i128::from(self.minor) * i128::from(part.minor);
        let whole = i128::from(whole.minor);
        let half = if product < 0 { -(whole / 2) } else { whole / 2 };
        i64::try_from((product + half) / whole).map(|minor| Self { minor, ..self }).map_err(|_| MoneyError::OutOfRange)
    }

    /// The smaller of two amounts of one currency.
    pub fn smaller(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        Ok(if other.minor < self.minor { other } else { self })
    }

    /// Whether this is less than `other`; amounts of different currencies are not comparable.
    pub fn is_below(self, other: Self) -> Result<bool, MoneyError> {
        self.same_currency(other)?;
        Ok(self.minor < other.minor)
    }

    /// Major units without the currency, such as `-0.05`.
    pub fn major(self) -> String {
        let exponent = self.currency.exponent() as usize;
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.minor.unsigned_abs(), width = exponent + 1);
        let (whole, fraction) = digits.split_at(digits.len() - exponent);
        if exponent == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.major(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        let (amount, currency) = text.split_once(' ').unwrap();
        Money::parse_major(amount, currency.parse().unwrap()).unwrap()
    }

    #[test]
    fn exponents_come_from_iso_4217() {
        for (text, minor) in
            [("5800 JPY", 5_800), ("12.30 EUR", 1_230), ("0.005 KWD", 5), ("-0.05 USD", -5), ("1 USD", 100), ("0.0001 CLF", 1)]
        {
            assert_eq!(money(text).minor(), minor, "{text}");
        }
        assert_eq!(money("12.3 EUR").to_string(), "12.30 EUR");
        assert_eq!(money("-0.05 USD").to_string(), "-0.05 USD");
        assert_eq!(money("5800 JPY").to_string(), "5800 JPY");
    }

    #[test]
    fn what_is_not_an_amount_is_refused_and_not_rounded() {
        for (text, currency) in [
            ("1.5", "JPY"),
            ("1.234", "EUR"),
            ("", "EUR"),
            (".5", "EUR"),
            ("5.", "EUR"),
            ("1e3", "EUR"),
            ("+1", "EUR"),
            ("99999999999999999999", "EUR"),
        ] {
            assert!(Money::parse_major(text, currency.parse().unwrap()).is_err(), "{text} {currency}");
        }
        assert!("eur".parse::<Currency>().is_err());
        assert!("XYZ".parse::<Currency>().is_err());
    }

    #[test]
    fn cumulated_shares_sum_to_the_whole() {
        let (fee, whole) = (money("0.05 EUR"), money("10.00 EUR"));
        let mut given = money("0.00 EUR");
        let mut refunded = money("0.00 EUR");
        for part in ["3.33 EUR", "3.33 EUR", "3.34 EUR"] {
            refunded = refunded.checked_add(money(part)).unwrap();
            let now = fee.share(refunded, whole).unwrap().checked_sub(given).unwrap();
            given = given.checked_add(now).unwrap();
        }
        assert_eq!(given, fee);
    }

    #[test]
    fn overflow_and_mixed_currencies_are_errors() {
        let most = Money::new(i64::MAX, "EUR".parse().unwrap());
        assert_eq!(most.checked_add(money("0.01 EUR")), Err(MoneyError::OutOfRange));
        assert!(matches!(most.checked_add(money("0.01 USD")), Err(MoneyError::CurrencyMismatch { .. })));
    }
}
