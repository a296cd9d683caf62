//! Oceanpayment over HTTP: the story of a refund as merchants live it, who may call, and from where. What the dialect says byte by byte is tested in
//! its own crate; the client here is written from the vendor's pages and shares nothing with it.

use std::collections::BTreeMap;

use axum::body::{Body, Bytes};
use http::Method;
use refundry_engine::Mode;
use refundry_engine::credential::Holder;
use refundry_engine::dispute::DisputeKind;
use refundry_engine::merchant::{NoticeForm, WireSettings};
use refundry_engine::policy::{PolicyPatch, ReviewRule};
use refundry_service::credentials::{self, NewCredential, NewKey};
use refundry_service::outgoing::OutgoingRequest;
use refundry_service::signatures::sha256_hex;
use refundry_service::terminals::{self, TerminalChange};
use refundry_service::tokens::GivenSecret;
use refundry_service::{Caller, Service};
use serde_json::json;

use crate::app::{Actor, Seen, Shop, TestApp, euros};

const SECRET: &str = "12345678";
const PUSHES: &str = "https://shop.example/notice";

/// A merchant's system: it signs what it sends, and checks what it is told.
#[derive(Clone)]
struct Client {
    wire: Actor,
    account: String,
    terminal: String,
    secret: String,
}

/// An answer or a push, by the names of its elements.
#[derive(Debug)]
struct Document(BTreeMap<String, String>);

impl Client {
    fn new(app: &TestApp, terminal: &str) -> Self {
        let (account, terminal) = (terminal[..6].to_owned(), terminal.to_owned());
        Self { wire: app.stranger(), account, terminal, secret: SECRET.to_owned() }
    }

    fn with_secret(&self, secret: &str) -> Self {
        Self { secret: secret.to_owned(), ..self.clone() }
    }

    /// Signs the values of `signed`, in this order, and posts the form.
    async fn call(&self, path: &str, fields: &[(&str, &str)], signed: &[&str]) -> Document {
        let mut all = vec![("account", self.account.as_str()), ("terminal", self.terminal.as_str())];
        all.extend(fields);
        let value = |name: &&str| all.iter().find(|(known, _)| known == name).map_or("", |(_, value)| *value);
        let text: String = ["account", "terminal"].iter().chain(signed).map(value).collect();
        let sign_value = sha256_hex(format!("{text}{}", self.secret).as_bytes());
        all.push(("signValue", &sign_value));
        let body: Vec<String> = all.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let seen = self.wire.send(Method::POST, path, &headers, Body::from(body.join("&"))).await;
        assert_eq!(seen.status, 200, "{:?}", seen.bytes);
        Document::of_answer(&seen)
    }

    async fn apply(&self, kind: &str, amount: &str, more: &[(&str, &str)]) -> Document {
        let mut fields =
            vec![("payment_id", PAYMENT), ("refund_type", kind), ("refund_amount", amount), ("refund_description", "ProductDamage")];
        fields.extend(more);
        let signed = ["payment_id", "refund_number", "refund_type", "refund_amount", "refund_description"];
        self.call("/service/applyRefund", &fields, &signed).await
    }

    async fn query(&self, refund_id: &str) -> (String, String) {
        let answer = self.call("/service/queryRefund", &[("refund_id", refund_id)], &["refund_id"]).await;
        (answer.value("refund_check"), answer.value("refund_remark"))
    }

    /// A push that is signed as it should be.
    fn checked(&self, letter: &OutgoingRequest) -> Document {
        let push = Document::of_letter(letter);
        let names = ["account", "terminal", "order_number", "payment_id", "push_id", "push_status", "push_details"];
        let text: String = names.iter().map(|name| push.value(name)).collect();
        let expected = sha256_hex(format!("{text}{}", self.secret).as_bytes()).to_uppercase();
        assert_eq!(push.value("signValue"), expected, "{push:?}");
        push
    }
}

impl Document {
    fn of_answer(seen: &Seen) -> Self {
        Self::of_xml(std::str::from_utf8(&seen.bytes).unwrap())
    }

    fn of_letter(letter: &OutgoingRequest) -> Self {
        let text = std::str::from_utf8(&letter.body).unwrap();
        if text.starts_with("<?xml") { Self::of_xml(text) } else { Self::of_form(text) }
    }

