//! Which money a refund is drawn from.

use refundry_ledger::Money;

use super::at_price;
use crate::payment::Payment;
use crate::refund::{Draw, Refund};

/// Which money a refund would be drawn from, or how much is missing. The order: the payment's unsettled money, its reserve, then what is
/// available to the merchant; the allowances of `purse` may be zero. What receivers give back is not drawn here,
/// what is advanced in their place is available money, and so is the refund's fee.
pub fn draw(purse: &Purse, payment: &Payment, refund: &Refund) -> Result<Draw, Money> {
    let (lines_minor, advance_minor) = refund.sharing.as_ref().map_or((0, 0), |of| (of.lines_minor(), of.advance_minor));
    let own = refund.amount.minor().saturating_sub(lines_minor).saturating_sub(advance_minor);
    let unsettled_minor = own.min(purse.unsettled.max(0));
    let reserve_minor = (own - unsettled_minor).min(purse.reserve.max(0));
    let available_minor = own - unsettled_minor - reserve_minor + advance_minor;
    // In the currency in which the payment's money is available; the payment stays as it is until the draw is carried out.
    let settlement_minor = payment.foreign().map_or(0, |_| payment.clone().cross(-available_minor).saturating_neg());
    let (drawn, fee) = match payment.foreign() {
        Some(quote) => (settlement_minor, at_price(quote, refund.refund_fee)),
        None => (available_minor, refund.refund_fee.minor()),
    };
    let missing = match drawn.saturating_add(fee) {
        0 => 0,
        _ if available_minor > 0 && !purse.may_draw_available => drawn,
        needed => needed.saturating_sub(purse.available).max(0),
    };
    match missing {
        0 => Ok(Draw { unsettled_minor, reserve_minor, available_minor, settlement_minor, at: None }),
        missing => Err(Money::new(missing, payment.home_currency())),
    }
}

/// What a refund may be drawn from, in minor units, with the fee that it gives back already in it.
#[derive(Clone, Copy, Debug)]
pub struct Purse {
    /// The payment's unsettled money, or zero when the policy forbids it.
    pub unsettled: i64,
    /// The payment's reserve, or zero when the policy forbids it.
    pub reserve: i64,
    /// The merchant's available money, in the currency that the payment settles in; may be below zero.
    pub available: i64,
    /// Whether the policy lets refunds draw it.
    pub may_draw_available: bool,
}
