//! Receivers belong to strangers: one that never answers costs its own notifications, never a refund.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use refundry_engine::Mode;
use refundry_engine::policy::PolicyPatch;
use refundry_engine::refund::RefundStateName;
use refundry_service::endpoints::{self, NewEndpoint};
use refundry_service::workers::WorkerSettings;
use refundry_service::workers::crew::Crew;
use refundry_service::{Work, refunds};
use refundry_store::{PageRequest, RefundFilter};

use crate::house::{House, refund};

#[tokio::test]
async fn refunds_are_paid_while_every_receiver_is_silent() {
    let house = House::build().await;
    let shop = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await;
    let (service, caller) = (&house.service, &shop.caller);
    let new = NewEndpoint { merchant_id: None, url: "https://shop.example/hook".to_owned(), events: Vec::new() };
    endpoints::create(service, caller, new).await.unwrap();
    house.paid(&shop, "p1", "100.00 EUR").await;
    house.post.1.store(true, Ordering::SeqCst);

    let settings = WorkerSettings { concurrency: 4, ..WorkerSettings::default() };
    let crew = Arc::new(Crew::new(service.clone(), settings));
    let working = tokio::spawn(async move { crew.run(std::future::pending()).await });
    for number in 0..20 {
        refunds::create(service, caller, refunds::NATIVE, refund(&format!("r{number}"), "p1", "1.00 EUR")).await.unwrap();
    }
    let all_paid = async {
        loop {
            let page = refunds::list(service, caller, RefundFilter::default(), PageRequest::default()).await.unwrap();
            if page.rows.iter().filter(|refund| refund.state.name() == RefundStateName::Succeeded).count() == 20 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), all_paid).await.expect("silent receivers hold refunds up");
    assert_eq!(house.post.0.lock().unwrap().len(), 2, "deliveries under way: half of the places");
    working.abort();
}

#[tokio::test]
async fn a_clock_that_goes_back_does_not_stop_the_looking() {
    let house = House::build().await;
    let shop = house.shop(Mode::Sandbox, "native", PolicyPatch { undo_seconds: Some(60), ..PolicyPatch::default() }).await;
    let (service, caller) = (&house.service, &shop.caller);
    house.clock.advance(3_600_000);
    house.work().await;
    house.clock.advance(-3_600_000);
    house.paid(&shop, "p1", "100.00 EUR").await;
    refunds::create(service, caller, refunds::NATIVE, refund("r1", "p1", "1.00 EUR")).await.unwrap();
    house.clock.advance(120_000);

    let paid = async {
        loop {
            let page = refunds::list(service, caller, RefundFilter::default(), PageRequest::default()).await.unwrap();
            if page.rows.iter().all(|refund| refund.state.name() == RefundStateName::Succeeded) {
                return;
            }
            tokio::task::yield_now().await;
            house.clock.advance(100);
        }
    };
    let working = house.crew.run(std::future::pending());
    let (working, paid) = (std::pin::pin!(working), std::pin::pin!(paid));
    let first = tokio::time::timeout(Duration::from_secs(30), futures::future::select(working, paid)).await;
    assert!(first.is_ok(), "nobody looks for what is due");
}

#[tokio::test]
async fn news_that_waited_longer_than_its_lease_is_told_once() {
    let house = House::build().await;
    let shop = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await;
    let (service, caller) = (&house.service, &shop.caller);
    let new = NewEndpoint { merchant_id: None, url: "https://shop.example/hook".to_owned(), events: vec!["refund.accepted".to_owned()] };
    endpoints::create(service, caller, new).await.unwrap();
    house.paid(&shop, "p1", "100.00 EUR").await;
    refunds::create(service, caller, refunds::NATIVE, refund("r1", "p1", "1.00 EUR")).await.unwrap();
    house.clock.advance(WorkerSettings::default().lease_ms);
    let found = house.crew.claim(Work::Deliveries, 10).await;
    let handed = service.observer.inbox.take(Work::Deliveries, 10);
    assert_eq!((found.len(), handed.len()), (1, 1));
    for task in found.into_iter().chain(handed) {
        house.crew.perform(task).await;
    }
    assert_eq!(house.post.0.lock().unwrap().len(), 1);
}
