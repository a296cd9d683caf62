//! Refunds over the native API.

use axum::body::Body;
use http::Method;
use refundry_engine::Mode;
use refundry_engine::credential::Holder;
use refundry_engine::policy::{PolicyPatch, ReviewRule};
use serde_json::json;

use crate::app::{TestApp, euros};

#[tokio::test]
async fn a_refund_is_accepted_carried_out_and_read() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    let mut wish = euros("p1", 1_230);
    wish["reason"] = json!("too small");
    wish["metadata"] = json!("cart 7");
    let seen = acme.key.refund("r1", wish).await;
    assert_eq!(seen.status, 201, "{:?}", seen.bytes);
    assert_eq!(seen.header("location"), Some(format!("/api/v1/refunds/{}", seen.text("/refund_id")).as_str()));
    assert!(seen.header("x-request-id").is_some() && seen.header("idempotency-replayed").is_none());
    assert_eq!(seen.header("cache-control"), Some("no-store"));
    let body = seen.json();
    insta::assert_snapshot!(
        format!("{} {} {} final={} left={}", body["state"], body["amount"], body["reason"], body["final"], body["refundable"]["text"]),
        @r#""pending" {"value":1230,"currency":"EUR","text":"12.30 EUR"} "too small" final=false left="87.70 EUR""#
    );
    app.work().await;
    let path = format!("/api/v1/refunds/{}", seen.text("/refund_id"));
    let seen = acme.key.get(&path).await;
    let kinds: Vec<String> = seen.json()["timeline"].as_array().unwrap().iter().map(|event| event["type"].to_string()).collect();
    insta::assert_snapshot!(
        format!("{} {} {} | {}", seen.text("/state"), seen.text("/metadata"), seen.text("/explanation/who"), kinds.join(" ")),
        @r#"succeeded cart 7 network | "refund.accepted" "refund.submitted" "refund.succeeded""#
    );
    let chinese = acme.key.send(Method::GET, &path, &[("accept-language", "zh-CN,en;q=0.5")], Body::empty()).await;
    let why = chinese.text("/explanation/why");
    assert!(why.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter)), "{why}");
}

#[tokio::test]
async fn the_same_number_is_answered_again_and_never_paid_twice() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    let first = acme.key.refund("r1", euros("p1", 1_000)).await;
    app.work().await;
    let again = acme.key.refund("\"r1\"", euros("p1", 1_000)).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
    assert_eq!(again.text("/refund_id"), first.text("/refund_id"));
    assert_eq!((first.text("/state").as_str(), again.text("/state").as_str()), ("pending", "succeeded"), "the current state is answered");
    let other = acme.key.refund("r1", euros("p1", 1_001)).await;
    assert_eq!(other.brief(), "409 repeat_inconsistent amount");
    assert_eq!(other.text("/facts/first"), "10.00 EUR");
    let memory = acme.key.get("/api/v1/idempotency-keys/r1").await;
    assert_eq!(memory.text("/refund_id"), first.text("/refund_id"));
    assert_eq!(memory.text("/compared/amount"), "10.00 EUR");
    assert_eq!(acme.key.get("/api/v1/idempotency-keys/r2").await.brief(), "404 unknown -");
}

#[tokio::test]
async fn a_refused_number_is_free_again_and_refusals_carry_facts() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    let too_much = acme.key.refund("r1", euros("p1", 10_001)).await;
    assert_eq!(too_much.brief(), "422 exceeds_refundable amount");
    assert_eq!(too_much.json()["facts"]["refundable"], json!({"value": 10_000, "currency": "EUR", "text": "100.00 EUR"}));
    assert_eq!(acme.key.refund("r1", euros("p1", 10_000)).await.status, 201);
    for (wish, expected) in [
        (euros("p1", 1), "422 exceeds_refundable amount"),
        (euros("p9", 1), "404 unknown_payment -"),
        (euros("p1", 0), "422 amount_not_positive amount.value"),
        (euros("p1", -5), "422 amount_not_positive amount.value"),
        (json!({"payment_reference": "p1", "amount": {"value": 1, "currency": "USD"}}), "422 currency_mismatch amount.currency"),
    ] {
        assert_eq!(acme.key.refund("r2", wish.clone()).await.brief(), expected, "{wish}");
    }
}

#[tokio::test]
async fn an_expected_rest_that_is_stale_refuses_with_the_fresh_one() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    let wish = |cents: i64, left: i64| {
        let mut wish = euros("p1", cents);
        wish["expected_remaining"] = json!({"value": left, "currency": "EUR"});
        wish
    };
    assert_eq!(acme.key.refund("r1", wish(1_000, 10_000)).await.status, 201);
    let stale = acme.key.refund("r2", wish(1_000, 10_000)).await;
    assert_eq!(stale.brief(), "412 expected_remaining_stale expected_remaining");
    assert_eq!(stale.text("/facts/refundable/text"), "90.00 EUR");
    assert_eq!(acme.key.refund("r2", wish(1_000, 9_000)).await.status, 201);
}

#[tokio::test]
async fn a_dry_run_says_what_the_real_request_then_says() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    for (number, wish) in
        [("r1", euros("p1", 6_000)), ("r2", euros("p1", 5_000)), ("r3", euros("p1", 4_000)), ("r4", euros("p1", 1)), ("r5", euros("p9", 1))]
    {
        let dry = acme.key.post("/api/v1/refunds/dry-run", wish.clone()).await;
        let twice = acme.key.post("/api/v1/refunds/dry-run", wish.clone()).await;
        let real = acme.key.refund(number, wish).await;
        let decided = |seen: &crate::app::Seen| (seen.status < 300, seen.text("/code"), seen.text("/refundable"), seen.text("/facts"));
        assert_eq!(decided(&dry), decided(&real), "{number}");
        assert_eq!(decided(&dry), decided(&twice), "{number}: a dry run changes nothing");
    }
}

