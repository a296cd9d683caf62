//! Antom through the front door, as a merchant's own client sees it: signed bytes in, signed bytes out.

use std::sync::Arc;

use futures::FutureExt as _;
use percent_encoding::percent_decode_str;
use refundry_dialects::{WireRequest, WireResponse};
use refundry_engine::policy::PolicyPatch;
use refundry_engine::{Mode, Refusal};
use refundry_service::Service;
use refundry_service::credentials::{self, IssuedCredential, NewCredential, NewKey};
use refundry_service::install::{GATEWAY_DIALECT, GATEWAY_LOOKUP};
use refundry_service::merchants::{self, MerchantChange};
use refundry_service::signatures::{RsaSigner, RsaVerifier};
use refundry_service::terminals::{self, ForceAnswer};

use crate::house::{House, Shop, refused};

const REFUND: &str = "/ams/sandbox/api/v1/payments/refund";
const INQUIRY: &str = "/ams/sandbox/api/v1/payments/inquiryRefund";
const TIME: &str = "1767225600000";

/// A merchant's client: it signs what it sends.
struct Client {
    house: Arc<House>,
    id: String,
    signer: RsaSigner,
    key_version: u32,
}

impl Client {
    fn new(house: &Arc<House>, issued: &IssuedCredential) -> Self {
        let key = issued.private_key.as_ref().expect("made here, shown once");
        let id = issued.credential.lookup.clone();
        Self { house: house.clone(), id, signer: RsaSigner::parse(key).unwrap(), key_version: issued.credential.key_version }
    }

    async fn call(&self, path: &'static str, body: String) -> WireResponse {
        let mut text = format!("POST {path}\n{}.{TIME}.", self.id).into_bytes();
        text.extend_from_slice(body.as_bytes());
        let signature = self.signer.sign_base64(&text).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let signature = format!("algorithm=RSA256,keyVersion={},signature={signature}", self.key_version);
        let headers = [("client-id", self.id.as_str()), ("request-time", TIME), ("signature", &signature)];
        send(&self.house, path, &headers, &body).await
    }

    async fn refund(&self, number: &str, payment: &str, minor: i64) -> WireResponse {
        self.call(REFUND, refund_body(number, payment, minor)).await
    }
}

async fn send(house: &House, path: &str, headers: &[(&str, &str)], body: &str) -> WireResponse {
    ask(&house.service, path, headers, body).await
}

async fn ask(service: &Service, path: &str, headers: &[(&str, &str)], body: &str) -> WireResponse {
    let headers: Vec<(String, String)> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    service.answer(WireRequest { method: "POST", path, headers: &headers, body: body.as_bytes(), peer: None }).await
}

fn refund_body(number: &str, payment: &str, minor: i64) -> String {
    format!(r#"{{"refundRequestId":"{number}","paymentId":"{payment}","refundAmount":{{"currency":"EUR","value":"{minor}"}}}}"#)
}

fn inquiry_body(number: &str) -> String {
    format!(r#"{{"refundRequestId":"{number}"}}"#)
}

/// `S SUCCESS`, `F CLIENT_INVALID` and so on.
fn result(response: &WireResponse) -> String {
    assert_eq!(response.status, 200);
    let body = body(response);
    let text = |name: &str| body["result"][name].as_str().unwrap_or_default().to_owned();
    format!("{} {}", text("resultStatus"), text("resultCode"))
}

fn body(response: &WireResponse) -> serde_json::Value {
    serde_json::from_slice(&response.body).unwrap()
}

fn header<'a>(response: &'a WireResponse, name: &str) -> &'a str {
    response.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
}

/// Whether an answer is signed by the key whose public half is given.
fn is_signed(response: &WireResponse, path: &str, public_key: &str) -> bool {
    let mut text = format!("POST {path}\n{}.{}.", header(response, "client-id"), header(response, "response-time")).into_bytes();
    text.extend_from_slice(&response.body);
    let signature = header(response, "signature").split("signature=").nth(1).unwrap_or_default();
    let signature = percent_decode_str(signature).decode_utf8().unwrap();
    RsaVerifier::parse(public_key).unwrap().verify_base64(&text, &signature)
}

async fn house_with(policy: PolicyPatch) -> (Arc<House>, Shop, IssuedCredential, Client) {
    let house = Arc::new(House::build().await);
    let shop = house.shop(Mode::Sandbox, "antom", policy).await;
    house.paid(&shop, "p1", "1000.00 EUR").await;
    let issued = house.antom_key(&shop, NewKey::BothPairs).await;
    let client = Client::new(&house, &issued);
    (house, shop, issued, client)
}

