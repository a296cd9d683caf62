//! What an amount is in the currency that it is booked in, in JSON.

use refundry_engine::booked::{Booked, BookedAt, RateKey};
use refundry_engine::rate::DailyRate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::views::AmountView;

/// What an amount is in another currency that it is booked in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Booked)]
pub struct BookedView {
    /// The currency that it is booked in.
    #[schema(example = "CNY")]
    pub currency: &'static str,
    /// How much; left out while the rate of the day is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<AmountView>,
    /// The day whose rate it is booked at; left out when that is the quote at which the payment settles.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-01-31")]
    pub day: Option<String>,
    /// The rate of that day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "7.1234")]
    pub rate: Option<String>,
    /// The rate that is missing; once it is imported, the amount is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_rate: Option<MissingRateView>,
}

/// A rate that was not imported yet.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MissingRate)]
pub struct MissingRateView {
    /// The currency of the amount.
    #[schema(example = "USD")]
    pub base: &'static str,
    /// The currency that it is booked in.
    #[schema(example = "CNY")]
    pub quoted: &'static str,
    /// Its day.
    #[schema(example = "2026-01-31")]
    pub day: String,
}

impl BookedView {
    /// None for what is booked in its own currency.
    pub fn of(booked: Option<Booked>) -> Option<Self> {
        let Booked { currency, amount, at, rate } = booked?;
        let key = match at {
            BookedAt::Itself => return None,
            BookedAt::Quote => None,
            BookedAt::Rate(key) => Some(key),
        };
        let missing =
            |RateKey { base, quoted, day }: RateKey| MissingRateView { base: base.code(), quoted: quoted.code(), day: day.to_string() };
        Some(Self {
            currency: currency.code(),
            amount: amount.map(AmountView::from),
            day: key.map(|key| key.day.to_string()),
            rate: rate.as_ref().map(DailyRate::price_text),
            missing_rate: key.filter(|_| rate.is_none()).map(missing),
        })
    }
}
