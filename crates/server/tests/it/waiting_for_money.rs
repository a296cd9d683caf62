//! Refunds whose money is not there, from the shop's side: they wait, say until when, and go out when money comes.

use axum::body::Body;
use http::Method;
use refundry_engine::Mode;
use refundry_engine::credential::Holder;
use refundry_engine::policy::{FundsCheck, FundsOrder, FundsRule, PolicyPatch};
use refundry_engine::settlement::SettlementPatch;
use serde_json::{Value, json};

use crate::app::{Actor, Seen, Shop, TestApp, euros};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Refunds wait, are paid out of available money alone, and payments are settled on the third day, counted in Beijing.
fn waits() -> PolicyPatch {
    PolicyPatch {
        funds: Some(FundsRule::Wait),
        draw_unsettled: Some(false),
        settlement: SettlementPatch { trade_days: Some(Some(3)), ..SettlementPatch::default() },
        ..PolicyPatch::default()
    }
}

async fn asked(shop: &Shop, number: &str, reference: &str, cents: i64) -> String {
    let seen = shop.key.refund(number, euros(reference, cents)).await;
    assert_eq!(seen.status, 201, "{:?}", seen.bytes);
    seen.text("/refund_id")
}

async fn state(shop: &Shop, refund_id: &str) -> String {
    let seen = shop.key.get(&format!("/api/v1/refunds/{refund_id}")).await;
    let hold = seen.json().pointer("/holds/0/kind").and_then(Value::as_str).map(|kind| format!(" {kind}")).unwrap_or_default();
    format!("{}{hold}", seen.text("/state"))
}

async fn explained(shop: &Shop, refund_id: &str, query: &str) -> Seen {
    shop.key.get(&format!("/api/v1/refunds/{refund_id}/explain{query}")).await
}

async fn pay_in(app: &TestApp, by: &Actor, shop: &Shop, number: &str, cents: i64) {
    let body = json!({"merchant_id": shop.merchant.id, "amount": {"value": cents, "currency": "EUR"}}).to_string();
    let headers = [("content-type", "application/json"), ("idempotency-key", number)];
    let seen = by.send(Method::POST, "/api/v1/funds/top-ups", &headers, Body::from(body)).await;
    assert_eq!(seen.status, 200, "{:?}", seen.bytes);
    app.work().await;
}

#[tokio::test]
async fn a_refund_waits_says_when_and_goes_out_with_the_settlement() {
    let app = TestApp::start().await;
    let shop = app.shop_with(Mode::Sandbox, "native", waits()).await;
    app.paid(&shop, "p1", "100.00 EUR").await;
    app.clock.advance(DAY_MS);
    app.paid(&shop, "p2", "50.00 EUR").await;
    let first = asked(&shop, "r1", "p1", 6_000).await;
    let second = asked(&shop, "r2", "p2", 5_000).await;
    app.work().await;
    assert_eq!((state(&shop, &first).await.as_str(), state(&shop, &second).await.as_str()), ("pending funds", "pending funds"));

    let seen = explained(&shop, &second, "").await;
    insta::assert_snapshot!(
        seen.text("/forecast/text"),
        @"Before it 1 other waits for 60.00 EUR in all; it needs 50.00 EUR itself, and 0.00 EUR is available. By what is known today it goes out on 2026-01-04 16:00 UTC, after the settlement of 2026-01-04 16:00 UTC."
    );
    assert_eq!(explained(&shop, &first, "").await.text("/forecast/goes_out_at"), "2026-01-03T16:00:00Z");
    let tried = explained(&shop, &second, "?top_up=11000").await;
    insta::assert_snapshot!(tried.text("/what_if/text"), @"With 110.00 EUR more it would go out at once; 1 other before it would too.");
    let little = explained(&shop, &second, "?top_up=1").await;
    assert_eq!(little.text("/what_if/goes_out_at"), "2026-01-04T16:00:00Z");
    assert_eq!(explained(&shop, &second, "?top_up=0").await.brief(), "422 field_invalid top_up");
    let path = format!("/api/v1/refunds/{second}/explain?top_up=11000");
    let chinese = shop.key.send(Method::GET, &path, &[("accept-language", "zh-CN")], Body::empty()).await;
    assert_eq!(chinese.text("/what_if/text"), "若再充值 110.00 EUR，它将立即发出，排在前面的 1 笔也将发出。");

    let waiting = shop.key.get("/api/v1/funds/waiting").await.json()["items"][0].clone();
    assert_eq!((waiting["count"].as_i64(), waiting["oldest_refund_id"].as_str()), (Some(2), Some(first.as_str())));
    assert_eq!((waiting["missing"]["text"].as_str(), waiting["is_whole"].as_bool()), (Some("110.00 EUR"), Some(true)));
    assert_eq!(waiting["enough_at"].as_str(), Some("2026-01-04T16:00:00Z"));

    // A minute before the day nothing moves; when it begins, the settlement and the refund follow without the clock moving on.
    app.clock.advance(DAY_MS + 16 * HOUR_MS - 60_000);
    app.work().await;
    assert_eq!(state(&shop, &first).await, "pending funds");
    app.clock.advance(60_000);
    app.work().await;
    assert_eq!((state(&shop, &first).await.as_str(), state(&shop, &second).await.as_str()), ("succeeded", "pending funds"));
    app.clock.advance(DAY_MS);
    app.work().await;
    assert_eq!(state(&shop, &second).await, "succeeded");
    assert_eq!(shop.key.get("/api/v1/funds/waiting").await.json()["items"], json!([]));
    assert_eq!(explained(&shop, &second, "").await.json().get("forecast"), None);
}

