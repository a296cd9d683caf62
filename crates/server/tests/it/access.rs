//! Who may do what: every endpoint of the table, and every path of every dialect, is tried by everybody who may not.

use std::collections::BTreeSet;

use axum::body::Body;
use http::Method;
use refundry_engine::Mode;
use refundry_engine::adjustment::AdjustmentKind;
use refundry_engine::command::{Act, Command, PayoutRun, PreparePayout};
use refundry_engine::credential::Holder;
use refundry_engine::payout::PayoutKind;
use refundry_engine::{Outcome, PayoutId};
use refundry_ledger::Money;
use refundry_server::endpoint::{Audience, Body as Takes, Endpoint, Method as Verb};
use refundry_server::endpoints;
use refundry_service::adjustments::{self, NewAdjustment};
use refundry_service::permissions::Permission;
use refundry_service::{Caller, payments};
use serde_json::{Value, json};

use crate::antom::{Client, refund_body, result};
use crate::app::{Actor, Seen, Shop, TestApp, euros};

/// Somebody with things that others are after.
struct Victim {
    shop: Shop,
    refund_id: String,
    payment_id: String,
    notification_id: String,
    endpoint_id: String,
    credential_id: String,
    payout_id: String,
    adjustment_id: String,
    person_id: String,
    dispute_id: String,
    share_id: String,
}

impl Victim {
    async fn settle_in(app: &TestApp, mode: Mode) -> Self {
        let shop = app.shop(mode, "native").await;
        let endpoint = shop.key.post("/api/v1/notification-endpoints", json!({"url": "https://shop.example/hook"})).await;
        let (payout_id, adjustment_id) = paid_out(app, &shop).await;
        let payment = app.paid(&shop, "p1", "100.00 EUR").await;
        let refund = shop.key.refund("r1", euros("p1", 100)).await;
        let operator = app.operator(mode).await;
        let share_id = planned_share(app, &shop, &operator).await;
        let credentials = operator.get(&format!("/api/v1/credentials?merchant_id={}", shop.merchant.id)).await;
        let person = json!({"merchant_id": shop.merchant.id, "name": "Ann", "role": "reviewer"});
        let person = operator.post("/api/v1/people", person).await;
        let notifications = shop.key.get("/api/v1/notifications").await;
        let dispute = operator.post("/api/v1/disputes", fraud(&shop.merchant.id.to_string(), "n1")).await;
        Self {
            refund_id: refund.text("/refund_id"),
            payment_id: payment.id.to_string(),
            notification_id: notifications.text("/items/0/notification_id"),
            endpoint_id: endpoint.text("/endpoint_id"),
            credential_id: credentials.text("/items/0/credential_id"),
            payout_id,
            adjustment_id,
            person_id: person.text("/person_id"),
            dispute_id: dispute.text("/dispute_id"),
            share_id,
            shop,
        }
    }

