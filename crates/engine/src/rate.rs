//! Rates of a day, imported by the operator. A price is an exact decimal: `mantissa / 10^scale`.

use std::fmt;
use std::str::FromStr;

use refundry_ledger::Currency;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::payment::{SettlementQuote, currency_text};
use crate::{AuditId, Outcome, Stamp, Timestamp, Verdict};

/// Rates that one import may hold.
pub const RATES_PER_IMPORT_MAX: usize = 1_000;
/// Decimal places of a price at most.
pub const PRICE_SCALE_MAX: u32 = 12;
/// What lines of the audit log about rates are about.
pub const RATES_SUBJECT: &str = "rates";
/// Rates that one line of the audit log names.
const RATES_PER_AUDIT_LINE: usize = 100;
const US_PER_DAY: i64 = 86_400_000_000;
const US_PER_MINUTE: i64 = 60_000_000;

/// A day of the calendar, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

/// What a rate was imported for: one major unit of `base` costs so many major units of `quoted`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyRate {
    /// The currency of payments.
    #[serde(with = "currency_text")]
    pub base: Currency,
    /// The currency that they are booked in.
    #[serde(with = "currency_text")]
    pub quoted: Currency,
    /// The day that it is of.
    pub day: Day,
    /// Digits of the price.
    pub price_mantissa: i64,
    /// Decimal places of the price.
    pub price_scale: u32,
}

/// Imports rates. One that is there already is replaced, for payments that are recorded later: those of before keep the quote that they have.
#[derive(Clone, Debug)]
pub struct PutRates {
    /// At most [`RATES_PER_IMPORT_MAX`].
    pub rates: Vec<DailyRate>,
}

/// Writes them, and who did it.
pub fn put(stamp: &Stamp, act: &PutRates) -> Verdict {
    let mut verdict = Verdict::unchanged(Outcome::Done);
    let mut ids = stamp.ids.clone();
    for rates in act.rates.chunks(RATES_PER_AUDIT_LINE) {
        verdict.changes.audit.push(crate::verdict::AuditLine {
            id: AuditId::new(ids.take()),
            merchant_id: None,
            at: stamp.now,
            actor: stamp.actor.clone(),
            action: "rates.put",
            subject: RATES_SUBJECT.to_owned(),
            facts: rates.iter().map(|rate| (format!("{} {}/{}", rate.day, rate.base, rate.quoted), rate.price_text())).collect(),
        });
    }
    verdict.changes.rates.clone_from(&act.rates);
    verdict
}

impl DailyRate {
    /// The price as a decimal.
    pub fn price_text(&self) -> String {
        let scale = usize::try_from(self.price_scale).unwrap_or_default();
        let digits = format!("{:0>width$}", self.price_mantissa, width = scale + 1);
        let (whole, rest) = digits.split_at(digits.len() - scale);
        if scale == 0 { whole.to_owned() } else { format!("{whole}.{rest}") }
    }

    /// Reads a price: digits, perhaps with a point.
    pub fn parse_price(text: &str) -> Option<(i64, u32)> {
        let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !plain(whole) || !plain(rest) || (text.contains('.') && rest.is_empty()) {
            return None;
        }
        let scale = u32::try_from(rest.len()).ok().filter(|scale| *scale <= PRICE_SCALE_MAX)?;
        format!("{whole}{rest}").parse().ok().filter(|mantissa| *mantissa > 0).map(|mantissa| (mantissa, scale))
    }

    /// The quote that a payment of that day stores.
    pub fn quote(&self) -> SettlementQuote {
        SettlementQuote {
            quote_id: Some(format!("{DAILY_QUOTE}{}", self.day)),
            settlement_currency: self.quoted,
            price_mantissa: self.price_mantissa,
            price_scale: self.price_scale,
            start_at: None,
            expiry_at: None,
            guaranteed: false,
        }
    }
}

