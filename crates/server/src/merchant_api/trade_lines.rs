//! The list of trade over the native API: what was sold, what went back, what was disputed, and the sums over it.

use axum::response::Response;
use refundry_engine::{MerchantId, PaymentId, PayoutId, TerminalId};
use refundry_ledger::{Currency, Money};
use refundry_service::trade_lines::{self, TradeFilter, TradeKind, TradeLine, TradeSum, TradeTotals};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::booked_view::BookedView;
use super::payout_view::PayoutStateView;
use super::settling_view::ShipmentStateView;
use crate::call::{Call, ok};
use crate::problem::Problem;
use crate::views::{AmountView, CurrencyCode, Listed, Rfc3339, page_request};

/// What a line is about.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TradeKind)]
pub enum TradeKindView {
    /// A payment whose money was taken.
    Success,
    /// A payment that was declined.
    Failed,
    /// A refund that was paid out.
    Refund,
    /// A refund whose money came back.
    RefundReturned,
    /// A chargeback.
    Chargeback,
    /// A chargeback that was won.
    ChargebackWon,
    /// A chargeback that the issuer took back.
    ChargebackWithdrawn,
    /// A request for documents; no money moves.
    Retrieval,
    /// Such a request that was taken back.
    RetrievalReversed,
}

/// Which lines.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TradeQuery {
    /// For keys that act for more than one merchant.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// Booked at or after.
    #[param(value_type = Option<String>)]
    pub from: Option<Rfc3339>,
    /// Booked before.
    #[param(value_type = Option<String>)]
    pub to: Option<Rfc3339>,
    /// Of this payment.
    #[param(value_type = Option<String>)]
    pub payment_id: Option<PaymentId>,
    /// Of the payment of this number.
    pub payment_reference: Option<String>,
    /// Of payments of this order number.
    pub merchant_reference: Option<String>,
    /// Of this kind.
    #[param(inline)]
    pub kind: Option<TradeKindView>,
    /// In this currency.
    #[param(value_type = Option<String>)]
    pub currency: Option<CurrencyCode>,
    /// Booked in this currency.
    #[param(value_type = Option<String>)]
    pub booked_currency: Option<CurrencyCode>,
    /// Of this card scheme.
    pub card_scheme: Option<String>,
    /// Of this payment method.
    pub method: Option<String>,
    /// Taken by this terminal.
    #[param(value_type = Option<String>)]
    pub terminal_id: Option<TerminalId>,
    /// Whether a tracking number is there.
    pub tracking: Option<bool>,
    /// Where the goods are.
    #[param(inline)]
    pub shipment_state: Option<ShipmentStateView>,
    /// Paid out with this payout.
    #[param(value_type = Option<String>)]
    pub payout_id: Option<PayoutId>,
    /// Whether it is in a payout.
    pub paid_out: Option<bool>,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Rows, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// For files: whether the file begins with a byte order mark.
    #[serde(default)]
    pub bom: bool,
}

/// One line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TradeLine)]
pub struct TradeLineView {
    /// What it is about.
    pub kind: TradeKindView,
    /// When it was booked.
    pub booked_at: Rfc3339,
    /// When it was paid.
    pub paid_at: Rfc3339,
    /// What came, below zero for what went; of a declined payment what was asked for.
    pub amount: AmountView,
    /// What that is in another currency that it is booked in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booked: Option<BookedView>,
    /// What the operator takes for it, less what it gives back.
    pub fees: AmountView,
    /// What is kept of it as rolling reserve.
    pub reserved: AmountView,
    /// The payment.
    pub payment_id: String,
    /// The number that the merchant was given for it.
    pub payment_reference: String,
    /// The merchant's order number.
    pub merchant_reference: String,
    /// How it was paid.
    pub method: String,
    /// The card scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card_scheme: Option<String>,
    /// The channel that took it.
    pub terminal_id: String,
    /// Whether a tracking number is there.
    pub tracking: bool,
    /// Where the goods are.
    pub shipment_state: ShipmentStateView,
    /// The refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<String>,
    /// The dispute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispute_id: Option<String>,
    /// The payout that it came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payout_id: Option<String>,
    /// Where that stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payout_state: Option<PayoutStateView>,
    /// When it arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_out_at: Option<Rfc3339>,
}

/// Sums over the list of trade.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TradeTotals)]
pub struct TradeTotalsView {
    /// In the currencies of payments.
    pub traded: Vec<TradeSumView>,
    /// In the currencies that they are booked in.
    pub booked: Vec<TradeSumView>,
    /// Whether all lines are in them: at most 20,000 are summed up, and a shorter time fits.
    pub is_whole: bool,
}

