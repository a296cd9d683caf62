//! Refunds of foreign payments wait in the queue of the currency that they are paid from, and what they need is counted in it.

use refundry_engine::policy::{FundsRule, PolicyPatch};
use refundry_engine::rate::DailyRate;
use refundry_engine::refund::RefundState;
use refundry_engine::{PaymentId, RefundId};
use refundry_ledger::{Currency, Money};

use crate::desk::{Desk, request};

#[test]
fn what_a_foreign_refund_needs_is_what_it_is_missing() {
    let policy = PolicyPatch { funds: Some(FundsRule::Wait), draw_unsettled: Some(false), ..PolicyPatch::default() };
    let mut desk = Desk::new(policy);
    let (euro, dollar): (Currency, Currency) = ("EUR".parse().unwrap(), "USD".parse().unwrap());
    let (price_mantissa, price_scale) = DailyRate::parse_price("0.913").unwrap();
    let day = refundry_engine::rate::Day::of(desk.now, 0);
    let quote = DailyRate { base: dollar, quoted: euro, day, price_mantissa, price_scale }.quote();
    let dollars = |minor| Money::new(minor, dollar);
    for (id, minor) in [(1, 10_000), (2, 9_990)] {
        desk.pay(PaymentId::new(id), dollars(minor), |payment| payment.quote = Some(quote.clone()));
    }
    desk.settle(PaymentId::new(1));
    // Takes all that the first payment brought but for a few cents.
    desk.ask_as("shop", request(RefundId::new(10), PaymentId::new(2), dollars(9_990), "first"));
    let waits = [(11, 3_333), (12, 3_333), (13, 3_334)];
    for (id, minor) in waits {
        desk.ask_as("shop", request(RefundId::new(id), PaymentId::new(1), dollars(minor), &id.to_string()));
    }
    assert_eq!(desk.waiting(dollar), []);
    let places = desk.places(euro);
    assert_eq!(places.iter().map(|place| place.needs_minor).sum::<i64>(), 9_130, "the parts sum to what the whole is worth");
    let available = desk.snapshot.balances.of(crate::desk::MERCHANT, refundry_engine::posting_rules::SPENDABLE, euro);
    let RefundState::Pending { holds } = &desk.refund(RefundId::new(11)).state else { panic!("it waits") };
    assert_eq!(holds.funds.as_ref().unwrap().missing_minor, places[0].needs_minor - available, "and it lacks exactly the rest");
    // One cent less than all of it leaves the last one waiting.
    desk.top_up(Money::new(9_130 - available - 1, euro), "less");
    desk.serve(euro, 10);
    assert_eq!(desk.waiting(euro), [RefundId::new(13)]);
    desk.top_up(Money::new(1, euro), "more");
    desk.serve(euro, 10);
    assert_eq!(desk.waiting(euro), []);
}
