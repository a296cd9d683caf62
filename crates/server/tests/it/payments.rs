//! Payments: recorded one by one or many at once, and read.

use axum::body::Body;
use http::Method;
use refundry_engine::Mode;
use serde_json::{Value, json};

use crate::app::{Seen, Shop, TestApp, euros};

fn told(shop: &Shop, reference: &str, cents: i64) -> Value {
    json!({
        "merchant_id": shop.merchant.id, "terminal_id": shop.terminal.id, "payment_reference": reference,
        "merchant_reference": "order 1", "method": "card", "status": "captured", "paid_at": "2025-12-31T23:00:00+08:00",
        "authorised": {"value": cents, "currency": "EUR"}, "fee": {"value": 30, "currency": "EUR"},
        "details": {"card_scheme": "visa", "card_last4": "4242"},
    })
}

#[tokio::test]
async fn a_payment_is_recorded_once_and_read() {
    let app = TestApp::start().await;
    let (acme, operator) = (app.shop(Mode::Sandbox, "native").await, app.operator(Mode::Sandbox).await);
    let first = operator.post("/api/v1/payments", told(&acme, "p1", 5_000)).await;
    assert_eq!(first.status, 201, "{:?}", first.bytes);
    let again = operator.post("/api/v1/payments", told(&acme, "p1", 5_000)).await;
    assert_eq!((again.status, again.text("/payment_id")), (200, first.text("/payment_id")));
    assert_eq!(operator.post("/api/v1/payments", told(&acme, "p1", 5_001)).await.brief(), "409 payment_inconsistent authorised");
    let mut other_method = told(&acme, "p1", 5_000);
    other_method["method"] = "ALIPAY_CN".into();
    assert_eq!(operator.post("/api/v1/payments", other_method).await.brief(), "409 payment_inconsistent method");
    let read = acme.key.get(&format!("/api/v1/payments/{}", first.text("/payment_id"))).await;
    insta::assert_snapshot!(
        format!("{} {} {} {} {}", read.text("/status"), read.text("/paid_at"), read.text("/refundable/text"), read.text("/details"), read.text("/settled")),
        @r#"captured 2025-12-31T15:00:00Z 50.00 EUR {"card_scheme":"visa","card_last4":"4242"} false"#
    );
    let settle = format!("/api/v1/payments/{}/settle?merchant_id={}", first.text("/payment_id"), acme.merchant.id);
    assert_eq!(operator.send(Method::POST, &settle, &[], Body::empty()).await.text("/settled"), "true");
    assert_eq!(acme.key.post("/api/v1/payments", told(&acme, "p2", 1)).await.brief(), "403 not_allowed -");
}

#[tokio::test]
async fn a_payment_that_is_wrong_says_where() {
    let app = TestApp::start().await;
    let (acme, operator) = (app.shop(Mode::Sandbox, "native").await, app.operator(Mode::Sandbox).await);
    let quote = |price: &str| json!({"settlement_currency": "USD", "price": price});
    for (field, value, expected) in [
        ("paid_at", json!("yesterday"), "422 field_invalid paid_at"),
        ("merchant_reference", json!(null), "422 field_invalid merchant_reference"),
        ("status", json!("stolen"), "422 field_invalid status"),
        ("colour", json!("red"), "422 field_unknown colour"),
        ("details", json!({"card_number": "4242424242424242"}), "422 field_unknown details.card_number"),
        ("quote", quote("1e3"), "422 field_invalid quote.price"),
        ("quote", quote("0"), "422 field_invalid quote.price"),
        ("terminal_id", json!("ter_0000000000000"), "404 unknown_terminal -"),
        ("merchant_id", json!("mer_0000000000000"), "404 unknown_merchant -"),
        ("merchant_id", json!(null), "422 field_invalid merchant_id"),
    ] {
        let mut body = told(&acme, "p1", 100);
        body[field] = value;
        assert_eq!(operator.post("/api/v1/payments", body).await.brief(), expected, "{field}");
    }
}

fn lines(seen: &Seen) -> Vec<Value> {
    String::from_utf8(seen.bytes.to_vec()).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_thousand_lines_are_imported_and_each_bad_one_is_named() {
    let app = TestApp::start().await;
    let (acme, operator) = (app.shop(Mode::Sandbox, "native").await, app.operator(Mode::Sandbox).await);
    let mut text = String::new();
    for number in 1..=1_000_i64 {
        match number {
            100 => text.push_str("{\"payment_reference\":"),
            200 => text.push_str(&told(&acme, "p1", 70).to_string()),
            300 => text.push_str(&told(&acme, "", 100).to_string()),
            400 => text.push_str(&told(&acme, "p1", 100).to_string()),
            500 => {}
            other => text.push_str(&told(&acme, &format!("p{other}"), 100).to_string()),
        }
        text.push('\n');
    }
    text.pop();
    // In pieces that end anywhere.
    let pieces: Vec<Result<bytes::Bytes, std::io::Error>> =
        text.as_bytes().chunks(777).map(|piece| Ok(bytes::Bytes::copy_from_slice(piece))).collect();
    let body = Body::from_stream(futures::stream::iter(pieces));
    let seen = operator.send(Method::POST, "/api/v1/payments/import", &[("content-type", "application/x-ndjson")], body).await;
    assert_eq!((seen.status, seen.header("content-type")), (200, Some("application/x-ndjson")));
    let lines = lines(&seen);
    let refused: Vec<String> = lines
        .iter()
        .filter(|line| line["problem"].is_object())
        .map(|line| format!("{} {} {}", line["line"], line["problem"]["code"], line["problem"]["field"]))
        .collect();
    insta::assert_snapshot!(refused.join("\n"), @r#"
    100 "malformed_json" null
    200 "payment_inconsistent" "authorised"
    300 "field_invalid" "payment_reference"
    "#);
    assert_eq!(*lines.last().unwrap(), json!({"lines": 999, "created": 995, "updated": 1, "refused": 3, "complete": true}));
    assert_eq!(lines.len(), 1_000);
    let listed = operator.get("/api/v1/payments?payment_reference=p1000").await;
    assert_eq!(listed.brief(), "422 field_invalid merchant_id", "an operator's key names the merchant");
    let listed = acme.key.get("/api/v1/payments?payment_reference=p1000").await;
    assert_eq!(listed.text("/items/0/refundable/text"), "1.00 EUR");
    assert_eq!(acme.key.refund("r1", euros("p1000", 100)).await.brief(), "422 not_enough_funds -", "the fee is gone");
    assert_eq!(acme.key.refund("r1", euros("p1000", 70)).await.status, 201);
}

#[tokio::test]
async fn a_line_without_an_end_is_cut_off() {
    let app = TestApp::start().await;
    let (acme, operator) = (app.shop(Mode::Sandbox, "native").await, app.operator(Mode::Sandbox).await);
    let text = format!("{}\n{}", told(&acme, "p1", 100), " ".repeat(2_000_000));
    let seen = operator.send(Method::POST, "/api/v1/payments/import", &[("content-type", "application/x-ndjson")], Body::from(text)).await;
    let lines = lines(&seen);
    assert_eq!((lines[0]["created"].clone(), lines[1]["problem"]["code"].clone()), (json!(true), json!("body_too_large")));
    assert_eq!(lines[2]["complete"], false);
}
