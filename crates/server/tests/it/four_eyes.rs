//! Four eyes over HTTP: who may let a refund pass, and what an approval is worth after an edit or for another refund.

use refundry_engine::Mode;
use refundry_engine::policy::{PolicyPatch, ReviewRule, ReviewTrigger, VelocityOf};
use serde_json::{Value, json};

use crate::app::{Actor, Seen, Shop, TestApp, euros};

/// A merchant's person with a key.
async fn person(app: &TestApp, shop: &Shop, name: &str, role: &str) -> (String, Actor) {
    let operator = app.operator(shop.merchant.mode).await;
    let merchant_id = shop.merchant.id.to_string();
    let made = operator.post("/api/v1/people", json!({"merchant_id": merchant_id, "name": name, "role": role})).await;
    assert_eq!(made.status, 201, "{}", made.brief());
    let person_id = made.text("/person_id");
    (person_id.clone(), key_of(app, shop, &person_id).await)
}

/// One more key of a person.
async fn key_of(app: &TestApp, shop: &Shop, person_id: &str) -> Actor {
    let operator = app.operator(shop.merchant.mode).await;
    let holder = json!({"kind": "merchant", "merchant_id": shop.merchant.id});
    let issued = operator.post("/api/v1/credentials", json!({"holder": holder, "name": "laptop", "person_id": person_id})).await;
    assert_eq!(issued.status, 201, "{}", issued.brief());
    app.with_token(issued.text("/token"))
}

async fn approve(by: &Actor, refund_id: &str, content_hash: &str) -> Seen {
    let body = json!({"approve": true, "note": "fine", "content_hash": content_hash});
    by.post(&format!("/api/v1/refunds/{refund_id}/review"), body).await
}

fn reviewed() -> PolicyPatch {
    PolicyPatch { review: Some(ReviewRule::All), ..PolicyPatch::default() }
}

#[tokio::test]
async fn an_undo_window_that_ends_early_is_told_as_that_and_not_as_an_edit() {
    let app = TestApp::start().await;
    let policy = PolicyPatch { undo_seconds: Some(600), ..reviewed() };
    let acme = app.shop_with(Mode::Sandbox, "native", policy).await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    let (_, bob) = person(&app, &acme, "Bob", "merchant_admin").await;
    let refund = bob.refund("r1", euros("p1", 1_000)).await.text("/refund_id");
    let sent = bob.post(&format!("/api/v1/refunds/{refund}/send-now"), Value::Null).await;
    assert_eq!((sent.status, sent.text("/state").as_str()), (200, "pending"), "{}", sent.brief());
    let story = bob.get(&format!("/api/v1/refunds/{refund}")).await.json();
    let kinds: Vec<&Value> = story["timeline"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "refund.undo_ended").count(), 1, "{kinds:?}");
    assert!(!kinds.contains(&&json!("refund.edited")), "{kinds:?}");
}

