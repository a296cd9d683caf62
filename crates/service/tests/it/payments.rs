use std::collections::BTreeSet;

use refundry_engine::ids::IDS_PER_MS;
use refundry_engine::payment::PaymentKey;
use refundry_engine::policy::PolicyPatch;
use refundry_engine::refund::REASON_LENGTH_MAX;
use refundry_engine::{Mode, Refusal, Timestamp};
use refundry_service::{payments, refunds};
use refundry_store::{PageRequest, PaymentFilter};

use crate::house::{House, money, payment, refund, refused};

#[tokio::test]
async fn payments_of_one_millisecond_get_an_id_each_and_are_known_again() {
    let house = House::build().await;
    let shop = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await;
    let (service, operator) = (&house.service, house.operator(Mode::Sandbox));
    let paid_at = service.world.now().plus_days(-300);
    let many = || (0..5_000).map(|number| payment(&shop, &format!("p{number}"), "10.00 EUR", paid_at)).collect::<Vec<_>>();
    let recorded = payments::import(service, &operator, many()).await;
    let ids: BTreeSet<_> = recorded.iter().map(|result| result.as_ref().unwrap().payment.id).collect();
    assert_eq!(ids.len(), 5_000);
    assert!(ids.iter().all(|id| id.instant() <= paid_at.plus_ms(1)), "the id carries the payment's own time");
    let again = payments::import(service, &operator, many()).await;
    assert!(again.iter().all(|result| !result.as_ref().unwrap().created));
    let page = PageRequest { after: None, limit: 200 };
    let listed = payments::list(service, &operator, PaymentFilter::default(), page).await.unwrap();
    assert_eq!((listed.rows.len(), listed.next.is_some()), (200, true));
}

#[tokio::test]
async fn a_refund_takes_its_terminal_from_the_payment_and_tells_its_story() {
    let house = House::build().await;
    let shop = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await;
    house.paid(&shop, "p1", "100.00 EUR").await;
    let (service, caller) = (&house.service, &shop.caller);
    let mut dry = refund("r1", "p1", "40.00 EUR");
    dry.dry_run = true;
    let would = refunds::create(service, caller, refunds::NATIVE, dry).await.unwrap();
    assert_eq!(refused(refunds::find(service, caller, None, would.refund.id).await), Refusal::UnknownRefund);

    let accepted = refunds::create(service, caller, refunds::NATIVE, refund("r1", "p1", "40.00 EUR")).await.unwrap();
    assert_eq!((accepted.refund.terminal_id, accepted.replayed), (shop.terminal.id, false));
    assert_eq!(accepted.refundable, money("60.00 EUR"));
    let again = refunds::create(service, caller, refunds::NATIVE, refund("r1", "p1", "40.00 EUR")).await.unwrap();
    assert_eq!((again.refund.id, again.replayed), (accepted.refund.id, true));
    let other = refunds::create(service, caller, refunds::NATIVE, refund("r1", "p1", "41.00 EUR")).await;
    assert!(matches!(refused(other), Refusal::RepeatInconsistent { field, .. } if field == "amount"));

    let story = refunds::story(service, caller, None, accepted.refund.id).await.unwrap();
    assert!(story.next.is_some() && !story.timeline.is_empty() && !story.explanation.why.en.is_empty());
    house.work().await;
    let story = refunds::story(service, caller, None, accepted.refund.id).await.unwrap();
    assert!(story.refund.state.is_final() && story.next.is_none());
    let by_number = refunds::find_by_number(service, caller, refunds::NATIVE, None, "r1").await.unwrap();
    assert_eq!(by_number, story.refund);
    let cancelled = refunds::cancel(service, caller, None, accepted.refund.id).await;
    assert!(matches!(refused(cancelled), Refusal::RefundStateForbids { .. }));
    let key = PaymentKey::Reference("p1".to_owned());
    assert_eq!(payments::find(service, caller, None, &key).await.unwrap().refundable(), money("60.00 EUR"));
}

#[tokio::test]
async fn a_refund_in_its_undo_window_is_cancelled_and_too_long_texts_are_named() {
    let house = House::build().await;
    let policy = PolicyPatch { undo_seconds: Some(60), ..PolicyPatch::default() };
    let shop = house.shop(Mode::Sandbox, "native", policy).await;
    house.paid(&shop, "p1", "100.00 EUR").await;
    let (service, caller) = (&house.service, &shop.caller);
    let accepted = refunds::create(service, caller, refunds::NATIVE, refund("r1", "p1", "40.00 EUR")).await.unwrap();
    house.work().await;
    let cancelled = refunds::cancel(service, caller, None, accepted.refund.id).await.unwrap();
    assert!(cancelled.state.is_final());
    let mut long = refund("r2", "p1", "1.00 EUR");
    long.wish.reason = Some("字".repeat(REASON_LENGTH_MAX + 1));
    let found = refused(refunds::create(service, caller, refunds::NATIVE, long).await);
    assert!(matches!(found, Refusal::FieldInvalid { field, .. } if field == "reason"));
}

#[tokio::test]
async fn payments_of_before_the_first_id_are_as_many_as_there_are_and_none_is_of_the_future() {
    let house = House::build().await;
    let shop = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await;
    let (service, operator) = (&house.service, house.operator(Mode::Sandbox));
    let of_2018 = Timestamp::from_ms(1_525_132_800_000);
    let many = (0..=u32::from(IDS_PER_MS)).map(|number| payment(&shop, &format!("old{number}"), "1.00 EUR", of_2018)).collect();
    let results = payments::import(service, &operator, many).await;
    assert!(results.iter().all(Result::is_ok), "{:?}", results.iter().find(|result| result.is_err()));

    let now = service.world.now();
    payments::record(service, &operator, payment(&shop, "today", "1.00 EUR", now.plus_seconds(3_600))).await.unwrap();
    let found = refused(payments::record(service, &operator, payment(&shop, "some day", "1.00 EUR", now.plus_days(2))).await);
    assert!(matches!(&found, Refusal::FieldInvalid { field, .. } if field == "paid_at"), "{found:?}");
}
