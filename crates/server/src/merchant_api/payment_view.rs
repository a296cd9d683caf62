//! How a payment looks in JSON, both ways.

mod status;

use std::sync::Arc;

use refundry_engine::booked::Booked;
use refundry_engine::payment::{Payment, PaymentDetails, PaymentStatus, SettlementQuote};
use refundry_engine::share::FeeMode;
use refundry_engine::{MerchantId, TerminalId};
use refundry_ledger::Money;
use refundry_service::payments::{NewPayment, NewPlan, NewSharing};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::booked_view::BookedView;
use super::exposure_view::ExposureView;
use super::payment_details_view::PaymentDetailsView;
use super::refund_view::QuoteView;
use super::settling_view::SettlingView;
use super::share_view::{FeeModeView, LineRequest, SharingView};
use super::shares::compared_lines;
use crate::problem::Problem;
use crate::views::{Amount, AmountView, CurrencyCode, ModeView, Rfc3339};

/// Decimal places of a price at most.
const PRICE_SCALE_MAX: usize = 12;

/// A payment as the operator's payment system tells of it: new, or a known one with a later status.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentRequest {
    /// Whose; may be left out by keys that act for one merchant.
    #[schema(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// Which acceptance channel took it; left out, the key's own.
    #[schema(value_type = Option<String>)]
    pub terminal_id: Option<TerminalId>,
    /// The number that the merchant was given; unique per merchant.
    pub payment_reference: String,
    /// The merchant's order number.
    pub merchant_reference: String,
    /// Payment method, such as `card` or `ALIPAY_CN`.
    pub method: String,
    /// Where it stands.
    pub status: StatusView,
    /// When it was paid; the refund window counts from here.
    pub paid_at: Rfc3339,
    /// What was authorised.
    pub authorised: Amount,
    /// What was taken; left out, all of it when the status is `captured`, nothing otherwise.
    pub captured: Option<Amount>,
    /// The part of it that the merchant's marketing paid.
    pub marketing: Option<Amount>,
    /// The operator's fee.
    pub fee: Option<Amount>,
    /// The part that is kept as reserve.
    pub reserved: Option<Amount>,
    /// The rate, when it settles in another currency.
    pub quote: Option<QuoteRequest>,
    /// Where its refunds are announced.
    pub notify_url: Option<String>,
    /// Who the fee is taken from. Said of a payment whose money will be shared; left out, it is `from_payment`.
    pub fee_mode: Option<FeeModeView>,
    /// Shares that begin by themselves, told with a new payment.
    #[serde(default)]
    pub shares: Vec<PlanRequest>,
    /// What no decision reads.
    #[serde(default)]
    #[schema(value_type = PaymentDetailsView)]
    pub details: PaymentDetails,
}

/// A share that begins by itself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlannedShareRequest)]
pub struct PlanRequest {
    /// Your number for it; names this share for ever.
    pub number: String,
    /// Who gets how much; nobody twice.
    pub lines: Vec<LineRequest>,
    /// When it begins, unless a refund of the payment comes before.
    #[schema(value_type = String)]
    pub due_at: Rfc3339,
    /// Where its end is announced, in the dialect of the payment's terminal.
    pub notify_url: Option<String>,
}

/// A settlement rate.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteRequest {
    /// Its name.
    pub quote_id: Option<String>,
    /// The settlement currency.
    pub settlement_currency: CurrencyCode,
    /// One major unit of the payment's currency in major units of the settlement currency: a decimal as text, at most 12 places.
    #[schema(example = "1.0834")]
    pub price: String,
    /// From when.
    pub start_at: Option<Rfc3339>,
    /// Until when.
    pub expiry_at: Option<Rfc3339>,
    /// Whether the rate is locked.
    #[serde(default)]
    pub guaranteed: bool,
}

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentStatus)]
pub enum StatusView {
    /// Not decided yet.
    Pending,
    /// Authorised, nothing taken.
    Authorised,
    /// The money was taken.
    Captured,
    /// Declined.
    Failed,
    /// Voided before capture.
    Cancelled,
    /// Expired or closed without being paid.
    Closed,
}

/// A payment and what is left of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payment)]
pub struct PaymentView {
    /// Ours.
    #[schema(example = "pay_0d3m4t2ykw000")]
    pub payment_id: String,
    /// Whose.
    pub merchant_id: String,
    /// Which acceptance channel took it.
    pub terminal_id: String,
    /// Sandbox or live.
    pub mode: ModeView,
    /// The number that the merchant was given.
    pub payment_reference: String,
    /// The merchant's order number.
    pub merchant_reference: String,
    /// Payment method.
    pub method: String,
    /// Where it stands.
    pub status: StatusView,
    /// When it was paid.
    pub paid_at: Rfc3339,
    /// What was authorised.
    pub authorised: AmountView,
    /// What was taken in all.
    pub captured: AmountView,
    /// What refunds have taken back or are about to.
    pub refunded: AmountView,
    /// What can still be refunded.
    pub refundable: AmountView,
    /// What of the marketing part can still be refunded.
    pub refundable_marketing: AmountView,
    /// Refunds that count.
    pub refund_count: u32,
    /// The part that the merchant's marketing paid.
    pub marketing: AmountView,
    /// The operator's fee.
    pub fee: AmountView,
    /// The part that was kept as reserve.
    pub reserved: AmountView,
    /// Whether its money has become available.
    pub settled: bool,
    /// When its money becomes available, and what that waits for.
    pub settling: SettlingView,
    /// Chargebacks that are open: they block refunds.
    pub open_chargebacks: u32,
    /// Retrievals that are open: they freeze refunds.
    pub open_retrievals: u32,
    /// The rate, when it settles in another currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<QuoteView>,
    /// What it is in another currency that it is booked in; only where it is read, not where it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booked: Option<BookedView>,
    /// What the merchant owes for it beyond what was captured, if it does or did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure: Option<ExposureView>,
    /// Where its refunds are announced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_url: Option<String>,
    /// What it remembers of its shares; left out of ordinary payments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharing: Option<SharingView>,
    /// What no decision reads.
    #[schema(value_type = PaymentDetailsView)]
    pub details: Arc<PaymentDetails>,
    /// When we learned of it.
    pub created_at: Rfc3339,
    /// When it changed last.
    pub updated_at: Rfc3339,
}

