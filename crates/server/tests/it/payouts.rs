//! Payouts, their statements and files, the terms, and adjustments, over HTTP.

use axum::body::Body;
use http::Method;
use refundry_engine::Mode;
use refundry_engine::credential::Holder;
use refundry_service::credentials::{self, NewCredential, NewKey};
use refundry_service::people::{self, NewPerson};
use refundry_service::{Caller, payments};
use serde_json::{Value, json};

use crate::app::{Actor, Seen, Shop, TestApp, euros};

/// The key of a person of the operator's.
async fn operator(app: &TestApp, name: &str) -> Actor {
    let new = NewPerson { merchant_id: None, name: name.to_owned(), role: "finance".to_owned() };
    let person = people::create(&app.service, &Caller::operator("olga", Mode::Sandbox), new).await.unwrap();
    let new = NewCredential {
        holder: Holder::Operator { mode: Mode::Sandbox },
        dialect: "native".to_owned(),
        key: NewKey::Token,
        lookup: None,
        permissions: None,
        name: name.to_owned(),
        person_id: Some(person.id),
        expires_at: None,
    };
    let issued = credentials::issue(&app.service, &Caller::operator("olga", Mode::Sandbox), new).await.unwrap();
    Actor { token: issued.token.unwrap().to_string(), ..app.stranger() }
}

async fn settled(app: &TestApp, shop: &Shop, reference: &str, amount: &str) {
    let payment = app.paid(shop, reference, amount).await;
    payments::settle(&app.service, &Caller::operator("olga", Mode::Sandbox), Some(shop.merchant.id), payment.id).await.unwrap();
}

fn steps(payout: &str, step: &str, shop: &Shop) -> String {
    format!("/api/v1/payouts/{payout}/{step}?merchant_id={}", shop.merchant.id)
}

fn statement(seen: &Seen) -> String {
    let seen = seen.json();
    let movements = seen["statement"]["movements"].as_array().unwrap().iter();
    let movements: String =
        movements.map(|moved| format!(" {} {}", moved["part"].as_str().unwrap(), moved["net"]["text"].as_str().unwrap())).collect();
    let text = |value: &Value| value["text"].as_str().unwrap().to_owned();
    let of = &seen["statement"];
    format!(
        "opening {}{movements} closing {} payout {} left {}",
        text(&of["opening"]),
        text(&of["closing"]),
        text(&seen["amount"]),
        text(&of["left"])
    )
}

#[tokio::test]
async fn a_payout_is_prepared_by_one_sent_by_another_and_read_by_its_merchant() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    let (ann, bob) = (operator(&app, "ann").await, operator(&app, "bob").await);
    settled(&app, &acme, "=p1", "100.00 EUR").await;
    settled(&app, &acme, "p2", "50.00 EUR").await;
    acme.key.refund("r1", euros("p2", 2_000)).await;
    app.work().await;
    let wish = json!({"merchant_id": acme.merchant.id, "kind": "trade", "currency": "EUR", "note": "first"});
    let prepared = ann.post("/api/v1/payouts", wish.clone()).await;
    assert_eq!(prepared.status, 201, "{:?}", prepared.bytes);
    insta::assert_snapshot!(
        statement(&prepared),
        @"opening 0.00 EUR payments 150.00 EUR refunds -20.00 EUR closing 130.00 EUR payout 130.00 EUR left 0.00 EUR"
    );
    let id = prepared.text("/payout_id");
    assert_eq!(bob.post("/api/v1/payouts", wish).await.brief(), "409 payout_is_prepared -");
    assert_eq!(ann.post(&steps(&id, "send", &acme), json!({})).await.brief(), "403 second_person_needed -");
    assert_eq!(bob.post(&steps(&id, "send", &acme), json!({"bank_reference": "B7"})).await.text("/state"), "sent");
    let confirmed = ann.post(&steps(&id, "confirm", &acme), Value::Null).await;
    assert_eq!((confirmed.text("/state"), confirmed.text("/bank_reference")), ("paid".to_owned(), "B7".to_owned()));

    let own = acme.key.get(&format!("/api/v1/payouts/{id}")).await;
    assert_eq!(
        (own.text("/state"), own.text("/prepared_by"), own.text("/sent_by")),
        ("paid".into(), "operator:ann".into(), "operator:bob".into())
    );
    assert_eq!(acme.key.get("/api/v1/payouts?state=paid&currency=EUR").await.text("/items/0/payout_id"), id);
    assert_eq!(acme.key.get("/api/v1/payouts/totals").await.text("/items/0/amount/text"), "130.00 EUR");
    let kinds: Vec<String> = acme.key.get("/api/v1/events").await.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|event| event["type"].as_str().filter(|kind| kind.starts_with("payout.")).map(str::to_owned))
        .collect();
    assert_eq!(kinds, ["payout.prepared", "payout.sent", "payout.paid"]);
    assert_eq!(acme.key.post(&steps(&id, "confirm", &acme), Value::Null).await.status, 403, "merchants move no payouts");
}

