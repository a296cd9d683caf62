//! The OpenAPI document: fresh, and about the table.

use refundry_engine::Mode;
use refundry_server::{endpoints, openapi};

use crate::app::TestApp;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi.json");

#[test]
fn the_committed_document_is_fresh() {
    let fresh = openapi::document_text();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(FILE, &fresh).unwrap();
    }
    let committed = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(committed == fresh, "openapi.json is stale: make openapi");
}

#[test]
fn every_endpoint_is_described_and_every_reference_leads_somewhere() {
    let document = serde_json::to_value(openapi::document()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = std::collections::BTreeSet::new();
    for endpoint in endpoints::all() {
        let operation = &document["paths"][endpoint.path][endpoint.method.word().to_lowercase()];
        assert!(
            operation["summary"].as_str().is_some_and(|summary| summary.ends_with('.')),
            "{} {}",
            endpoint.method.word(),
            endpoint.path
        );
        let chinese = operation["x-summary-zh"].as_str().unwrap_or_default();
        assert!(chinese.ends_with('。') && !chinese.is_ascii(), "{} {}: {chinese}", endpoint.method.word(), endpoint.path);
        assert!(endpoint.tag[0].is_ascii() && !endpoint.tag[1].is_ascii(), "{:?}", endpoint.tag);
        assert!(ids.insert(operation["operationId"].to_string()), "{} twice", operation["operationId"]);
    }
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer} leads nowhere");
    }
}

#[tokio::test]
async fn it_is_served_and_can_be_browsed() {
    let app = TestApp::start().await;
    let seen = app.stranger().get("/api/v1/openapi.json").await;
    assert_eq!((seen.status, seen.header("content-type")), (200, Some("application/json")));
    assert_eq!(seen.json()["info"]["title"], "Refundry");
    let page = app.stranger().get("/docs").await;
    let html = String::from_utf8(page.bytes.to_vec()).unwrap();
    assert!(page.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'self'")));
    for endpoint in endpoints::all() {
        assert!(html.contains(endpoint.path), "{}", endpoint.path);
    }
    for foreign in ["http://", "https://", "<script", "src="] {
        assert!(!html.replace("https://shop.example", "").contains(foreign), "the page loads {foreign}");
    }
    let chinese = String::from_utf8(app.stranger().get("/docs?lang=zh").await.bytes.to_vec()).unwrap();
    for endpoint in endpoints::all() {
        for (language, page) in [&html, &chinese].into_iter().enumerate() {
            let begin = endpoint.summary[language].split('`').next().unwrap().replace('"', "&quot;");
            assert!(page.contains(&begin), "{begin}");
        }
    }
    let acme = app.shop(Mode::Sandbox, "native").await;
    assert_eq!(acme.key.get("/api/v1/openapi.json").await.status, 200);
}