    /// A request at this endpoint about the victim's things, well formed in every respect.
    fn request(&self, endpoint: &Endpoint) -> (String, Value) {
        let merchant_id = self.shop.merchant.id.to_string();
        let named = |name: &str| match name {
            "refund_id" => self.refund_id.clone(),
            "payment_id" => self.payment_id.clone(),
            "notification_id" => self.notification_id.clone(),
            "endpoint_id" => self.endpoint_id.clone(),
            "credential_id" => self.credential_id.clone(),
            "person_id" => self.person_id.clone(),
            "dispute_id" => self.dispute_id.clone(),
            "share_id" => self.share_id.clone(),
            "batch" => "spring".to_owned(),
            "merchant_id" => merchant_id.clone(),
            "terminal_id" => self.shop.terminal.id.to_string(),
            "payout_id" => self.payout_id.clone(),
            "adjustment_id" => self.adjustment_id.clone(),
            "currency" => "EUR".to_owned(),
            "number" => "r1".to_owned(),
            other => panic!("say what {other} is"),
        };
        let parts: Vec<String> = endpoint
            .path
            .split('/')
            .map(|part| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(name) => named(name),
                None => part.to_owned(),
            })
            .collect();
        let asks_whose = endpoint.parameters.iter().any(|parameter| parameter.name == "merchant_id");
        let query = if asks_whose { format!("?merchant_id={merchant_id}") } else { String::new() };
        (parts.join("/") + &query, self.body(endpoint, &merchant_id))
    }

    fn body(&self, endpoint: &Endpoint, merchant_id: &str) -> Value {
        let amount = json!({"value": 1, "currency": "EUR"});
        let (merchant, terminal) = (merchant_id, self.shop.terminal.id.to_string());
        if endpoint.body == Takes::Nothing {
            return Value::Null;
        }
        match endpoint.path.trim_start_matches("/api/v1/") {
            "refunds" | "refunds/dry-run" => json!({"merchant_id": merchant, "payment_id": self.payment_id, "amount": amount}),
            "refunds/{refund_id}/review" => json!({"approve": true, "content_hash": "unknown"}),
            "refunds/{refund_id}/edit" => json!({"reason": "mine"}),
            "people" => json!({"merchant_id": merchant, "name": "Thief", "role": "merchant_admin"}),
            "people/{person_id}" => json!({"role": "read_only"}),
            "payments" | "payments/import" => json!({
                "merchant_id": merchant, "terminal_id": terminal, "payment_reference": "p2", "merchant_reference": "order 2",
                "method": "card", "status": "captured",
                "paid_at": "2026-01-01T00:00:00Z", "authorised": amount,
            }),
            "notification-endpoints" => json!({"merchant_id": merchant, "url": "https://thief.example/hook"}),
            "notification-endpoints/{endpoint_id}" => json!({"url": "https://thief.example/hook"}),
            "notifications/replay" => json!({"merchant_id": merchant, "state": "due"}),
            "payments/{payment_id}/shares" => json!({"lines": [{"receiver": merchant, "amount": amount}]}),
            "shares/{share_id}/finish" => json!({"succeeds": true}),
            "payments/{payment_id}/advances/recover" => json!({"receiver": merchant, "amount": amount}),
            "payments/{payment_id}/tracking" => json!({"tracking_numbers": "LX1", "carrier_url": "https://carrier.example/x"}),
            "tracking-numbers" => json!({"merchant_id": merchant, "rows": [
                {"payment_reference": "p1", "tracking_numbers": "LX1", "carrier_url": "https://carrier.example/x"}
            ]}),
            "payments/{payment_id}/shipment-state" => json!({"state": "delivered"}),
            "payments/{payment_id}/capture" => json!({"amount": amount}),
            "payments/{payment_id}/void" => json!({}),
            "disputes" => fraud(merchant, "n2"),
            "disputes/{dispute_id}/change" => json!({"change": "accept"}),
            "rates" => json!({"rates": [{"base": "USD", "quoted": "CNY", "day": "2026-01-31", "price": "7.1"}]}),
            "payments/mark" => json!({"merchant_id": merchant, "mark": "reconciled", "payment_references": ["p1"]}),
            "payments/{payment_id}/collect-exposure" => json!({}),
            "funds/release-fixed-reserve" => json!({"merchant_id": merchant, "keep": amount}),
            "funds/acquirer-settlements" => json!({"merchant_id": merchant, "amount": amount}),
            "funds/top-ups" => json!({"merchant_id": merchant, "amount": amount}),
            "payouts" => json!({"merchant_id": merchant, "kind": "trade", "currency": "EUR"}),
            "payouts/{payout_id}/send" => json!({"bank_reference": "B1"}),
            "payouts/{payout_id}/fail" | "payouts/{payout_id}/cancel" => json!({"reason": "account closed"}),
            "payout-terms/{currency}" => json!({"days": {"kind": "daily"}}),
            "adjustments" => json!({"merchant_id": merchant, "kind": "deduction", "amount": amount, "reason": "agreed"}),
            "merchants" => json!({"name": "New"}),
            "merchants/{merchant_id}" => json!({"name": "Mine"}),
            "terminals" => json!({"merchant_id": merchant, "name": "Till", "dialect": "native"}),
            "terminals/{terminal_id}" => json!({"name": "Mine"}),
            "terminals/{terminal_id}/forced-answers" => json!({"api": "refund", "code": null}),
            "credentials" => json!({"holder": {"kind": "merchant", "merchant_id": merchant}, "name": "thief"}),
            "credentials/{credential_id}/rotate" | "credentials/{credential_id}/revoke" => json!({}),
            other => panic!("say what a good body of {other} is"),
        }
    }

    /// Whether an answer shows anything of the victim's.
    fn is_seen_in(&self, seen: &Seen) -> bool {
        let text = String::from_utf8_lossy(&seen.bytes).into_owned();
        let ids = [
            &self.refund_id,
            &self.payment_id,
            &self.notification_id,
            &self.endpoint_id,
            &self.credential_id,
            &self.payout_id,
            &self.adjustment_id,
            &self.person_id,
            &self.share_id,
        ];
        ids.into_iter().chain([&self.shop.merchant.id.to_string()]).any(|id| text.contains(id.as_str()))
    }

    /// Everything of the victim's that somebody could have changed.
    async fn belongings(&self, operator: &Actor) -> Vec<String> {
        let whose = format!("merchant_id={}", self.shop.merchant.id);
        let mut all =
            vec![String::from_utf8_lossy(&operator.get(&format!("/api/v1/merchants/{}", self.shop.merchant.id)).await.bytes).into_owned()];
        let lists = ["refunds", "payments", "notifications", "notification-endpoints", "funds", "terminals", "credentials", "events"];
        for list in lists.into_iter().chain(["payouts", "payout-terms", "adjustments", "people", "disputes"]) {
            let seen = operator.get(&format!("/api/v1/{list}?{whose}")).await;
            assert_eq!(seen.status, 200, "{list}");
            all.push(String::from_utf8_lossy(&seen.bytes).into_owned());
        }
        all
    }
}