#[tokio::test]
async fn lines_and_files_say_what_the_statement_says() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    let ann = operator(&app, "ann").await;
    settled(&app, &acme, "=p1", "100.00 EUR").await;
    settled(&app, &acme, "p2", "50.00 EUR").await;
    acme.key.refund("r1", euros("p2", 2_000)).await;
    let prepared = ann.post("/api/v1/payouts", json!({"merchant_id": acme.merchant.id, "kind": "trade", "currency": "EUR"})).await;
    let id = prepared.text("/payout_id");
    let page = acme.key.get(&format!("/api/v1/payouts/{id}/lines?limit=2")).await;
    let rest = acme.key.get(&format!("/api/v1/payouts/{id}/lines?limit=2&cursor={}", page.text("/next"))).await;
    let amounts: Vec<i64> = [&page, &rest]
        .iter()
        .flat_map(|page| page.json()["items"].as_array().unwrap().clone())
        .map(|line| line["amount"]["value"].as_i64().unwrap())
        .collect();
    assert_eq!(amounts, [10_000, 5_000, -2_000]);

    let summary = acme.key.get(&format!("/api/v1/payouts/{id}/summary.csv?bom=true")).await;
    assert_eq!(summary.header("content-type"), Some("text/csv; charset=utf-8"));
    let text = String::from_utf8(summary.bytes.to_vec()).unwrap();
    insta::assert_snapshot!(text.strip_prefix('\u{feff}').unwrap().replace(&id, "ID"), @r"
    payout_id,part,cause,credit_count,credit,debit_count,debit,net,currency
    ID,opening,,,,,,0.00,EUR
    ID,payments,payment_settled,2,150.00,0,0.00,150.00,EUR
    ID,refunds,refund_released,0,0.00,1,20.00,-20.00,EUR
    ID,closing,,,,,,130.00,EUR
    ID,payout,,,,,,130.00,EUR
    ID,left,,,,,,0.00,EUR
    ID,gross_captured,,,,,,150.00,EUR
    ID,gross_fee,,,,,,0.00,EUR
    ID,gross_fee_interchange,,,,,,0.00,EUR
    ID,gross_fee_cross_border,,,,,,0.00,EUR
    ID,gross_fee_scheme,,,,,,0.00,EUR
    ID,gross_fee_fixed,,,,,,0.00,EUR
    ID,gross_reserved,,,,,,0.00,EUR
    ID,gross_refunded,,,,,,20.00,EUR
    ID,gross_refund_fee,,,,,,0.00,EUR
    ID,gross_fee_given_back,,,,,,0.00,EUR
    ");
    let lines = acme.key.get(&format!("/api/v1/payouts/{id}/lines.csv")).await;
    let text = String::from_utf8(lines.bytes.to_vec()).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|row| row.split(',').collect()).collect();
    let said: Vec<String> = rows.iter().map(|row| format!("{} {} {}", row[3], row[4], row[6])).collect();
    assert_eq!(
        said,
        ["cause amount payment_reference", "payment_settled 100.00 '=p1", "payment_settled 50.00 p2", "refund_released -20.00 p2"]
    );

    let neighbour = app.shop(Mode::Sandbox, "native").await;
    for path in ["", "/lines", "/gross", "/lines.csv", "/summary.csv"] {
        assert_eq!(neighbour.key.get(&format!("/api/v1/payouts/{id}{path}")).await.brief(), "404 unknown -");
    }
}