    fn of_xml(text: &str) -> Self {
        let mut values = BTreeMap::new();
        for part in text.split('<').filter(|part| !part.starts_with(['/', '?'])) {
            if let Some((name, value)) = part.split_once('>') {
                let plain = value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
                values.insert(name.to_owned(), plain.replace("&amp;", "&"));
            }
        }
        Self(values)
    }

    fn of_form(text: &str) -> Self {
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        let plain = |value: &str| percent_encoding::percent_decode_str(&value.replace('+', " ")).decode_utf8().unwrap().into_owned();
        Self(pairs.map(|(name, value)| (name.to_owned(), plain(value))).collect())
    }

    fn value(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// Code and text of an application.
    fn result(&self) -> String {
        self.value("refund_results")
    }
}

const PAYMENT: &str = "250625191605966794528";

fn escaped(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A shop whose refunds a person looks at, with a payment of 300 euros and its secret.
async fn shop(app: &TestApp, mode: Mode, terminal: &str) -> (Shop, Client) {
    let policy = PolicyPatch { review: Some(ReviewRule::All), second_person: Some(false), ..PolicyPatch::default() };
    let shop = app.shop_with(mode, "oceanpayment", policy).await;
    change(app, &shop, |wire| wire.account = Some(terminal[..6].to_owned())).await;
    issue(&app.service, &shop, terminal).await;
    (shop, Client::new(app, terminal))
}

async fn issue(service: &Service, shop: &Shop, terminal: &str) {
    let new = NewCredential {
        holder: Holder::Terminal { merchant_id: shop.merchant.id, terminal_id: shop.terminal.id },
        dialect: "oceanpayment".to_owned(),
        key: NewKey::SharedSecret(Some(GivenSecret::from(SECRET.to_owned()))),
        lookup: Some(terminal.to_owned()),
        permissions: None,
        name: "shop".to_owned(),
        person_id: None,
        expires_at: None,
    };
    let issued = credentials::issue(service, &Caller::operator("olga", shop.merchant.mode), new).await.unwrap();
    assert!(issued.secret.is_none(), "what was brought along is not shown");
    assert!(!format!("{:?}", issued.credential).contains(SECRET));
}

async fn change(app: &TestApp, shop: &Shop, edit: impl Fn(&mut WireSettings)) {
    let operator = Caller::operator("olga", shop.merchant.mode);
    let before = terminals::find(&app.service, &operator, Some(shop.merchant.id), shop.terminal.id).await.unwrap();
    let mut wire = before.wire;
    edit(&mut wire);
    let change = TerminalChange { wire: Some(wire), notify_url: Some(Some(PUSHES.to_owned())), ..TerminalChange::default() };
    terminals::change(&app.service, &operator, Some(shop.merchant.id), shop.terminal.id, change).await.unwrap();
}

async fn approve(app: &TestApp, shop: &Shop, refund: &str) {
    let holder = Holder::Merchant { merchant_id: shop.merchant.id };
    let reviewer = app.key(shop.merchant.mode, holder, Some(&["refunds:read", "refunds:review"])).await;
    let found = reviewer.get(&format!("/api/v1/refunds/{refund}")).await.json();
    let body = json!({"approve": true, "note": "seen", "content_hash": found["content_hash"]});
    let reviewed = reviewer.post(&format!("/api/v1/refunds/{refund}/review"), body).await;
    assert_eq!(reviewed.status, 200, "{:?}", reviewed.bytes);
}

/// The refund as the native API names it, by the digits that the dialect answered.
fn native_id(digits: &str) -> String {
    refundry_engine::RefundId::new(digits.parse().unwrap()).to_string()
}

fn letters(app: &TestApp) -> Vec<OutgoingRequest> {
    app.post.received.lock().unwrap().drain(..).collect()
}

fn receivers_say(app: &TestApp, answer: &'static str) {
    *app.post.says.lock().unwrap() = Some(Bytes::from_static(answer.as_bytes()));
}

#[tokio::test]
async fn the_life_of_refunds_as_the_vendor_tells_it() {
    let app = TestApp::start().await;
    let (acme, client) = shop(&app, Mode::Sandbox, "99537801").await;
    receivers_say(&app, "receive-ok");
    app.paid(&acme, PAYMENT, "300.00 EUR").await;

    // Applied for by API with a partial amount: it awaits review.
    let first = client.apply("2", "90.13", &[("refund_number", "rn-1")]).await;
    assert_eq!((first.result().as_str(), first.value("order_number")), ("00", format!("order-{PAYMENT}")));
    app.work().await;
    assert_eq!(client.query(&first.value("refund_id")).await.0, "02");

    // Revoked in time: failed, and the remark says by whom.
    let revoked = acme.key.post(&format!("/api/v1/refunds/{}/cancel", native_id(&first.value("refund_id"))), json!({})).await;
    assert_eq!(revoked.status, 200, "{:?}", revoked.bytes);
    let (code, remark) = client.query(&first.value("refund_id")).await;
    assert!(code == "03" && remark.contains("商户自行取消"), "{code} {remark}");
    app.work().await;
    let push = client.checked(&letters(&app)[0]);
    assert_eq!((push.value("notice_type").as_str(), push.value("push_status").as_str()), ("partialRefund", "0"));

    // Applied for again and approved: with the bank.
    let second = client.apply("2", "90.13", &[("refund_number", "rn-2")]).await;
    let refund_id = second.value("refund_id");
    approve(&app, &acme, &native_id(&refund_id)).await;
    app.work().await;
    assert_eq!(client.query(&refund_id).await.0, "01");
    assert!(letters(&app).is_empty());

    // The bank confirms: done, and the push says so.
    app.clock.advance(2_000);
    app.hear_acquirers().await;
    app.work().await;
    assert_eq!(client.query(&refund_id).await.0, "00");
    let push = client.checked(&letters(&app)[0]);
    for (name, value) in [
        ("notice_type", "partialRefund"),
        ("push_status", "1"),
        ("push_id", &refund_id),
        ("refund_number", "rn-2"),
        ("payment_id", PAYMENT),
        ("order_currency", "EUR"),
        ("order_amount", "300.00"),
    ] {
        assert_eq!(push.value(name), value, "{name} of {push:?}");
    }

    // The network's number comes later, with a push of its own.
    app.clock.advance(2_000);
    app.hear_acquirers().await;
    app.work().await;
    let pushes = letters(&app);
    let push = client.checked(&pushes[0]);
    assert_eq!((pushes.len(), push.value("notice_type").as_str()), (1, "ARN"));
    assert!(push.value("push_details").contains(&refund_id), "{push:?}");

    // A second part; a third above the rest; the whole is not to be had any more.
    let third = client.apply("2", "200.00", &[("refund_number", "rn-3")]).await;
    assert_eq!(third.result(), "00");
    assert_eq!(client.apply("2", "9.88", &[("refund_number", "rn-4")]).await.result(), "25");
    assert_eq!(client.apply("2", "9.87", &[("refund_number", "rn-5")]).await.result(), "00");
    let over = client.apply("1", "300.00", &[("refund_number", "rn-6")]).await;
    assert_eq!((over.result().as_str(), over.value("refund_id").as_str()), ("25", "0"));
    let payment = acme.key.get("/api/v1/payments").await;
    assert_eq!((payment.json()["items"].as_array().map(Vec::len), payment.text("/items/0/payment_reference").as_str()), (Some(1), PAYMENT));
    assert_eq!(payment.text("/items/0/refundable/value"), "0", "可退金额为 0");
}

#[tokio::test]
async fn a_repeat_is_told_by_number_for_ever_and_by_signature_for_ten_minutes() {
    let app = TestApp::start().await;
    let (acme, client) = shop(&app, Mode::Sandbox, "99537801").await;
    app.paid(&acme, PAYMENT, "300.00 EUR").await;
    let numbered = client.apply("2", "1.00", &[("refund_number", "n1")]).await;
    app.clock.advance(86_400_000);
    let again = client.apply("2", "1.00", &[("refund_number", "n1")]).await;
    assert_eq!(numbered.value("refund_id"), again.value("refund_id"));
    assert_eq!(client.apply("2", "2.00", &[("refund_number", "n1")]).await.value("refund_id"), "0", "the number means something else");

    let first = client.apply("2", "3.00", &[]).await;
    app.clock.advance(599_000);
    assert_eq!(client.apply("2", "3.00", &[]).await.value("refund_id"), first.value("refund_id"));
    app.clock.advance(1_000);
    let second = client.apply("2", "3.00", &[]).await;
    assert_eq!((second.result().as_str(), second.value("refund_number").as_str()), ("00", ""));
    assert_ne!(second.value("refund_id"), first.value("refund_id"));
    let found = client.call("/service/queryRefund", &[("refund_number", "n1")], &["refund_id", "refund_number"]).await;
    assert_eq!((found.value("refund_check").as_str(), found.value("refund_id")), ("02", numbered.value("refund_id")));
}

#[tokio::test]
async fn only_callers_from_listed_addresses_are_answered_when_the_switch_is_on() {
    let app = TestApp::start().await;
    let (acme, client) = shop(&app, Mode::Sandbox, "99537801").await;
    app.paid(&acme, PAYMENT, "300.00 EUR").await;
    let served = app.serve();
    let near = Client { wire: client.wire.over(&served), ..client.clone() };
    for (callers, checks, code) in [
        (&["203.0.113.0/24", "2001:db8::/32"][..], true, "03"),
        (&["203.0.113.0/24"], false, "00"),
        (&["203.0.113.0/24", "127.0.0.1"], true, "00"),
        (&["127.0.0.0/8"], true, "00"),
    ] {
        let listed = |wire: &mut WireSettings| {
            wire.callers = callers.iter().map(|text| (*text).to_owned()).collect();
            wire.checks_callers = checks;
        };
        change(&app, &acme, listed).await;
        let answer = near.apply("2", "1.00", &[]).await;
        assert_eq!(answer.result(), code, "{callers:?} {checks}: {answer:?}");
    }
    served.end().await;
    // Whoever has no address is nobody of the list.
    assert_eq!(client.apply("2", "1.00", &[]).await.result(), "03");
    for callers in [vec!["nowhere".to_owned()], Vec::new()] {
        let wire = WireSettings { checks_callers: true, callers, ..WireSettings::default() };
        let change = TerminalChange { wire: Some(wire), ..TerminalChange::default() };
        let operator = Caller::operator("olga", Mode::Sandbox);
        terminals::change(&app.service, &operator, Some(acme.merchant.id), acme.terminal.id, change).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_terminal_may_demand_that_its_callers_prove_the_time() {
    let app = TestApp::start().await;
    let (acme, client) = shop(&app, Mode::Sandbox, "99537801").await;
    app.paid(&acme, PAYMENT, "300.00 EUR").await;
    assert_eq!(client.apply("2", "10.00", &[]).await.result(), "00");
    change(&app, &acme, |wire| wire.demands_signed_time = true).await;
    assert_eq!(client.apply("2", "20.00", &[]).await.result(), "12");
    assert_eq!(client.query("1").await.0, "05");

    let fields = format!("account=995378&terminal=99537801&payment_id={PAYMENT}&refund_type=2&refund_amount=20.00&refund_description=Late");
    let sign_value = sha256_hex(format!("99537899537801{PAYMENT}220.00Late{SECRET}").as_bytes());
    let body = format!("{fields}&signValue={sign_value}");
    let seconds = app.service.world.now().ms() / 1_000;
    for (sent, result) in [(seconds, "00"), (seconds - 601, "12"), (seconds + 601, "12")] {
        let proof = format!("{sent}.{}", sha256_hex(format!("{sent}.{body}{SECRET}").as_bytes()));
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("x-signed-timestamp", proof.as_str())];
        let seen = client.wire.send(Method::POST, "/service/applyRefund", &headers, Body::from(body.clone())).await;
        assert_eq!(Document::of_answer(&seen).result(), result, "{sent}");
    }
    assert_eq!(acme.key.get("/api/v1/refunds").await.json()["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn nobody_sees_what_is_anothers_and_a_wrong_secret_opens_nothing() {
    let app = TestApp::start().await;
    let (acme, client) = shop(&app, Mode::Sandbox, "99537801").await;
    let (_other, stranger) = shop(&app, Mode::Sandbox, "99537901").await;
    let (_live, live) = shop(&app, Mode::Live, "99538001").await;
    app.paid(&acme, PAYMENT, "300.00 EUR").await;
    let refund = client.apply("2", "10.00", &[("refund_number", "n1")]).await;
    let period = [("order_beginDate", "2025-12-31 00:00:00"), ("order_endDate", "2026-01-02 00:00:00")];
    let order = format!("order-{PAYMENT}");
    let lists = ["/service/QueryOrdersList", "/service/BusinessOrdersList", "/service/DisputeOrderList"];

    let seen = client.call("/service/QueryOrdersList", &period, &["order_beginDate", "order_endDate"]).await;
    assert_eq!((seen.value("count").as_str(), seen.value("payment_id").as_str()), ("1", PAYMENT), "{seen:?}");
    let dated = [period[0], period[1], ("pages", "1"), ("date_type", "2")];
    let befell = client.call("/service/BusinessOrdersList", &dated, &["order_beginDate", "order_endDate", "pages"]).await;
    assert_eq!((befell.value("count").as_str(), befell.value("type").as_str()), ("1", "refund"), "{befell:?}");
    let checked = client.call("/service/check/normal", &[("order_number", &order)], &["order_number"]).await;
    assert_eq!(checked.value("payment_id"), PAYMENT, "{checked:?}");

    for caller in [&stranger, &live] {
        assert_eq!(caller.apply("2", "10.00", &[]).await.result(), "98");
        assert_eq!(caller.query(&refund.value("refund_id")).await.0, "04");
        let checked = caller.call("/service/check/normal", &[("order_number", &order)], &["order_number"]).await;
        assert_eq!(checked.value("payment_id"), "", "{checked:?}");
        for path in lists {
            let seen = caller.call(path, &period, &["order_beginDate", "order_endDate", "pages"]).await;
            assert_eq!(seen.value("count"), "0", "{path} {seen:?}");
        }
    }

    let wrong = client.with_secret("12345679");
    assert_eq!(wrong.apply("2", "10.00", &[]).await.result(), "12");
    assert_eq!(wrong.query(&refund.value("refund_id")).await.0, "05");
    for path in lists {
        let seen = wrong.call(path, &period, &["order_beginDate", "order_endDate", "pages"]).await;
        assert_eq!((seen.value("count").as_str(), seen.value("payment_id").as_str()), ("", ""), "{path} {seen:?}");
        assert_eq!(seen.value("signValue"), "", "nothing is signed for whoever proved nothing");
    }
    let checked = wrong.call("/service/check/normal", &[("order_number", &order)], &["order_number"]).await;
    assert_eq!(checked.value("payment_id"), "", "{checked:?}");
    // Each of these is carried out with the right secret: see the tests of captures and parcels.
    let authorised = "250625191605966794009";
    app.authorised(&acme, authorised, "100.00 EUR").await;
    let (capture, void) = (("payment_authType", "1"), ("payment_authType", "2"));
    let signed = ["payment_id", "payment_authType", "order_amount"];
    for fields in [vec![("payment_id", authorised), capture, ("order_amount", "60.00")], vec![("payment_id", authorised), void]] {
        let answer = wrong.call("/gateway/service/auth", &fields, &signed).await;
        assert_eq!((answer.value("payment_status").as_str(), answer.value("signValue").as_str()), ("0", ""), "{answer:?}");
        assert!(answer.value("payment_details").starts_with("12"), "{answer:?}");
    }
    let parcel = [("payment_id", PAYMENT), ("tracking_number", "SF1"), ("tracking_site", "https://www.sf-express.com")];
    let signed = ["payment_id", "tracking_number", "tracking_site", "tracking_handler"];
    for path in ["/service/uploadTrackingNo", "/gateway/service/uploadTrackingNumber"] {
        let answer = wrong.call(path, &parcel, &signed).await;
        assert_eq!((answer.value("tracking_results").as_str(), answer.value("signValue").as_str()), ("05", ""), "{path} {answer:?}");
    }
    let events = acme.key.get("/api/v1/events").await.json().to_string();
    for word in ["payment.captured", "payment.voided", "payment.tracking_recorded"] {
        assert!(!events.contains(word), "{word} {events}");
    }
    assert_eq!(acme.key.get("/api/v1/refunds").await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_rotated_secret_overlaps_and_pushes_keep_the_older_one_until_it_ends() {
    let app = TestApp::start().await;
    let (acme, client) = shop(&app, Mode::Sandbox, "99537801").await;
    receivers_say(&app, "receive-ok");
    app.paid(&acme, PAYMENT, "300.00 EUR").await;
    let operator = Caller::operator("olga", Mode::Sandbox);
    let rows = app.service.world.store.credentials_by_lookup("oceanpayment", "99537801").await.unwrap();
    let rotated = credentials::rotate(&app.service, &operator, rows[0].id, NewKey::SharedSecret(None), 3_600).await.unwrap();
    let newer = client.with_secret(rotated.secret.as_ref().unwrap());
    for caller in [&client, &newer] {
        let refund = caller.apply("2", "1.00", &[]).await;
        assert_eq!(refund.result(), "00");
        approve(&app, &acme, &native_id(&refund.value("refund_id"))).await;
    }
    app.work().await;
    letters(&app).iter().for_each(|letter| drop(client.checked(letter)));
    app.clock.advance(3_600_000);
    assert_eq!(client.apply("2", "2.00", &[]).await.result(), "12");
    let refund = newer.apply("2", "2.00", &[]).await;
    approve(&app, &acme, &native_id(&refund.value("refund_id"))).await;
    app.work().await;
    drop(newer.checked(&letters(&app)[0]));
}

#[tokio::test]
async fn pushes_go_where_the_payment_says_also_for_refunds_made_elsewhere_and_end_after_five_tries() {
    let app = TestApp::start().await;
    let (acme, client) = shop(&app, Mode::Sandbox, "99537801").await;
    change(&app, &acme, |wire| wire.notice_form = NoticeForm::Form).await;
    receivers_say(&app, "receive-no");
    app.paid(&acme, PAYMENT, "300.00 EUR").await;
    // Made over the native API: the terminal of the payment tells in its dialect all the same.
    let refund = acme.key.refund("native-1", euros(PAYMENT, 30_000)).await;
    assert_eq!(refund.status, 201, "{:?}", refund.bytes);
    approve(&app, &acme, &refund.text("/refund_id")).await;
    app.work().await;
    let sent = letters(&app);
    let push = client.checked(&sent[0]);
    assert_eq!((sent[0].url.as_str(), push.value("notice_type").as_str(), push.value("push_status").as_str()), (PUSHES, "refund", "1"));
    assert!(sent[0].headers.iter().any(|(name, value)| name == "content-type" && value.starts_with("application/x-www-form-urlencoded")));
    let mut tries = sent.len();
    for seconds in [120, 600, 3_600, 21_600, 86_400, 86_400] {
        app.clock.advance(seconds * 1_000);
        app.work().await;
        let again = letters(&app);
        again.iter().for_each(|letter| assert_eq!(letter.body, sent[0].body, "a try says what the first one said"));
        tries += again.len();
    }
    assert_eq!(tries, 5);
    let parked = acme.key.get("/api/v1/notifications?state=parked").await;
    assert_eq!(parked.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn authorisations_are_captured_in_part_or_voided_by_their_own_terminal_alone() {
    let app = TestApp::start().await;
    let (acme, client) = shop(&app, Mode::Sandbox, "99537801").await;
    let (_other, stranger) = shop(&app, Mode::Sandbox, "99537901").await;
    for reference in ["250625191605966794001", "250625191605966794002"] {
        app.authorised(&acme, reference, "100.00 EUR").await;
    }
    let capture = [("payment_id", "250625191605966794001"), ("payment_authType", "1"), ("order_amount", "60.00")];
    let void = [("payment_id", "250625191605966794002"), ("payment_authType", "2")];
    let signed = ["payment_id", "payment_authType", "order_amount"];
    let done = |answer: &Document| (answer.value("payment_status"), answer.value("payment_details"));
    for fields in [&capture[..], &void] {
        let refused = stranger.call("/gateway/service/auth", fields, &signed).await;
        assert_eq!(done(&refused).0, "0", "{refused:?}");
    }
    let over = [capture[0], capture[1], ("order_amount", "100.01")];
    assert!(done(&client.call("/gateway/service/auth", &over, &signed).await).1.starts_with("09"));
    let answer = client.call("/gateway/service/auth", &capture, &signed).await;
    assert_eq!((done(&answer).0.as_str(), answer.value("order_amount").as_str()), ("1", "60.00"), "{answer:?}");
    let answer = client.call("/gateway/service/auth", &void, &signed).await;
    assert_eq!(done(&answer).0, "1", "{answer:?}");
    let parcel = [("payment_id", "250625191605966794001"), ("tracking_number", "SF1,SF2"), ("tracking_site", "https://www.sf-express.com")];
    let signed = ["payment_id", "tracking_number", "tracking_site", "tracking_handler"];
    let told = client.call("/service/uploadTrackingNo", &parcel, &signed).await;
    assert_eq!(told.value("tracking_results"), "01", "{told:?}");
    let refused = stranger.call("/service/uploadTrackingNo", &parcel, &signed).await;
    assert_ne!(refused.value("tracking_results"), "01", "{refused:?}");
    let captured = acme.key.get("/api/v1/payments?merchant_reference=order-250625191605966794001").await;
    assert_eq!(captured.text("/items/0/captured/value"), "6000");
}

#[tokio::test]
async fn parcels_are_told_by_the_terminal_that_took_the_payment() {
    let app = TestApp::start().await;
    let (acme, client) = shop(&app, Mode::Sandbox, "99537801").await;
    let (_other, stranger) = shop(&app, Mode::Sandbox, "99537901").await;
    app.paid(&acme, PAYMENT, "300.00 EUR").await;
    let parcel = [
        ("payment_id", PAYMENT),
        ("tracking_number", "LX123456789CN,1Z999"),
        ("tracking_site", "https://carrier.example/track"),
        ("tracking_handler", "EMS"),
    ];
    let signed = parcel.map(|(name, _)| name);
    let told = |answer: Document| answer.value("tracking_results");
    assert_eq!(told(stranger.call("/service/uploadTrackingNo", &parcel, &signed).await), "97");
    for path in ["/service/uploadTrackingNo", "/gateway/service/uploadTrackingNumber"] {
        assert_eq!(told(client.call(path, &parcel, &signed).await), "01");
    }
    let collected = [parcel[0], parcel[1], ("tracking_site", "https://t.17track.net/en"), parcel[3]];
    assert_eq!(told(client.call("/service/uploadTrackingNo", &collected, &signed).await), "96");
    let recorded = acme.key.get("/api/v1/events").await.json().to_string();
    assert_eq!(recorded.matches("payment.tracking_recorded").count(), 1, "{recorded}");
}

#[tokio::test]
async fn disputes_are_pushed_as_they_stood_and_listed() {
    let app = TestApp::start().await;
    let (acme, client) = shop(&app, Mode::Sandbox, "99537801").await;
    receivers_say(&app, "receive-ok");
    let payment = app.paid(&acme, PAYMENT, "300.00 EUR").await;
    let dispute_id = app.disputed(&payment, DisputeKind::Chargeback, "cb-1").await;
    app.work().await;
    let push = client.checked(&letters(&app)[0]);
    assert_eq!((push.value("notice_type").as_str(), push.value("payment_id").as_str()), ("chargeBack", PAYMENT));
    assert_eq!(push.value("push_id"), dispute_id.get().to_string());
    assert_eq!(client.apply("2", "10.00", &[]).await.value("refund_id"), "0", "an open chargeback blocks refunds");
    app.disputed(&payment, DisputeKind::FraudReport, "fr-1").await;
    app.work().await;
    assert_eq!(client.checked(&letters(&app)[0]).value("notice_type"), "fraud");
    let period = [("order_beginDate", "2025-12-31 00:00:00"), ("order_endDate", "2026-01-02 00:00:00"), ("date_type", "2")];
    let listed = client.call("/service/BusinessOrdersList", &period, &["order_beginDate", "order_endDate"]).await;
    assert_eq!(listed.value("count"), "2", "{listed:?}");
}