impl PaymentRequest {
    /// As the service takes it.
    pub fn into_new(mut self) -> Result<NewPayment, Problem> {
        let status = PaymentStatus::from(self.status);
        let authorised = Money::from(self.authorised);
        let sharing = self.sharing();
        let taken = if status == PaymentStatus::Captured { authorised } else { Money::zero(authorised.currency()) };
        Ok(NewPayment {
            merchant_id: self.merchant_id,
            terminal_id: self.terminal_id,
            payment_reference: self.payment_reference,
            merchant_reference: self.merchant_reference,
            method: self.method,
            status,
            paid_at: self.paid_at.0,
            authorised,
            captured: self.captured.map_or(taken, Money::from),
            marketing: self.marketing.map(Money::from),
            fee: self.fee.map(Money::from),
            reserved: self.reserved.map(Money::from),
            quote: self.quote.map(QuoteRequest::into_quote).transpose()?,
            notify_url: self.notify_url,
            sharing,
            details: self.details,
        })
    }

    fn sharing(&mut self) -> Option<NewSharing> {
        if self.fee_mode.is_none() && self.shares.is_empty() {
            return None;
        }
        let fee_mode = self.fee_mode.map_or(FeeMode::FromPayment, FeeMode::from);
        Some(NewSharing { fee_mode, plan: std::mem::take(&mut self.shares).into_iter().map(PlanRequest::planned).collect() })
    }
}

impl PlanRequest {
    fn planned(self) -> NewPlan {
        let mut compared = compared_lines("lines", &self.lines);
        compared.push(("due_at".to_owned(), self.due_at.to_string()));
        NewPlan {
            number: self.number,
            compared,
            lines: self.lines.into_iter().map(LineRequest::named).collect(),
            due_at: self.due_at.0,
            notify_url: self.notify_url,
            asked_at_text: None,
        }
    }
}

impl QuoteRequest {
    fn into_quote(self) -> Result<SettlementQuote, Problem> {
        let (price_mantissa, price_scale) = price(&self.price)?;
        Ok(SettlementQuote {
            quote_id: self.quote_id,
            settlement_currency: self.settlement_currency.0,
            price_mantissa,
            price_scale,
            start_at: self.start_at.map(|at| at.0),
            expiry_at: self.expiry_at.map(|at| at.0),
            guaranteed: self.guaranteed,
        })
    }
}

/// An exact decimal above zero as digits and places.
fn price(text: &str) -> Result<(i64, u32), Problem> {
    let wrong = || {
        let (english, chinese) =
            ("price is a decimal above zero with at most 12 places, as text.", "price 应为大于零、最多 12 位小数的十进制文本。");
        Problem::field("quote.price", english, chinese)
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction}");
    let only_digits = !whole.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) && !text.ends_with('.');
    if !only_digits || fraction.len() > PRICE_SCALE_MAX {
        return Err(wrong());
    }
    let mantissa = digits.parse::<i64>().ok().filter(|mantissa| *mantissa > 0).ok_or_else(wrong)?;
    Ok((mantissa, u32::try_from(fraction.len()).map_err(|_| wrong())?))
}

impl PaymentView {
    /// With what it is in the currency that it is booked in.
    pub fn with_booked((payment, booked): (Payment, Option<Booked>)) -> Self {
        Self { booked: BookedView::of(booked), ..Self::from(payment) }
    }
}

impl From<Payment> for PaymentView {
    fn from(payment: Payment) -> Self {
        Self {
            booked: None,
            exposure: ExposureView::of(&payment),
            sharing: SharingView::of(&payment),
            payment_id: payment.id.to_string(),
            merchant_id: payment.merchant_id.to_string(),
            terminal_id: payment.terminal_id.to_string(),
            mode: payment.mode.into(),
            status: payment.status.into(),
            paid_at: payment.paid_at.into(),
            authorised: payment.authorised.into(),
            captured: payment.captured.into(),
            refunded: payment.refunded.into(),
            refundable: payment.refundable().into(),
            refundable_marketing: payment.refundable_marketing().into(),
            refund_count: payment.refund_count,
            marketing: payment.marketing.into(),
            fee: payment.fee.into(),
            reserved: payment.reserved.into(),
            settled: payment.settled,
            settling: payment.settling.into(),
            open_chargebacks: payment.open_chargebacks,
            open_retrievals: payment.open_retrievals,
            quote: payment.quote.map(QuoteView::from),
            notify_url: payment.notify_url,
            details: payment.details,
            created_at: payment.created_at.into(),
            updated_at: payment.updated_at.into(),
            payment_reference: payment.payment_reference,
            merchant_reference: payment.merchant_reference,
            method: payment.method,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_an_exact_decimal() {
        for (text, expected) in [("1.0834", Some((10_834, 4))), ("7", Some((7, 0))), ("0.000000000001", Some((1, 12)))] {
            assert_eq!(price(text).ok(), expected, "{text}");
        }
        for text in ["", "0", "1.", ".5", "-1", "1e3", "0.0000000000001", "99999999999999999999"] {
            assert!(price(text).is_err(), "{text}");
        }
    }
}
