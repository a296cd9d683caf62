use refundry_ledger::{Currency, Money};
use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::rate::Day;

/// Currencies that one merchant may have terms of payout for.
pub const TERMS_MAX: usize = 32;

const US_PER_MINUTE: i64 = 60_000_000;
const MINUTES_PER_DAY: i64 = 1_440;
const US_PER_DAY: i64 = MINUTES_PER_DAY * US_PER_MINUTE;
/// The next run of every schedule is among so many days: a month has at most 31.
const DAYS_AHEAD: i64 = 31;

/// When a merchant is paid out in one currency, and how much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PayoutTerms {
    /// On which days.
    pub days: PayoutDays,
    /// At which minute of the day.
    pub at_minute: u16,
    /// How far the merchant's day is ahead of UTC, in minutes.
    pub utc_offset_minutes: i16,
    /// Less than this is not paid out but carried into the next payout, in minor units.
    pub minimum_minor: i64,
    /// What always stays in the account, in minor units.
    pub keep_minor: i64,
    /// Nothing is paid out while this is set.
    pub on_hold: bool,
    /// What becomes of money that was released from the reserve.
    pub reserve: ReservePayouts,
    /// To which bank account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank: Option<BankAccount>,
}

impl Default for PayoutTerms {
    fn default() -> Self {
        Self {
            days: PayoutDays::None,
            at_minute: 0,
            utc_offset_minutes: 480,
            minimum_minor: 0,
            keep_minor: 0,
            on_hold: false,
            reserve: ReservePayouts::Apart,
            bank: None,
        }
    }
}

/// The days of payouts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum PayoutDays {
    /// None: people prepare payouts.
    None,
    /// Every day.
    Daily,
    /// On days of the week.
    Weekly {
        /// 1 for Monday to 7 for Sunday.
        weekdays: Vec<u8>,
    },
    /// On days of the month.
    Monthly {
        /// 1 to 31; a day that a month does not have is its last one.
        days: Vec<u8>,
    },
}

/// What becomes of money that was released from the reserve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReservePayouts {
    /// It has payouts of its own.
    Apart,
    /// It is paid out with the trade.
    WithTrade,
}

/// Where the money goes. The number is shown with its last four characters only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankAccount {
    /// The bank's name.
    pub bank: String,
    /// Whose account.
    pub holder: String,
    /// The last four characters of its number; the whole number is the operator's treasury's.
    pub last4: String,
}

impl PayoutTerms {
    /// The first run after an instant.
    pub fn next_run(&self, after: Timestamp) -> Option<Timestamp> {
        let offset = i64::from(self.utc_offset_minutes).saturating_mul(US_PER_MINUTE);
        let minute = i64::from(self.at_minute).saturating_mul(US_PER_MINUTE);
        let today = after.us().saturating_add(offset).div_euclid(US_PER_DAY);
        let mut days = (today..=today.saturating_add(DAYS_AHEAD)).filter(|day| self.is_on(*day));
        let run = |day: i64| day.saturating_mul(US_PER_DAY).saturating_add(minute).saturating_sub(offset);
        days.find_map(|day| Some(Timestamp::from_us(run(day))).filter(|at| *at > after))
    }

    /// What is due for a pot that holds `closing_minor` within an account that holds `available_minor`.
    pub(super) fn due(&self, closing_minor: i64, available_minor: i64, currency: Currency) -> Money {
        let payable = closing_minor.min(available_minor.saturating_sub(self.keep_minor.max(0)));
        Money::new(payable, currency)
    }

    fn is_on(&self, day: i64) -> bool {
        match &self.days {
            PayoutDays::None => false,
            PayoutDays::Daily => true,
            // Day 0 was a Thursday.
            PayoutDays::Weekly { weekdays } => weekdays.iter().any(|weekday| i64::from(*weekday) == (day + 3).rem_euclid(7) + 1),
            PayoutDays::Monthly { days } => {
                let of_month = |day: i64| Day::new(i32::try_from(day).unwrap_or(i32::MAX)).of_month();
                let (today, is_last) = (of_month(day), of_month(day.saturating_add(1)) == 1);
                days.iter().any(|day| *day == today || (is_last && *day > today))
            }
        }
    }