/// What the quotes that were made from daily rates are called by; the day follows.
pub const DAILY_QUOTE: &str = "daily ";

impl Day {
    /// From days since 1970-01-01.
    pub const fn new(days: i32) -> Self {
        Self(days)
    }

    /// The day of an instant, where clocks are so many minutes ahead of UTC.
    pub fn of(at: Timestamp, offset_minutes: i32) -> Self {
        let local = at.us().saturating_add(i64::from(offset_minutes) * US_PER_MINUTE);
        Self(i32::try_from(local.div_euclid(US_PER_DAY)).unwrap_or(i32::MAX))
    }

    /// Days since 1970-01-01.
    pub const fn get(self) -> i32 {
        self.0
    }

    /// The day of its month, from 1.
    pub fn of_month(self) -> u8 {
        u8::try_from(self.civil().2).unwrap_or(1)
    }

    /// Earlier by days.
    pub const fn minus(self, days: i32) -> Self {
        Self(self.0.saturating_sub(days))
    }
}

/// A text that is no day.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is no day; it looks like 2026-01-31")]
pub struct NotADay(String);

impl Day {
    /// Year, month and day, by Howard Hinnant's `civil_from_days`.
    fn civil(self) -> (i64, i64, i64) {
        let shifted = i64::from(self.0) + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        (year_of_era + era * 400 + i64::from(month <= 2), month, day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Day {
    type Err = NotADay;

    /// By Howard Hinnant's `days_from_civil`; what does not read back as it was written is no day.
    fn from_str(text: &str) -> Result<Self, NotADay> {
        let wrong = || NotADay(text.chars().take(40).collect());
        let parts: Vec<i64> = text.split('-').map(str::parse).collect::<Result<_, _>>().map_err(|_| wrong())?;
        let [year, month, day] = parts.as_slice() else { return Err(wrong()) };
        if !(1970..=9_999).contains(year) || !(1..=12).contains(month) || !(1..=31).contains(day) {
            return Err(wrong());
        }
        let shifted_year = year - i64::from(*month <= 2);
        let era = shifted_year.div_euclid(400);
        let year_of_era = shifted_year.rem_euclid(400);
        let day_of_year = (153 * (month + if *month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = Self(i32::try_from(era * 146_097 + day_of_era - 719_468).map_err(|_| wrong())?);
        if days.to_string() == text { Ok(days) } else { Err(wrong()) }
    }
}

impl Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_read_back() {
        for (text, days) in [("1970-01-01", 0), ("2000-02-29", 11_016), ("2026-11-22", 20_779), ("2100-03-01", 47_541)] {
            assert_eq!(text.parse(), Ok(Day::new(days)), "{text}");
            assert_eq!(Day::new(days).to_string(), text);
        }
        for text in ["2026-02-29", "2026-13-01", "2026-1-1", "26-01-01", "", "2026-01-01-01", "2026-01-+1"] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
        assert_eq!(Day::of(Timestamp::from_ms(57_600_000), 480).to_string(), "1970-01-02", "the day begins earlier in the east");
    }

    #[test]
    fn prices_are_exact() {
        for (text, digits) in [("7.1234", Some((71_234, 4))), ("7", Some((7, 0))), ("0.05", Some((5, 2))), ("7.", None), ("", None)] {
            assert_eq!(DailyRate::parse_price(text), digits, "{text}");
        }
        for text in ["-1", "1e3", "0", "0.0", ".5", "1.1234567890123", "99999999999999999999", "１"] {
            assert_eq!(DailyRate::parse_price(text), None, "{text}");
        }
        let (price_mantissa, price_scale) = DailyRate::parse_price("0.050").unwrap();
        let day = Day::new(0);
        let rate = DailyRate { base: "USD".parse().unwrap(), quoted: "CNY".parse().unwrap(), day, price_mantissa, price_scale };
        assert_eq!(rate.price_text(), "0.050");
    }
}