#[tokio::test]
async fn nobody_passes_their_own_refund_an_edited_one_unseen_or_another_one() {
    let app = TestApp::start().await;
    let acme = app.shop_with(Mode::Sandbox, "native", reviewed()).await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    let (bob_id, bob) = person(&app, &acme, "Bob", "merchant_admin").await;
    let (_, ann) = person(&app, &acme, "Ann", "reviewer").await;
    let applied = bob.refund("r1", euros("p1", 1_000)).await;
    let (refund, seen) = (applied.text("/refund_id"), applied.text("/content_hash"));
    assert_eq!((applied.text("/applicant"), applied.text("/applicant_id")), ("merchant:Bob".to_owned(), bob_id.clone()));

    // The applicant, with whichever key, and a key that names nobody.
    assert_eq!(approve(&bob, &refund, &seen).await.brief(), "403 reviewer_is_applicant -");
    let second_key = key_of(&app, &acme, &bob_id).await;
    assert_eq!(approve(&second_key, &refund, &seen).await.brief(), "403 reviewer_is_applicant -");
    let holder = refundry_engine::credential::Holder::Merchant { merchant_id: acme.merchant.id };
    let nobody = app.key(Mode::Sandbox, holder, Some(&["refunds:review", "refunds:read"])).await;
    assert_eq!(approve(&nobody, &refund, &seen).await.brief(), "403 reviewer_is_no_person -");

    // A colleague who saw it before it was edited.
    let edited = bob.post(&format!("/api/v1/refunds/{refund}/edit"), json!({"amount": {"value": 2_000, "currency": "EUR"}})).await;
    assert_eq!((edited.status, edited.json()["edits"].clone()), (200, json!(1)));
    assert_eq!(approve(&ann, &refund, &seen).await.brief(), "409 reviewed_content_changed content_hash");
    // An approval of one refund, sent for another.
    let other = bob.refund("r2", euros("p1", 2_000)).await;
    assert_eq!(approve(&ann, &refund, &other.text("/content_hash")).await.brief(), "409 reviewed_content_changed content_hash");
    assert_eq!(
        approve(&ann, &other.text("/refund_id"), &edited.text("/content_hash")).await.brief(),
        "409 reviewed_content_changed content_hash"
    );
    let without = json!({"approve": true, "note": "fine"});
    let blind = ann.post(&format!("/api/v1/refunds/{refund}/review"), without).await;
    assert_eq!(blind.brief(), "409 reviewed_content_changed content_hash");
    app.work().await;
    assert_eq!(ann.get(&format!("/api/v1/refunds/{refund}")).await.text("/state"), "pending", "nothing of all this let it pass");

    // What counts: a colleague who saw what it is now.
    let passed = approve(&ann, &refund, &edited.text("/content_hash")).await;
    assert_eq!(passed.status, 200, "{}", passed.brief());
    app.work().await;
    let story = ann.get(&format!("/api/v1/refunds/{refund}")).await;
    assert_eq!((story.text("/state").as_str(), story.json()["amount"]["value"].clone()), ("succeeded", json!(2_000)));
    let kinds: Vec<Value> = story.json()["timeline"].as_array().unwrap().iter().map(|event| event["type"].clone()).collect();
    assert!(kinds.contains(&json!("refund.edited")) && kinds.contains(&json!("refund.approved")), "{kinds:?}");
}

#[tokio::test]
async fn two_people_are_two_people_and_the_list_says_who_is_missing() {
    let app = TestApp::start().await;
    let policy = PolicyPatch { second_reviewer_above_minor: Some(Some(5_000)), ..reviewed() };
    let acme = app.shop_with(Mode::Sandbox, "native", policy).await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    let (_, ann) = person(&app, &acme, "Ann", "reviewer").await;
    let (_, eve) = person(&app, &acme, "Eve", "reviewer").await;
    let applied = acme.key.refund("r1", euros("p1", 6_000)).await;
    let (refund, seen) = (applied.text("/refund_id"), applied.text("/content_hash"));
    let waits = |list: &Seen| list.json()["items"][0]["holds"][0]["approvals_missing"].clone();
    assert_eq!(waits(&ann.get("/api/v1/reviews").await), json!(2));
    assert_eq!(approve(&ann, &refund, &seen).await.status, 200);
    let operator = app.operator(Mode::Sandbox).await;
    assert_eq!(waits(&operator.get("/api/v1/reviews").await), json!(1));
    assert_eq!(approve(&ann, &refund, &seen).await.brief(), "403 reviewer_approved_already -");
    assert_eq!(approve(&eve, &refund, &seen).await.status, 200);
    assert_eq!(ann.get("/api/v1/reviews").await.json()["items"], json!([]));
    app.work().await;
    assert_eq!(acme.key.get(&format!("/api/v1/refunds/{refund}")).await.text("/state"), "succeeded");
    // A rejection says why.
    let silent = acme.key.refund("r2", euros("p1", 1_000)).await.text("/refund_id");
    let rejected = ann.post(&format!("/api/v1/refunds/{silent}/review"), json!({"approve": false})).await;
    assert_eq!(rejected.brief(), "422 field_invalid note");
    let rejected = ann.post(&format!("/api/v1/refunds/{silent}/review"), json!({"approve": false, "note": "twice"})).await;
    assert_eq!((rejected.text("/state").as_str(), rejected.text("/failure/text").as_str()), ("failed", "twice"));
}

