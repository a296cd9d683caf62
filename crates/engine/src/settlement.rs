//! When a payment's money becomes available: the terms of the contract, and what a payment knows of its own way there. Terms are data on
//! merchant, terminal and method, like the rules for refunds; they are read when a payment is captured and hold for that payment from then on,
//! but for the fixed reserve, which belongs to the merchant and is read when money is settled.

use std::collections::BTreeMap;

use refundry_ledger::{Currency, Money};
use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::booked::BookedIn;
use crate::claim::Claim;
use crate::payment::Payment;
use crate::policy::DAYS_MAX;

/// Basis points of a whole.
pub const BASIS_POINTS: i64 = 10_000;
/// Minutes by which a merchant's day begins before that of UTC when nothing else is said.
pub const UTC_OFFSET_MINUTES: i32 = 8 * 60;
/// Minutes of a day's offset at most, both ways.
pub const UTC_OFFSET_MINUTES_MAX: i32 = 14 * 60;
/// Currencies that a fixed reserve may name.
pub const FIXED_RESERVES_MAX: usize = 32;
/// Tracking numbers of one payment at most.
pub const TRACKING_NUMBERS_MAX: usize = 20;
/// Letters and digits of a tracking number at most.
pub const TRACKING_NUMBER_LENGTH_MAX: usize = 64;

/// What must have happened to the goods before their money is settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettlementCondition {
    /// Nothing.
    #[default]
    None,
    /// A tracking number is there.
    TrackingUploaded,
    /// The goods have arrived.
    Delivered,
}

impl SettlementCondition {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::None, Self::TrackingUploaded, Self::Delivered];

    /// The word in storage and requests.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::TrackingUploaded => "tracking_uploaded",
            Self::Delivered => "delivered",
        }
    }
}

/// Where the goods are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShipmentState {
    /// Nobody said.
    #[default]
    None,
    /// On their way, not there yet.
    UnderWay,
    /// They have arrived.
    Delivered,
    /// Lost, refused or sent back.
    Exception,
}

impl ShipmentState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::UnderWay, Self::Delivered, Self::Exception];

    /// The word in storage and requests.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::UnderWay => "under_way",
            Self::Delivered => "delivered",
            Self::Exception => "exception",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// What the merchant told of the parcels of a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// The carrier's numbers.
    pub numbers: Vec<String>,
    /// The carrier's own page about them.
    pub carrier_url: String,
    /// When they were told last.
    pub recorded_at: Timestamp,
}