/// A share of a payment of the shop's that begins tomorrow.
async fn planned_share(app: &TestApp, shop: &Shop, operator: &Actor) -> String {
    let receiver = app.shop(shop.merchant.mode, "native").await.merchant.id.to_string();
    let payment = app.paid(shop, "shared", "10.00 EUR").await;
    let body = json!({"lines": [{"receiver": receiver, "amount": {"value": 100, "currency": "EUR"}}], "due_at": "2026-01-02T00:00:00Z"});
    let headers = [("content-type", "application/json"), ("idempotency-key", "planned")];
    let path = format!("/api/v1/payments/{}/shares?merchant_id={}", payment.id, shop.merchant.id);
    let planned = operator.send(Method::POST, &path, &headers, Body::from(body.to_string())).await;
    assert_eq!((planned.status, planned.text("/state").as_str()), (201, "planned"), "{:?}", planned.bytes);
    planned.text("/share_id")
}

/// A report of fraud, which freezes nothing.
fn fraud(merchant_id: &str, number: &str) -> Value {
    let amount = json!({"value": 1, "currency": "EUR"});
    json!({"merchant_id": merchant_id, "payment_reference": "p1", "kind": "fraud_report", "amount": amount, "network_reference": number})
}

/// A payout of what the shop sold before, and an adjustment that was proposed.
async fn paid_out(app: &TestApp, shop: &Shop) -> (String, String) {
    let ann = Caller::operator("ann", shop.merchant.mode);
    let (merchant_id, currency) = (shop.merchant.id, "EUR".parse().unwrap());
    let payment = app.paid(shop, "p0", "10.00 EUR").await;
    payments::settle(&app.service, &ann, Some(merchant_id), payment.id).await.unwrap();
    let run = PayoutRun::Scheduled { due_at: app.service.world.now() };
    let payout_id = PayoutId::new(app.service.world.ids.one(app.service.world.now()).unwrap());
    let prepare = PreparePayout { payout_id, merchant_id, mode: None, kind: PayoutKind::Trade, currency, run };
    let stamp = app.service.world.stamp(refundry_engine::Actor::System).unwrap();
    let prepared = app.service.world.store.transact(Command { stamp, act: Act::PreparePayout(prepare) }).await.unwrap();
    assert!(matches!(prepared, Outcome::Payout { .. }), "{prepared:?}");
    let amount = Money::new(50, currency);
    let new = NewAdjustment {
        merchant_id,
        kind: AdjustmentKind::OtherCredit,
        amount,
        reason: "agreed".to_owned(),
        payment: None,
        number: "a1".to_owned(),
    };
    let adjustment = adjustments::propose(&app.service, &ann, new).await.unwrap();
    (payout_id.to_string(), adjustment.id.to_string())
}

async fn call(actor: &Actor, endpoint: &Endpoint, path: &str, body: &Value) -> Seen {
    let method = match endpoint.method {
        Verb::Get => Method::GET,
        Verb::Post => Method::POST,
        Verb::Put => Method::PUT,
        Verb::Delete => Method::DELETE,
    };
    let (media_type, text) = match endpoint.body {
        Takes::Nothing => ("", String::new()),
        Takes::Json => ("application/json", body.to_string()),
        Takes::Lines => ("application/x-ndjson", format!("{body}\n")),
    };
    actor.send(method, path, &[("content-type", media_type), ("idempotency-key", "theft")], Body::from(text)).await
}

