//! Chargebacks, retrievals, captures, voids and rates over HTTP.

use refundry_engine::Mode;
use serde_json::{Value, json};

use crate::app::{TestApp, euros};

fn told(merchant_id: &str, kind: &str, cents: i64, number: &str) -> Value {
    json!({
        "merchant_id": merchant_id, "payment_reference": "p1", "kind": kind, "amount": {"value": cents, "currency": "EUR"},
        "network_reference": number, "reason_code": "10.4", "reason": "fraud", "reply_by": "2026-12-01T00:00:00Z"
    })
}

#[tokio::test]
async fn a_chargeback_is_told_answered_and_decided() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    let (operator, stranger) = (app.operator(Mode::Sandbox).await, app.shop(Mode::Sandbox, "native").await);
    app.paid(&acme, "p1", "100.00 EUR").await;
    let merchant_id = acme.merchant.id.to_string();
    let wish = told(&merchant_id, "chargeback", 4_000, "case 1");
    assert_eq!(acme.key.post("/api/v1/disputes", wish.clone()).await.status, 403, "merchants tell of no disputes");
    let seen = operator.post("/api/v1/disputes", wish.clone()).await;
    assert_eq!((seen.status, seen.text("/state"), seen.text("/charged/text")), (201, "open".into(), "40.00 EUR".into()));
    assert_eq!(operator.post("/api/v1/disputes", wish).await.status, 200, "told again");
    let id = seen.text("/dispute_id");
    let other = told(&merchant_id, "chargeback", 4_001, "case 1");
    assert_eq!(operator.post("/api/v1/disputes", other).await.brief(), "409 repeat_inconsistent amount");
    assert_eq!(acme.key.refund("r1", euros("p1", 100)).await.brief(), "422 chargeback_open -");

    let open = acme.key.get("/api/v1/disputes/open").await;
    assert_eq!((open.text("/items/0/kind"), open.json()["items"][0]["count"].clone()), ("chargeback".into(), json!(1)));
    let change = format!("/api/v1/disputes/{id}/change");
    assert_eq!(stranger.key.post(&change, json!({"change": "accept"})).await.status, 404, "nobody else's");
    assert_eq!(stranger.key.get(&format!("/api/v1/disputes/{id}")).await.status, 404);
    assert_eq!(acme.key.post(&change, json!({"change": "win"})).await.status, 403, "the issuer decides");
    let answered = acme.key.post(&change, json!({"change": "represent", "note": "delivered"})).await;
    assert_eq!((answered.text("/state"), answered.text("/note")), ("represented".into(), "delivered".into()));
    let won = operator.post(&format!("{change}?merchant_id={merchant_id}"), json!({"change": "win"})).await;
    assert_eq!(won.text("/state"), "won");
    assert_eq!(acme.key.post(&change, json!({"change": "accept"})).await.brief(), "409 dispute_state_forbids -");
    assert_eq!(acme.key.get("/api/v1/disputes?state=won&kind=chargeback").await.text("/items/0/dispute_id"), id);
    assert_eq!(acme.key.get("/api/v1/disputes/open").await.json()["items"], json!([]));
    assert_eq!(acme.key.refund("r2", euros("p1", 100)).await.status, 201);
    let kinds: Vec<String> = acme.key.get("/api/v1/events").await.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|event| event["type"].as_str().filter(|kind| kind.starts_with("chargeback.")).map(str::to_owned))
        .collect();
    assert_eq!(kinds, ["chargeback.opened", "chargeback.represented", "chargeback.won"]);
}

#[tokio::test]
async fn a_retrieval_freezes_refunds_but_for_the_one_that_accepts_it() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    let operator = app.operator(Mode::Sandbox).await;
    let payment = app.paid(&acme, "p1", "100.00 EUR").await;
    let seen = operator.post("/api/v1/disputes", told(&acme.merchant.id.to_string(), "retrieval", 10_000, "case 2")).await;
    let id = seen.text("/dispute_id");
    assert_eq!(acme.key.refund("r1", euros("p1", 100)).await.brief(), "422 retrieval_open -");
    let mut accepting = euros("p1", 10_000);
    accepting["accepts_dispute"] = json!(id);
    let refund = acme.key.refund("r2", accepting).await;
    assert_eq!(refund.status, 201);
    let accepted = acme.key.get(&format!("/api/v1/disputes?payment_id={}", payment.id)).await;
    assert_eq!((accepted.text("/items/0/state"), accepted.text("/items/0/refund_id")), ("accepted".into(), refund.text("/refund_id")));
}

#[tokio::test]
async fn authorisations_are_captured_in_part_or_voided() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    let operator = app.operator(Mode::Sandbox).await;
    app.authorised(&acme, "p1", "100.00 EUR").await;
    app.authorised(&acme, "p2", "50.00 EUR").await;
    let id = |reference: &'static str| {
        let operator = &operator;
        let merchant_id = acme.merchant.id;
        async move {
            operator
                .get(&format!("/api/v1/payments?merchant_id={merchant_id}&payment_reference={reference}"))
                .await
                .text("/items/0/payment_id")
        }
    };
    let of = format!("?merchant_id={}", acme.merchant.id);
    let capture = format!("/api/v1/payments/{}/capture", id("p1").await);
    let amount = |cents: i64| json!({"amount": {"value": cents, "currency": "EUR"}});
    assert_eq!(acme.key.post(&capture, amount(6_000)).await.status, 403, "a plain shop key captures nothing");
    assert_eq!(operator.post(&format!("{capture}{of}"), amount(10_001)).await.brief(), "422 exceeds_authorised amount");
    let captured = operator.post(&format!("{capture}{of}"), amount(6_000)).await;
    assert_eq!((captured.text("/status"), captured.text("/captured/text")), ("captured".into(), "60.00 EUR".into()));
    assert_eq!(acme.key.refund("r1", euros("p1", 6_001)).await.status, 422);
    let void = format!("/api/v1/payments/{}/void{of}", id("p2").await);
    assert_eq!(operator.post(&void, json!({})).await.text("/status"), "cancelled");
    assert_eq!(
        operator.post(&format!("/api/v1/payments/{}/void{of}", id("p1").await), json!({})).await.brief(),
        "409 payment_status_forbids -"
    );
}

#[tokio::test]
async fn rates_are_exact_and_read_by_day() {
    let app = TestApp::start().await;
    let (live, acme) = (app.operator(Mode::Live).await, app.shop(Mode::Live, "native").await);
    let rate = |day: &str, price: &str| json!({"base": "USD", "quoted": "CNY", "day": day, "price": price});
    let rates = json!({"rates": [rate("2026-01-30", "7.1000"), rate("2026-01-31", "7.123456789012")]});
    assert_eq!(live.put("/api/v1/rates", rates.clone()).await.json(), json!({"imported": 2}));
    assert_eq!(acme.key.put("/api/v1/rates", rates).await.status, 403);
    for wrong in [rate("2026-02-30", "7"), rate("2026-02-01", "-7"), rate("2026-02-01", "7e1"), rate("2026-02-01", "0.0")] {
        assert_eq!(live.put("/api/v1/rates", json!({"rates": [wrong]})).await.status, 400);
    }
    let kept = acme.key.get("/api/v1/rates?base=USD&from=2026-01-31").await;
    assert_eq!((kept.text("/items/0/price"), kept.json()["items"].as_array().unwrap().len()), ("7.123456789012".into(), 1));
}
