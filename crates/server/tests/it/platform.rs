//! A platform's key: it acts for the merchants that are linked to it, names whom it acts for, and is a stranger to everybody else.

use refundry_engine::Mode;
use refundry_engine::credential::Holder;
use serde_json::{Value, json};

use crate::app::{Actor, Shop, TestApp, euros};

struct Mall {
    app: TestApp,
    linked: [Shop; 2],
    outside: Shop,
    key: Actor,
}

impl Mall {
    async fn open() -> Self {
        let app = TestApp::start().await;
        let mode = Mode::Sandbox;
        let linked = [app.shop(mode, "native").await, app.shop(mode, "native").await];
        let outside = app.shop(mode, "native").await;
        for shop in linked.iter().chain([&outside]) {
            app.paid(shop, "p1", "100.00 EUR").await;
        }
        let operator = app.operator(mode).await;
        let merchant_ids: Vec<String> = linked.iter().map(|shop| shop.merchant.id.to_string()).collect();
        let issued = operator
            .post("/api/v1/credentials", json!({"holder": {"kind": "platform", "merchant_ids": merchant_ids}, "name": "mall"}))
            .await;
        assert_eq!(issued.status, 201, "{:?}", issued.bytes);
        let key = Actor { token: issued.text("/token"), ..app.stranger() };
        Self { app, linked, outside, key }
    }

    fn wish(shop: &Shop, cents: i64) -> Value {
        let mut wish = euros("p1", cents);
        wish["merchant_id"] = json!(shop.merchant.id.to_string());
        wish
    }
}

#[tokio::test]
async fn a_platform_acts_for_each_of_its_merchants_and_names_whom() {
    let mall = Mall::open().await;
    assert_eq!(mall.key.refund("r1", euros("p1", 100)).await.brief(), "422 field_invalid merchant_id", "for whom?");
    let mut made = Vec::new();
    for shop in &mall.linked {
        // The same number means one refund of each merchant: numbers are the merchant's own.
        let refund = mall.key.refund("r1", Mall::wish(shop, 100)).await;
        assert_eq!((refund.status, refund.text("/merchant_id")), (201, shop.merchant.id.to_string()));
        assert_eq!(mall.key.refund("r1", Mall::wish(shop, 100)).await.header("idempotency-replayed"), Some("true"));
        let seen = shop.key.get(&format!("/api/v1/refunds/{}", refund.text("/refund_id"))).await;
        assert_eq!(seen.status, 200, "the merchant sees what was done for it");
        assert!(seen.json()["timeline"][0]["actor"].to_string().contains("mall"), "and by whom: {}", seen.json()["timeline"][0]);
        made.push(refund.text("/refund_id"));
    }
    assert_ne!(made[0], made[1]);
    let [first, second] = &mall.linked;
    let path = |shop: &Shop| format!("/api/v1/refunds/{}?merchant_id={}", made[0], shop.merchant.id);
    assert_eq!(mall.key.get(&path(first)).await.status, 200);
    assert_eq!(mall.key.get(&path(second)).await.status, 404, "linked merchants stay apart");
    mall.app.work().await;
}

#[tokio::test]
async fn a_platform_is_a_stranger_to_everybody_else() {
    let mall = Mall::open().await;
    let outside = mall.outside.merchant.id;
    let own = mall.outside.key.refund("r1", euros("p1", 100)).await.text("/refund_id");
    let refund = mall.key.refund("r2", Mall::wish(&mall.outside, 100)).await;
    assert_eq!(refund.brief(), "404 unknown_merchant -");
    for path in [
        format!("/api/v1/refunds/{own}?merchant_id={outside}"),
        format!("/api/v1/refunds?merchant_id={outside}"),
        format!("/api/v1/payments?merchant_id={outside}"),
        format!("/api/v1/funds?merchant_id={outside}"),
        format!("/api/v1/events?merchant_id={outside}"),
        format!("/api/v1/merchants/{outside}"),
    ] {
        assert!([403, 404].contains(&mall.key.get(&path).await.status), "{path}");
    }
    let cancel = mall.key.post(&format!("/api/v1/refunds/{own}/cancel?merchant_id={outside}"), json!({})).await;
    assert_eq!(cancel.status, 404);
    assert_eq!(mall.outside.key.get("/api/v1/refunds").await.json()["items"].as_array().map(Vec::len), Some(1), "nothing was made");
    mall.app.work().await;
}

#[tokio::test]
async fn a_platform_is_linked_within_one_mode_by_the_operator_alone() {
    let mall = Mall::open().await;
    let live = mall.app.shop(Mode::Live, "native").await.merchant.id.to_string();
    let operator = mall.app.operator(Mode::Sandbox).await;
    let wish = |merchant_id: &str| json!({"holder": {"kind": "platform", "merchant_ids": [merchant_id]}, "name": "mall"});
    assert_eq!(operator.post("/api/v1/credentials", wish(&live)).await.status, 404, "merchants of the other mode are unknown");
    let outside = mall.outside.merchant.id.to_string();
    let permissions = ["keys:write"];
    let holder = Holder::Platform { mode: Mode::Sandbox, merchant_ids: mall.linked.iter().map(|shop| shop.merchant.id).collect() };
    let ambitious = mall.app.key(Mode::Sandbox, holder, Some(&permissions)).await;
    let itself = ambitious.post("/api/v1/credentials", wish(&outside)).await;
    assert!([403, 404].contains(&itself.status), "nobody links merchants to itself: {} {:?}", itself.status, itself.bytes);
    let seen = operator.get("/api/v1/credentials").await;
    let platforms =
        seen.json()["items"].as_array().map_or(0, |items| items.iter().filter(|item| item["holder"]["kind"] == "platform").count());
    assert_eq!(platforms, 2);
}
