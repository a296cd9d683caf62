//! Lengths, types and ranges, and facts of the entry.

use refundry_dialects::baofoo::client::Sender;
use refundry_dialects::baofoo::{ENTRY, Method, codes};
use refundry_dialects::{Flaw, Incoming, WireError, WireRequest, find, scheme};
use serde_json::{Value, json};

use super::cast::{ACCOUNT, NOW, PairSigner, TERMINAL};

const SENDER: Sender<'_> =
    Sender { account: ACCOUNT, terminal: TERMINAL, agent: None, signer: &PairSigner("merchant"), scheme: scheme::RSA, now: NOW };

fn read(method: Method, content: Value) -> Result<Incoming, WireError> {
    let request = SENDER.call(method, content);
    let headers: Vec<(String, String)> = Vec::new();
    ENTRY.dialect.read(&WireRequest { method: "POST", path: "/api", headers: &headers, body: &request.body, peer: None })
}

/// A refund with one member changed, or added.
fn refund_with(name: &str, value: Value) -> Result<Incoming, WireError> {
    let mut content = json!({
        "originOutTradeNo": "PAY1", "outTradeNo": "R1", "refundAmt": 4000, "totalAmt": 4000, "txnTime": "20261122150059", "refundReason": "x",
    });
    content[name] = value;
    read(Method::OrderRefund, content)
}

fn flaw_of(read: Result<Incoming, WireError>) -> (String, Flaw) {
    match read {
        Err(WireError::Field { field, flaw, .. }) => (field, flaw),
        other => panic!("a wrong field was expected, not {other:?}"),
    }
}

#[test]
fn every_length_of_the_request_table_ends_where_it_says() {
    for (name, longest) in [
        ("agentMerId", 16),
        ("merchantName", 128),
        ("originTradeNo", 32),
        ("originOutTradeNo", 64),
        ("outTradeNo", 50),
        ("notifyUrl", 128),
        ("attach", 128),
        ("reqReserved", 128),
        ("refundReason", 128),
    ] {
        let mut content = json!({ "agentTerId": "1" });
        let letter = if matches!(name, "outTradeNo" | "agentMerId") { "a" } else { "退" };
        content[name] = letter.repeat(longest).into();
        let fits = |content: &Value| {
            let mut all = json!({
                "originOutTradeNo": "PAY1", "outTradeNo": "R1", "refundAmt": 4000, "totalAmt": 4000, "txnTime": "20261122150059",
                "refundReason": "x",
            });
            for (name, value) in content.as_object().unwrap() {
                all[name] = value.clone();
            }
            read(Method::OrderRefund, all)
        };
        assert!(fits(&content).is_ok(), "{name}");
        content[name] = letter.repeat(longest + 1).into();
        assert_eq!(flaw_of(fits(&content)), (name.to_owned(), Flaw::TooLong));
    }
}

#[test]
fn every_member_that_is_needed_is_asked_for() {
    for name in ["outTradeNo", "refundAmt", "totalAmt", "txnTime", "refundReason"] {
        for nothing in [Value::Null, json!(""), json!("  ")] {
            assert_eq!(flaw_of(refund_with(name, nothing)), (name.to_owned(), Flaw::Missing));
        }
    }
    assert_eq!(flaw_of(refund_with("originOutTradeNo", Value::Null)), ("originTradeNo".to_owned(), Flaw::Missing));
    for (list, inner) in [(json!([{ "sharingAmt": 1 }]), "sharingMerId"), (json!([{ "sharingMerId": "1" }]), "sharingAmt")] {
        assert_eq!(flaw_of(refund_with("sharingRefundInfo", list)), (inner.to_owned(), Flaw::Missing));
    }
    for (object, inner) in [(json!({ "mktAmt": 1 }), "mktMerId"), (json!({ "mktMerId": ACCOUNT }), "mktAmt")] {
        assert_eq!(flaw_of(refund_with("mktRefundInfo", object)), (inner.to_owned(), Flaw::Missing));
    }
}

#[test]
fn amounts_are_whole_numbers_up_to_a_thousand_million() {
    for amount in [json!(0), json!(1), json!(1_000_000_000), json!("1000000000"), json!("007"), Value::Null] {
        assert!(refund_with("advanceAmt", amount.clone()).is_ok(), "{amount}");
    }
    for amount in [
        json!(-1),
        json!(1_000_000_001),
        json!("1000000001"),
        json!(1.0),
        json!(1e3),
        json!("1.0"),
        json!("-1"),
        json!("+1"),
        json!("１"),
        json!("99999999999999999999"),
        json!(u64::MAX),
        json!(true),
        json!([1]),
        json!({ "a": 1 }),
    ] {
        assert_eq!(flaw_of(refund_with("advanceAmt", amount.clone())), ("advanceAmt".to_owned(), Flaw::Malformed), "{amount}");
    }
    assert_eq!(flaw_of(refund_with("refundAmt", json!(0))), ("refundAmt".to_owned(), Flaw::Malformed));
}

