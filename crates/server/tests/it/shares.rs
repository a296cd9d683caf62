//! Shares over the native API: the refund that takes them back in proportion, and money that is advanced and recovered.

use axum::body::Body;
use http::Method;
use refundry_engine::Mode;
use serde_json::{Value, json};

use crate::app::{Actor, Seen, Shop, TestApp};
use crate::baofoo::receiver;

/// A merchant whose payment of 100.00 yuan is shared: 33.33 and 11.11, the rest is its own.
struct Market {
    app: TestApp,
    operator: Actor,
    shop: Shop,
    key: Actor,
    payment: String,
}

impl Market {
    async fn open() -> Self {
        let app = TestApp::start().await;
        let shop = app.shop_of(Mode::Sandbox, "baofoo", "100000").await;
        for account in ["100001", "100002"] {
            receiver(&app, Mode::Sandbox, account).await;
        }
        let operator = app.operator(Mode::Sandbox).await;
        let holder = refundry_engine::credential::Holder::Merchant { merchant_id: shop.merchant.id };
        let permissions = ["refunds:write", "refunds:read", "payments:read", "shares:write", "shares:read"];
        let key = app.key(Mode::Sandbox, holder, Some(&permissions)).await;
        let payment = app.paid(&shop, "p1", "100.00 CNY").await.id.to_string();
        let market = Self { app, operator, shop, key, payment };
        let lines = json!([line("100001", 3_333), line("100002", 1_111)]);
        let shared = market.post(&market.key, &format!("payments/{}/shares", market.payment), "S1", json!({"lines": lines})).await;
        assert_eq!((shared.status, shared.text("/state").as_str()), (201, "running"), "{:?}", shared.bytes);
        let again = market.post(&market.key, &format!("payments/{}/shares", market.payment), "S1", json!({"lines": lines})).await;
        assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
        let blocked = market.refund("R0", json!({"amount": yuan(1)})).await;
        assert_eq!(blocked.brief(), "409 share_running -");
        market.app.work().await;
        market
    }

    async fn post(&self, actor: &Actor, path: &str, number: &str, body: Value) -> Seen {
        let headers = [("content-type", "application/json"), ("idempotency-key", number)];
        actor.send(Method::POST, &format!("/api/v1/{path}"), &headers, Body::from(body.to_string())).await
    }

    async fn refund(&self, number: &str, mut body: Value) -> Seen {
        body["payment_id"] = json!(self.payment);
        self.post(&self.key, "refunds", number, body).await
    }

    async fn sharing(&self) -> Value {
        self.key.get(&format!("/api/v1/payments/{}", self.payment)).await.json()["sharing"].clone()
    }

    async fn recover(&self, actor: &Actor, number: &str, fen: i64) -> Seen {
        let path = format!("payments/{}/advances/recover?merchant_id={}", self.payment, self.shop.merchant.id);
        self.post(actor, &path, number, line("100001", fen)).await
    }
}

fn yuan(fen: i64) -> Value {
    json!({"value": fen, "currency": "CNY"})
}

fn line(account: &str, fen: i64) -> Value {
    json!({"receiver": account, "amount": yuan(fen)})
}

#[tokio::test]
async fn refunds_in_proportion_end_at_zero_whatever_their_amounts() {
    let market = Market::open().await;
    for (place, fen) in [3_334, 1, 3_331, 3_334].into_iter().enumerate() {
        let refunded = market.refund(&format!("R{place}"), json!({"amount": yuan(fen), "shares": "pro_rata"})).await;
        assert_eq!(refunded.status, 201, "{:?}", refunded.bytes);
        let sharing = &refunded.json()["sharing"];
        let lines = sharing["lines"].as_array().unwrap().iter().map(|line| line["amount"]["value"].as_i64().unwrap()).sum::<i64>();
        assert_eq!(lines + sharing["from_unshared"]["value"].as_i64().unwrap(), fen, "{sharing}");
        market.app.work().await;
    }
    let sharing = market.sharing().await;
    assert_eq!(sharing["unshared"]["value"], 0, "{sharing}");
    for receiver in sharing["receivers"].as_array().unwrap() {
        assert_eq!((&receiver["shared"], &receiver["returnable"]["value"]), (&receiver["returned"], &json!(0)), "{receiver}");
    }
    let over = market.refund("R9", json!({"amount": yuan(1), "shares": "pro_rata"})).await;
    assert_eq!(over.brief(), "422 exceeds_refundable amount");
}