/// The sums in one currency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TradeSum)]
pub struct TradeSumView {
    /// What came less what went.
    pub amount: AmountView,
    /// How many lines.
    pub count: i64,
    /// What the operator takes for them, less what it gives back.
    pub fees: AmountView,
    /// What is kept of them as rolling reserve.
    pub reserved: AmountView,
    /// What is left behind fees and reserve.
    pub before_settlement: AmountView,
    /// Lines whose rate is missing; they are in no sum.
    pub missing_rates: i64,
}

/// A page of lines, newest first.
pub async fn list(call: Call) -> Result<Response, Problem> {
    let query: TradeQuery = call.query()?;
    let page = page_request(query.cursor.as_deref(), query.limit)?;
    let lines = trade_lines::list(&call.app.service, &call.caller, &query.filter(), page).await?;
    ok(&Listed::of(lines, TradeLineView::from))
}

/// Sums over all lines that fit.
pub async fn totals(call: Call) -> Result<Response, Problem> {
    let query: TradeQuery = call.query()?;
    let TradeTotals { traded, booked, is_whole } = trade_lines::totals(&call.app.service, &call.caller, &query.filter()).await?;
    let views = |sums: std::collections::BTreeMap<Currency, TradeSum>| sums.into_iter().map(TradeSumView::of).collect();
    ok(&TradeTotalsView { traded: views(traded), booked: views(booked), is_whole })
}

impl TradeQuery {
    /// As the service takes it.
    pub fn filter(&self) -> TradeFilter {
        TradeFilter {
            merchant_id: self.merchant_id,
            from: self.from.map(|at| at.0),
            to: self.to.map(|at| at.0),
            payment_id: self.payment_id,
            payment_reference: self.payment_reference.clone(),
            merchant_reference: self.merchant_reference.clone(),
            kind: self.kind.map(Into::into),
            currency: self.currency.map(|code| code.0),
            booked_currency: self.booked_currency.map(|code| code.0),
            card_scheme: self.card_scheme.clone(),
            method: self.method.clone(),
            terminal_id: self.terminal_id,
            tracking: self.tracking,
            shipment: self.shipment_state.map(Into::into),
            payout_id: self.payout_id,
            paid_out: self.paid_out,
        }
    }
}

impl From<TradeLine> for TradeLineView {
    fn from(line: TradeLine) -> Self {
        let (fees, reserved) = (line.fees().into(), line.reserved().into());
        let payment = line.payment;
        Self {
            kind: line.kind.into(),
            booked_at: line.at.into(),
            paid_at: payment.paid_at.into(),
            amount: line.amount.into(),
            booked: BookedView::of(line.booked),
            fees,
            reserved,
            payment_id: payment.id.to_string(),
            payment_reference: payment.payment_reference,
            merchant_reference: payment.merchant_reference,
            method: payment.method,
            card_scheme: payment.details.card_scheme.clone(),
            terminal_id: payment.terminal_id.to_string(),
            tracking: payment.settling.shipment.is_some(),
            shipment_state: payment.settling.shipment_state.into(),
            refund_id: line.refund.map(|refund| refund.id.to_string()),
            dispute_id: line.dispute.map(|dispute| dispute.id.to_string()),
            payout_id: line.paid_with.map(|paid| paid.payout_id.to_string()),
            payout_state: line.paid_with.map(|paid| paid.state.into()),
            paid_out_at: line.paid_with.and_then(|paid| paid.paid_at).map(Into::into),
        }
    }
}

impl TradeSumView {
    fn of((currency, sum): (Currency, TradeSum)) -> Self {
        let amount = |minor| AmountView::from(Money::new(minor, currency));
        Self {
            amount: amount(sum.minor),
            count: sum.count,
            fees: amount(sum.fees_minor),
            reserved: amount(sum.reserved_minor),
            before_settlement: amount(sum.before_settlement_minor()),
            missing_rates: sum.missing_rates,
        }
    }
}

macro_rules! same_words {
    ($($name:ident),*) => {
        impl From<TradeKindView> for TradeKind {
            fn from(view: TradeKindView) -> Self {
                match view { $(TradeKindView::$name => Self::$name),* }
            }
        }

        impl From<TradeKind> for TradeKindView {
            fn from(kind: TradeKind) -> Self {
                match kind { $(TradeKind::$name => Self::$name),* }
            }
        }
    };
}

same_words!(Success, Failed, Refund, RefundReturned, Chargeback, ChargebackWon, ChargebackWithdrawn, Retrieval, RetrievalReversed);