#[tokio::test]
async fn a_person_is_bound_by_the_role_and_a_suspended_one_is_nobody() {
    let app = TestApp::start().await;
    let acme = app.shop_with(Mode::Sandbox, "native", reviewed()).await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    let (bob_id, bob) = person(&app, &acme, "Bob", "applicant").await;
    let operator = app.operator(Mode::Sandbox).await;
    let change = format!("/api/v1/people/{bob_id}?merchant_id={}", acme.merchant.id);
    assert_eq!(bob.refund("r1", euros("p1", 100)).await.status, 201);
    assert_eq!(bob.post("/api/v1/people", json!({"name": "Bobby", "role": "merchant_admin"})).await.brief(), "403 not_allowed -");
    assert_eq!(operator.put(&change, json!({"role": "read_only"})).await.status, 200);
    assert_eq!(bob.refund("r2", euros("p1", 100)).await.brief(), "403 not_allowed -");
    assert_eq!(operator.put(&change, json!({"role": "operator_admin"})).await.brief(), "422 field_invalid role");
    assert_eq!(operator.put(&change, json!({"standing": "suspended"})).await.status, 200);
    assert_eq!(bob.get("/api/v1/refunds").await.status, 401);
    assert_eq!(operator.put(&change, json!({"standing": "active"})).await.status, 200);
    assert_eq!(bob.get("/api/v1/refunds").await.status, 200);
    // Another merchant's admin neither sees nor changes Bob, and gives nobody a key in his name.
    let rival = app.shop(Mode::Sandbox, "native").await;
    let (_, admin) = person(&app, &rival, "Rita", "merchant_admin").await;
    assert_eq!(admin.get(&format!("/api/v1/people/{bob_id}")).await.brief(), "404 unknown -");
    assert_eq!(admin.put(&format!("/api/v1/people/{bob_id}"), json!({"role": "merchant_admin"})).await.brief(), "404 unknown -");
    let key = json!({"holder": {"kind": "merchant"}, "name": "stolen", "person_id": bob_id});
    assert_eq!(admin.post("/api/v1/credentials", key).await.brief(), "404 unknown -");
}

