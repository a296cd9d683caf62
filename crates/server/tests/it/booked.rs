//! Booked amounts and the list of trade, over HTTP.

use refundry_engine::Mode;
use refundry_service::{Caller, payments};
use serde_json::json;

use crate::app::{TestApp, euros};

/// A refund of a payment in euros, for a merchant whose books are in yuan: the rate of the day is named while it is missing, and once it is imported
/// everything of that day has its amount.
#[tokio::test]
async fn amounts_are_booked_at_the_rate_of_their_day_as_soon_as_it_is_there() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Live, "native").await;
    let desk = app.operator(Mode::Live).await;
    let merchant = acme.merchant.id.to_string();
    let policy = json!({"policy": {"settlement": {"accounting_currency": "CNY"}}});
    assert_eq!(desk.put(&format!("/api/v1/merchants/{merchant}"), policy).await.status, 200);
    let payment = app.paid(&acme, "p1", "100.00 EUR").await;
    let olga = Caller::operator("olga", Mode::Live);
    payments::settle(&app.service, &olga, Some(acme.merchant.id), payment.id).await.unwrap();
    let first = acme.key.refund("r1", euros("p1", 3_333)).await;
    let second = acme.key.refund("r2", euros("p1", 6_667)).await;
    let path = format!("/api/v1/payments/{}", payment.id);
    let seen = acme.key.get(&path).await;
    let (day, missing) = (seen.text("/booked/day"), seen.text("/booked/missing_rate/quoted"));
    assert_eq!((missing.as_str(), seen.json()["booked"].get("amount")), ("CNY", None));
    let refund_path = |seen: &crate::app::Seen| format!("/api/v1/refunds/{}", seen.text("/refund_id"));
    assert_eq!(acme.key.get(&refund_path(&first)).await.text("/booked/missing_rate/base"), "EUR");
    let rates = json!({"rates": [{"base": "EUR", "quoted": "CNY", "day": day, "price": "7.8125"}]});
    assert_eq!(desk.put("/api/v1/rates", rates).await.status, 200);
    assert_eq!(acme.key.get(&path).await.text("/booked/amount/text"), "781.25 CNY");
    let booked = [acme.key.get(&refund_path(&first)).await, acme.key.get(&refund_path(&second)).await];
    assert_eq!(booked.map(|seen| seen.text("/booked/amount/text")), ["260.39 CNY", "520.86 CNY"], "parts sum to the whole");
    let listed = acme.key.get("/api/v1/refunds").await;
    assert_eq!(
        (listed.text("/items/0/booked/amount/text"), listed.text("/items/0/booked/rate")),
        ("520.86 CNY".to_owned(), "7.8125".to_owned())
    );
    // What is booked in its own currency has nothing to say.
    let plain = app.shop(Mode::Live, "native").await;
    let other = app.paid(&plain, "p2", "1.00 EUR").await;
    assert_eq!(plain.key.get(&format!("/api/v1/payments/{}", other.id)).await.json().get("booked"), None);
}

