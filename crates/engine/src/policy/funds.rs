//! How refunds wait for money: in which order they are served, and when they are looked at.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

const US_PER_MINUTE: i64 = 60_000_000;
const US_PER_HOUR: i64 = 60 * US_PER_MINUTE;
const US_PER_DAY: i64 = 24 * US_PER_HOUR;
/// Hours of a day.
const HOURS: u8 = 24;
/// The westernmost and the easternmost clock of the world, in minutes before and after UTC.
const OFFSET_MINUTES: (i32, i32) = (-12 * 60, 14 * 60);

/// What a refund that waits for money does to those behind it while its own money is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FundsOrder {
    /// It holds them up: oldest first, strictly.
    Strict,
    /// It lets those pass that fit, and keeps its place and its deadline.
    Skip,
}

/// When a refund that waits for money is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum FundsCheck {
    /// The moment money comes in.
    OnCredit,
    /// At full hours of a clock, and only then. The offset is fixed: no summer time.
    AtHours {
        /// Hours of the day, 0 to 23, in their order.
        hours: Vec<u8>,
        /// How far that clock is ahead of UTC, in minutes.
        utc_offset_minutes: i32,
    },
}

impl FundsCheck {
    /// The hours of Oceanpayment: 08:00, 12:00, 17:00 and 22:00, UTC+8.
    pub fn oceanpayment() -> Self {
        Self::AtHours { hours: vec![8, 12, 17, 22], utc_offset_minutes: 8 * 60 }
    }

    /// Whether a look may be taken: `at_hour` is the full hour for which it is taken, if it is taken for one.
    pub(crate) fn allows(&self, at_hour: Option<Timestamp>) -> bool {
        match self {
            Self::OnCredit => true,
            Self::AtHours { .. } => at_hour.is_some_and(|hour| self.next_after(Timestamp::from_us(hour.us() - 1)) == Some(hour)),
        }
    }

    /// The first of its hours after an instant; none when it does not go by the clock.
    pub fn next_after(&self, at: Timestamp) -> Option<Timestamp> {
        let Self::AtHours { hours, utc_offset_minutes } = self else { return None };
        let offset_us = i64::from(*utc_offset_minutes) * US_PER_MINUTE;
        let today = at.us().saturating_add(offset_us).div_euclid(US_PER_DAY);
        let of_day = |day: i64| {
            let midnight = day.saturating_mul(US_PER_DAY).saturating_sub(offset_us);
            hours.iter().map(move |hour| Timestamp::from_us(midnight.saturating_add(i64::from(*hour) * US_PER_HOUR)))
        };
        of_day(today).chain(of_day(today.saturating_add(1))).find(|hour| *hour > at)
    }

    /// The first rule that it breaks: the field and the rule.
    pub fn broken_rule(&self) -> Option<(&'static str, String)> {
        let Self::AtHours { hours, utc_offset_minutes } = self else { return None };
        let (west, east) = OFFSET_MINUTES;
        if hours.is_empty() || hours.iter().any(|hour| *hour >= HOURS) || hours.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Some(("funds_check.hours", "1 to 24 different hours from 0 to 23, in their order".to_owned()));
        }
        if !(west..=east).contains(utc_offset_minutes) || utc_offset_minutes % 15 != 0 {
            return Some(("funds_check.utc_offset_minutes", format!("{west} to {east}, in quarters of an hour")));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-01T00:00:00Z, which is 08:00 in Beijing.
    const NEW_YEAR_US: i64 = 1_767_225_600_000_000;

    #[test]
    fn the_next_hour_is_found_on_both_sides_of_midnight() {
        let after = |minutes: i64| {
            let at = Timestamp::from_us(NEW_YEAR_US + minutes * US_PER_MINUTE);
            (FundsCheck::oceanpayment().next_after(at).unwrap().us() - NEW_YEAR_US) / US_PER_HOUR
        };
        assert_eq!([-1, 0, 1, 239, 240, 540, 839].map(after), [0, 4, 4, 4, 9, 14, 14]);
        assert_eq!([840, 841, 1_439, 1_440].map(after), [24, 24, 24, 28]);
        assert_eq!(FundsCheck::OnCredit.next_after(Timestamp::from_us(0)), None);
        let west = FundsCheck::AtHours { hours: vec![0], utc_offset_minutes: -90 };
        assert_eq!(west.next_after(Timestamp::from_us(NEW_YEAR_US)).unwrap().us() - NEW_YEAR_US, 90 * US_PER_MINUTE);
    }

    #[test]
    fn only_its_own_hours_allow_a_look() {
        let at = |hours: i64| Some(Timestamp::from_us(NEW_YEAR_US + hours * US_PER_HOUR));
        let check = FundsCheck::oceanpayment();
        assert!(check.allows(at(0)) && check.allows(at(4)) && check.allows(at(-10)));
        assert!(!check.allows(at(1)) && !check.allows(None));
        assert!(FundsCheck::OnCredit.allows(None) && FundsCheck::OnCredit.allows(at(1)));
    }

    #[test]
    fn hours_and_offset_have_their_range() {
        let broken = |hours: &[u8], utc_offset_minutes| FundsCheck::AtHours { hours: hours.to_vec(), utc_offset_minutes }.broken_rule();
        let field = |hours: &[u8], offset| broken(hours, offset).map(|(field, _)| field);
        assert_eq!(field(&[8, 12, 17, 22], 480), None);
        assert_eq!(field(&[0, 23], -720), None);
        for hours in [&[][..], &[24], &[8, 8], &[12, 8]] {
            assert_eq!(field(hours, 0), Some("funds_check.hours"), "{hours:?}");
        }
        for offset in [-735, 855, 481] {
            assert_eq!(field(&[8], offset), Some("funds_check.utc_offset_minutes"), "{offset}");
        }
    }
}
