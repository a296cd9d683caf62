//! Input that does not fit into a golden file, and facts of the entry.

use refundry_dialects::oceanpayment::{ENTRY, SIGNED_TIME_HEADER, apply_codes, query_codes};
use refundry_dialects::{Answer, Flaw, Incoming, NumberedBy, WireError, WireRequest, find};

use super::cast::{self, ACCOUNT, SECRET, TERMINAL};

const APPLY: &str = "/service/applyRefund";

fn read(path: &str, body: &[u8]) -> Result<Incoming, WireError> {
    let headers: Vec<(String, String)> = Vec::new();
    ENTRY.dialect.read(&WireRequest { method: "POST", path, headers: &headers, body, peer: None })
}

/// A well-formed wish with one field changed or, if it is new, added.
fn apply_with(name: &str, value: &str) -> Result<Incoming, WireError> {
    let fields = [
        ("account", ACCOUNT),
        ("terminal", TERMINAL),
        ("signValue", &"0".repeat(64)),
        ("payment_id", cast::PAYMENT_ID),
        ("refund_type", "2"),
        ("refund_amount", "4"),
        ("refund_description", "x"),
    ]
    .map(|(known, text)| (known, if known == name { value } else { text }.to_owned()));
    let mut body: Vec<String> = fields.iter().map(|(known, text)| format!("{known}={text}")).collect();
    body.push(format!("{name}={value}"));
    read(APPLY, body.join("&").as_bytes())
}

fn flaw_of(read: Result<Incoming, WireError>) -> (String, Flaw) {
    match read {
        Err(WireError::Field { field, flaw, .. }) => (field, flaw),
        other => panic!("a wrong field was expected, not {other:?}"),
    }
}

#[test]
fn lengths_end_where_the_page_says() {
    for (name, longest, flaw) in [
        ("refund_description", 1_000, Flaw::TooLong),
        ("refund_number", 64, Flaw::TooLong),
        ("refund_reference", 64, Flaw::TooLong),
        ("payment_id", 64, Flaw::Malformed),
    ] {
        assert!(apply_with(name, &"7".repeat(longest)).is_ok(), "{name}");
        assert_eq!(flaw_of(apply_with(name, &"7".repeat(longest + 1))), (name.to_owned(), flaw));
    }
    // Letters are counted, not bytes.
    assert!(apply_with("refund_description", &"退".repeat(1_000)).is_ok());
    assert_eq!(flaw_of(apply_with("refund_number", "a%0Ab")), ("refund_number".to_owned(), Flaw::Malformed));
}

#[test]
fn amounts_have_at_most_two_decimals_and_sixteen_digits() {
    for text in ["1", "1.5", "1.50", "0.01", "00010", "99999999999999.99", "9999999999999999"] {
        assert!(apply_with("refund_amount", text).is_ok(), "{text}");
    }
    for text in ["1.", ".5", "1.500", "%2B1", "-1", "1e3", "1,00", "１", "0x1", "1%201", "99999999999999999", "999999999999999.99"] {
        assert_eq!(flaw_of(apply_with("refund_amount", text)), ("refund_amount".to_owned(), Flaw::Malformed), "{text}");
    }
}

#[test]
fn without_a_number_the_signature_stands_for_one_in_whichever_case_it_is() {
    let number_of = |sign_value: &str| match apply_with("signValue", sign_value).unwrap() {
        Incoming::Refund(wish) => (wish.number, wish.numbered_by),
        other => panic!("a refund was asked for, not {other:?}"),
    };
    assert_eq!(number_of(&"AB".repeat(32)), ("ab".repeat(32), NumberedBy::Proof));
    assert_eq!(number_of(&"ab".repeat(32)), number_of(&"AB".repeat(32)));
}

#[test]
fn the_first_of_two_values_counts_for_the_proof_and_for_what_is_read() {
    let body = format!(
        "account={ACCOUNT}&terminal={TERMINAL}&refund_id=0&refund_id=912236222246580266&\
         signValue=9aa2eb3fbba5ae6cc151f7d7500c77033cd4ca1d6b92a0fb3ed14cb63e02b226"
    );
    let headers: Vec<(String, String)> = Vec::new();
    let request = WireRequest { method: "POST", path: "/service/queryRefund", headers: &headers, body: body.as_bytes(), peer: None };
    let claimed = ENTRY.dialect.identify(&request).unwrap();
    ENTRY.dialect.authenticate(&request, &claimed, &cast::keys_of(&claimed).unwrap()).unwrap();
    assert_eq!(ENTRY.dialect.read(&request), Ok(Incoming::Inquiry(refundry_dialects::RefundInquiry::Nonsense)));
}

