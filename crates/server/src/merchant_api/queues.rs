//! The refunds that wait for money: why, until when, and what would help.

use axum::response::Response;
use refundry_engine::funds::forecast::Forecast;
use refundry_engine::{MerchantId, RefundId, Text};
use refundry_service::queues::{self, Outlook, WaitingLine};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::MerchantQuery;
use super::refunds::ExplanationView;
use crate::call::{Call, ok};
use crate::language::Language;
use crate::problem::{Problem, kinds};
use crate::views::{AmountView, Listed, Rfc3339};

/// What to try out.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ExplainQuery {
    /// For keys that act for more than one merchant.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// What would happen if so much were paid in now: minor units of the refund's currency. Nothing changes.
    #[param(minimum = 1, example = 50_000)]
    pub top_up: Option<i64>,
}

/// Why a refund stands where it stands, and when it will have its money.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Outlook)]
pub struct OutlookView {
    /// Why it stands where it stands, in the caller's language.
    pub explanation: ExplanationView,
    /// What is to be expected when nobody does anything; only of a refund that waits for money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forecast: Option<ForecastView>,
    /// What would happen if `top_up` were paid in now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what_if: Option<ForecastView>,
}

/// When a refund will have its money, by what is known now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Forecast)]
pub struct ForecastView {
    /// For people, in the caller's language.
    #[schema(example = "With 500.00 EUR more it would go out at once; 3 others before it would too.")]
    pub text: String,
    /// How many wait before it.
    pub before: usize,
    /// What those need of the available money.
    pub before_needs: AmountView,
    /// What it needs itself.
    pub needs: AmountView,
    /// What is available now; may be below zero.
    pub available: AmountView,
    /// What must come in so that everybody up to it is served.
    pub missing: AmountView,
    /// When it goes out; left out when what is known to come is not enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goes_out_at: Option<Rfc3339>,
    /// The settlement after which it goes out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_settlement_of: Option<Rfc3339>,
    /// How many of those before it go out until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others_go_out: Option<usize>,
    /// What must be paid in until `until`, or it fails; zero when what comes is enough.
    pub to_pay_in: AmountView,
    /// When it fails for want of money.
    pub until: Rfc3339,
}

/// What waits for money in one currency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WaitingLine)]
pub struct WaitingLineView {
    /// ISO 4217.
    #[schema(example = "EUR")]
    pub currency: &'static str,
    /// How many refunds wait.
    pub count: i64,
    /// What they were asked for in all.
    pub amount: AmountView,
    /// Whether all were looked at: of more than twenty thousand only the oldest are.
    pub is_whole: bool,
    /// The oldest.
    #[schema(value_type = String, example = "ref_0d3m4t2ykw000")]
    pub oldest_refund_id: RefundId,
    /// Since when that one waits.
    pub oldest_since: Rfc3339,
    /// What is available; may be below zero.
    pub available: AmountView,
    /// What must come in so that all are served.
    pub missing: AmountView,
    /// When what is known to come is enough for all; left out when it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enough_at: Option<Rfc3339>,
}

/// Why it stands where it stands, when it will have its money, and what a payment-in would do.
pub async fn explain(call: Call) -> Result<Response, Problem> {
    let query: ExplainQuery = call.query()?;
    let refund_id = call.path_id("refund_id", &kinds::UNKNOWN_REFUND)?;
    let outlook = queues::outlook(&call.app.service, &call.caller, query.merchant_id, refund_id, query.top_up).await?;
    ok(&OutlookView::of(outlook, call.language))
}

/// What waits for money, by currency.
pub async fn waiting(call: Call) -> Result<Response, Problem> {
    let query: MerchantQuery = call.query()?;
    ok(&Listed::whole(queues::waiting(&call.app.service, &call.caller, query.merchant_id).await?, WaitingLineView::from))
}

impl OutlookView {
    /// In one language.
    pub fn of(outlook: Outlook, language: Language) -> Self {
        let view = |(forecast, text): (Forecast, Text)| ForecastView::of(forecast, text.say(language.into()).to_owned());
        Self {
            explanation: ExplanationView::of(outlook.explanation, language),
            forecast: outlook.forecast.map(view),
            what_if: outlook.what_if.map(view),
        }
    }
}

impl ForecastView {
    fn of(forecast: Forecast, text: String) -> Self {
        Self {
            text,
            before: forecast.before,
            before_needs: forecast.before_needs.into(),
            needs: forecast.needs.into(),
            available: forecast.available.into(),
            missing: forecast.missing.into(),
            goes_out_at: forecast.served.map(|served| served.at.into()),
            after_settlement_of: forecast.served.and_then(|served| served.settlement_at).map(Rfc3339),
            others_go_out: forecast.served.map(|served| served.others),
            to_pay_in: forecast.to_pay_in.into(),
            until: forecast.until.into(),
        }
    }
}

impl From<WaitingLine> for WaitingLineView {
    fn from(line: WaitingLine) -> Self {
        Self {
            currency: line.currency.code(),
            count: line.count,
            amount: line.amount.into(),
            is_whole: line.is_whole,
            oldest_refund_id: line.oldest,
            oldest_since: line.oldest_since.into(),
            available: line.available.into(),
            missing: line.missing.into(),
            enough_at: line.forecast.and_then(|forecast| forecast.served).map(|served| served.at.into()),
        }
    }
}
