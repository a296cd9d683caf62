//! Money that settles in another currency: what left one side of the clearing account is what came out on the other, at the payment's own rate.

use std::collections::BTreeMap;

use refundry_engine::payment::Payment;
use refundry_engine::refund::Refund;
use refundry_ledger::Currency;

use super::{Model, Violation, must};
use crate::plan::Rate;

/// The account between two currencies.
pub const CLEARING: &str = "fx_clearing";

impl Model {
    /// Every payment has the rate that it was told with, and what crossed is worth that; `clearing` is what stands between the currencies.
    pub(super) fn audit_rates(
        &self,
        merchant: usize,
        (payments, refunds): (&[Payment], &[Refund]),
        clearing: &BTreeMap<Currency, i64>,
    ) -> Result<(), Violation> {
        let mut expected: BTreeMap<Currency, i64> = BTreeMap::new();
        for payment in payments {
            let reference = &payment.payment_reference;
            let wish = self.payments.get(&(merchant, reference.clone()));
            let rate = payment.quote.as_ref().map(|quote| (quote.settlement_currency.code(), quote.price_mantissa, quote.price_scale));
            let told = wish.map(|wish| wish.rate.map(|Rate { currency, mantissa, scale }| (currency, mantissa, scale)));
            must(told.is_none_or(|told| told == rate), "a_payment_keeps_its_rate", || {
                format!("{reference} has {rate:?}, told was {told:?}")
            })?;
            let Some(quote) = &payment.quote else { continue };
            let (crossed, became) = (payment.converted.crossed_minor, payment.converted.settlement_minor);
            // Each refund may round its two fees, there and back, and so may a few chargebacks.
            let moves = 4 + 4 * refunds.iter().filter(|refund| refund.payment_id == payment.id).count();
            let (rounded, exact) = in_one_unit(became, crossed, (payment.captured.currency(), quote.settlement_currency), rate);
            let unit = exact.unit * (1 + i128::try_from(moves).unwrap_or(0));
            must((rounded - exact.value).abs() <= unit, "what_crosses_is_worth_its_rate", || {
                format!("{reference}: {crossed} of {} became {became} at {rate:?}", payment.captured.currency().code())
            })?;
            *expected.entry(payment.captured.currency()).or_default() += crossed;
            *expected.entry(quote.settlement_currency).or_default() -= became;
        }
        for (currency, there) in clearing.iter().filter(|(currency, _)| !expected.contains_key(currency)) {
            must(*there == 0, "nothing_is_left_between_currencies", || format!("merchant {merchant}: {there} {}", currency.code()))?;
        }
        for (currency, wanted) in expected {
            let there = clearing.get(&currency).copied().unwrap_or(0);
            must(there == wanted, "nothing_is_left_between_currencies", || {
                format!("merchant {merchant}: {there} {} stand there, payments say {wanted}", currency.code())
            })?;
        }
        Ok(())
    }
}

/// A number of exact parts, and how many of them one minor unit of the settlement currency has.
struct Exact {
    value: i128,
    unit: i128,
}

/// What it became and what it is exactly worth, both in the smallest parts that the rate can tell apart.
fn in_one_unit(became: i64, crossed: i64, (own, home): (Currency, Currency), rate: Option<(&str, i64, u32)>) -> (i128, Exact) {
    let (_, mantissa, scale) = rate.unwrap_or(("", 0, 0));
    // A minor unit of its own currency is 10^-own major units, each worth mantissa / 10^scale.
    let parts_of_own = 10_i128.pow(home.exponent());
    let unit = 10_i128.pow(own.exponent() + scale);
    let value = i128::from(crossed) * i128::from(mantissa) * parts_of_own;
    (i128::from(became) * unit, Exact { value, unit })
}