fn other(mode: Mode) -> Mode {
    match mode {
        Mode::Sandbox => Mode::Live,
        Mode::Live => Mode::Sandbox,
    }
}

fn name(endpoint: &Endpoint) -> String {
    format!("{} {}", endpoint.method.word(), endpoint.path)
}

#[tokio::test]
async fn without_a_key_or_with_a_wrong_one_nothing_is_answered() {
    let app = TestApp::start().await;
    let victim = Victim::settle_in(&app, Mode::Sandbox).await;
    let forger = Actor { token: format!("{}x", victim.shop.key.token), ..app.stranger() };
    for endpoint in endpoints::all() {
        let (path, body) = victim.request(&endpoint);
        for actor in [app.stranger(), forger.clone()] {
            let seen = call(&actor, &endpoint, &path, &body).await;
            assert_eq!(seen.brief(), "401 unauthenticated -", "{}", name(&endpoint));
            assert_eq!(seen.header("www-authenticate"), Some("Bearer realm=\"refundry\""));
        }
    }
}

#[tokio::test]
async fn a_key_without_the_permission_is_refused_and_told_which() {
    let app = TestApp::start().await;
    let victim = Victim::settle_in(&app, Mode::Sandbox).await;
    for endpoint in endpoints::all() {
        let others: Vec<&str> =
            Permission::ALL.iter().filter(|permission| **permission != endpoint.permission).map(|permission| permission.word()).collect();
        let (path, body) = victim.request(&endpoint);
        let almost = app.key(Mode::Sandbox, Holder::Operator { mode: Mode::Sandbox }, Some(&others)).await;
        let seen = call(&almost, &endpoint, &path, &body).await;
        assert_eq!(
            (seen.brief().as_str(), seen.text("/facts/permission").as_str()),
            ("403 not_allowed -", endpoint.permission.word()),
            "{}",
            name(&endpoint)
        );
    }
}

