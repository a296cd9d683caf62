//! What must hold for any bytes at all: nothing panics, what we say can be read back and verified, what was sent is what is read.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use refundry_dialects::antom::ENTRY;
use refundry_dialects::{Answer, Context, Incoming, RefundWish, WireError, WireRequest, WireResponse, scheme};
use refundry_engine::merchant::WireSettings;
use refundry_engine::payment::PaymentKey;
use refundry_ledger::Money;
use serde_json::{Value, json};

use crate::cast::{self, AntomSigner, NOW};

const CLIENT: &str = "5YTEST0000000001";
const VALID: &str = r#"{"refundRequestId":"20261122test0001","paymentId":"20261120190741010007000000000017","refundAmount":{"currency":"EUR","value":"1000"},"refundReason":"客户退货 / damaged","metadata":null,"isAsyncRefund":false,"refundNotifyUrl":"https:\/\/shop.example\/n"}"#;
const STATES: [&str; 13] = [
    "pending",
    "in_review",
    "submitted",
    "unresolved",
    "succeeded",
    "succeeded_with_arn",
    "succeeded_with_late_arn",
    "declined",
    "rejected",
    "funds_expired",
    "not_enough_funds",
    "cancelled",
    "returned",
];

/// The whole way in, whatever comes.
fn take(method: &str, path: &str, headers: &Vec<(String, String)>, body: &[u8]) -> Result<Incoming, WireError> {
    let request = WireRequest { method, path, headers, body, peer: None };
    let claimed = ENTRY.dialect.identify(&request)?;
    let keys = cast::keys_of(&claimed).ok_or(WireError::UnknownCaller)?;
    ENTRY.dialect.authenticate(&request, &claimed, &keys)?;
    ENTRY.dialect.read(&request)
}

fn render(answer: &Answer<'_>, path: &str, lookup: &str) -> WireResponse {
    ENTRY.dialect.render(
        answer,
        &Context {
            path,
            body: &[],
            lookup,
            scheme: scheme::RSA,
            now: NOW,
            settings: &WireSettings::default(),
            proved: true,
            signer: &AntomSigner,
        },
    )
}

/// The headers by which the vendor's clients verify what we send.
fn assert_signed(headers: &[(&'static str, String)], time: &str, path: &str, body: &[u8]) {
    let header = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str()).unwrap();
    let signature = header("signature").strip_prefix("algorithm=RSA256,keyVersion=1,signature=").unwrap();
    let signature = BASE64_STANDARD.decode(percent_decode_str(signature).collect::<Vec<u8>>()).unwrap();
    let mut text = format!("POST {path}\n{}.{}.", header("client-id"), header(time)).into_bytes();
    text.extend_from_slice(body);
    assert!(cast::is_ours(&text, &signature));
}

/// What the vendor's clients check of an answer.
fn assert_acceptable(response: &WireResponse, path: &str) -> Value {
    assert_signed(&response.headers, "response-time", path, &response.body);
    assert_eq!(response.status, 200);
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert!(body["result"]["resultCode"].is_string() && body["result"]["resultMessage"].as_str().unwrap().chars().count() <= 256);
    assert!(["S", "F", "U"].contains(&body["result"]["resultStatus"].as_str().unwrap()));
    assert!(!String::from_utf8(response.body.clone()).unwrap().contains(":null"), "a null breaks the Python client");
    body
}

fn any_path() -> impl Strategy<Value = String> {
    prop_oneof![prop::sample::select(ENTRY.paths).prop_map(str::to_owned), "/{0,3}[a-zA-Z0-9/?=%._é-]{0,60}"]
}

fn any_headers() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop::sample::select(vec!["client-id", "signature", "request-time", "content-type", "authorization", "accept"]);
    let value = prop_oneof![
        Just(CLIENT.to_owned()),
        Just(format!("Bearer {}", cast::API_KEY)),
        Just("application/json".to_owned()),
        "algorithm=[A-Z0-9]{0,6},? ?keyVersion=[0-9]{0,12},signature=[A-Za-z0-9%+/=,]{0,40}",
        "(Bearer|Basic)? ?[a-zA-Z_]{0,40}",
        "\\PC{0,40}",
    ];
    prop::collection::vec((name.prop_map(str::to_owned), value), 0..7)
}

/// A valid body with a few bytes overwritten, left out or put in.
fn mutated_body() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec((0..VALID.len(), any::<u8>(), 0..3_u8), 0..6).prop_map(|edits| {
        let mut body = VALID.as_bytes().to_vec();
        for (at, byte, how) in edits {
            let at = at.min(body.len().saturating_sub(1));
            match how {
                0 => body[at] = byte,
                1 => drop(body.remove(at)),
                _ => body.insert(at, byte),
            }
        }
        body
    })
}