#[tokio::test]
async fn thirty_days_without_money_fail_it_and_nobody_overtakes_meanwhile() {
    let app = TestApp::start().await;
    let mut policy = waits();
    policy.settlement = SettlementPatch::default();
    let (shop, operator) = (app.shop_with(Mode::Sandbox, "native", policy).await, app.operator(Mode::Sandbox).await);
    app.paid(&shop, "p1", "100.00 EUR").await;
    let first = asked(&shop, "r1", "p1", 6_000).await;
    pay_in(&app, &operator, &shop, "t1", 1_000).await;
    let second = asked(&shop, "r2", "p1", 500).await;
    app.work().await;
    assert_eq!(state(&shop, &second).await, "pending funds", "its money is there, but another waits before it");
    let seen = explained(&shop, &first, "").await;
    assert_eq!((seen.text("/forecast/to_pay_in/text").as_str(), seen.text("/forecast/goes_out_at").as_str()), ("50.00 EUR", ""));
    assert!(seen.text("/forecast/text").contains("without 50.00 EUR paid in until then it fails"), "{}", seen.text("/forecast/text"));

    for _ in 0..30 {
        assert_eq!(state(&shop, &first).await, "pending funds");
        app.clock.advance(DAY_MS);
        app.work().await;
    }
    let seen = shop.key.get(&format!("/api/v1/refunds/{first}")).await;
    assert_eq!((seen.text("/state").as_str(), seen.text("/failure/kind").as_str()), ("failed", "funds_expired"));
    assert_eq!(seen.text("/explanation/why"), "The money for it did not come in time.");
    let path = format!("/api/v1/refunds/{first}");
    let chinese = shop.key.send(Method::GET, &path, &[("accept-language", "zh")], Body::empty()).await;
    assert!(chinese.text("/explanation/why").starts_with("账户可用资金不足"), "{}", chinese.text("/explanation/why"));
    assert_eq!(state(&shop, &second).await, "succeeded", "who waited behind it is served when it is gone");
}