#[tokio::test]
async fn terms_make_payouts_on_their_days() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    let ann = operator(&app, "ann").await;
    let path = format!("/api/v1/payout-terms/EUR?merchant_id={}", acme.merchant.id);
    let bank = json!({"bank": "First", "holder": "Acme", "last4": "12345678"});
    assert_eq!(ann.put(&path, json!({"days": {"kind": "daily"}, "bank": bank})).await.brief(), "422 field_invalid payout_terms.EUR.bank");
    let bank = json!({"bank": "First", "holder": "Acme", "last4": "5678"});
    let terms = ann.put(&path, json!({"days": {"kind": "daily"}, "minimum_minor": 1_000, "bank": bank})).await;
    assert_eq!(terms.status, 200, "{:?}", terms.bytes);
    let shown = acme.key.get("/api/v1/payout-terms").await;
    assert_eq!((shown.text("/items/0/currency"), shown.text("/items/0/minimum_minor")), ("EUR".to_owned(), "1000".to_owned()));
    settled(&app, &acme, "p1", "9.99 EUR").await;
    for (more, payouts) in [(None, 0), (Some("0.01 EUR"), 1), (None, 1)] {
        if let Some(more) = more {
            settled(&app, &acme, "p2", more).await;
        }
        app.clock.advance(86_400_000);
        app.work().await;
        let listed = acme.key.get("/api/v1/payouts").await;
        assert_eq!(listed.json()["items"].as_array().unwrap().len(), payouts);
    }
    let payout = acme.key.get("/api/v1/payouts").await;
    assert_eq!((payout.text("/items/0/amount/text"), payout.text("/items/0/bank/last4")), ("10.00 EUR".to_owned(), "5678".to_owned()));
    assert!(payout.json()["items"][0].get("prepared_by").is_none());
    let id = payout.text("/items/0/payout_id");
    assert_eq!(ann.post(&steps(&id, "send", &acme), json!({})).await.text("/state"), "sent", "nobody prepared it");
}

#[tokio::test]
async fn an_adjustment_is_booked_by_a_second_person_and_then_seen_by_its_merchant() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    let (ann, bob) = (operator(&app, "ann").await, operator(&app, "bob").await);
    let wish =
        json!({"merchant_id": acme.merchant.id, "kind": "other_credit", "amount": {"value": 500, "currency": "EUR"}, "reason": "gift"});
    assert_eq!(acme.key.post("/api/v1/adjustments", wish.clone()).await.status, 403);
    assert_eq!(ann.post("/api/v1/adjustments", wish.clone()).await.status, 400, "it has no number");
    let id = propose(&ann, "a1", &wish).await.text("/adjustment_id");
    assert_eq!(propose(&ann, "a1", &wish).await.text("/adjustment_id"), id, "the same number proposes once");
    let other = json!({"amount": {"value": 501, "currency": "EUR"}});
    let other: Value = wish.as_object().unwrap().iter().chain(other.as_object().unwrap()).map(|(k, v)| (k.clone(), v.clone())).collect();
    assert_eq!(propose(&ann, "a1", &other).await.status, 409);
    assert_eq!(acme.key.get("/api/v1/adjustments").await.json()["items"], json!([]));
    let book = format!("/api/v1/adjustments/{id}/book?merchant_id={}", acme.merchant.id);
    assert_eq!(ann.post(&book, Value::Null).await.brief(), "403 second_person_needed -");
    assert_eq!(bob.post(&book, Value::Null).await.text("/state"), "booked");
    let seen = acme.key.get("/api/v1/adjustments").await;
    assert_eq!((seen.text("/items/0/reason"), seen.text("/items/0/decided_by")), ("gift".to_owned(), "operator:bob".to_owned()));
    assert_eq!(acme.key.get("/api/v1/funds").await.json()["items"][0]["amount"]["text"], "5.00 EUR");
}

/// Proposes an adjustment under a number.
pub async fn propose(who: &Actor, number: &str, wish: &Value) -> Seen {
    let headers = [("content-type", "application/json"), ("idempotency-key", number)];
    who.send(Method::POST, "/api/v1/adjustments", &headers, Body::from(wish.to_string())).await
}