fn signed_headers(path: &str, body: &[u8]) -> Vec<(String, String)> {
    let mut text = format!("POST {path}\n{CLIENT}.1795330863913.").into_bytes();
    text.extend_from_slice(body);
    let signature = format!("algorithm=RSA256,keyVersion=1,signature={}", BASE64_STANDARD.encode(cast::sign("merchant", &text)));
    [("client-id", CLIENT), ("request-time", "1795330863913"), ("signature", &signature)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn any_text(length_max: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>().prop_filter("no control characters", |letter| !letter.is_control()), 1..=length_max)
        .prop_map(String::from_iter)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(3), ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(method in "GET|POST|PUT|[A-Z]{0,9}", path in any_path(), headers in any_headers(), body in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Err(error) = take(&method, &path, &headers, &body) {
            assert_acceptable(&render(&Answer::Malformed(&error), "/x", CLIENT), "/x");
        }
        let request = WireRequest { method: &method, path: &path, headers: &headers, body: &body, peer: None };
        drop(ENTRY.dialect.read(&request));
        ENTRY.dialect.acknowledged(200, &body);
    }

    #[test]
    fn a_damaged_request_is_read_rightly_or_refused(body in mutated_body(), path in prop::sample::select(ENTRY.paths)) {
        let request = WireRequest { method: "POST", path, headers: &Vec::<(String, String)>::new(), body: &body, peer: None };
        match ENTRY.dialect.read(&request) {
            Ok(Incoming::Refund(wish)) => {
                let sent: Value = serde_json::from_slice(&body).unwrap();
                prop_assert_eq!(sent["refundRequestId"].as_str(), Some(wish.number.as_str()));
                prop_assert_eq!(sent["refundAmount"]["value"].as_str().unwrap().parse::<i64>().ok(), wish.amount.money().map(Money::minor));
                prop_assert!(wish.amount.money().is_some_and(Money::is_positive));
            }
            Ok(Incoming::Inquiry(_)) => {}
            Ok(other) => prop_assert!(false, "Antom asks for no {other:?}"),
            Err(error) => {
                assert_acceptable(&render(&Answer::Malformed(&error), path, CLIENT), path);
            }
        }
    }

    #[test]
    fn a_signature_holds_for_its_bytes_alone(body in mutated_body(), other in mutated_body(), path in prop::sample::select(ENTRY.paths)) {
        let headers = signed_headers(path, &body);
        let unproved = |read: &Result<Incoming, WireError>| matches!(read, Err(WireError::BadSignature));
        prop_assert!(!unproved(&take("POST", path, &headers, &body)));
        prop_assert_eq!(unproved(&take("POST", path, &headers, &other)), body != other);
    }

    #[test]
    fn what_is_sent_is_what_is_read_and_said(
        number in any_text(64), payment in any_text(64), minor in 1..=9_999_999_999_999_999_i64, reason in any_text(256), metadata in any_text(300),
        state in prop::sample::select(&STATES[..]), synchronous in any::<bool>(), quoted in any::<bool>(),
    ) {
        let sent = json!({"refundRequestId": number, "paymentId": payment, "refundAmount": {"currency": "KWD", "value": minor.to_string()},
            "refundReason": reason, "metadata": metadata});
        let body = serde_json::to_vec_pretty(&sent).unwrap();
        let path = "/v1/payments/refund";
        let Incoming::Refund(wish) = take("POST", path, &signed_headers(path, &body), &body).unwrap() else { panic!("a refund was sent") };
        let RefundWish { amount, .. } = *wish;
        prop_assert_eq!(amount, Money::new(minor, "KWD".parse().unwrap()).into());
        prop_assert_eq!((&wish.number, &wish.payment), (&number, &PaymentKey::Reference(payment).into()));
        prop_assert_eq!((&wish.reason, &wish.metadata), (&Some(reason), &Some(metadata.clone())));

        let refund = cast::refund(&wish, cast::state(state), if quoted { &["quote"] } else { &[] });
        let answered = assert_acceptable(&render(&Answer::Refund { refund: &refund, order_number: "o1", synchronous }, path, CLIENT), path);
        let inquired = assert_acceptable(&render(&Answer::Inquiry { refund: &refund }, path, CLIENT), path);
        prop_assert_eq!(inquired["refundRequestId"].as_str(), Some(number.as_str()));
        prop_assert_eq!(inquired["metadata"].as_str(), Some(metadata.as_str()));
        prop_assert_eq!(inquired["refundTime"].is_string(), inquired["refundStatus"] == "SUCCESS");
        if answered["result"]["resultStatus"] == "S" {
            prop_assert_eq!(&answered["refundId"], &inquired["refundId"]);
            let again = format!(r#"{{"refundId":{}}}"#, answered["refundId"]);
            let asked = take("POST", "/v1/payments/inquiryRefund", &signed_headers("/v1/payments/inquiryRefund", again.as_bytes()), again.as_bytes());
            prop_assert_eq!(asked, Ok(Incoming::Inquiry(refundry_dialects::RefundInquiry::Id(refund.id))));
        }
    }

    #[test]
    fn a_notification_is_ascii_signed_and_says_what_was_sent(number in any_text(64), metadata in any_text(300), quoted in any::<bool>()) {
        let wish = RefundWish { number: number.clone(), metadata: Some(metadata.clone()), ..cast::inquired() };
        let refund = cast::refund(&wish, cast::state("succeeded_with_arn"), if quoted { &["quote"] } else { &[] });
        let sent = cast::announce("refund.succeeded", &refund, "/n?a=b").unwrap();
        prop_assert!(sent.body.is_ascii());
        prop_assert_eq!(sent.body.iter().filter(|byte| **byte == b'/').count(), sent.body.windows(2).filter(|pair| pair == b"\\/").count());
        let said: Value = serde_json::from_slice(&sent.body).unwrap();
        prop_assert_eq!((said["refundRequestId"].as_str(), said["metadata"].as_str()), (Some(number.as_str()), Some(metadata.as_str())));
        assert_signed(&sent.headers, "request-time", "/n?a=b", &sent.body);
    }
}