#[test]
fn a_signed_time_is_checked_where_it_is_sent() {
    let body = format!(
        "account={ACCOUNT}&terminal={TERMINAL}&refund_id=0&signValue=9aa2eb3fbba5ae6cc151f7d7500c77033cd4ca1d6b92a0fb3ed14cb63e02b226"
    );
    let now = cast::NOW.ms() / 1_000;
    let prove = |seconds: i64, signed: &str| {
        let digest: String = cast::sha256(signed.as_bytes(), SECRET).iter().map(|byte| format!("{byte:02X}")).collect();
        let headers = vec![(SIGNED_TIME_HEADER.to_owned(), format!("{seconds}.{digest}"))];
        let request = WireRequest { method: "POST", path: "/service/queryRefund", headers: &headers, body: body.as_bytes(), peer: None };
        let claimed = ENTRY.dialect.identify(&request).unwrap();
        ENTRY.dialect.authenticate(&request, &claimed, &cast::keys_of(&claimed).unwrap()).is_ok()
    };
    for (away, holds) in
        [(0, true), (600, true), (-600, true), (601, false), (-601, false), (i64::MAX - now, false), (i64::MIN + now, false)]
    {
        let seconds = now.saturating_add(away);
        assert_eq!(prove(seconds, &format!("{seconds}.{body}")), holds, "{away}");
    }
    assert!(!prove(now, &format!("{now}.{body}&more=1")));
    assert!(!prove(now, &format!("{}.{body}", now - 1)));
}

#[test]
fn a_terminal_that_demands_the_signed_time_refuses_whoever_sends_none() {
    let body = format!(
        "account={ACCOUNT}&terminal={TERMINAL}&refund_id=0&signValue=9aa2eb3fbba5ae6cc151f7d7500c77033cd4ca1d6b92a0fb3ed14cb63e02b226"
    );
    let now = cast::NOW.ms() / 1_000;
    let proof = |seconds: i64| {
        let digest: String =
            cast::sha256(format!("{seconds}.{body}").as_bytes(), SECRET).iter().map(|byte| format!("{byte:02x}")).collect();
        vec![(SIGNED_TIME_HEADER.to_owned(), format!("{seconds}.{digest}"))]
    };
    for (headers, with_switch, without) in [
        (Vec::new(), Err(WireError::BadSignature), Ok(())),
        (proof(now), Ok(()), Ok(())),
        (proof(now - 601), Err(WireError::BadSignature), Err(WireError::BadSignature)),
    ] {
        let request = WireRequest { method: "POST", path: "/service/queryRefund", headers: &headers, body: body.as_bytes(), peer: None };
        let claimed = ENTRY.dialect.identify(&request).unwrap();
        for (demands_signed_time, expected) in [(true, with_switch), (false, without)] {
            let mut keys = cast::keys_of(&claimed).unwrap();
            keys.demands_signed_time = demands_signed_time;
            assert_eq!(ENTRY.dialect.authenticate(&request, &claimed, &keys), expected, "{headers:?} {demands_signed_time}");
        }
    }
}

#[test]
fn strangers_get_no_signature() {
    for error in [WireError::BadSignature, WireError::UnknownCaller, WireError::OtherAccount, WireError::NoKey] {
        for path in ENTRY.paths {
            let context = cast::context(path, b"account=995378&terminal=99537801&payment_id=1&refund_number=1", false);
            let body = String::from_utf8(ENTRY.dialect.render(&Answer::Malformed(&error), &context).body).unwrap();
            assert!(body.contains("<signValue></signValue>"), "{body}");
        }
    }
}

#[test]
fn the_dialect_answers_its_paths_and_all_below_its_prefixes() {
    for path in ENTRY.paths.iter().chain(&["/service/none", "/gateway/service/none"]) {
        for written in [(*path).to_owned(), format!("/{path}"), format!("{path}?a=/b")] {
            assert!(std::ptr::eq(find(&written).unwrap(), &raw const ENTRY), "{written}");
        }
    }
    for path in ["/service", "/gateway/servicex", "service/applyRefund", "/gateway/"] {
        assert!(find(path).is_none(), "{path}");
    }
}

#[test]
fn what_can_be_forced_is_every_code_but_those_of_a_success() {
    let codes = |all: &[refundry_dialects::oceanpayment::codes::ResultCode], without: &[&str]| -> Vec<&'static str> {
        all.iter().map(|code| code.code).filter(|code| !without.contains(code)).collect()
    };
    let [(_, of_refund), (_, of_inquiry)] = ENTRY.forcible else { panic!("two calls have codes that can be forced") };
    assert_eq!(codes(apply_codes::ALL, &["00"]), *of_refund);
    assert_eq!(codes(query_codes::ALL, &["00", "01", "02", "03"]), *of_inquiry);
}

#[test]
fn a_push_is_sent_five_times_and_acknowledged_by_one_word() {
    assert_eq!(ENTRY.resend_seconds, [0, 120, 600, 3_600, 21_600]);
    assert!(ENTRY.dialect.acknowledged(200, b"receive-ok"));
    for (status, body) in
        [(200, "receive-no"), (200, "receive-ok\n"), (200, "RECEIVE-OK"), (200, ""), (500, "receive-ok"), (302, "receive-ok")]
    {
        assert!(!ENTRY.dialect.acknowledged(status, body.as_bytes()), "{status} {body}");
    }
}