/// What is owed beyond a payment is shown, collected by the operator alone, and written off by two people; the fee for the chargeback is a line of its own.
#[tokio::test]
async fn what_is_owed_for_a_payment_is_collected_or_written_off() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    let (ann, bob) = (operator(&app, "ann").await, operator(&app, "bob").await);
    let merchant = acme.merchant.id.to_string();
    let fee = json!({"policy": {"chargeback_fee_minor": 1_000}});
    let desk = app.operator(Mode::Sandbox).await;
    assert_eq!(desk.put(&format!("/api/v1/merchants/{merchant}"), fee).await.status, 200);
    settled(&app, &acme, "p1", "100.00 EUR").await;
    settled(&app, &acme, "p2", "50.00 EUR").await;
    acme.key.refund("r1", euros("p1", 10_000)).await;
    app.work().await;
    let told = json!({"merchant_id": merchant, "payment_reference": "p1", "kind": "chargeback",
        "amount": {"value": 10_000, "currency": "EUR"}, "network_reference": "n1"});
    let told = desk.post("/api/v1/disputes", told).await;
    assert_eq!((told.text("/charged/text"), told.text("/fee/text")), ("0.00 EUR".to_owned(), "10.00 EUR".to_owned()));
    let payment = acme.key.get("/api/v1/payments?payment_reference=p1").await;
    assert_eq!(payment.text("/items/0/exposure/owed/text"), "100.00 EUR");
    let owed = acme.key.get("/api/v1/payments?exposed=true").await;
    assert_eq!((owed.text("/items/0/payment_reference"), owed.json().pointer("/items/1")), ("p1".to_owned(), None), "p2 owes nothing");
    let path = format!("/api/v1/payments/{}/collect-exposure?merchant_id={merchant}", payment.text("/items/0/payment_id"));
    assert_eq!(acme.key.post(&path, json!({})).await.status, 403);
    assert_eq!(ann.post(&path, json!({})).await.brief(), "422 not_enough_funds -");
    let left = json!({"leave": {"value": 6_000, "currency": "EUR"}});
    let seen = ann.post(&path, left).await;
    assert_eq!((seen.text("/exposure/owed/text"), seen.text("/exposure/collected/text")), ("60.00 EUR".to_owned(), "40.00 EUR".to_owned()));
    let wish = json!({"merchant_id": merchant, "kind": "exposure_written_off", "payment_reference": "p1", "reason": "insolvent",
        "amount": {"value": 6_000, "currency": "EUR"}});
    let id = propose(&ann, "w1", &wish).await.text("/adjustment_id");
    let book = format!("/api/v1/adjustments/{id}/book?merchant_id={merchant}");
    assert_eq!(ann.post(&book, Value::Null).await.brief(), "403 second_person_needed -");
    assert_eq!(bob.post(&book, Value::Null).await.text("/state"), "booked");
    let payment = acme.key.get("/api/v1/payments?payment_reference=p1").await;
    assert_eq!(
        (payment.text("/items/0/exposure/owed/text"), payment.text("/items/0/exposure/written_off/text")),
        ("0.00 EUR".to_owned(), "60.00 EUR".to_owned())
    );
    assert_eq!(acme.key.get("/api/v1/funds/overview").await.text("/currencies/0/owed/text"), "0.00 EUR");
    assert_eq!(acme.key.get("/api/v1/payments?exposed=true").await.json().pointer("/items/0"), None);
}

/// A statement says what its payments were before fees, and what the fees are made of.
#[tokio::test]
async fn a_statement_splits_the_fees_of_its_payments() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    let (desk, ann) = (app.operator(Mode::Sandbox).await, operator(&app, "ann").await);
    let told = |reference: &str, scheme: i64| {
        json!({"merchant_id": acme.merchant.id, "terminal_id": acme.terminal.id, "payment_reference": reference, "merchant_reference": "o",
            "method": "card", "status": "captured", "paid_at": "2026-01-01T00:00:00Z", "authorised": {"value": 10_000, "currency": "EUR"},
            "fee": {"value": 300, "currency": "EUR"},
            "details": {"fee_parts": {"interchange_minor": 120, "cross_border_minor": 40, "scheme_minor": scheme, "fixed_minor": 20}}})
    };
    assert_eq!(desk.post("/api/v1/payments", told("p1", 121)).await.status, 422, "more than the fee");
    for reference in ["p1", "p2"] {
        let payment = desk.post("/api/v1/payments", told(reference, 15)).await;
        assert_eq!(payment.status, 201, "{:?}", payment.bytes);
        let settle = format!("/api/v1/payments/{}/settle?merchant_id={}", payment.text("/payment_id"), acme.merchant.id);
        assert_eq!(desk.post(&settle, Value::Null).await.status, 200);
    }
    acme.key.refund("r1", euros("p1", 2_500)).await;
    let prepared = ann.post("/api/v1/payouts", json!({"merchant_id": acme.merchant.id, "kind": "trade", "currency": "EUR"})).await;
    let path = format!("/api/v1/payouts/{}", prepared.text("/payout_id"));
    let gross = acme.key.get(&format!("{path}/gross")).await;
    let figure = |name: &str| gross.text(&format!("/currencies/0/{name}/text"));
    assert_eq!(
        ["captured", "fee", "interchange", "cross_border", "scheme", "fixed", "refunded"].map(figure),
        ["200.00 EUR", "6.00 EUR", "2.40 EUR", "0.80 EUR", "0.30 EUR", "0.40 EUR", "25.00 EUR"]
    );
    assert_eq!(gross.json()["is_whole"], true);
    let summary = acme.key.get(&format!("{path}/summary.csv")).await;
    let summary = String::from_utf8_lossy(&summary.bytes).into_owned();
    assert!(summary.lines().any(|line| line.contains(",gross_fee_scheme,") && line.ends_with(",0.30,EUR")), "{summary}");
}
