//! Merchants, terminals and keys, as the operator makes them over HTTP.

use axum::body::Body;
use http::Method;
use refundry_engine::Mode;
use serde_json::json;

use crate::app::{Actor, TestApp};

#[tokio::test]
async fn an_operator_sets_a_merchant_up() {
    let app = TestApp::start().await;
    let operator = app.operator(Mode::Sandbox).await;
    let merchant = operator.post("/api/v1/merchants", json!({"name": "Acme", "policy": {"refund_window_days": 30}})).await;
    assert_eq!(merchant.status, 201, "{:?}", merchant.bytes);
    let merchant_id = merchant.text("/merchant_id");
    let wish = json!({"merchant_id": merchant_id, "name": "Shop", "dialect": "antom", "notify_url": "https://shop.example/antom"});
    let terminal = operator.post("/api/v1/terminals", wish).await;
    assert_eq!((terminal.status, terminal.text("/acquirer").as_str()), (201, "simulated"));
    let path = format!("/api/v1/terminals/{}", terminal.text("/terminal_id"));
    let whose = format!("?merchant_id={merchant_id}");
    let policy = operator.get(&format!("{path}/policy{whose}")).await;
    assert_eq!(policy.text("/policy/refund_window_days"), "30");
    let changed = operator.put(&format!("{path}{whose}"), json!({"notify_url": null, "name": "Shop 2"})).await;
    assert_eq!((changed.text("/name").as_str(), changed.json().get("notify_url")), ("Shop 2", None));
    let forced =
        operator.post(&format!("{path}/forced-answers{whose}"), json!({"api": "refund", "code": "SYSTEM_ERROR", "minutes": 5})).await;
    assert_eq!(forced.json()["forced_answers"], json!([{"api": "refund", "code": "SYSTEM_ERROR", "until": "2026-01-01T00:05:00Z"}]));
    for (body, expected) in [
        (json!({"api": "refund", "code": "NOT_A_CODE", "minutes": 5}), "422 field_invalid code"),
        (json!({"api": "refund", "code": "SYSTEM_ERROR", "minutes": 121}), "422 field_invalid minutes"),
    ] {
        assert_eq!(operator.post(&format!("{path}/forced-answers{whose}"), body).await.brief(), expected);
    }
    let suspended = operator.put(&format!("/api/v1/merchants/{merchant_id}"), json!({"standing": "suspended"})).await;
    assert_eq!(suspended.text("/standing"), "suspended");
    let log = operator.get(&format!("/api/v1/audit-log{whose}")).await;
    assert!(!log.json()["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_key_is_rotated_with_an_overlap_and_revoked() {
    let app = TestApp::start().await;
    let (acme, operator) = (app.shop(Mode::Sandbox, "native").await, app.operator(Mode::Sandbox).await);
    let wish = json!({"holder": {"kind": "merchant", "merchant_id": acme.merchant.id}, "name": "erp", "permissions": ["refunds:read"]});
    let first = operator.post("/api/v1/credentials", wish).await;
    assert_eq!(first.status, 201, "{:?}", first.bytes);
    let actor = |token: String| Actor { token, ..app.stranger() };
    let old = actor(first.text("/token"));
    assert_eq!(old.get("/api/v1/refunds").await.status, 200);
    assert_eq!(old.get("/api/v1/payments").await.brief(), "403 not_allowed -");
    let path = format!("/api/v1/credentials/{}", first.text("/credential_id"));
    let second = operator.post(&format!("{path}/rotate"), json!({"overlap_seconds": 60})).await;
    let new = actor(second.text("/token"));
    assert_eq!(second.text("/key_version"), "2");
    for key in [&old, &new] {
        assert_eq!(key.get("/api/v1/refunds").await.status, 200, "both versions are valid during the overlap");
    }
    app.clock.advance(61_000);
    assert_eq!(old.get("/api/v1/refunds").await.brief(), "401 unauthenticated -");
    assert_eq!(new.get("/api/v1/refunds").await.status, 200);
    let revoked = operator.post(&format!("/api/v1/credentials/{}/revoke", second.text("/credential_id")), json!({})).await;
    assert_eq!(revoked.status, 200);
    assert_eq!(new.get("/api/v1/refunds").await.brief(), "401 unauthenticated -");
    let read = operator.get(&path).await;
    assert!(!String::from_utf8_lossy(&read.bytes).contains(&first.text("/token")), "a token is shown once");
}

#[tokio::test]
async fn a_bearer_scheme_is_read_in_any_case_and_nothing_else_is_taken() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    let stranger = app.stranger();
    for (header, status) in [
        (format!("bearer {}", acme.key.token), 200),
        (format!("BEARER  {}", acme.key.token), 200),
        (format!("Basic {}", acme.key.token), 401),
        (acme.key.token.clone(), 401),
        ("Bearer".to_owned(), 401),
        ("Bearer ".to_owned(), 401),
    ] {
        let seen = stranger.send(Method::GET, "/api/v1/refunds", &[("authorization", &header)], Body::empty()).await;
        assert_eq!(seen.status, status, "{header}");
    }
}
