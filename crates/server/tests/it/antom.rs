//! Antom over HTTP: what the wire adds to the dialect. What the dialect says is tested with bytes in its own crate.

use std::sync::Arc;

use axum::body::Body;
use http::Method;
use refundry_engine::Mode;
use refundry_service::credentials::IssuedCredential;
use refundry_service::signatures::RsaSigner;

use crate::app::{Actor, Seen, Served, TestApp};

pub const REFUND: &str = "/ams/sandbox/api/v1/payments/refund";
const TIME: &str = "1767225600000";

/// A merchant's client: it signs what it sends.
pub struct Client {
    wire: Actor,
    id: String,
    signer: Arc<RsaSigner>,
}

impl Client {
    pub fn new(app: &TestApp, issued: &IssuedCredential) -> Self {
        Self::with_key(app, &issued.credential.lookup, issued.private_key.as_ref().unwrap())
    }

    pub fn with_key(app: &TestApp, id: &str, private_key: &str) -> Self {
        Self { wire: app.stranger(), id: id.to_owned(), signer: Arc::new(RsaSigner::parse(private_key).unwrap()) }
    }

    /// The same, over a connection of its own.
    pub fn over(&self, served: &Served) -> Self {
        Self { wire: self.wire.over(served), id: self.id.clone(), signer: self.signer.clone() }
    }

    pub async fn refund(&self, number: &str, payment: &str, cents: i64) -> Seen {
        self.call(REFUND, &refund_body(number, payment, cents)).await
    }

    pub async fn call(&self, path: &str, body: &str) -> Seen {
        let signed_path = path.split_once("://").map_or(path, |(_, rest)| &rest[rest.find('/').unwrap()..]);
        let mut text = format!("POST {signed_path}\n{}.{TIME}.", self.id).into_bytes();
        text.extend_from_slice(body.as_bytes());
        let signature = self.signer.sign_base64(&text).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let signature = format!("algorithm=RSA256,keyVersion=1,signature={signature}");
        let headers = [
            ("content-type", "application/json; charset=UTF-8"),
            ("Client-Id", self.id.as_str()),
            ("Request-Time", TIME),
            ("Signature", &signature),
        ];
        self.wire.send(Method::POST, path, &headers, Body::from(body.to_owned())).await
    }
}

pub fn refund_body(number: &str, payment: &str, cents: i64) -> String {
    format!(r#"{{"refundRequestId":"{number}","paymentId":"{payment}","refundAmount":{{"currency":"EUR","value":"{cents}"}}}}"#)
}

/// Status and result code, such as `F CLIENT_INVALID`.
pub fn result(seen: &Seen) -> String {
    assert_eq!(seen.status, 200, "{:?}", seen.bytes);
    format!("{} {}", seen.text("/result/resultStatus"), seen.text("/result/resultCode"))
}

#[tokio::test]
async fn an_answer_has_exactly_the_headers_of_the_dialect() {
    let app = TestApp::start().await;
    let shop = app.shop(Mode::Sandbox, "antom").await;
    app.paid(&shop, "p1", "100.00 EUR").await;
    let client = Client::new(&app, &app.antom_keys(&shop).await);
    let seen = client.call("/ams/api/v1/payments/inquiryRefund", r#"{"refundRequestId":"none"}"#).await;
    assert_eq!(result(&seen), "F ORDER_NOT_EXIST");
    let mut names: Vec<&str> = seen.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["client-id", "content-length", "content-type", "response-time", "signature"]);
}

#[tokio::test]
async fn an_absolute_target_is_reduced_to_its_path() {
    let app = TestApp::start().await;
    let shop = app.shop(Mode::Sandbox, "antom").await;
    let client = Client::new(&app, &app.antom_keys(&shop).await);
    for path in [
        "https://open-na-global.example/ams/sandbox/api/v1/payments/inquiryRefund",
        "/ams/api/v1/payments/inquiryRefund?x=1",
        "//ams/api/v1/payments/inquiryRefund",
        "/v1/payments/inquiryRefund",
    ] {
        assert_eq!(result(&client.call(path, r#"{"refundRequestId":"none"}"#).await), "F ORDER_NOT_EXIST", "{path}");
    }
}

#[tokio::test]
async fn what_is_wrong_on_the_wire_is_said_in_the_dialect() {
    let app = TestApp::start().await;
    let wire = app.stranger();
    let nobody = [("content-type", "application/json"), ("client-id", "nobody"), ("request-time", TIME), ("signature", "x")];
    for (method, path, headers, expected) in [
        (Method::GET, REFUND, &nobody[..1], "F METHOD_NOT_SUPPORTED"),
        (Method::PUT, "/ams/api/v1/payments/refund", &nobody[..1], "F METHOD_NOT_SUPPORTED"),
        (Method::POST, "/ams/api/v1/payments/nothing", &nobody[..1], "F NO_INTERFACE_DEF"),
        (Method::POST, REFUND, &nobody[..], "F CLIENT_INVALID"),
    ] {
        assert_eq!(result(&wire.send(method.clone(), path, headers, Body::from("{}")).await), expected, "{method} {path}");
    }
    let large = Body::from(vec![b' '; 1_200_000]);
    let seen = wire.send(Method::POST, REFUND, &nobody, large).await;
    assert_eq!(result(&seen), "F PARAM_ILLEGAL");
    assert!(seen.header("signature").is_some(), "also an unread request is answered with a signature");
}
