//! How a statement looks before fees, in JSON.

use refundry_ledger::{Currency, Money};
use refundry_service::payout_gross::{Gross, PayoutGross};
use serde::Serialize;
use utoipa::ToSchema;

use crate::views::AmountView;

/// What a statement settles, before fees.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutGross)]
pub struct GrossView {
    /// One for each currency of payments.
    pub currencies: Vec<GrossLineView>,
    /// Whether all lines of the statement were looked at: at most 50,000 are.
    pub is_whole: bool,
}

/// The figures of payments in one currency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutGrossLine)]
pub struct GrossLineView {
    /// Payments that became available.
    pub payments: i64,
    /// What was captured of them.
    pub captured: AmountView,
    /// The fees for them.
    pub fee: AmountView,
    /// What of the fees goes to issuers.
    pub interchange: AmountView,
    /// What of them goes to networks, for cards of other countries.
    pub cross_border: AmountView,
    /// What of them goes to networks.
    pub scheme: AmountView,
    /// What of them is due for each payment, whatever its amount.
    pub fixed: AmountView,
    /// What was kept as rolling reserve.
    pub reserved: AmountView,
    /// Refunds that drew available money.
    pub refunds: i64,
    /// What they refunded.
    pub refunded: AmountView,
    /// The fees for them.
    pub refund_fee: AmountView,
    /// What of the payments' fees they gave back.
    pub fee_given_back: AmountView,
}

impl From<PayoutGross> for GrossView {
    fn from(gross: PayoutGross) -> Self {
        Self { currencies: gross.currencies.into_iter().map(GrossLineView::of).collect(), is_whole: gross.is_whole }
    }
}

impl GrossLineView {
    fn of((currency, gross): (Currency, Gross)) -> Self {
        let amount = |minor| AmountView::from(Money::new(minor, currency));
        Self {
            payments: gross.payments,
            captured: amount(gross.captured_minor),
            fee: amount(gross.fee_minor),
            interchange: amount(gross.interchange_minor),
            cross_border: amount(gross.cross_border_minor),
            scheme: amount(gross.scheme_minor),
            fixed: amount(gross.fixed_minor),
            reserved: amount(gross.reserved_minor),
            refunds: gross.refunds,
            refunded: amount(gross.refunded_minor),
            refund_fee: amount(gross.refund_fee_minor),
            fee_given_back: amount(gross.fee_given_back_minor),
        }
    }
}

/// The figures as rows of a file: their names, and how much.
pub fn file_rows(gross: &Gross) -> [(&'static str, i64); 10] {
    [
        ("gross_captured", gross.captured_minor),
        ("gross_fee", gross.fee_minor),
        ("gross_fee_interchange", gross.interchange_minor),
        ("gross_fee_cross_border", gross.cross_border_minor),
        ("gross_fee_scheme", gross.scheme_minor),
        ("gross_fee_fixed", gross.fixed_minor),
        ("gross_reserved", gross.reserved_minor),
        ("gross_refunded", gross.refunded_minor),
        ("gross_refund_fee", gross.refund_fee_minor),
        ("gross_fee_given_back", gross.fee_given_back_minor),
    ]
}
