use refundry_dialects::RefundWish;
use refundry_engine::notification::NotificationState;
use refundry_engine::policy::PolicyPatch;
use refundry_engine::{Mode, Refusal};
use refundry_service::endpoints::{self, EndpointChange, NewEndpoint};
use refundry_service::notifications::{self, ReplayRange, ReplayedRange};
use refundry_service::{events, refunds};
use refundry_store::{NotificationFilter, PageRequest};

use crate::house::{House, refund, refused};

#[tokio::test]
async fn what_was_delivered_is_listed_and_sent_again_one_by_one_or_by_range() {
    let house = House::build().await;
    let shop = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await;
    let (service, caller) = (&house.service, &shop.caller);
    let new = NewEndpoint { merchant_id: None, url: "https://shop.example/hook".to_owned(), events: vec!["refund.succeeded".to_owned()] };
    let endpoint = endpoints::create(service, caller, new).await.unwrap().endpoint;
    house.paid(&shop, "p1", "100.00 EUR").await;
    for number in 0..3 {
        let new = refund(&format!("r{number}"), "p1", "1.00 EUR");
        refunds::create(service, caller, refunds::NATIVE, new).await.unwrap();
    }
    house.work().await;
    assert_eq!(house.post.0.lock().unwrap().len(), 3);

    let listed = notifications::list(service, caller, NotificationFilter::default(), PageRequest::default()).await.unwrap();
    assert_eq!(listed.rows.len(), 3);
    let story = notifications::story(service, caller, None, listed.rows[0].id).await.unwrap();
    assert_eq!((story.notification.state, story.attempts.len()), (NotificationState::Delivered, 1));
    notifications::replay(service, caller, None, listed.rows[0].id).await.unwrap();
    house.work().await;
    assert_eq!(house.post.0.lock().unwrap().len(), 4);

    let range = |from, to| ReplayRange { merchant_id: None, state: NotificationState::Delivered, from, to };
    let now = service.world.now();
    let none = notifications::replay_range(service, caller, range(Some(now.plus_ms(1)), None)).await.unwrap();
    assert_eq!(none, ReplayedRange { replayed: 0, more: false });
    let all = notifications::replay_range(service, caller, range(Some(now), Some(now.plus_ms(1)))).await.unwrap();
    assert_eq!(all, ReplayedRange { replayed: 3, more: false });
    house.work().await;
    let sent = house.post.0.lock().unwrap().clone();
    assert_eq!(sent.len(), 7);
    let id_of = |index: usize| sent[index].headers.iter().find(|(name, _)| name == "webhook-id").map(|(_, value)| value.clone());
    assert!((3..7).all(|index| (0..3).any(|first| id_of(first) == id_of(index))), "a repeat has the id of the first");

    let off = EndpointChange { enabled: Some(false), ..EndpointChange::default() };
    endpoints::change(service, caller, None, endpoint.id, off).await.unwrap();
    endpoints::remove(service, caller, None, endpoint.id).await.unwrap();
    let gone = refused(endpoints::remove(service, caller, None, endpoint.id).await);
    assert_eq!(gone, Refusal::Unknown { what: "endpoint".to_owned() });
}

#[tokio::test]
async fn the_feed_has_no_gaps_and_begins_behind_a_number() {
    let house = House::build().await;
    let shop = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await;
    let (service, caller) = (&house.service, &shop.caller);
    house.paid(&shop, "p1", "100.00 EUR").await;
    for number in 0..5 {
        refunds::create(service, caller, refunds::NATIVE, refund(&format!("r{number}"), "p1", "1.00 EUR")).await.unwrap();
    }
    house.work().await;
    let mut after = 0;
    let mut seen = 0;
    loop {
        let page = events::after(service, caller, None, after, 7).await.unwrap();
        for event in &page {
            after += 1;
            assert_eq!(event.sequence, after);
        }
        seen += page.len();
        if page.is_empty() {
            break;
        }
    }
    assert!(seen > 15, "{seen}");
}

#[tokio::test]
async fn bad_addresses_and_unknown_events_are_named() {
    let house = House::build().await;
    let shop = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await;
    for (url, events, wrong) in [
        ("ftp://shop.example/", vec![], "url"),
        ("shop.example", vec![], "url"),
        ("", vec![], "url"),
        ("http://user:secret@shop.example/", vec![], "url"),
        ("https://shop.example/", vec!["refund.exploded".to_owned()], "events"),
    ] {
        let new = NewEndpoint { merchant_id: None, url: url.to_owned(), events };
        let found = refused(endpoints::create(&house.service, &shop.caller, new).await.map(|_| ()));
        assert!(matches!(&found, Refusal::FieldInvalid { field, .. } if field == wrong), "{url}: {found:?}");
    }
}

#[tokio::test]
async fn a_refund_is_refused_for_texts_that_cannot_be_kept_or_posted_to() {
    let house = House::build().await;
    let shop = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await;
    house.paid(&shop, "p1", "100.00 EUR").await;
    type Spoil = fn(&mut RefundWish);
    let rows: [(&str, Spoil); 5] = [
        ("number", |wish| wish.number = "r\t1".to_owned()),
        ("merchant_reference", |wish| wish.merchant_reference = Some("a\nb".to_owned())),
        ("reason", |wish| wish.reason = Some("a\0b".to_owned())),
        ("metadata", |wish| wish.metadata = Some("\0".to_owned())),
        ("notify_url", |wish| wish.notify_url = Some("file:///etc/passwd".to_owned())),
    ];
    for (wrong, spoil) in rows {
        let mut new = refund("r1", "p1", "1.00 EUR");
        spoil(&mut new.wish);
        let found = refused(refunds::create(&house.service, &shop.caller, refunds::NATIVE, new).await);
        assert!(matches!(&found, Refusal::FieldInvalid { field, .. } if field == wrong), "{wrong}: {found:?}");
    }
    let mut new = refund("r1", "p1", "1.00 EUR");
    new.wish.reason = Some("two\nlines".to_owned());
    refunds::create(&house.service, &shop.caller, refunds::NATIVE, new).await.unwrap();
}
