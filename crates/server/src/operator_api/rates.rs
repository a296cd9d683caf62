//! Rates of days over the native API: exact decimals as text, never floating point.

use axum::response::Response;
use refundry_engine::rate::{DailyRate, Day};
use refundry_service::rates;
use refundry_store::{RATES_MAX, RateFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::call::{Call, ok};
use crate::problem::Problem;
use crate::views::{CurrencyCode, Listed};

/// Rates to import.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RatesRequest {
    /// 1 to 1,000 of them; all are kept, or none.
    pub rates: Vec<RateRequest>,
}

/// One rate.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateRequest {
    /// The currency of payments.
    pub base: CurrencyCode,
    /// The currency that they are booked in.
    pub quoted: CurrencyCode,
    /// The day, such as `2026-01-31`.
    pub day: String,
    /// What one major unit of `base` costs in major units of `quoted`: digits, perhaps with a point, at most 12 decimals.
    #[schema(example = "7.1234")]
    pub price: String,
}

/// Which rates.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RateQuery {
    /// Of this currency.
    #[param(value_type = Option<String>)]
    pub base: Option<CurrencyCode>,
    /// In this currency.
    #[param(value_type = Option<String>)]
    pub quoted: Option<CurrencyCode>,
    /// Of this day or later.
    pub from: Option<String>,
    /// Of this day or earlier.
    pub to: Option<String>,
    /// Rows, 1 to 1,000; all of them when left out.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
}

/// One rate.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DailyRate)]
pub struct RateView {
    /// The currency of payments.
    pub base: &'static str,
    /// The currency that they are booked in.
    pub quoted: &'static str,
    /// The day.
    #[schema(example = "2026-01-31")]
    pub day: String,
    /// What one major unit of `base` costs in major units of `quoted`.
    #[schema(example = "7.1234")]
    pub price: String,
}

/// How many were imported.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedRates {
    /// How many.
    pub imported: usize,
}

/// Imports rates.
pub async fn import(call: Call) -> Result<Response, Problem> {
    let request: RatesRequest = call.json()?;
    let read: Result<Vec<DailyRate>, Problem> = request.rates.into_iter().map(RateRequest::read).collect();
    let imported = rates::import(&call.app.service, &call.caller, read?).await?;
    ok(&ImportedRates { imported })
}

/// Rates, the newest day first.
pub async fn list(call: Call) -> Result<Response, Problem> {
    let query: RateQuery = call.query()?;
    let day = |field, text: Option<String>| text.map(|text| read_day(field, &text)).transpose();
    let filter = RateFilter {
        base: query.base.map(|code| code.0),
        quoted: query.quoted.map(|code| code.0),
        from: day("from", query.from)?,
        to: day("to", query.to)?,
        limit: query.limit.unwrap_or(RATES_MAX),
    };
    ok(&Listed::whole(rates::list(&call.app.service, &call.caller, filter).await?, RateView::from))
}

impl RateRequest {
    fn read(self) -> Result<DailyRate, Problem> {
        let (price_mantissa, price_scale) = DailyRate::parse_price(&self.price).ok_or_else(|| {
            let (en, zh) = (
                "Write the price as digits, perhaps with a point and at most 12 decimals, above zero.",
                "价格须为大于零的十进制数字，小数最多 12 位。",
            );
            Problem::parameter("price", en.to_owned(), zh.to_owned())
        })?;
        Ok(DailyRate { base: self.base.0, quoted: self.quoted.0, day: read_day("day", &self.day)?, price_mantissa, price_scale })
    }
}

fn read_day(field: &str, text: &str) -> Result<Day, Problem> {
    let wrong = |_| Problem::parameter(field, "Write a day as 2026-01-31.".to_owned(), "日期格式为 2026-01-31。".to_owned());
    text.parse().map_err(wrong)
}

impl From<DailyRate> for RateView {
    fn from(rate: DailyRate) -> Self {
        Self { base: rate.base.code(), quoted: rate.quoted.code(), day: rate.day.to_string(), price: rate.price_text() }
    }
}