fn asynchronous() -> PolicyPatch {
    PolicyPatch { synchronous_wait_ms: Some(0), ..PolicyPatch::default() }
}

#[tokio::test]
async fn an_asynchronous_refund_is_accepted_replayed_and_asked_about() {
    let (house, _, issued, client) = house_with(asynchronous()).await;
    let first = client.refund("r1", "p1", 1_000).await;
    assert_eq!(result(&first), "S SUCCESS");
    assert!(is_signed(&first, REFUND, &issued.credential.public_key));
    let inquiry = client.call(INQUIRY, inquiry_body("r1")).await;
    assert_eq!((result(&inquiry).as_str(), body(&inquiry)["refundStatus"].as_str()), ("S SUCCESS", Some("PROCESSING")));
    house.work().await;
    let inquiry = client.call(INQUIRY, inquiry_body("r1")).await;
    assert_eq!(body(&inquiry)["refundStatus"].as_str(), Some("SUCCESS"));
    let again = client.refund("r1", "p1", 1_000).await;
    assert_eq!((result(&again), &body(&again)["refundId"]), ("S SUCCESS".to_owned(), &body(&first)["refundId"]));
    assert_eq!(result(&client.refund("r1", "p1", 1_001).await), "F REPEAT_REQ_INCONSISTENT");
    assert_eq!(result(&client.refund("r2", "p9", 1_000).await), "F ORDER_NOT_EXIST");
    assert_eq!(result(&client.call(INQUIRY, inquiry_body("r2")).await), "F ORDER_NOT_EXIST");
}

#[tokio::test]
async fn a_synchronous_answer_waits_for_the_acquirer_but_not_for_ever() {
    let (house, _, _, client) = house_with(PolicyPatch::default()).await;
    let client = Arc::new(client);
    let ask = |number: &'static str, minor| {
        let client = client.clone();
        tokio::spawn(async move { client.refund(number, "p1", minor).await })
    };
    let approved = ask("r1", 1_000);
    let declined = ask("r2", 9_001);
    while !(approved.is_finished() && declined.is_finished()) {
        house.work().await;
        tokio::task::yield_now().await;
    }
    assert_eq!(result(&approved.await.unwrap()), "S SUCCESS");
    assert_eq!(result(&declined.await.unwrap()), "F PROCESS_FAIL");

    let late = ask("r3", 1_000);
    while !house.clock.is_waited_for() {
        tokio::task::yield_now().await;
    }
    house.clock.advance(10_000);
    assert_eq!(result(&late.await.unwrap()), "U REFUND_IN_PROCESS");
    let again = ask("r3", 1_000);
    while !again.is_finished() {
        house.work().await;
        tokio::task::yield_now().await;
    }
    assert_eq!(result(&again.await.unwrap()), "S SUCCESS", "a repeat waits too");
    assert_eq!(result(&ask("r3", 1_000).await.unwrap()), "S SUCCESS", "what ended is told at once");
}

#[tokio::test]
async fn an_answer_that_waits_sees_what_the_workers_of_another_process_do() {
    let (house, shop, _, _) = house_with(PolicyPatch::default()).await;
    let token = house.antom_key(&shop, NewKey::Token).await.token.expect("shown once").to_string();
    let other = Arc::new(house.with_master_keys(&house.master_key_lines));
    let waiting = tokio::spawn(async move {
        let bearer = format!("Bearer {token}");
        ask(&other, REFUND, &[("authorization", &bearer)], &refund_body("r1", "p1", 100)).await
    });
    while !house.clock.is_waited_for() {
        tokio::task::yield_now().await;
    }
    house.work().await;
    house.clock.advance(250);
    assert_eq!(result(&waiting.await.unwrap()), "S SUCCESS");
}