#[tokio::test]
async fn what_is_advanced_is_owed_listed_and_taken_back_once_by_the_operator_alone() {
    let market = Market::open().await;
    let pay_in = json!({"merchant_id": market.shop.merchant.id.to_string(), "amount": yuan(5_000)});
    assert_eq!(market.post(&market.operator, "funds/top-ups", "T1", pay_in).await.status, 200);
    let wrong = market.refund("R1", json!({"amount": yuan(10_000), "shares": [line("100001", 3_334), line("100002", 1_111)]})).await;
    assert!(wrong.brief().starts_with("422 exceeds_receiver"), "{}", wrong.brief());
    assert!(wrong.text("/detail").contains("100001") && wrong.text("/detail").contains("33.33"), "{}", wrong.text("/detail"));
    let refunded = market.refund("R1", json!({"amount": yuan(10_000), "shares": [line("100002", 1_111)], "advance": yuan(3_333)})).await;
    assert_eq!(refunded.status, 201, "{:?}", refunded.bytes);
    market.app.work().await;
    let refund = market.key.get(&format!("/api/v1/refunds/{}", refunded.text("/refund_id"))).await.json();
    let states: Vec<&str> = refund["sharing"]["lines"].as_array().unwrap().iter().map(|line| line["state"].as_str().unwrap()).collect();
    assert_eq!((refund["state"].as_str(), states), (Some("succeeded"), vec!["returned", "advanced"]), "{refund}");
    let owed = market.key.get("/api/v1/advances").await;
    assert_eq!(
        (owed.text("/items/0/payment_id"), owed.text("/items/0/sharing/advanced/value")),
        (market.payment.clone(), "3333".to_owned())
    );

    let settled = format!("/api/v1/payments/{}/settle?merchant_id={}", market.payment, market.shop.merchant.id);
    assert_eq!(market.operator.post(&settled, json!({})).await.status, 200);
    assert_eq!(market.recover(&market.key, "A1", 3_333).await.brief(), "403 not_allowed -", "it is another merchant's money");
    assert_eq!(market.recover(&market.operator, "A1", 3_334).await.brief(), "422 exceeds_advanced amount");
    for _ in 0..2 {
        let recovered = market.recover(&market.operator, "A1", 3_333).await;
        assert_eq!((recovered.status, recovered.text("/sharing/advanced/value").as_str()), (200, "0"), "{:?}", recovered.bytes);
    }
    assert_eq!(market.key.get("/api/v1/advances").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_planned_share_begins_by_itself_unless_a_refund_or_its_giver_takes_it_back() {
    let market = Market::open().await;
    let path = format!("payments/{}/shares", market.payment);
    let plan = |fen: i64, at: &str| json!({"lines": [line("100002", fen)], "due_at": at});
    let kept = market.post(&market.key, &path, "P1", plan(100, "2026-01-01T01:00:00Z")).await;
    let dropped = market.post(&market.key, &path, "P2", plan(200, "2026-01-01T01:00:00Z")).await;
    let state = async |seen: &Seen| market.key.get(&format!("/api/v1/shares/{}", seen.text("/share_id"))).await.text("/state");
    let cancelled = market.key.post(&format!("/api/v1/shares/{}/cancel", dropped.text("/share_id")), json!({})).await;
    assert_eq!((cancelled.text("/state"), cancelled.text("/why/kind")), ("cancelled".to_owned(), "cancelled".to_owned()));
    market.app.clock.advance(3_600_000);
    market.app.work().await;
    assert_eq!((state(&kept).await.as_str(), state(&dropped).await.as_str()), ("succeeded", "cancelled"));
    let late = market.post(&market.key, &path, "P3", plan(300, "2026-01-01T09:00:00Z")).await;
    assert_eq!(market.refund("R1", json!({"amount": yuan(100)})).await.status, 201);
    let seen = market.key.get(&format!("/api/v1/shares/{}", late.text("/share_id"))).await;
    assert_eq!((seen.text("/state"), seen.text("/why/kind")), ("cancelled".to_owned(), "refunded".to_owned()), "{:?}", seen.bytes);
    market.app.work().await;
    let all = market.key.get(&format!("/api/v1/{path}")).await.json();
    assert_eq!(all["items"].as_array().map(Vec::len), Some(4));
}

#[tokio::test]
async fn shares_told_with_a_payment_have_a_number_each_and_are_not_too_many() {
    let market = Market::open().await;
    let plan = |number: String| json!({"number": number, "lines": [line("100002", 1)], "due_at": "2026-01-01T09:00:00Z"});
    let told = async |reference: &str, numbers: Vec<String>| {
        let merchant_id = market.shop.merchant.id.to_string();
        let body = json!({
            "merchant_id": merchant_id, "terminal_id": market.shop.terminal.id.to_string(), "payment_reference": reference,
            "paid_at": "2026-01-01T00:00:00Z", "status": "captured", "authorised": yuan(1_000), "captured": yuan(1_000),
            "merchant_reference": reference, "method": "card", "shares": numbers.into_iter().map(plan).collect::<Vec<Value>>(),
        });
        market.post(&market.operator, "payments", "", body).await
    };
    let twice = told("p2", vec!["N1".to_owned(), "N1".to_owned()]).await;
    assert_eq!(twice.brief(), "409 already_exists shares.number", "{:?}", twice.bytes);
    let many = told("p2", (0..=20).map(|place| format!("M{place}")).collect()).await;
    assert_eq!(many.brief(), "422 limit_reached -", "{:?}", many.bytes);
    let enough = told("p2", (0..20).map(|place| format!("M{place}")).collect()).await;
    assert_eq!(enough.status, 201, "{:?}", enough.bytes);
}