/// The list of trade names every sale, refund and chargeback with the payout that it came with, sums them up in both currencies, and is a file.
#[tokio::test]
async fn the_list_of_trade_says_what_came_and_went_and_with_which_payout() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Live, "native").await;
    let desk = app.operator(Mode::Live).await;
    let merchant = acme.merchant.id;
    let policy = json!({"policy": {"chargeback_fee_minor": 1_500, "settlement": {"accounting_currency": "CNY"}}});
    assert_eq!(desk.put(&format!("/api/v1/merchants/{merchant}"), policy).await.status, 200);
    let olga = Caller::operator("olga", Mode::Live);
    let early = app.paid(&acme, "p1", "100.00 EUR").await;
    payments::settle(&app.service, &olga, Some(merchant), early.id).await.unwrap();
    let payout = desk.post("/api/v1/payouts", json!({"merchant_id": merchant, "kind": "trade", "currency": "EUR"})).await;
    assert_eq!(payout.status, 201, "{:?}", payout.bytes);
    app.clock.advance(3_600_000);
    let late = app.paid(&acme, "p2", "80.00 EUR").await;
    payments::settle(&app.service, &olga, Some(merchant), late.id).await.unwrap();
    let refund = acme.key.refund("r1", euros("p2", 3_000)).await;
    assert_eq!(refund.status, 201);
    app.work().await;
    let told = json!({"merchant_id": merchant, "payment_reference": "p2", "kind": "chargeback",
        "amount": {"value": 2_000, "currency": "EUR"}, "network_reference": "n1"});
    assert_eq!(desk.post("/api/v1/disputes", told).await.status, 201);
    let seen = acme.key.get("/api/v1/trade-lines").await;
    let lines: Vec<String> = seen.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            let text = |path: &str| line.pointer(path).and_then(|value| value.as_str()).unwrap_or("-").to_owned();
            format!("{} {} {} {}", text("/kind"), text("/payment_reference"), text("/amount/text"), text("/payout_state"))
        })
        .collect();
    assert_eq!(lines, ["chargeback p2 -20.00 EUR -", "refund p2 -30.00 EUR -", "success p2 80.00 EUR -", "success p1 100.00 EUR prepared"]);
    assert_eq!(seen.text("/items/0/booked/missing_rate/quoted"), "CNY");
    let (day, payout_id) = (seen.text("/items/0/booked/day"), payout.text("/payout_id"));
    let rates = json!({"rates": [{"base": "EUR", "quoted": "CNY", "day": day, "price": "8"}]});
    assert_eq!(desk.put("/api/v1/rates", rates).await.status, 200);
    let count = async |query: &str| {
        let seen = acme.key.get(&format!("/api/v1/trade-lines?{query}")).await;
        assert_eq!(seen.status, 200, "{query}: {:?}", seen.bytes);
        seen.json()["items"].as_array().unwrap().len()
    };
    for (query, lines) in [
        ("kind=refund", 1),
        ("payment_reference=p2", 3),
        ("payment_reference=p9", 0),
        ("booked_currency=CNY&currency=EUR", 4),
        ("currency=USD", 0),
        ("tracking=true", 0),
        ("paid_out=false", 3),
        (&format!("payout_id={payout_id}"), 1),
        ("limit=2", 2),
    ] {
        assert_eq!(count(query).await, lines, "{query}");
    }
    let first = acme.key.get("/api/v1/trade-lines?limit=3").await;
    let rest = acme.key.get(&format!("/api/v1/trade-lines?limit=3&cursor={}", first.text("/next"))).await;
    assert_eq!(rest.text("/items/0/payment_reference"), "p1");
    let totals = acme.key.get("/api/v1/trade-lines/totals").await;
    let sums = |path: &str| (totals.text(&format!("/{path}/0/amount/text")), totals.text(&format!("/{path}/0/fees/text")));
    assert_eq!(sums("traded"), ("130.00 EUR".to_owned(), "15.00 EUR".to_owned()));
    assert_eq!(sums("booked"), ("1040.00 CNY".to_owned(), "120.00 CNY".to_owned()));
    let funds = acme.key.get("/api/v1/funds/overview").await;
    let (line, all) = (funds.text("/currencies/0/settleable/trade/value"), funds.text("/in_all/funds/settleable/trade/value"));
    assert_eq!(all.parse::<i64>().unwrap(), line.parse::<i64>().unwrap() * 8, "{:?}", funds.bytes);
    let file = acme.key.get("/api/v1/trade-lines.csv?kind=chargeback").await;
    let text = String::from_utf8(file.bytes.to_vec()).unwrap();
    assert!(
        text.lines().nth(1).is_some_and(|line| line.starts_with("chargeback,") && line.contains(",-20.00,EUR,-160.00,CNY,15.00,")),
        "{text}"
    );
    let top_up = desk.send(
        http::Method::POST,
        "/api/v1/funds/top-ups",
        &[("content-type", "application/json"), ("idempotency-key", "t1")],
        axum::body::Body::from(json!({"merchant_id": merchant, "amount": {"value": 500, "currency": "EUR"}}).to_string()),
    );
    assert_eq!(top_up.await.status, 200);
    let paid_in = acme.key.get("/api/v1/funds/top-ups").await;
    assert_eq!((paid_in.text("/items/0/amount/text"), paid_in.text("/items/0/number")), ("5.00 EUR".to_owned(), "t1".to_owned()));
}