#[tokio::test]
async fn nobody_gets_in_without_proof_and_everybody_gets_a_signed_answer() {
    let (house, shop, issued, client) = house_with(asynchronous()).await;
    let other = house.antom_key(&shop, NewKey::BothPairs).await;
    let store = &house.service.world.store;
    let gateway = store.credentials_by_lookup(GATEWAY_DIALECT, GATEWAY_LOOKUP).await.unwrap().remove(0);

    let thief = Client { id: other.credential.lookup.clone(), ..Client::new(&house, &issued) };
    let answer = thief.refund("r1", "p1", 100).await;
    assert_eq!(result(&answer), "F INVALID_SIGNATURE");
    assert!(is_signed(&answer, REFUND, &other.credential.public_key), "with the key that the client knows");

    let stranger = Client { id: "SANDBOX_NOBODY".to_owned(), ..Client::new(&house, &issued) };
    let answer = stranger.refund("r1", "p1", 100).await;
    assert_eq!((result(&answer).as_str(), header(&answer, "client-id")), ("F CLIENT_INVALID", "SANDBOX_NOBODY"));
    assert!(is_signed(&answer, REFUND, &gateway.public_key));
    assert_eq!(issued.credential.public_key, gateway.public_key, "so that a client that mistypes its name can verify this answer");

    let nameless = send(&house, REFUND, &[("request-time", TIME)], "{}").await;
    assert!(is_signed(&nameless, REFUND, &gateway.public_key), "{nameless:?}");
    let unknown_path = client.call("/ams/api/v1/payments/pay", "{}".to_owned()).await;
    assert_eq!(result(&unknown_path), "F NO_INTERFACE_DEF");
    assert_eq!(send(&house, "/elsewhere", &[], "").await.status, 404);

    credentials::revoke(&house.service, &house.operator(Mode::Sandbox), issued.credential.id, None).await.unwrap();
    let answer = client.refund("r1", "p1", 100).await;
    assert_eq!(result(&answer), "F KEY_NOT_FOUND");
    assert!(is_signed(&answer, REFUND, &issued.credential.public_key), "a client that was valid still reads why it is not");
    let remembered = house.service.world.store.refunds(&refundry_store::RefundFilter::default(), Default::default()).await.unwrap();
    assert!(remembered.rows.is_empty());
}

#[tokio::test]
async fn in_the_middle_of_a_rotation_each_version_is_answered_with_its_own() {
    let (house, _, first, client) = house_with(asynchronous()).await;
    let operator = house.operator(Mode::Sandbox);
    let second = credentials::rotate(&house.service, &operator, first.credential.id, NewKey::BothPairs, 3_600).await.unwrap();
    assert_ne!(first.credential.public_key, second.credential.public_key, "a rotation replaces our side, too");
    let new_client = Client::new(&house, &second);
    let named_wrongly = Client { key_version: 1, ..Client::new(&house, &second) };
    for (client, issued, version) in [(&client, &first, 1), (&new_client, &second, 2), (&named_wrongly, &second, 2)] {
        let answer = client.refund("r1", "p1", 100).await;
        assert_eq!(result(&answer), "S SUCCESS");
        assert!(is_signed(&answer, REFUND, &issued.credential.public_key));
        assert!(header(&answer, "signature").contains(&format!("keyVersion={version},")), "{answer:?}");
    }
    house.clock.advance(3_600_000);
    assert_eq!(result(&client.refund("r1", "p1", 100).await), "F INVALID_SIGNATURE");
    assert_eq!(result(&new_client.refund("r1", "p1", 100).await), "S SUCCESS");
}

#[tokio::test]
async fn an_api_key_opens_the_same_door_without_signatures() {
    let (house, shop, _, client) = house_with(asynchronous()).await;
    let issued = house.antom_key(&shop, NewKey::Token).await;
    let token = issued.token.expect("shown once").to_string();
    assert!(token.starts_with("isak_TEST_"), "{token}");
    let bearer = format!("Bearer {token}");
    let answer = send(&house, REFUND, &[("authorization", &bearer)], &refund_body("r1", "p1", 100)).await;
    assert_eq!((result(&answer).as_str(), header(&answer, "signature")), ("S SUCCESS", ""));
    let wrong = send(&house, REFUND, &[("authorization", &format!("{bearer}x"))], &refund_body("r2", "p1", 100)).await;
    assert!(result(&wrong).starts_with('F'), "{wrong:?}");
    let restricted = NewCredential {
        holder: issued.credential.holder.clone(),
        dialect: "antom".to_owned(),
        key: NewKey::Token,
        lookup: None,
        permissions: Some(vec!["refunds:read".to_owned()]),
        name: "reader".to_owned(),
        person_id: None,
        expires_at: None,
    };
    let wider = NewCredential { permissions: Some(vec!["payments:write".to_owned()]), ..restricted.clone() };
    refused(credentials::issue(&house.service, &house.operator(Mode::Sandbox), wider).await);
    let restricted = credentials::issue(&house.service, &house.operator(Mode::Sandbox), restricted).await.unwrap();
    let bearer = format!("Bearer {}", *restricted.token.expect("shown once"));
    assert!(bearer.starts_with("Bearer irak_TEST_"));
    let denied = send(&house, REFUND, &[("authorization", &bearer)], &refund_body("r3", "p1", 100)).await;
    assert_eq!(result(&denied), "F ACCESS_DENIED");
    let found = send(&house, INQUIRY, &[("authorization", &bearer)], &inquiry_body("r1")).await;
    assert_eq!(result(&found), "S SUCCESS");

    let replay = client.refund("r1", "p1", 100).await;
    assert_eq!(body(&replay)["refundId"], body(&answer)["refundId"], "key and token stand for one client");
}

