//! The merchant's money.

use axum::body::Body;
use http::Method;
use refundry_engine::Mode;
use serde_json::json;

use crate::app::{Seen, TestApp, euros};

fn balances(seen: &Seen) -> String {
    let items = seen.json()["items"].as_array().unwrap().clone();
    let mut texts: Vec<String> = items
        .iter()
        .map(|item| format!("{} {}", item["ledger_account"].as_str().unwrap(), item["amount"]["text"].as_str().unwrap()))
        .collect();
    texts.sort();
    texts.join(", ")
}

#[tokio::test]
async fn balances_follow_the_money_and_a_top_up_pays_in_once() {
    let app = TestApp::start().await;
    let (acme, operator) = (app.shop(Mode::Sandbox, "native").await, app.operator(Mode::Sandbox).await);
    app.paid(&acme, "p1", "100.00 EUR").await;
    insta::assert_snapshot!(balances(&acme.key.get("/api/v1/funds").await), @"acquirer_receivable 100.00 EUR, unsettled 100.00 EUR");
    acme.key.refund("r1", euros("p1", 2_500)).await;
    insta::assert_snapshot!(
        balances(&acme.key.get("/api/v1/funds").await),
        @"acquirer_receivable 100.00 EUR, refunds_in_flight 25.00 EUR, unsettled 75.00 EUR"
    );
    app.work().await;
    insta::assert_snapshot!(balances(&acme.key.get("/api/v1/funds").await), @"acquirer_receivable 75.00 EUR, unsettled 75.00 EUR");
    let top_up = json!({"merchant_id": acme.merchant.id, "amount": {"value": 1_000, "currency": "EUR"}}).to_string();
    for _ in 0..2 {
        let headers = [("content-type", "application/json"), ("idempotency-key", "t1")];
        let seen = operator.send(Method::POST, "/api/v1/funds/top-ups", &headers, Body::from(top_up.clone())).await;
        assert_eq!(seen.status, 200, "{:?}", seen.bytes);
        assert!(balances(&seen).contains("available 10.00 EUR"), "{}", balances(&seen));
    }
    // Nobody pays in by their own word: the operator sees the money come, whatever a merchant's key may do.
    let holder = refundry_engine::credential::Holder::Merchant { merchant_id: acme.merchant.id };
    let own = app.key(Mode::Sandbox, holder, Some(&["funds:write", "funds:read"])).await;
    let headers = [("content-type", "application/json"), ("idempotency-key", "t2")];
    let seen = own.send(Method::POST, "/api/v1/funds/top-ups", &headers, Body::from(top_up)).await;
    assert_eq!(seen.brief(), "403 not_allowed -");
    assert!(balances(&own.get("/api/v1/funds").await).contains("available 10.00 EUR"));
}