    /// The first field that is out of its range, with the rule.
    pub(crate) fn out_of_range(&self) -> Option<(&'static str, &'static str)> {
        let among =
            |days: &[u8], most: u8| (1..=usize::from(most)).contains(&days.len()) && days.iter().all(|day| (1..=most).contains(day));
        let (weekdays_fit, days_fit) = match &self.days {
            PayoutDays::None | PayoutDays::Daily => (true, true),
            PayoutDays::Weekly { weekdays } => (among(weekdays, 7), true),
            PayoutDays::Monthly { days } => (true, among(days, 31)),
        };
        let bank_fits = self.bank.as_ref().is_none_or(|bank| {
            let fits = |text: &str, most: usize| (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control);
            fits(&bank.bank, 128) && fits(&bank.holder, 128) && fits(&bank.last4, 4)
        });
        let rules = [
            ("days.weekdays", weekdays_fit, "1 to 7 days of the week, 1 for Monday to 7 for Sunday"),
            ("days.days", days_fit, "1 to 31 days of the month, 1 to 31"),
            ("at_minute", i64::from(self.at_minute) < MINUTES_PER_DAY, "0 to 1439"),
            ("utc_offset_minutes", (-840..=840).contains(&self.utc_offset_minutes), "-840 to 840"),
            ("minimum_minor", self.minimum_minor >= 0, "0 or more"),
            ("keep_minor", self.keep_minor >= 0, "0 or more"),
            ("bank", bank_fits, "bank and holder of 1 to 128 letters, and the last four characters of the number alone"),
        ];
        rules.into_iter().find(|(_, fits, _)| !fits).map(|(field, _, rule)| (field, rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text_day: i64, minute: i64) -> Timestamp {
        Timestamp::from_us(text_day * US_PER_DAY + minute * US_PER_MINUTE)
    }

    #[test]
    fn runs_follow_the_merchants_day() {
        // Day 20,000 is Friday, 2024-10-04.
        let daily = PayoutTerms { days: PayoutDays::Daily, at_minute: 600, utc_offset_minutes: 480, ..PayoutTerms::default() };
        assert_eq!(daily.next_run(at(20_000, 0)), Some(at(20_000, 120)));
        assert_eq!(daily.next_run(at(20_000, 120)), Some(at(20_001, 120)));
        // At 20:00 UTC it is Saturday 04:00 there.
        assert_eq!(daily.next_run(at(20_000, 1_200)), Some(at(20_001, 120)));
        let weekly = PayoutTerms { days: PayoutDays::Weekly { weekdays: vec![1, 5] }, utc_offset_minutes: -60, ..PayoutTerms::default() };
        assert_eq!(weekly.next_run(at(20_000, 59)), Some(at(20_000, 60)));
        assert_eq!(weekly.next_run(at(20_000, 60)), Some(at(20_003, 60)));
        assert_eq!(weekly.next_run(at(20_003, 60)), Some(at(20_007, 60)));
        assert_eq!(PayoutTerms::default().next_run(at(20_000, 0)), None);
        // The 4th of October, 15th, 31st, then the 30th of November.
        let monthly = PayoutTerms { days: PayoutDays::Monthly { days: vec![15, 31] }, utc_offset_minutes: 0, ..PayoutTerms::default() };
        let runs: Vec<_> = std::iter::successors(Some(at(20_000, 0)), |after| monthly.next_run(*after)).skip(1).take(4).collect();
        assert_eq!(runs, [20_011, 20_027, 20_042, 20_057].map(|day| at(day, 0)));
    }

    #[test]
    fn terms_out_of_their_range_are_named() {
        let wrong = |change: fn(&mut PayoutTerms)| {
            let mut terms = PayoutTerms::default();
            change(&mut terms);
            terms.out_of_range().map(|(field, _)| field)
        };
        assert_eq!(wrong(|_| {}), None);
        assert_eq!(wrong(|terms| terms.at_minute = 1_440), Some("at_minute"));
        assert_eq!(wrong(|terms| terms.days = PayoutDays::Weekly { weekdays: vec![0] }), Some("days.weekdays"));
        assert_eq!(wrong(|terms| terms.days = PayoutDays::Monthly { days: vec![32] }), Some("days.days"));
        assert_eq!(wrong(|terms| terms.utc_offset_minutes = 900), Some("utc_offset_minutes"));
        assert_eq!(wrong(|terms| terms.keep_minor = -1), Some("keep_minor"));
        let bank = |last4: &str| Some(BankAccount { bank: "B".to_owned(), holder: "H".to_owned(), last4: last4.to_owned() });
        assert_eq!(PayoutTerms { bank: bank("1234"), ..PayoutTerms::default() }.out_of_range(), None);
        assert_eq!(PayoutTerms { bank: bank("12345678"), ..PayoutTerms::default() }.out_of_range().map(|(field, _)| field), Some("bank"));
    }
}
