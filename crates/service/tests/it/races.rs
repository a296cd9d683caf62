//! Many callers at once, on threads, through the whole service.

use std::sync::Arc;

use futures::future::join_all;
use refundry_engine::payment::PaymentKey;
use refundry_engine::policy::PolicyPatch;
use refundry_engine::{Mode, Refusal};
use refundry_service::{ServiceError, payments, refunds};

use crate::house::{House, money, refund};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_refunds_of_one_on_a_payment_of_one_hundred() {
    let house = Arc::new(House::build().await);
    let shop = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await;
    house.paid(&shop, "p1", "100.00 EUR").await;
    let asked = (0..200).map(|number| {
        let (house, caller) = (house.clone(), shop.caller.clone());
        tokio::spawn(async move {
            let new = refund(&format!("r{number}"), "p1", "1.00 EUR");
            refunds::create(&house.service, &caller, refunds::NATIVE, new).await
        })
    });
    let answers: Vec<_> = join_all(asked).await.into_iter().map(Result::unwrap).collect();
    let exceeded = ServiceError::Refused(Refusal::ExceedsRefundable { refundable: money("0.00 EUR") });
    let other: Vec<_> = answers.iter().filter(|answer| answer.is_err() && answer.as_ref() != Err(&exceeded)).collect();
    assert!(other.is_empty(), "{other:?}");
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 100);
    assert_eq!(answers.iter().filter(|answer| answer.as_ref() == Err(&exceeded)).count(), 100);
    house.work().await;
    let key = PaymentKey::Reference("p1".to_owned());
    let payment = payments::find(&house.service, &shop.caller, None, &key).await.unwrap();
    assert_eq!((payment.refunded, payment.refund_count), (money("100.00 EUR"), 100));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_number_from_sixty_four_callers_is_one_refund() {
    let house = Arc::new(House::build().await);
    let shop = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await;
    house.paid(&shop, "p1", "100.00 EUR").await;
    let asked = (0..64).map(|_| {
        let (house, caller) = (house.clone(), shop.caller.clone());
        tokio::spawn(async move { refunds::create(&house.service, &caller, refunds::NATIVE, refund("r", "p1", "30.00 EUR")).await })
    });
    let answers: Vec<_> = join_all(asked).await.into_iter().map(|answer| answer.unwrap().unwrap()).collect();
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    assert!(answers.iter().all(|answer| answer.refund.id == answers[0].refund.id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cancel_races_with_the_worker_and_exactly_one_wins() {
    let house = Arc::new(House::build().await);
    let policy = PolicyPatch { undo_seconds: Some(1), ..PolicyPatch::default() };
    let shop = house.shop(Mode::Sandbox, "native", policy).await;
    house.paid(&shop, "p1", "100.00 EUR").await;
    let mut ids = Vec::new();
    for number in 0..50 {
        let new = refund(&format!("r{number}"), "p1", "1.00 EUR");
        ids.push(refunds::create(&house.service, &shop.caller, refunds::NATIVE, new).await.unwrap().refund.id);
    }
    house.clock.advance(1_000);
    let working = {
        let house = house.clone();
        tokio::spawn(async move { house.work().await })
    };
    let cancels = ids.iter().map(|id| refunds::cancel(&house.service, &shop.caller, None, *id));
    let cancelled = join_all(cancels).await;
    working.await.unwrap();
    house.work().await;
    for (id, cancelled) in ids.into_iter().zip(cancelled) {
        let refund = refunds::find(&house.service, &shop.caller, None, id).await.unwrap();
        let state = refund.state.name().word();
        assert_eq!(state, if cancelled.is_ok() { "cancelled" } else { "succeeded" }, "{id}");
    }
}
