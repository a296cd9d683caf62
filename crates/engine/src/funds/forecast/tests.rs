use super::*;
use crate::explain::Language;
use crate::policy::FundsCheck;

const US_PER_HOUR: i64 = 3_600_000_000;
/// 2026-06-01T00:00:00Z.
const JUNE_US: i64 = 1_780_272_000_000_000;

fn hour(hours: i64) -> Timestamp {
    Timestamp::from_us(JUNE_US + hours * US_PER_HOUR)
}

fn day(day: i64) -> Timestamp {
    hour((day - 1) * 24)
}

/// Places that need so much each, numbered from 1.
fn queue(needs: &[i64], available_minor: i64, credits: &[(i64, i64)]) -> Queue {
    let place = |(number, needs_minor): (i64, &i64)| Place {
        refund_id: RefundId::new(number),
        needs_minor: *needs_minor,
        own: Vec::new(),
        order: FundsOrder::Strict,
        check: FundsCheck::OnCredit,
    };
    let credits = credits.iter().map(|(of_day, minor)| Credit { at: day(*of_day), minor: *minor }).collect();
    Queue { currency: "EUR".parse().unwrap(), places: (1..).zip(needs).map(place).collect(), available_minor, credits }
}

fn forecast(queue: &Queue, number: i64, more: i64) -> Forecast {
    queue.forecast(RefundId::new(number), day(31), day(1), more).unwrap()
}

fn served_at(queue: &Queue, number: i64, more: i64) -> Option<Timestamp> {
    forecast(queue, number, more).served.map(|served| served.at)
}

#[test]
fn enough_comes_after_a_settlement_less_what_waits_before() {
    let queue = queue(&[6_000, 500, 3_000], 1_000, &[(10, 4_000), (25, 6_000)]);
    assert_eq!([1, 2, 3].map(|number| served_at(&queue, number, 0)), [Some(day(25)); 3]);
    let third = forecast(&queue, 3, 0);
    assert_eq!((third.before, third.before_needs.minor(), third.missing.minor()), (2, 6_500, 8_500));
    assert_eq!(third.served, Some(Served { at: day(25), others: 2, settlement_at: Some(day(25)) }));
    assert_eq!(
        by_itself(&third).say(Language::En),
        "Before it 2 others wait for 65.00 EUR in all; it needs 30.00 EUR itself, and 10.00 EUR is available. By what is known today it goes \
        out on 2026-06-25 00:00 UTC, after the settlement of 2026-06-25 00:00 UTC."
    );
    assert_eq!(queue.missing().minor(), 8_500);
}

#[test]
fn what_comes_too_late_or_too_little_must_be_paid_in() {
    let queue = queue(&[6_000, 500], -300, &[(10, 4_000), (32, 90_000)]);
    let second = forecast(&queue, 2, 0);
    assert_eq!((second.served, second.to_pay_in.minor()), (None, 2_800));
    assert_eq!(
        by_itself(&second).say(Language::En),
        "Before it 1 other waits for 60.00 EUR in all; it needs 5.00 EUR itself, and -3.00 EUR is available. What is known to come is not \
        enough before 2026-07-01 00:00 UTC: without 28.00 EUR paid in until then it fails."
    );
    assert_eq!(served_at(&queue, 2, 2_800), Some(day(10)), "so much is exactly enough");
    assert_eq!(served_at(&queue, 2, 2_799), None, "and nothing less");
}

#[test]
fn a_top_up_is_tried_out() {
    let queue = queue(&[6_000, 500, 3_000, 10], 1_000, &[(25, 90_000)]);
    let tried = forecast(&queue, 4, 8_510);
    assert_eq!(tried.served, Some(Served { at: day(1), others: 3, settlement_at: None }));
    let words = with_more(&tried, Money::new(8_510, queue.currency), day(1));
    assert_eq!(words.say(Language::En), "With 85.10 EUR more it would go out at once; 3 others before it would too.");
    assert_eq!(words.say(Language::Zh), "若再充值 85.10 EUR，它将立即发出，排在前面的 3 笔也将发出。");
    let little = with_more(&forecast(&queue, 4, 8_509), Money::new(8_509, queue.currency), day(1));
    assert_eq!(little.say(Language::En), "With 85.09 EUR more it would go out on 2026-06-25 00:00 UTC.");
}

#[test]
fn who_does_not_fit_holds_up_or_lets_pass() {
    let mut queue = queue(&[6_000, 500], 1_000, &[]);
    assert_eq!(served_at(&queue, 2, 0), None);
    queue.places[0].order = FundsOrder::Skip;
    assert_eq!(served_at(&queue, 2, 0), Some(day(1)));
    assert_eq!(served_at(&queue, 1, 4_999), None);
}

#[test]
fn who_goes_by_the_clock_is_served_at_its_hours() {
    let mut queue = queue(&[6_000], 1_000, &[(25, 5_000)]);
    queue.places[0].check = FundsCheck::oceanpayment();
    assert_eq!(served_at(&queue, 1, 0), Some(day(25)), "midnight in UTC is eight in Beijing");
    queue.credits[0].at = hour(24 * 24 + 1);
    assert_eq!(served_at(&queue, 1, 0), Some(hour(24 * 24 + 4)));
    let at_once = queue.forecast(RefundId::new(1), day(31), hour(1), 5_000).unwrap();
    assert_eq!(at_once.served.map(|served| served.at), Some(hour(4)), "a credit is not an hour");
}

#[test]
fn what_a_payment_has_left_is_not_counted_twice() {
    let mut queue = queue(&[6_000, 500], 0, &[(10, 6_500)]);
    queue.places[1].own = vec![(day(10), 100)];
    assert_eq!(served_at(&queue, 1, 0), Some(day(10)));
    assert_eq!((served_at(&queue, 2, 0), forecast(&queue, 2, 0).to_pay_in.minor()), (None, 100));
}

#[test]
fn who_does_not_wait_has_no_forecast() {
    assert_eq!(queue(&[1], 0, &[]).forecast(RefundId::new(9), day(31), day(1), 0), None);
}
