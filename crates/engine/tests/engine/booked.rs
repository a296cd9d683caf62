//! Booked amounts: by the rate of the day, rounded so that parts sum to the whole, missing until the rate is there.

use refundry_engine::PaymentId;
use refundry_engine::booked::{BookedAt, Movement, RateKey, Rates};
use refundry_engine::policy::PolicyPatch;
use refundry_engine::rate::{DailyRate, Day};
use refundry_engine::settlement::SettlementPatch;
use refundry_ledger::{Currency, Money};

use crate::desk::Desk;

const PAYMENT: PaymentId = PaymentId::new(1);

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn dollars(minor: i64) -> Money {
    Money::new(minor, currency("USD"))
}

/// A desk whose merchant is booked in yuan, with a payment of 100 dollars.
fn desk() -> Desk {
    let settlement = SettlementPatch { accounting_currency: Some(Some("CNY".to_owned())), ..SettlementPatch::default() };
    let mut desk = Desk::new(PolicyPatch { settlement, ..PolicyPatch::default() });
    desk.pay(PAYMENT, dollars(10_000), |_| {});
    desk
}

fn rates(desk: &Desk, prices: &[(i64, &str)]) -> Rates {
    let rate = |(days, price): &(i64, &str)| {
        let day = Day::of(desk.now.plus_days(*days), 480);
        let (price_mantissa, price_scale) = DailyRate::parse_price(price).unwrap();
        let key = RateKey { base: currency("USD"), quoted: currency("CNY"), day };
        (key, DailyRate { base: key.base, quoted: key.quoted, day, price_mantissa, price_scale })
    };
    prices.iter().map(rate).collect()
}

#[test]
fn an_amount_is_booked_at_the_rate_of_its_day_where_the_merchant_is() {
    let mut desk = desk();
    let known = rates(&desk, &[(0, "7.1234")]);
    let payment = desk.payment(PAYMENT).clone();
    assert_eq!(payment.booked(&known).amount, Some(Money::new(71_234, currency("CNY"))));
    let missing = payment.booked(&Rates::new());
    assert_eq!((missing.amount, missing.currency), (None, currency("CNY")));
    let BookedAt::Rate(key) = missing.at else { panic!("it is booked at a rate") };
    assert_eq!((key.base.code(), key.quoted.code(), key.day.to_string().as_str()), ("USD", "CNY", "2026-01-01"));
    // Sixteen hours later it is the next day eight hours further east.
    let later = payment.booked_at(desk.now.plus_seconds(16 * 3_600));
    assert_eq!(later.rate_key().unwrap().day.to_string(), "2026-01-02");
}

#[test]
fn parts_of_a_day_sum_to_the_whole() {
    let mut desk = desk();
    let known = rates(&desk, &[(0, "7.1234"), (1, "7")]);
    let payment = desk.payment(PAYMENT).clone();
    let part = |minor, days| Movement { at: desk.now.plus_days(days), amount: dollars(minor), gross: None };
    let thirds = payment.book(&[part(3_333, 0), part(3_333, 0), part(3_334, 0)], &known);
    let minor: Vec<i64> = thirds.iter().map(|booked| booked.amount.unwrap().minor()).collect();
    assert_eq!((minor.iter().sum::<i64>(), minor.as_slice()), (71_234, [23_742, 23_743, 23_749].as_slice()));
    let days = payment.book(&[part(3_333, 0), part(3_333, 1), part(1, 2), part(3_333, 1)], &known);
    let minor: Vec<Option<i64>> = days.iter().map(|booked| booked.amount.map(Money::minor)).collect();
    assert_eq!(minor, [Some(23_742), Some(23_331), None, Some(23_331)], "each day by itself, and the third has no rate yet");
}

#[test]
fn without_a_currency_in_the_terms_it_is_booked_in_what_it_settles_in() {
    let mut desk = Desk::new(PolicyPatch::default());
    desk.pay(PAYMENT, dollars(100), |_| {});
    let payment = desk.payment(PAYMENT).clone();
    assert_eq!((payment.booked(&Rates::new()).at, payment.booked(&Rates::new()).amount), (BookedAt::Itself, Some(dollars(100))));
    let quoted = PaymentId::new(2);
    let quote = rates(&desk, &[(0, "7.5")]).into_values().next().map(|rate| rate.quote());
    desk.pay(quoted, dollars(333), |payment| payment.quote = quote);
    let payment = desk.payment(quoted).clone();
    assert_eq!(payment.booked_at(desk.now), BookedAt::Quote);
    let parts: Vec<Movement> = [111, 222].map(|minor| Movement { at: desk.now, amount: dollars(minor), gross: None }).to_vec();
    let parts: Vec<i64> = payment.book(&parts, &Rates::new()).iter().map(|booked| booked.amount.unwrap().minor()).collect();
    assert_eq!((parts.iter().sum::<i64>(), payment.booked(&Rates::new()).amount.unwrap().minor()), (2_498, 2_498));
}