#[tokio::test]
async fn every_endpoint_works_for_whoever_may_use_it() {
    let app = TestApp::start().await;
    let victim = Victim::settle_in(&app, Mode::Sandbox).await;
    let everything: Vec<&str> = Permission::ALL.iter().map(|permission| permission.word()).collect();
    let own = app.key(Mode::Sandbox, Holder::Merchant { merchant_id: victim.shop.merchant.id }, Some(&everything)).await;
    let operator = app.operator(Mode::Sandbox).await;
    let mut refused = BTreeSet::new();
    for endpoint in endpoints::all() {
        let (path, body) = victim.request(&endpoint);
        let actor = if endpoint.audience == Audience::Operator { &operator } else { &own };
        let seen = call(actor, &endpoint, &path, &body).await;
        if seen.status >= 400 {
            refused.insert(format!("{}: {}", name(&endpoint), seen.brief()));
        }
    }
    // Reached, and refused for what it is about: the refund is not in review; the payout had an end before; the adjustment's second person must be one;
    // a report of fraud is accepted by a refund alone; nobody shares with itself, and the share was taken back before; the payment is captured; rates, by which real money is booked, come by a live key.
    let expected = [
        "POST /api/v1/adjustments/{adjustment_id}/book: 403 second_person_needed -",
        "POST /api/v1/disputes/{dispute_id}/change: 409 dispute_state_forbids -",
        "POST /api/v1/payments/{payment_id}/advances/recover: 422 exceeds_advanced amount",
        "POST /api/v1/payments/{payment_id}/capture: 409 payment_status_forbids -",
        "POST /api/v1/payments/{payment_id}/shares: 422 receiver_is_giver shares",
        "POST /api/v1/payments/{payment_id}/void: 409 payment_status_forbids -",
        "POST /api/v1/payouts/{payout_id}/cancel: 409 payout_state_forbids -",
        "POST /api/v1/payouts: 409 payout_is_prepared -",
        "POST /api/v1/refunds/{refund_id}/edit: 409 refund_state_forbids -",
        "POST /api/v1/refunds/{refund_id}/review: 409 refund_state_forbids -",
        "POST /api/v1/refunds/{refund_id}/send-now: 409 refund_state_forbids -",
        "POST /api/v1/shares/{share_id}/finish: 409 share_state_forbids -",
        "PUT /api/v1/rates: 403 not_allowed -",
    ];
    assert_eq!(refused.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

/// A merchant whose key holds every permission cannot hurry its own money, nor do anything else that is the operator's.
#[tokio::test]
async fn what_is_the_operators_is_refused_to_the_merchants_own_key() {
    let app = TestApp::start().await;
    let victim = Victim::settle_in(&app, Mode::Sandbox).await;
    let everything: Vec<&str> = Permission::ALL.iter().map(|permission| permission.word()).collect();
    let own = app.key(Mode::Sandbox, Holder::Merchant { merchant_id: victim.shop.merchant.id }, Some(&everything)).await;
    let mut refused = Vec::new();
    for endpoint in endpoints::all().into_iter().filter(|endpoint| endpoint.audience == Audience::Operator) {
        let (path, body) = victim.request(&endpoint);
        assert_eq!(call(&own, &endpoint, &path, &body).await.brief(), "403 not_allowed -", "{}", name(&endpoint));
        refused.push(endpoint.path);
    }
    for path in ["settle", "shipment-state", "release-reserve", "collect-exposure"] {
        assert!(refused.iter().any(|refused| refused.ends_with(path)), "{path} moves money, and is the operator's");
    }
}

/// Another merchant's key, with every permission there is, neither reads nor changes anything; nor does a key of the other mode, be it the
/// operator's own.
#[tokio::test]
async fn nobody_reaches_the_things_of_others_or_of_the_other_mode() {
    let app = TestApp::start().await;
    let everything: Vec<&str> = Permission::ALL.iter().map(|permission| permission.word()).collect();
    for mode in [Mode::Sandbox, Mode::Live] {
        let victim = Victim::settle_in(&app, mode).await;
        let operator = app.operator(mode).await;
        let neighbour = app.shop(mode, "native").await.merchant.id;
        let stranger = app.shop(other(mode), "native").await.merchant.id;
        let thieves = [
            ("another merchant", mode, app.key(mode, Holder::Merchant { merchant_id: neighbour }, Some(&everything)).await),
            ("a platform", mode, app.key(mode, Holder::Platform { mode, merchant_ids: vec![neighbour] }, Some(&everything)).await),
            (
                "a merchant of the other mode",
                other(mode),
                app.key(other(mode), Holder::Merchant { merchant_id: stranger }, Some(&everything)).await,
            ),
            ("the operator of the other mode", other(mode), app.operator(other(mode)).await),
        ];
        let before = victim.belongings(&operator).await;
        for (who, thief_mode, thief) in &thieves {
            for endpoint in endpoints::all() {
                let (path, body) = victim.request(&endpoint);
                let seen = call(thief, &endpoint, &path, &body).await;
                let what = format!("{who} at {} of {mode:?}: {} {:?}", name(&endpoint), seen.status, seen.bytes);
                assert!(!victim.is_seen_in(&seen), "{what}");
                // No live key forces anything, whosever terminal it names.
                let forces = endpoint.path.ends_with("forced-answers") && *thief_mode == Mode::Live;
                assert!(seen.status < 300 || [403, 404].contains(&seen.status) || (forces && seen.status == 422), "{what}");
            }
        }
        assert_eq!(victim.belongings(&operator).await, before, "something was changed");
    }
}

#[tokio::test]
async fn dialects_keep_the_modes_apart_on_every_path() {
    let app = TestApp::start().await;
    for mode in [Mode::Sandbox, Mode::Live] {
        let victim = app.shop(mode, "antom").await;
        app.paid(&victim, "p1", "100.00 EUR").await;
        let thief = app.shop(other(mode), "antom").await;
        let pair = refundry_service::signatures::generate_rsa_keys();
        let issued = app.antom_credential(&thief, &pair).await;
        let client = Client::with_key(&app, &issued.credential.lookup, &pair.private_pkcs8);
        for path in refundry_dialects::ALL.iter().filter(|entry| entry.name == "antom").flat_map(|entry| entry.paths) {
            let body = if path.contains("inquiry") { r#"{"refundRequestId":"r1"}"#.to_owned() } else { refund_body("r1", "p1", 100) };
            let seen = client.call(path, &body).await;
            let expected = if path.contains("inquiry") { "F REFUND_NOT_EXIST" } else { "F ORDER_NOT_EXIST" };
            let answered = result(&seen);
            assert!(answered == expected || answered == "F ORDER_NOT_EXIST" || answered == "F INVALID_API", "{mode:?} {path}: {answered}");
        }
        let payment = victim.key.get("/api/v1/payments?payment_reference=p1").await;
        assert_eq!(payment.text("/items/0/refund_count"), "0");
    }
}