#[tokio::test]
async fn a_refund_can_be_taken_back_while_nothing_is_sent() {
    let app = TestApp::start().await;
    let policy = PolicyPatch { undo_seconds: Some(60), ..PolicyPatch::default() };
    let acme = app.shop_with(Mode::Sandbox, "native", policy).await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    let seen = acme.key.refund("r1", euros("p1", 1_000)).await;
    assert_eq!(seen.text("/holds/0/kind"), "delay");
    let cancel = format!("/api/v1/refunds/{}/cancel", seen.text("/refund_id"));
    app.work().await;
    let cancelled = acme.key.send(Method::POST, &cancel, &[], Body::empty()).await;
    assert_eq!((cancelled.status, cancelled.text("/state").as_str()), (200, "cancelled"));
    assert_eq!(acme.key.send(Method::POST, &cancel, &[], Body::empty()).await.text("/state"), "cancelled", "twice is once");
    let second = acme.key.refund("r2", euros("p1", 10_000)).await;
    assert_eq!(second.status, 201, "the money is free again");
    app.clock.advance(60_000);
    app.work().await;
    let too_late = format!("/api/v1/refunds/{}/cancel", second.text("/refund_id"));
    assert_eq!(acme.key.send(Method::POST, &too_late, &[], Body::empty()).await.brief(), "409 refund_state_forbids -");
}

#[tokio::test]
async fn a_refund_in_review_waits_for_a_second_person() {
    let app = TestApp::start().await;
    let policy = PolicyPatch { review: Some(ReviewRule::All), ..PolicyPatch::default() };
    let acme = app.shop_with(Mode::Sandbox, "native", policy).await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    let seen = acme.key.refund("r1", euros("p1", 1_000)).await;
    app.work().await;
    let path = format!("/api/v1/refunds/{}", seen.text("/refund_id"));
    let waiting = acme.key.get(&path).await;
    assert_eq!((waiting.text("/state").as_str(), waiting.text("/explanation/who").as_str()), ("pending", "reviewer"));
    let hash = seen.text("/content_hash");
    let review = |hash: &str| json!({"approve": true, "note": "fine", "content_hash": hash});
    assert_eq!(acme.key.post(&format!("{path}/review"), review(&hash)).await.brief(), "403 not_allowed -");
    let reviewer = app.operator(Mode::Sandbox).await;
    let review_path = format!("{path}/review?merchant_id={}", acme.merchant.id);
    assert_eq!(reviewer.post(&review_path, review("another")).await.brief(), "409 reviewed_content_changed content_hash");
    assert_eq!(reviewer.post(&review_path, review(&hash)).await.status, 200);
    app.work().await;
    assert_eq!(acme.key.get(&path).await.text("/state"), "succeeded");
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    for number in 1..=5_i64 {
        app.clock.advance(1_000);
        assert_eq!(acme.key.refund(&format!("r{number}"), euros("p1", number * 100)).await.status, 201);
    }
    let numbers = |seen: &crate::app::Seen| -> Vec<String> {
        seen.json()["items"].as_array().unwrap().iter().map(|item| item["number"].as_str().unwrap().to_owned()).collect()
    };
    let first = acme.key.get("/api/v1/refunds?limit=2").await;
    assert_eq!(numbers(&first), ["r5", "r4"]);
    let second = acme.key.get(&format!("/api/v1/refunds?limit=2&cursor={}", first.text("/next"))).await;
    assert_eq!(numbers(&second), ["r3", "r2"]);
    for (query, expected) in [
        ("amount_min=300&amount_max=400", vec!["r4", "r3"]),
        ("number=r2", vec!["r2"]),
        ("state=succeeded", vec![]),
        ("from=2026-01-01T00:00:04Z", vec!["r5", "r4"]),
        ("to=2026-01-01T00:00:03Z", vec!["r2", "r1"]),
        ("currency=JPY", vec![]),
    ] {
        assert_eq!(numbers(&acme.key.get(&format!("/api/v1/refunds?{query}")).await), expected, "{query}");
    }
    let platform = app.key(Mode::Sandbox, Holder::Operator { mode: Mode::Sandbox }, None).await;
    assert_eq!(numbers(&platform.get("/api/v1/refunds").await).len(), 5, "the operator sees all of its mode");
}

#[tokio::test]
async fn an_unclear_answer_is_asked_about_and_never_guessed() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    app.paid(&acme, "p1", "200.00 EUR").await;
    let seen = acme.key.refund("r1", euros("p1", 9_004)).await;
    app.work().await;
    let path = format!("/api/v1/refunds/{}", seen.text("/refund_id"));
    let seen = acme.key.get(&path).await;
    let kinds: Vec<String> = seen.json()["timeline"].as_array().unwrap().iter().map(|event| event["type"].to_string()).collect();
    insta::assert_snapshot!(
        format!("{} {}", seen.text("/state"), kinds.join(" ")),
        @r#"succeeded "refund.accepted" "refund.submitted" "refund.unresolved" "refund.succeeded""#
    );
}

#[tokio::test]
async fn what_the_acquirer_declines_has_its_code_and_words() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    app.paid(&acme, "p1", "200.00 EUR").await;
    let seen = acme.key.refund("r1", euros("p1", 9_001)).await;
    app.work().await;
    let failed = acme.key.get(&format!("/api/v1/refunds/{}", seen.text("/refund_id"))).await;
    assert_eq!(failed.text("/failure/kind"), "declined_by_acquirer");
    assert_eq!(failed.text("/failure/code"), "05");
    assert_eq!(failed.text("/refundable/text"), "", "it is not read for this answer");
}