#[tokio::test]
async fn an_answer_is_forced_for_one_api_of_a_sandbox_terminal_for_a_while() {
    let (house, shop, _, client) = house_with(asynchronous()).await;
    let (service, operator) = (&house.service, house.operator(Mode::Sandbox));
    let force = |api: &str, code: Option<&str>, minutes| ForceAnswer { api: api.to_owned(), code: code.map(str::to_owned), minutes };
    let set = |force| terminals::force_answer(service, &operator, Some(shop.merchant.id), shop.terminal.id, force);
    for (wrong, field) in [
        (force("pay", Some("SUCCESS"), 30), "api"),
        (force("refund", Some("NO_SUCH_CODE"), 30), "code"),
        (force("refund", Some("PROCESS_FAIL"), 0), "minutes"),
        (force("refund", Some("PROCESS_FAIL"), 121), "minutes"),
    ] {
        let found = refused(set(wrong).await);
        assert!(matches!(&found, Refusal::FieldInvalid { field: named, .. } if named == field), "{found:?}");
    }
    set(force("refund", Some("PROCESS_FAIL"), 30)).await.unwrap();
    assert_eq!(result(&client.refund("r1", "p1", 100).await), "F PROCESS_FAIL");
    assert_eq!(result(&client.call(INQUIRY, inquiry_body("r1")).await), "F ORDER_NOT_EXIST", "the other API is not touched");
    house.clock.advance(30 * 60_000);
    assert_eq!(result(&client.refund("r1", "p1", 100).await), "S SUCCESS", "a forced answer is not remembered");
    set(force("refund", Some("PROCESS_FAIL"), 30)).await.unwrap();
    set(force("refund", None, 0)).await.unwrap();
    assert_eq!(result(&client.refund("r2", "p1", 100).await), "S SUCCESS");

    let live = house.shop(Mode::Live, "antom", PolicyPatch::default()).await;
    let (live_operator, wish) = (house.operator(Mode::Live), force("refund", Some("PROCESS_FAIL"), 30));
    let forced = terminals::force_answer(service, &live_operator, Some(live.merchant.id), live.terminal.id, wish);
    assert!(matches!(refused(forced.await), Refusal::FieldInvalid { .. }));
}

#[tokio::test]
async fn suspended_merchants_and_malformed_bodies_get_their_codes() {
    let (house, shop, _, client) = house_with(asynchronous()).await;
    for (body, expected) in [
        ("", "F PARAM_ILLEGAL"),
        ("{", "F PARAM_ILLEGAL"),
        ("[]", "F PARAM_ILLEGAL"),
        (r#"{"refundRequestId":"r1"}"#, "F PARAM_ILLEGAL"),
        (&refund_body("r1", "p1", 0), "F PARAM_ILLEGAL"),
        (&refund_body("r1", "p1", 100_001), "F REFUND_AMOUNT_EXCEED"),
    ] {
        assert_eq!(result(&client.call(REFUND, body.to_owned()).await), expected, "{body}");
    }
    let change = MerchantChange { standing: Some(refundry_engine::merchant::Standing::Suspended), ..MerchantChange::default() };
    merchants::change(&house.service, &house.operator(Mode::Sandbox), shop.merchant.id, change).await.unwrap();
    let answer = client.refund("r2", "p1", 100).await;
    assert!(result(&answer).starts_with('F'), "{answer:?}");
}

#[tokio::test]
async fn when_the_store_is_gone_the_caller_is_told_to_try_again_in_its_own_words() {
    let (house, _, issued, client) = house_with(asynchronous()).await;
    assert_eq!(result(&client.refund("r1", "p1", 100).await), "S SUCCESS");
    house.work().await;
    assert!(house.service.world.store.check_books().await.unwrap().faults.is_empty());
    house.service.world.store.close().await.unwrap();
    let answer = client.refund("r2", "p1", 100).await;
    assert_eq!(result(&answer), "U UNKNOWN_EXCEPTION");
    assert!(is_signed(&answer, REFUND, &issued.credential.public_key));
    house.leave();
    assert!(client.refund("r2", "p1", 100).now_or_never().is_some(), "it does not hang either");
}
