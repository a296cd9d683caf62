//! Input that does not fit into a golden file: too deep, too long, not text.

use refundry_dialects::antom::ENTRY;
use refundry_dialects::antom::codes::{ALL, IN_STORE};
use refundry_dialects::{Incoming, WireError, WireRequest, find};

fn read(path: &str, body: &[u8]) -> Result<Incoming, WireError> {
    let headers: Vec<(String, String)> = Vec::new();
    ENTRY.dialect.read(&WireRequest { method: "POST", path, headers: &headers, body, peer: None })
}

fn read_refund(body: &[u8]) -> Result<Incoming, WireError> {
    read("/ams/api/v1/payments/refund", body)
}

fn wrong_field(read: Result<Incoming, WireError>) -> String {
    match read {
        Err(WireError::Field { field, .. }) => field,
        other => panic!("a wrong field was expected, not {other:?}"),
    }
}

#[test]
fn a_million_brackets_overflow_no_stack() {
    const DEPTH: usize = 500_000;
    let nested = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    let with = |member: &str| format!("{{\"{member}\":{nested},\"refundRequestId\":\"1\",\"paymentId\":\"2\"}}");
    assert_eq!(wrong_field(read_refund(nested.as_bytes())), "body");
    assert_eq!(wrong_field(read_refund("{\"a\":".repeat(DEPTH).as_bytes())), "body");
    // What is not known is passed over, however deep it is; what is known must be what it should be.
    assert_eq!(wrong_field(read_refund(with("goods").as_bytes())), "refundAmount");
    assert_eq!(wrong_field(read_refund(with("refundAmount").as_bytes())), "refundAmount");
    assert_eq!(
        wrong_field(read_refund(
            with("metadata").replace("\"2\"}", "\"2\",\"refundAmount\":{\"currency\":\"EUR\",\"value\":\"1\"}}").as_bytes()
        )),
        "metadata"
    );
}

#[test]
fn bytes_that_are_no_text_are_named() {
    let body = |reason: &[u8]| {
        let mut body = br#"{"refundRequestId":"1","paymentId":"2","refundAmount":{"currency":"EUR","value":"1"},"refundReason":""#.to_vec();
        body.extend_from_slice(reason);
        body.extend_from_slice(b"\"}");
        body
    };
    assert_eq!(wrong_field(read_refund(&body(b"\xff\xfe"))), "body");
    assert_eq!(wrong_field(read_refund(&body(b"\\u0000"))), "refundReason");
    assert_eq!(wrong_field(read_refund(b"\xef\xbb\xbf{}")), "body");
    assert!(read_refund(&body("\u{10ffff}".as_bytes())).is_ok());
}

#[test]
fn amounts_end_at_sixteen_digits() {
    let body = |value: &str| format!(r#"{{"refundRequestId":"1","paymentId":"2","refundAmount":{{"currency":"EUR","value":{value}}}}}"#);
    for value in ["\"9999999999999999\"", "9999999999999999", "\"0000000000000001\""] {
        assert!(read_refund(body(value).as_bytes()).is_ok(), "{value}");
    }
    for value in [
        "\"10000000000000000\"",
        "10000000000000000",
        "1e3",
        "1.0",
        "-1",
        "0",
        "\"0\"",
        "\"\"",
        "\"+1\"",
        "\"1,000\"",
        "\"１\"",
        "true",
        "[]",
        "{}",
    ] {
        assert_eq!(wrong_field(read_refund(body(value).as_bytes())), "refundAmount.value", "{value}");
    }
}

#[test]
fn the_dialect_answers_its_paths_and_all_below_its_prefix() {
    for path in ENTRY.paths {
        for written in [(*path).to_owned(), format!("/{path}"), format!("{path}?a=/b")] {
            assert!(std::ptr::eq(find(&written).unwrap(), &raw const ENTRY), "{written}");
        }
    }
    assert!(find("/ams/whatever").is_some());
    for path in ["/", "", "/v1/payments", "/api/v1/refunds", "/amsx", "ams/"] {
        assert!(find(path).is_none(), "{path}");
    }
}

#[test]
fn what_can_be_forced_is_a_result_code_and_no_success() {
    for (api, codes) in ENTRY.forcible {
        assert!(["refund", "inquiryRefund"].contains(api));
        for code in *codes {
            assert!(ALL.iter().any(|known| known.code == *code) && *code != "SUCCESS", "{code}");
        }
    }
    let (_, of_refund) = ENTRY.forcible[0];
    let missing: Vec<_> = IN_STORE.iter().filter(|code| **code != "SUCCESS" && !of_refund.contains(code)).collect();
    assert!(missing.is_empty(), "{missing:?} cannot be forced");
    assert!(ALL.iter().all(|code| code.message.chars().count() <= 256));
}

#[test]
fn the_last_send_comes_after_a_day_and_twenty_two_minutes() {
    assert_eq!(ENTRY.resend_seconds.len(), 8);
    assert_eq!(ENTRY.resend_seconds.iter().sum::<u32>(), (24 * 60 + 22) * 60);
}

#[test]
fn only_the_fixed_reply_acknowledges() {
    let fixed = br#"{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"Success"}}"#;
    let acknowledged = |status, body: &[u8]| ENTRY.dialect.acknowledged(status, body);
    assert!(acknowledged(200, fixed));
    assert!(acknowledged(200, br#" {"result" : {"resultStatus":"S", "resultCode":"SUCCESS", "extra": null}, "more": []} "#));
    assert!(!acknowledged(201, fixed));
    for body in
        ["", "success", "{}", r#"{"result":null}"#, r#"{"result":{"resultCode":"SUCCESS","resultStatus":"F"}}"#, r#"{"resultStatus":"S"}"#]
    {
        assert!(!acknowledged(200, body.as_bytes()), "{body}");
    }
}