#[tokio::test]
async fn who_goes_by_the_clock_goes_out_at_its_hours_only() {
    let app = TestApp::start().await;
    let policy = PolicyPatch { funds_check: Some(FundsCheck::oceanpayment()), ..waits() };
    let (shop, operator) = (app.shop_with(Mode::Sandbox, "native", policy).await, app.operator(Mode::Sandbox).await);
    app.paid(&shop, "p1", "100.00 EUR").await;
    // It is 08:00 in Beijing; the next hours are 12:00, 17:00, 22:00.
    let first = asked(&shop, "r1", "p1", 1_000).await;
    let second = asked(&shop, "r2", "p1", 2_000).await;
    app.clock.advance(HOUR_MS);
    pay_in(&app, &operator, &shop, "t1", 1_500).await;
    assert_eq!(explained(&shop, &first, "").await.text("/forecast/goes_out_at"), "2026-01-01T04:00:00Z");
    app.clock.advance(3 * HOUR_MS - 1);
    app.work().await;
    assert_eq!(state(&shop, &first).await, "pending funds");
    app.clock.advance(1);
    app.work().await;
    assert_eq!((state(&shop, &first).await.as_str(), state(&shop, &second).await.as_str()), ("succeeded", "pending funds"));
    pay_in(&app, &operator, &shop, "t2", 2_500).await;
    let third = asked(&shop, "r3", "p1", 100).await;
    app.clock.advance(5 * HOUR_MS - 1);
    app.work().await;
    assert_eq!((state(&shop, &second).await.as_str(), state(&shop, &third).await.as_str()), ("pending funds", "pending funds"));
    app.clock.advance(1);
    app.work().await;
    assert_eq!((state(&shop, &second).await.as_str(), state(&shop, &third).await.as_str()), ("succeeded", "succeeded"));
}

#[tokio::test]
async fn the_policy_says_who_lets_pass_and_is_checked() {
    let app = TestApp::start().await;
    let (shop, operator) = (app.shop_with(Mode::Sandbox, "native", waits()).await, app.operator(Mode::Sandbox).await);
    app.paid(&shop, "p1", "100.00 EUR").await;
    let first = asked(&shop, "r1", "p1", 6_000).await;
    pay_in(&app, &operator, &shop, "t1", 1_000).await;
    let second = asked(&shop, "r2", "p1", 500).await;
    let terminal = format!("/api/v1/terminals/{}?merchant_id={}", shop.terminal.id, shop.merchant.id);
    for (check, field) in [
        (json!({"kind": "at_hours", "hours": [12, 8], "utc_offset_minutes": 480}), "policy.funds_check.hours"),
        (json!({"kind": "at_hours", "hours": [8], "utc_offset_minutes": 7}), "policy.funds_check.utc_offset_minutes"),
    ] {
        let seen = operator
            .send(Method::PUT, &terminal, &[("content-type", "application/json")], body(&json!({"policy": {"funds_check": check}})))
            .await;
        assert_eq!(seen.brief(), format!("422 field_invalid {field}"));
    }
    // A new rule is tried at once on those who wait.
    let order = serde_json::to_value(PolicyPatch { funds_order: Some(FundsOrder::Skip), ..waits() }).unwrap();
    let seen = operator.send(Method::PUT, &terminal, &[("content-type", "application/json")], body(&json!({"policy": order}))).await;
    assert_eq!(seen.status, 200, "{:?}", seen.bytes);
    app.work().await;
    assert_eq!((state(&shop, &first).await.as_str(), state(&shop, &second).await.as_str()), ("pending funds", "succeeded"));
}

#[tokio::test]
async fn strangers_learn_nothing_of_what_waits() {
    let app = TestApp::start().await;
    let shop = app.shop_with(Mode::Sandbox, "native", waits()).await;
    let other = app.shop(Mode::Sandbox, "native").await;
    app.paid(&shop, "p1", "100.00 EUR").await;
    let first = asked(&shop, "r1", "p1", 6_000).await;
    let holder = || Holder::Merchant { merchant_id: shop.merchant.id };
    let reader = app.key(Mode::Sandbox, holder(), Some(&["refunds:read"])).await;
    let path = format!("/api/v1/refunds/{first}/explain");
    assert_eq!(other.key.get(&path).await.status, 404);
    assert_eq!(reader.get(&path).await.status, 403, "who may not see funds is not told of them");
    assert_eq!(reader.get("/api/v1/funds/waiting").await.status, 403);
    assert_eq!(app.stranger().get(&path).await.status, 401);
    assert_eq!(other.key.get(&format!("/api/v1/funds/waiting?merchant_id={}", shop.merchant.id)).await.status, 404);
    let live = app.operator(Mode::Live).await;
    assert_eq!(live.get(&format!("/api/v1/funds/waiting?merchant_id={}", shop.merchant.id)).await.status, 404);
}

fn body(value: &Value) -> Body {
    Body::from(value.to_string())
}
