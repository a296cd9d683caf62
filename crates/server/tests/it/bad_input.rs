//! Whatever is sent, the answer is a clear problem, and the next request is served.

use std::sync::Arc;

use axum::body::Body;
use http::Method;
use refundry_engine::Mode;
use refundry_engine::refund::REASON_LENGTH_MAX;
use refundry_server::app::App;
use refundry_server::config::Config;
use refundry_server::router::router;
use refundry_server::telemetry::metrics::Metrics;
use refundry_service::ids::Ids;

use crate::app::{Actor, TestApp, Wire, euros};

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn bad_bodies_are_refused_by_name_and_nothing_is_stored() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    let amount = r#""amount":{"value":1,"currency":"EUR"}"#;
    let long = "x".repeat(REASON_LENGTH_MAX + 1);
    for (body, expected) in [
        (String::new(), "400 malformed_json -"),
        ("{".to_owned(), "400 malformed_json -"),
        ("[]".to_owned(), "400 malformed_json -"),
        ("\u{feff}{}".to_owned(), "400 malformed_json -"),
        ("{}".to_owned(), "422 field_invalid amount"),
        (format!("{{{amount}}}"), "422 field_invalid payment_id"),
        (format!(r#"{{{amount},"payment_id":"p1"}}"#), "422 field_invalid payment_id"),
        (format!(r#"{{{amount},"payment_reference":7}}"#), "422 field_invalid payment_reference"),
        (format!(r#"{{{amount},"payment_reference":"p1","colour":"red"}}"#), "422 field_unknown colour"),
        (format!(r#"{{{amount},"payment_reference":"p1",{amount}}}"#), "422 field_invalid amount"),
        (r#"{"payment_reference":"p1","amount":"1.00"}"#.to_owned(), "422 field_invalid amount"),
        (r#"{"payment_reference":"p1","amount":null}"#.to_owned(), "422 field_invalid amount"),
        (r#"{"payment_reference":"p1","amount":{"value":1.5,"currency":"EUR"}}"#.to_owned(), "422 field_invalid amount.value"),
        (r#"{"payment_reference":"p1","amount":{"value":1e30,"currency":"EUR"}}"#.to_owned(), "422 field_invalid amount.value"),
        (
            r#"{"payment_reference":"p1","amount":{"value":99999999999999999999,"currency":"EUR"}}"#.to_owned(),
            "422 field_invalid amount.value",
        ),
        (r#"{"payment_reference":"p1","amount":{"value":1,"currency":"eur"}}"#.to_owned(), "422 field_invalid amount.currency"),
        (
            r#"{"payment_reference":"p1","amount":{"value":1,"currency":"EUR","text":"0.01 EUR"}}"#.to_owned(),
            "422 field_unknown amount.text",
        ),
        (format!(r#"{{{amount},"payment_reference":"p1","reason":"{long}"}}"#), "422 field_invalid reason"),
        (format!(r#"{{{amount},"payment_reference":"p1","reason":"\u0000"}}"#), "422 field_invalid reason"),
        (format!(r#"{{{amount},"payment_reference":"p1\u0000"}}"#), "422 field_invalid payment_reference"),
        (
            r#"{"payment_reference":"p1","amount":{"value":9223372036854775807,"currency":"EUR"}}"#.to_owned(),
            "422 exceeds_refundable amount",
        ),
    ] {
        let headers = [JSON, ("idempotency-key", "bad")];
        let seen = acme.key.send(Method::POST, "/api/v1/refunds", &headers, Body::from(body.clone())).await;
        assert_eq!(seen.brief(), expected, "{body}");
        let chinese = [JSON, ("idempotency-key", "bad"), ("accept-language", "zh")];
        let seen = acme.key.send(Method::POST, "/api/v1/refunds", &chinese, Body::from(body.clone())).await;
        assert!(!seen.chinese().is_empty());
    }
    assert_eq!(acme.key.get("/api/v1/refunds").await.json()["items"].as_array().unwrap().len(), 0);
    assert_eq!(acme.key.refund("bad", euros("p1", 1)).await.status, 201);
}

#[tokio::test]
async fn bad_heads_paths_and_queries_are_problems_too() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    let long = "n".repeat(65);
    for (method, path, headers, expected) in [
        (Method::POST, "/api/v1/refunds", vec![JSON], "400 parameter_invalid Idempotency-Key"),
        (Method::POST, "/api/v1/refunds", vec![JSON, ("idempotency-key", &long)], "400 parameter_invalid Idempotency-Key"),
        (Method::POST, "/api/v1/refunds", vec![JSON, ("idempotency-key", "")], "400 parameter_invalid Idempotency-Key"),
        (
            Method::POST,
            "/api/v1/refunds",
            vec![JSON, ("idempotency-key", "a"), ("idempotency-key", "b")],
            "400 parameter_invalid idempotency-key",
        ),
        (Method::POST, "/api/v1/refunds", vec![("idempotency-key", "a")], "415 media_type content-type"),
        (Method::POST, "/api/v1/refunds", vec![("content-type", "text/plain")], "415 media_type content-type"),
        (Method::PATCH, "/api/v1/refunds", vec![], "405 method_not_allowed -"),
        (Method::GET, "/api/v1/nothing", vec![], "404 path_unknown -"),
        (Method::GET, "/api/", vec![], "404 path_unknown -"),
        (Method::GET, "/api/v1/refunds/%ff", vec![], "404 path_unknown -"),
        (Method::POST, "/api/v1/openapi.json", vec![], "405 method_not_allowed -"),
        (Method::GET, "/api/v1/refunds/ref_xyz", vec![], "404 unknown_refund -"),
        (Method::GET, "/api/v1/payments/ref_0000000000000", vec![], "404 unknown_payment -"),
        (Method::GET, "/api/v1/refunds?colour=red", vec![], "400 parameter_invalid colour"),
        (Method::GET, "/api/v1/refunds?limit=0", vec![], "400 parameter_invalid limit"),
        (Method::GET, "/api/v1/refunds?limit=201", vec![], "400 parameter_invalid limit"),
        (Method::GET, "/api/v1/refunds?limit=many", vec![], "400 parameter_invalid limit"),
        (Method::GET, "/api/v1/refunds?cursor=!", vec![], "400 parameter_invalid cursor"),
        (Method::GET, "/api/v1/refunds?state=lost", vec![], "400 parameter_invalid state"),
        (Method::GET, "/api/v1/refunds?from=yesterday", vec![], "400 parameter_invalid from"),
        (Method::GET, "/api/v1/refunds?number=a%00b", vec![], "422 field_invalid number"),
        (Method::GET, "/api/v1/payments?payment_reference=%00", vec![], "422 field_invalid payment_reference"),
        (Method::GET, "/api/v1/payments?merchant_reference=%00", vec![], "422 field_invalid merchant_reference"),
        (Method::GET, "/api/v1/events?after=-1", vec![], "400 parameter_invalid after"),
        (Method::GET, "/api/v1/events?wait_seconds=31", vec![], "400 parameter_invalid wait_seconds"),
    ] {
        let seen = acme.key.send(method.clone(), path, &headers, Body::from("{}")).await;
        assert_eq!(seen.brief(), expected, "{method} {path} {headers:?}");
        let chinese = [headers, vec![("accept-language", "zh")]].concat();
        assert!(!acme.key.send(method.clone(), path, &chinese, Body::from("{}")).await.chinese().is_empty());
        if seen.status == 405 {
            assert!(seen.header("allow").is_some_and(|allowed| allowed.contains("GET")));
        }
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_with_the_limit() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    let large = format!("{{\"reason\":\"{}\"}}", "x".repeat(1_100_000));
    let seen = acme.key.send(Method::POST, "/api/v1/refunds", &[JSON, ("idempotency-key", "r1")], Body::from(large)).await;
    assert_eq!((seen.brief().as_str(), seen.text("/facts/limit_bytes").as_str()), ("413 body_too_large -", "1048576"));
}

#[tokio::test]
async fn a_store_that_is_closing_answers_try_again() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    assert_eq!(acme.key.get("/api/v1/payments").await.status, 200);
    app.close().await;
    let seen = acme.key.refund("r1", euros("p1", 1)).await;
    assert_eq!((seen.brief().as_str(), seen.header("retry-after")), ("503 overloaded -", Some("1")));
    assert_eq!(acme.key.get("/readyz").await.status, 503);
    assert_eq!(acme.key.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_process_without_a_node_number_reads_and_writes_nothing_new() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    let mut service = app.second_node();
    service.world.ids = Arc::new(Ids::unnumbered());
    let other = App::new(Arc::new(service), Arc::new(Metrics::new()), &Config::load(None, []).unwrap());
    let key = Actor { wire: Wire::Direct(router(Arc::new(other))), token: acme.key.token.clone() };
    assert_eq!(key.get("/api/v1/payments").await.status, 200);
    let seen = key.refund("r1", euros("p1", 1)).await;
    assert_eq!((seen.brief().as_str(), seen.header("retry-after")), ("503 overloaded -", Some("1")));
    let ready = key.get("/readyz").await;
    assert_eq!((ready.status, ready.bytes.as_ref()), (503, b"the database does not renew this process's node number\n".as_slice()));
    assert_eq!(key.get("/healthz").await.status, 200);
    let figures = String::from_utf8(key.get("/metrics").await.bytes.to_vec()).unwrap();
    assert!(figures.contains("\nrefundry_node -1\n"), "{figures}");
}