/// Who has a key in hand can act as the person that it names.
#[tokio::test]
async fn nobody_gets_the_key_of_somebody_else() {
    let app = TestApp::start().await;
    let acme = app.shop_with(Mode::Sandbox, "native", reviewed()).await;
    let desk = app.operator(Mode::Sandbox).await;
    let (bob_id, bob) = person(&app, &acme, "Bob", "reviewer").await;
    let (ann_id, ann) = person(&app, &acme, "Ann", "merchant_admin").await;
    let staff = desk.post("/api/v1/people", json!({"name": "Olga", "role": "operator_admin"})).await.text("/person_id");
    let other = desk.post("/api/v1/people", json!({"name": "Otto", "role": "finance"})).await.text("/person_id");
    let operator = json!({"kind": "operator"});
    let olga = desk.post("/api/v1/credentials", json!({"holder": operator, "name": "laptop", "person_id": staff})).await;
    let olga = app.with_token(olga.text("/token"));
    let machine =
        desk.post("/api/v1/credentials", json!({"holder": operator, "name": "desk", "permissions": ["keys:write", "keys:read"]})).await;
    assert_eq!(machine.status, 201, "{}", machine.brief());

    let merchant = json!({"kind": "merchant", "merchant_id": acme.merchant.id});
    let key = |holder: &Value, person_id: &str| json!({"holder": holder, "name": "stolen", "person_id": person_id});
    for (by, holder, person_id) in [(&ann, &merchant, &bob_id), (&olga, &merchant, &bob_id), (&olga, &operator, &other)] {
        assert_eq!(by.post("/api/v1/credentials", key(holder, person_id)).await.brief(), "422 field_invalid person_id");
    }
    // A person made up for the purpose is somebody else, too.
    let ghost = ann.post("/api/v1/people", json!({"name": "Ghost", "role": "reviewer"})).await;
    assert_eq!(ghost.status, 201, "{}", ghost.brief());
    assert_eq!(ann.post("/api/v1/credentials", key(&merchant, &ghost.text("/person_id"))).await.brief(), "422 field_invalid person_id");
    // Neither by a new version of a key that is there, nor by way of a key that names nobody and issues others.
    let all = desk.get(&format!("/api/v1/credentials?merchant_id={}", acme.merchant.id)).await;
    let of_bob = all.json()["items"].as_array().unwrap().iter().find(|item| item["person_id"] == json!(bob_id)).unwrap().clone();
    let rotate = |id: &str| format!("/api/v1/credentials/{id}/rotate");
    let of_bob = of_bob["credential_id"].as_str().unwrap().to_owned();
    for by in [&ann, &olga] {
        assert_eq!(by.post(&rotate(&of_bob), json!({})).await.brief(), "422 field_invalid credential_id");
    }
    assert_eq!(olga.post(&rotate(&machine.text("/credential_id")), json!({})).await.brief(), "422 field_invalid credential_id");
    let all_powerful = json!({"holder": operator, "name": "mine"});
    assert_eq!(olga.post("/api/v1/credentials", all_powerful).await.brief(), "422 field_invalid person_id");
    let of_reviewers = ["keys:write", "refunds:read", "refunds:review", "payments:read", "merchants:read", "events:read"];
    let by_machine = json!({"holder": merchant, "name": "shop", "permissions": of_reviewers});
    let by_machine = desk.post("/api/v1/credentials", by_machine).await;
    assert_eq!(by_machine.status, 201, "{}", by_machine.brief());
    let shop_system = app.with_token(by_machine.text("/token"));
    assert_eq!(
        shop_system.post("/api/v1/credentials", key(&merchant, &bob_id)).await.status,
        422,
        "a machine of the merchant is no key desk"
    );

    // What remains allowed: one's own keys, keys of machines, and everything at the desk.
    for (by, body) in [
        (&ann, key(&merchant, &ann_id)),
        (&ann, json!({"holder": merchant, "name": "shop system", "permissions": ["refunds:write"]})),
        (&olga, key(&operator, &staff)),
        (&olga, json!({"holder": operator, "name": "reports", "permissions": ["refunds:read"]})),
        (&app.with_token(machine.text("/token")), json!({"holder": merchant, "name": "phone", "person_id": bob_id})),
    ] {
        let issued = by.post("/api/v1/credentials", body).await;
        assert_eq!(issued.status, 201, "{}", issued.brief());
    }
    assert_eq!(bob.get("/api/v1/refunds").await.status, 200);
}

