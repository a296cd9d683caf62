use std::fmt;

use serde::{Deserialize, Serialize};

const US_PER_MS: i64 = 1_000;
const US_PER_SECOND: i64 = 1_000_000;
const US_PER_DAY: i64 = 86_400 * US_PER_SECOND;

/// An instant: whole microseconds of UTC since 1970. Calendars and zones belong to those who print it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since 1970.
    pub const fn from_us(us: i64) -> Self {
        Self(us)
    }

    /// From milliseconds since 1970.
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms.saturating_mul(US_PER_MS))
    }

    /// Microseconds since 1970.
    pub const fn us(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since 1970.
    pub const fn ms(self) -> i64 {
        self.0.div_euclid(US_PER_MS)
    }

    /// Later by milliseconds; stays at the end of time.
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(US_PER_MS)))
    }

    /// Later by seconds; stays at the end of time.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(US_PER_SECOND)))
    }

    /// Later by days of 24 hours; stays at the end of time.
    pub const fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(days.saturating_mul(US_PER_DAY)))
    }
}

impl Timestamp {
    /// The minute of UTC in which it lies, for texts that people read: `2026-01-31 09:30 UTC`.
    pub fn utc_text(self) -> String {
        let (days, minutes) = (self.0.div_euclid(US_PER_DAY), self.0.rem_euclid(US_PER_DAY) / (60 * US_PER_SECOND));
        // Days are counted from the first of March, so that the leap day is the last of its year; 400 years have 146,097 days.
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", minutes / 60, minutes % 60)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}us", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_their_day_in_the_calendar() {
        let text = |seconds: i64| Timestamp::from_us(seconds * US_PER_SECOND).utc_text();
        assert_eq!(text(0), "1970-01-01 00:00 UTC");
        assert_eq!(text(-1), "1969-12-31 23:59 UTC");
        assert_eq!(text(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(text(1_709_251_199), "2024-02-29 23:59 UTC");
        assert_eq!(text(1_767_225_600), "2026-01-01 00:00 UTC");
        assert_eq!(text(4_107_542_400), "2100-03-01 00:00 UTC");
    }
}