macro_rules! terms {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $default:expr;)*) => {
        /// The contract about a payment's money: the defaults, overlaid by what merchant, terminal and method say, in this order.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct SettlementTerms {
            $($(#[$doc])* pub $name: $type,)*
        }

        /// What one level says; what it leaves out comes from the level above.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct SettlementPatch {
            $($(#[$doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $name: Option<$type>,)*
        }

        impl Default for SettlementTerms {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl SettlementPatch {
            /// Whether it says nothing.
            pub fn is_empty(&self) -> bool {
                $(self.$name.is_none())&&*
            }

            /// Says in this patch what `over` says.
            pub fn overlay(&mut self, over: &Self) {
                $(if over.$name.is_some() { self.$name.clone_from(&over.$name); })*
            }
        }

        impl SettlementTerms {
            /// These terms with what `patch` says in its place.
            #[must_use]
            pub fn patched(mut self, patch: &SettlementPatch) -> Self {
                $(if let Some(value) = &patch.$name { self.$name = value.clone(); })*
                self
            }
        }
    };
}

terms! {
    /// Whether a person of the operator looks at a payment before it is settled (审单结算); without it nobody does (免审单结算).
    reviewed: bool = false;
    /// Days after the day of the payment at whose beginning its money is settled: the N of T+N. Left out, payments are settled by hand.
    trade_days: Option<u32> = None;
    /// Days after the day of the payment at whose beginning the rolling reserve is released. Left out, it is released by hand.
    reserve_days: Option<u32> = None;
    /// Minutes by which the merchant's day begins before that of UTC.
    utc_offset_minutes: i32 = UTC_OFFSET_MINUTES;
    /// The currency that payments, their refunds and chargebacks are booked in, by the rates of their days. Left out, they are booked in the
    /// currency that they settle in.
    accounting_currency: Option<String> = None;
    /// What must have happened to the goods.
    condition: SettlementCondition = SettlementCondition::None;
    /// The part of a capture that is kept as rolling reserve, in basis points.
    rolling_reserve_bps: u32 = 0;
    /// What is kept of settled money until so much is there, in minor units by currency.
    fixed_reserve_minor: BTreeMap<String, i64> = BTreeMap::new();
    /// The part of a capture that is the operator's fee, in basis points.
    fee_bps: u32 = 0;
    /// The operator's fee for a capture beside that part, in minor units of the payment's currency.
    fee_fixed_minor: i64 = 0;
}

impl SettlementPatch {
    /// Every number with its limits, the lower one first.
    pub(crate) fn numbers(&self) -> Vec<(&'static str, Option<i64>, i64, i64)> {
        let days = |days: Option<Option<u32>>| days.flatten().map(i64::from);
        let offset = i64::from(UTC_OFFSET_MINUTES_MAX);
        let fixed = self.fixed_reserve_minor.iter().flatten().map(|(_, minor)| *minor);
        let count = self.fixed_reserve_minor.as_ref().and_then(|reserves| i64::try_from(reserves.len()).ok());
        vec![
            ("settlement.trade_days", days(self.trade_days), 0, i64::from(DAYS_MAX)),
            ("settlement.reserve_days", days(self.reserve_days), 0, i64::from(DAYS_MAX)),
            ("settlement.utc_offset_minutes", self.utc_offset_minutes.map(i64::from), -offset, offset),
            ("settlement.rolling_reserve_bps", self.rolling_reserve_bps.map(i64::from), 0, BASIS_POINTS),
            ("settlement.fixed_reserve_minor", fixed.min(), 0, i64::MAX),
            ("settlement.fixed_reserve_minor.currencies", count, 0, FIXED_RESERVES_MAX as i64),
            ("settlement.fee_bps", self.fee_bps.map(i64::from), 0, BASIS_POINTS),
            ("settlement.fee_fixed_minor", self.fee_fixed_minor, 0, i64::MAX),
        ]
    }

    /// The first currency that does not exist.
    pub(crate) fn unknown_currency(&self) -> Option<&str> {
        let accounting = self.accounting_currency.iter().flatten().map(String::as_str);
        let mut codes = self.fixed_reserve_minor.iter().flatten().map(|(code, _)| code.as_str()).chain(accounting);
        codes.find(|code| code.parse::<Currency>().is_err())
    }
}

impl SettlementTerms {
    /// The operator's fee for a capture: the part, rounded half up, and the fixed fee; never more than was captured.
    pub fn fee(&self, captured: Money) -> Money {
        let part = part_of(captured, self.fee_bps);
        Money::new(part.saturating_add(self.fee_fixed_minor).min(captured.minor()), captured.currency())
    }

    /// What is kept of a capture as rolling reserve: the part of the whole capture, rounded half up; never more than is left behind the fee.
    pub fn rolling_reserve(&self, captured: Money, fee: Money) -> Money {
        let left = captured.minor().saturating_sub(fee.minor()).max(0);
        Money::new(part_of(captured, self.rolling_reserve_bps).min(left), captured.currency())
    }

    /// How much shall be held of a currency as fixed reserve, in minor units.
    pub fn fixed_reserve(&self, currency: Currency) -> i64 {
        self.fixed_reserve_minor.get(currency.code()).copied().unwrap_or(0)
    }

    /// What a payment is booked in, when the terms say so.
    fn booked_in(&self) -> Option<BookedIn> {
        let currency = self.accounting_currency.as_ref()?.parse().ok()?;
        Some(BookedIn { currency, utc_offset_minutes: self.utc_offset_minutes })
    }

    /// What a payment that is captured now knows of its way: dates, and what it waits for. What is told of its goods stays.
    pub(crate) fn begin(&self, payment: &mut Payment) {
        let on_day = |days: u32| day_begin(payment.paid_at, days, self.utc_offset_minutes);
        let (cycle_at, release_at) = (self.trade_days.map(on_day), self.reserve_days.map(on_day));
        let settling = &mut payment.settling;
        settling.cycle_at = cycle_at;
        settling.condition = self.condition;
        settling.review_wanted = self.reviewed;
        settling.booked_in = self.booked_in();
        settling.settle_at = settling.due();
        settling.reserve_release_at = release_at.filter(|_| payment.reserve_left.is_positive());
    }
}

/// Rounded half up; both factors are never negative, so the result is at most the amount.
fn part_of(amount: Money, basis_points: u32) -> i64 {
    let part = (i128::from(amount.minor()) * i128::from(basis_points) + i128::from(BASIS_POINTS / 2)) / i128::from(BASIS_POINTS);
    i64::try_from(part).unwrap_or(i64::MAX)
}

/// The beginning of the day that is so many days after that of an instant, for a place whose day begins so many minutes before that of UTC.
pub fn day_begin(instant: Timestamp, days: u32, utc_offset_minutes: i32) -> Timestamp {
    const DAY_US: i64 = 86_400_000_000;
    let offset_us = i64::from(utc_offset_minutes) * 60_000_000;
    let day = instant.us().saturating_add(offset_us).div_euclid(DAY_US).saturating_add(i64::from(days));
    Timestamp::from_us(day.saturating_mul(DAY_US).saturating_sub(offset_us))
}

/// What a payment knows of the way of its money. The three instants by which payments are found are columns of their own, the rest is stored as
/// JSON, and not at all while there is nothing to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settling {
    /// When its unsettled money can be settled: the cycle's day, once everything that is waited for is there. `None` until then, without a
    /// cycle, and once it is settled.
    #[serde(skip)]
    pub settle_at: Option<Timestamp>,
    /// When what is left of its rolling reserve is released; `None` without a reserve or a cycle, and once it is released.
    #[serde(skip)]
    pub reserve_release_at: Option<Timestamp>,
    /// When it was found in the bank's own list.
    #[serde(skip)]
    pub reconciled_at: Option<Timestamp>,
    /// When its unsettled money became available.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
    /// When what was left of its reserve became available.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserve_released_at: Option<Timestamp>,
    /// The day of its cycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycle_at: Option<Timestamp>,
    /// What must have happened to the goods.
    #[serde(skip_serializing_if = "is_default")]
    pub condition: SettlementCondition,
    /// Whether a person looks at it first.
    #[serde(skip_serializing_if = "is_default")]
    pub review_wanted: bool,
    /// When somebody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_at: Option<Timestamp>,
    /// Whether its reserve was released: what comes back to it afterwards is available.
    #[serde(skip_serializing_if = "is_default")]
    pub reserve_released: bool,
    /// The parcels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipment: Option<Shipment>,
    /// Where they are.
    #[serde(skip_serializing_if = "is_default")]
    pub shipment_state: ShipmentState,
    /// What became of the merchant's debt for it.
    #[serde(skip_serializing_if = "is_default")]
    pub claim: Claim,
    /// The currency that it is booked in, where its terms name one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booked_in: Option<BookedIn>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Settling {
    /// Whether everything but the day is there.
    pub fn is_free(&self) -> bool {
        let goods = match self.condition {
            SettlementCondition::None => true,
            SettlementCondition::TrackingUploaded => self.shipment.is_some(),
            SettlementCondition::Delivered => self.shipment_state == ShipmentState::Delivered,
        };
        goods && (!self.review_wanted || self.reviewed_at.is_some())
    }

    /// When it can be settled, as things stand.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.cycle_at.filter(|_| self.is_free())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn euro(minor: i64) -> Money {
        Money::new(minor, "EUR".parse().unwrap())
    }

    #[test]
    fn fee_and_reserve_are_rounded_half_up_once_and_stay_within_the_capture() {
        let terms = |fee_bps, fee_fixed_minor, rolling_reserve_bps| SettlementTerms {
            fee_bps,
            fee_fixed_minor,
            rolling_reserve_bps,
            ..SettlementTerms::default()
        };
        for ((bps, fixed, reserve), captured, expected) in [
            ((290, 30, 1_000), 10_000, (320, 1_000)),
            // 2.9 % of 0.17 is 0.493 cents, of 0.18 it is 0.522.
            ((290, 0, 0), 17, (0, 0)),
            ((290, 0, 0), 18, (1, 0)),
            // Exactly half a cent.
            ((50, 0, 50), 100, (1, 1)),
            ((10_000, 5, 10_000), 100, (100, 0)),
            ((0, 0, 10_000), 100, (0, 100)),
            ((0, 500, 0), 100, (100, 0)),
            ((10_000, 0, 10_000), i64::MAX, (i64::MAX, 0)),
        ] {
            let terms = terms(bps, fixed, reserve);
            let fee = terms.fee(euro(captured));
            let reserved = terms.rolling_reserve(euro(captured), fee);
            assert_eq!((fee.minor(), reserved.minor()), expected, "{bps} bps + {fixed}, reserve {reserve} bps of {captured}");
        }
    }

    #[test]
    fn a_day_begins_where_the_merchant_is() {
        let at = |hours: i64| Timestamp::from_us(hours * 3_600_000_000);
        // 17:00 UTC is 01:00 of the next day eight hours further east.
        assert_eq!(day_begin(at(17), 0, 480), at(16));
        assert_eq!(day_begin(at(15), 0, 480), at(-8));
        assert_eq!(day_begin(at(15), 1, 480), at(16));
        assert_eq!(day_begin(at(16), 7, 480), at(16 + 7 * 24));
        assert_eq!(day_begin(at(3), 1, -300), at(5));
    }

    #[test]
    fn the_nearest_level_wins_and_numbers_have_limits() {
        let merchant = SettlementPatch { trade_days: Some(Some(7)), fee_bps: Some(290), ..SettlementPatch::default() };
        let terminal = SettlementPatch { trade_days: Some(None), ..SettlementPatch::default() };
        let terms = SettlementTerms::default().patched(&merchant).patched(&terminal);
        assert_eq!((terms.trade_days, terms.fee_bps), (None, 290));
        let wrong = |patch: SettlementPatch| {
            let out =
                |(_, number, least, most): &(_, Option<i64>, i64, i64)| number.is_some_and(|number| number < *least || *most < number);
            patch.numbers().into_iter().find(out).map(|(name, ..)| name)
        };
        assert_eq!(wrong(merchant), None);
        let fixed = BTreeMap::from([("EUR".to_owned(), 1), ("USD".to_owned(), -1)]);
        let patch = SettlementPatch { fixed_reserve_minor: Some(fixed), ..SettlementPatch::default() };
        assert_eq!(wrong(patch), Some("settlement.fixed_reserve_minor"));
        let patch = SettlementPatch { fee_bps: Some(10_001), ..SettlementPatch::default() };
        assert_eq!(wrong(patch), Some("settlement.fee_bps"));
    }
}
