//! Booked amounts (记账金额): what a payment, its refunds and its chargebacks are in the currency that they are booked in. Nothing is stored of them but
//! that currency: they follow from the rates of days, so that an amount whose rate is missing has one as soon as the rate is there.

use std::collections::BTreeMap;

use refundry_ledger::{Currency, Money};
use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::payment::{Payment, SettlementQuote, currency_text};
use crate::rate::{DailyRate, Day};

/// What the terms of a payment said when it was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookedIn {
    /// The currency.
    #[serde(with = "currency_text")]
    pub currency: Currency,
    /// Where its days begin: minutes by which they do before those of UTC.
    pub utc_offset_minutes: i32,
}

/// Which rate an amount is booked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RateKey {
    /// The currency of the amount.
    pub base: Currency,
    /// The currency that it is booked in.
    pub quoted: Currency,
    /// The day on which it was booked.
    pub day: Day,
}

/// How an amount is booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookedAt {
    /// As it is: it is of the currency that it is booked in.
    Itself,
    /// At the quote at which the payment settles in that currency.
    Quote,
    /// At the rate of its day.
    Rate(RateKey),
}

impl BookedAt {
    /// The rate that is wanted, if it is one of a day.
    pub const fn rate_key(self) -> Option<RateKey> {
        match self {
            Self::Rate(key) => Some(key),
            Self::Itself | Self::Quote => None,
        }
    }
}

/// A booked amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    /// In which currency.
    pub currency: Currency,
    /// How much; none while the rate is missing.
    pub amount: Option<Money>,
    /// How.
    pub at: BookedAt,
    /// The price, where a rate of a day was taken.
    pub rate: Option<DailyRate>,
}

/// Rates that were looked up.
pub type Rates = BTreeMap<RateKey, DailyRate>;

/// An amount of a payment's money that moved at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movement {
    /// When.
    pub at: Timestamp,
    /// How much, in the payment's currency.
    pub amount: Money,
    /// What it is in the settlement currency, where that was counted already.
    pub gross: Option<Money>,
}

impl Payment {
    /// The currency that it is booked in: the one that its terms name, else the one that it settles in.
    pub fn booked_currency(&self) -> Currency {
        self.settling.booked_in.map_or_else(|| self.home_currency(), |booked| booked.currency)
    }

    /// How something of it that moved at an instant is booked.
    pub fn booked_at(&self, at: Timestamp) -> BookedAt {
        let quoted = self.booked_currency();
        if quoted == self.currency() {
            return BookedAt::Itself;
        }
        match self.settling.booked_in {
            Some(booked) if quoted != self.home_currency() => {
                BookedAt::Rate(RateKey { base: self.currency(), quoted, day: Day::of(at, booked.utc_offset_minutes) })
            }
            Some(_) | None => BookedAt::Quote,
        }
    }

    /// What was captured of it, booked.
    pub fn booked(&self, rates: &Rates) -> Booked {
        let movement = Movement { at: self.paid_at, amount: self.captured, gross: None };
        self.book(&[movement], rates).remove(0)
    }

    /// Movements of one kind, in their order. Those that share a rate are rounded together: each is what all up to it are worth less what those
    /// before it are, so that parts sum to the whole.
    pub fn book(&self, movements: &[Movement], rates: &Rates) -> Vec<Booked> {
        let currency = self.booked_currency();
        let mut before: BTreeMap<Option<RateKey>, i64> = BTreeMap::new();
        let book_one = |movement: &Movement| {
            let at = self.booked_at(movement.at);
            let (key, rate) = match at {
                BookedAt::Itself => return Booked { currency, amount: Some(movement.amount), at, rate: None },
                BookedAt::Quote => (None, None),
                BookedAt::Rate(key) => (Some(key), rates.get(&key).cloned()),
            };
            let before = before.entry(key).or_insert(0);
            let upto = before.saturating_add(movement.amount.minor());
            let part = |quote: &SettlementQuote| {
                let worth = |minor| quote.convert(Money::new(minor, self.currency()));
                worth(upto)?.checked_sub(worth(*before)?).ok()
            };
            let amount = match (&rate, key, &self.quote) {
                (Some(rate), ..) => part(&rate.quote()),
                (None, None, Some(quote)) => movement.gross.filter(|gross| gross.currency() == currency).or_else(|| part(quote)),
                (None, Some(_), _) | (None, None, None) => None,
            };
            *before = upto;
            Booked { currency, amount, at, rate }
        };
        movements.iter().map(book_one).collect()
    }
}
