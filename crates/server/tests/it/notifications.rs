//! Endpoints, notifications, replays, and the feed.

use std::sync::atomic::Ordering;

use axum::body::Body;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::Method;
use refundry_engine::Mode;
use refundry_service::signatures::hmac_sha256;
use refundry_service::{Caller, funds};
use serde_json::{Value, json};

use crate::app::{TestApp, euros, money};

#[tokio::test]
async fn an_endpoint_hears_of_a_refund_and_can_check_who_says_so() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    let wish = json!({"url": "https://shop.example/hook", "events": ["refund.succeeded"]});
    let endpoint = acme.key.post("/api/v1/notification-endpoints", wish).await;
    assert_eq!(endpoint.status, 201, "{:?}", endpoint.bytes);
    let secret = endpoint.text("/secret");
    let listed = acme.key.get("/api/v1/notification-endpoints").await;
    assert_eq!(listed.json()["items"][0].get("secret"), None, "a secret is shown once");

    let refund = acme.key.refund("r1", euros("p1", 1_000)).await;
    app.work().await;
    let letters: Vec<_> = app.post.received.lock().unwrap().drain(..).collect();
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    let header = |name: &str| letter.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap();
    let signed = format!("{}.{}.{}", header("webhook-id"), header("webhook-timestamp"), std::str::from_utf8(&letter.body).unwrap());
    let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let expected = format!("v1,{}", BASE64_STANDARD.encode(hmac_sha256(&key, signed.as_bytes())));
    assert_eq!((letter.url.as_str(), header("webhook-signature")), ("https://shop.example/hook", expected));
    let body: Value = serde_json::from_slice(&letter.body).unwrap();
    assert_eq!(
        (body["type"].as_str(), body["data"]["refund_id"].as_str()),
        (Some("refund.succeeded"), Some(refund.text("/refund_id").as_str()))
    );

    let path = format!("/api/v1/notifications/{}", header("webhook-id"));
    let story = acme.key.get(&path).await;
    assert_eq!((story.text("/state").as_str(), story.text("/attempts/0/status").as_str()), ("delivered", "200"));
    let replayed = acme.key.send(Method::POST, &format!("{path}/replay"), &[], Body::empty()).await;
    assert_eq!(replayed.text("/state"), "due");
    app.work().await;
    let again = app.post.received.lock().unwrap().pop().unwrap();
    assert_eq!(again.body, letter.body, "a replay says the same");
    assert_eq!(acme.key.get(&path).await.json()["attempts"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_deaf_endpoint_is_parked_and_a_range_is_sent_again() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    let wish = json!({"url": "https://shop.example/hook", "events": ["refund.succeeded"]});
    acme.key.post("/api/v1/notification-endpoints", wish).await;
    app.post.deaf.store(true, Ordering::SeqCst);
    for number in 0..3 {
        acme.key.refund(&format!("r{number}"), euros("p1", 100)).await;
    }
    for _ in 0..20 {
        app.work().await;
        app.clock.advance(86_400_000);
    }
    let parked = acme.key.get("/api/v1/notifications?state=parked").await;
    assert_eq!(parked.json()["items"].as_array().unwrap().len(), 3);
    app.post.deaf.store(false, Ordering::SeqCst);
    let range = acme.key.post("/api/v1/notifications/replay", json!({"state": "parked"})).await;
    assert_eq!(range.json(), json!({"replayed": 3, "more": false}));
    app.work().await;
    assert_eq!(acme.key.get("/api/v1/notifications?state=delivered").await.json()["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn an_endpoint_is_changed_and_removed() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    let made = acme.key.post("/api/v1/notification-endpoints", json!({"url": "https://shop.example/a"})).await;
    let path = format!("/api/v1/notification-endpoints/{}", made.text("/endpoint_id"));
    let changed = acme.key.put(&path, json!({"url": "https://shop.example/b", "enabled": false, "new_secret": true})).await;
    assert_eq!((changed.text("/url").as_str(), changed.text("/enabled").as_str()), ("https://shop.example/b", "false"));
    assert_ne!(changed.text("/secret"), made.text("/secret"));
    for (body, expected) in [
        (json!({"url": "ftp://shop.example"}), "422 field_invalid url"),
        (json!({"url": "shop.example"}), "422 field_invalid url"),
        (json!({"url": "https://shop.example", "events": ["refund.lost"]}), "422 field_invalid events"),
    ] {
        assert_eq!(acme.key.post("/api/v1/notification-endpoints", body).await.brief(), expected);
    }
    assert_eq!(acme.key.delete(&path).await.status, 204);
    assert_eq!(acme.key.delete(&path).await.brief(), "404 unknown -");
}

#[tokio::test]
async fn the_feed_waits_for_news_and_not_for_ever() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    let last: i64 = acme.key.get("/api/v1/events").await.text("/after").parse().unwrap();
    let path = format!("/api/v1/events?after={last}&wait_seconds=20");
    let waiting = {
        let (key, path) = (acme.key.clone(), path.clone());
        tokio::spawn(async move { key.get(&path).await })
    };
    while !app.clock.is_waited_for() {
        tokio::task::yield_now().await;
    }
    acme.key.refund("r1", euros("p1", 100)).await;
    assert_eq!(waiting.await.unwrap().text("/items/0/type"), "refund.accepted");
    let last: i64 = acme.key.get("/api/v1/events?limit=200").await.text("/after").parse().unwrap();
    let path = format!("/api/v1/events?after={last}&wait_seconds=20");
    let in_vain = {
        let key = acme.key.clone();
        tokio::spawn(async move { key.get(&path).await })
    };
    while !app.clock.is_waited_for() {
        tokio::task::yield_now().await;
    }
    app.clock.advance(20_000);
    assert_eq!(in_vain.await.unwrap().json(), json!({"items": [], "after": last}));
}

#[tokio::test]
async fn the_feed_finds_what_another_process_wrote() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    let last: i64 = acme.key.get("/api/v1/events").await.text("/after").parse().unwrap();
    let other = app.second_node();
    let waiting = {
        let key = acme.key.clone();
        tokio::spawn(async move { key.get(&format!("/api/v1/events?after={last}&wait_seconds=20")).await })
    };
    while !app.clock.is_waited_for() {
        tokio::task::yield_now().await;
    }
    let operator = Caller::operator("olga", Mode::Sandbox);
    funds::top_up(&other, &operator, Some(acme.merchant.id), money("5.00 EUR"), "t1".to_owned()).await.unwrap();
    app.clock.advance(1_000);
    assert_eq!(waiting.await.unwrap().text("/items/0/type"), "funds.topped_up");
}