#[test]
fn numbers_of_the_merchant_are_letters_digits_and_underscores() {
    assert!(refund_with("outTradeNo", json!("R_1a")).is_ok());
    for number in ["R-1", "R 1", "退1", "R1\n", "R/1"] {
        assert_eq!(flaw_of(refund_with("outTradeNo", json!(number))), ("outTradeNo".to_owned(), Flaw::Malformed), "{number}");
    }
    for time in ["20261122", "20261322150059", "2026112215005x"] {
        assert_eq!(flaw_of(refund_with("txnTime", json!(time))), ("txnTime".to_owned(), Flaw::Malformed), "{time}");
    }
}

#[test]
fn lists_and_objects_are_what_they_are_called() {
    for list in
        [json!({}), json!("x"), json!([1]), json!("[1]"), json!(1), json!(vec![json!({ "sharingMerId": "1", "sharingAmt": 1 }); 51])]
    {
        assert!(matches!(refund_with("sharingRefundInfo", list.clone()), Err(WireError::Field { .. })), "{list}");
    }
    for object in [json!([]), json!("x"), json!(1)] {
        assert_eq!(flaw_of(refund_with("mktRefundInfo", object)), ("mktRefundInfo".to_owned(), Flaw::Malformed));
    }
}

#[test]
fn what_was_signed_for_one_method_does_not_do_for_another() {
    let contents = [
        json!({ "originTradeNo": "1", "outTradeNo": "R1", "refundAmt": 1, "totalAmt": 1, "txnTime": "20261122150059", "refundReason": "x" }),
        json!({ "originTradeNo": "1", "outTradeNo": "S1", "txnTime": "20261122150059",
                "sharingDetails": [{ "sharingMerId": "1", "sharingAmt": 1 }] }),
        json!({ "outTradeNo": "P1", "txnAmt": 1, "totalAmt": 1, "txnTime": "20261122150059", "prodType": "SHARING", "payCode": "X" }),
    ];
    for (content, own) in contents.iter().zip([Method::OrderRefund, Method::ShareAfterPay, Method::UnifiedOrder]) {
        for method in Method::ALL {
            assert_eq!(read(method, content.clone()).is_ok(), method == own, "{} as {}", own.word(), method.word());
        }
    }
}

#[test]
fn only_numbers_are_looked_up() {
    let headers: Vec<(String, String)> = Vec::new();
    let identify = |body: &str| {
        let request = WireRequest { method: "POST", path: "/api", headers: &headers, body: body.as_bytes(), peer: None };
        ENTRY.dialect.identify(&request)
    };
    assert_eq!(identify("merId=100000&terId=abcdefghij123456").unwrap().lookup, "100000/abcdefghij123456");
    for number in ["%00", "1%2F2", "12345678901234567", "%E5%95%86", "1%202"] {
        assert!(matches!(identify(&format!("merId={number}&terId=1")), Err(WireError::Field { .. })), "{number}");
        let agent = format!("merId=1&terId=1&bizContent={{\"agentMerId\":\"{number}\",\"agentTerId\":\"1\"}}");
        assert_eq!(identify(&agent).unwrap().acting_for, None, "{number}");
    }
}

#[test]
fn the_dialect_answers_its_one_path() {
    for path in ["/api", "//api", "/api?x=1"] {
        assert!(std::ptr::eq(find(path).unwrap(), &raw const ENTRY), "{path}");
    }
    for path in ["/api/", "/api/v1/refunds", "/apix"] {
        assert!(find(path).is_none(), "{path}");
    }
}

#[test]
fn a_notification_is_sent_fourteen_times_and_acknowledged_by_one_word() {
    assert_eq!(ENTRY.resend_seconds.len(), 14);
    assert_eq!(ENTRY.resend_seconds.iter().sum::<u32>(), 16 * 3_600 + 44 * 60 + 55);
    for body in ["OK", " OK\r\n"] {
        assert!(ENTRY.dialect.acknowledged(200, body.as_bytes()), "{body:?}");
    }
    for (status, body) in [(200, "ok"), (200, "\"OK\""), (200, ""), (200, "OK!"), (201, "OK"), (302, "OK"), (500, "OK")] {
        assert!(!ENTRY.dialect.acknowledged(status, body.as_bytes()), "{status} {body}");
    }
}

#[test]
fn every_code_can_be_forced() {
    let all: Vec<&str> = codes::ALL.iter().map(|code| code.code).collect();
    assert_eq!(all.len(), 27);
    for (_, forcible) in ENTRY.forcible {
        assert_eq!(*forcible, all);
    }
}