/// Who issued a machine's key had it in hand: what it asks for, that person asked for.
#[tokio::test]
async fn nobody_passes_what_a_key_of_their_own_making_asked_for() {
    let app = TestApp::start().await;
    let acme = app.shop_with(Mode::Sandbox, "native", reviewed()).await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    let (_, ann) = person(&app, &acme, "Ann", "merchant_admin").await;
    let (_, bob) = person(&app, &acme, "Bob", "reviewer").await;
    let holder = json!({"kind": "merchant", "merchant_id": acme.merchant.id});
    let machine = async |by: &Actor, permissions: &[&str]| {
        let issued = by.post("/api/v1/credentials", json!({"holder": holder, "name": "till", "permissions": permissions})).await;
        assert_eq!(issued.status, 201, "{}", issued.brief());
        (issued.text("/credential_id"), app.with_token(issued.text("/token")))
    };
    let (till_id, till) = machine(&ann, &["refunds:write", "refunds:read", "keys:write"]).await;
    // A key that this key issued is still Ann's making, and so is its next version.
    let (_, grandchild) = machine(&till, &["refunds:write", "refunds:read"]).await;
    let rotated = ann.post(&format!("/api/v1/credentials/{till_id}/rotate"), json!({"overlap_seconds": 600})).await;
    let rotated = app.with_token(rotated.text("/token"));
    for (number, key) in [("r1", &till), ("r2", &grandchild), ("r3", &rotated)] {
        let asked = key.refund(number, euros("p1", 100)).await;
        assert_eq!(asked.status, 201, "{}", asked.brief());
        let (id, hash) = (asked.text("/refund_id"), asked.text("/content_hash"));
        assert_eq!(approve(&ann, &id, &hash).await.brief(), "403 reviewer_is_applicant -", "{number}");
        assert_eq!(approve(&bob, &id, &hash).await.status, 200, "{number}");
    }
    // What the operator's key desk issued is nobody's making.
    let desk = app.operator(Mode::Sandbox).await;
    let (_, shop_system) = machine(&desk, &["refunds:write", "refunds:read"]).await;
    let asked = shop_system.refund("r4", euros("p1", 100)).await;
    assert_eq!(approve(&ann, &asked.text("/refund_id"), &asked.text("/content_hash")).await.status, 200);
}

#[tokio::test]
async fn velocity_counts_what_was_refunded_lately() {
    let app = TestApp::start().await;
    let velocity = ReviewTrigger::Velocity { hours: 24, refunds: Some(2), minor: None, of: VelocityOf::Merchant };
    let policy = PolicyPatch { review: Some(ReviewRule::AnyOf { rules: vec![velocity] }), ..PolicyPatch::default() };
    let acme = app.shop_with(Mode::Sandbox, "native", policy).await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    for number in ["r1", "r2"] {
        assert_eq!(acme.key.refund(number, euros("p1", 100)).await.json()["holds"], Value::Null, "{number}");
    }
    let third = acme.key.refund("r3", euros("p1", 100)).await;
    assert_eq!(third.json()["holds"][0]["caught_by"], json!(["velocity"]));
    let why = acme.key.get(&format!("/api/v1/refunds/{}", third.text("/refund_id"))).await.text("/explanation/why");
    assert!(why.contains("more than 2 refunds of the merchant"), "{why}");
    app.clock.advance(25 * 3_600_000);
    assert_eq!(acme.key.refund("r4", euros("p1", 100)).await.json()["holds"], Value::Null);
}

#[tokio::test]
async fn a_batch_is_taken_back_or_sent_before_its_time() {
    let app = TestApp::start().await;
    let policy = PolicyPatch { undo_seconds: Some(3_600), ..PolicyPatch::default() };
    let acme = app.shop_with(Mode::Sandbox, "native", policy).await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    let wish = |batch: &str| {
        let mut wish = euros("p1", 100);
        wish["batch"] = json!(batch);
        wish
    };
    for number in ["a1", "a2", "a3"] {
        assert_eq!(acme.key.refund(number, wish("spring")).await.text("/batch"), "spring");
    }
    let other = acme.key.refund("b1", wish("autumn")).await.text("/refund_id");
    let sent = acme.key.post(&format!("/api/v1/refunds/{other}/send-now"), Value::Null).await;
    assert_eq!((sent.status, sent.json()["holds"].clone()), (200, Value::Null));
    let cancelled = acme.key.post("/api/v1/refunds/batches/spring/cancel", Value::Null).await;
    assert_eq!(cancelled.json()["cancelled"].as_array().unwrap().len(), 3, "{}", cancelled.brief());
    let again = acme.key.post("/api/v1/refunds/batches/spring/cancel", Value::Null).await;
    assert_eq!(again.json()["cancelled"], json!([]));
    app.work().await;
    let states = acme.key.get("/api/v1/refunds").await;
    let ends: Vec<Value> = states.json()["items"].as_array().unwrap().iter().map(|item| item["state"].clone()).collect();
    assert_eq!(ends, [json!("succeeded"), json!("cancelled"), json!("cancelled"), json!("cancelled")]);
}
