//! What must hold for any bytes at all.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use refundry_dialects::oceanpayment::ENTRY;
use refundry_dialects::oceanpayment::client::{MerchantRefund, Sender, value_of};
use refundry_dialects::orders::OrdersFound;
use refundry_dialects::{Answer, Incoming, RefundInquiry, Subject, WireError, WireRequest, WireResponse};
use refundry_engine::asked::AskedAmount;

use super::cast::{self, ACCOUNT, PAYMENT_ID, SECRET, SecretSigner, TERMINAL};

const SENDER: Sender<'_> = Sender { account: ACCOUNT, terminal: TERMINAL, signer: &SecretSigner(SECRET), signed_time: None };

fn take(method: &str, path: &str, headers: &Vec<(String, String)>, body: &[u8]) -> Result<Incoming, WireError> {
    let request = WireRequest { method, path, headers, body, peer: None };
    let claimed = ENTRY.dialect.identify(&request)?;
    let keys = cast::keys_of(&claimed).ok_or(WireError::UnknownCaller)?;
    ENTRY.dialect.authenticate(&request, &claimed, &keys)?;
    ENTRY.dialect.read(&request)
}

fn posted(path: &str, body: &[u8]) -> Result<Incoming, WireError> {
    take("POST", path, &Vec::new(), body)
}

/// Text that any XML reader takes: every element that opens closes, and nothing stands unescaped or cannot stand at all.
fn assert_well_formed(response: &WireResponse) -> String {
    assert_eq!(response.status, 200);
    let document = String::from_utf8(response.body.clone()).unwrap();
    let rest = document.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").unwrap();
    let mut open: Vec<&str> = Vec::new();
    let mut pieces = rest.split('<');
    assert_eq!(pieces.next(), Some(""));
    for piece in pieces {
        let (tag, text) = piece.split_once('>').unwrap();
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None => open.push(tag),
        }
        assert!(
            !text.contains('>') && text.chars().all(|letter| !letter.is_control() || "\t\n\u{7f}".contains(letter) || letter > '\u{7f}')
        );
        for entity in text.split('&').skip(1) {
            assert!(["amp;", "lt;", "gt;", "quot;", "apos;", "#13;"].iter().any(|known| entity.starts_with(known)), "{entity}");
        }
    }
    assert!(open.is_empty());
    document
}

fn any_path() -> impl Strategy<Value = String> {
    prop_oneof![prop::sample::select(ENTRY.paths).prop_map(str::to_owned), "/{0,3}[a-zA-Z0-9/?=%._é-]{0,60}"]
}

fn any_form() -> impl Strategy<Value = Vec<u8>> {
    let names = [
        "account",
        "terminal",
        "signValue",
        "payment_id",
        "refund_type",
        "refund_amount",
        "refund_description",
        "refund_number",
        "refund_id",
        "order_number",
        "order_amount",
        "order_currency",
        "order_beginDate",
        "order_endDate",
        "pages",
        "count",
        "date_type",
        "notice_type",
        "payment_authType",
        "tracking_number",
        "tracking_site",
    ];
    let value = prop_oneof![
        3 => prop::sample::select(vec![ACCOUNT, TERMINAL, PAYMENT_ID, "1", "2", "3", "10.00", "2023-12-25 15:29:42", "2023-12-26", "USD"]).prop_map(str::to_owned),
        1 => "[0-9.]{0,20}",
        1 => "[0-9a-fA-F]{64}",
        1 => "\\PC{0,30}",
        1 => "[%+&=a-f0-9]{0,12}",
    ];
    let fields = prop::collection::vec((prop::sample::select(names.to_vec()), value), 0..24);
    fields.prop_map(|fields| fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&").into_bytes())
}

fn any_text(length_max: usize) -> impl Strategy<Value = String> {
    let letters = prop::collection::vec(any::<char>().prop_filter("no control characters", |letter| !letter.is_control()), 1..=length_max);
    letters.prop_map(String::from_iter).prop_filter("not blank", |text| !text.trim().is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(5), ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(method in "GET|POST|PUT", path in any_path(), body in prop_oneof![any_form(), prop::collection::vec(any::<u8>(), 0..300)], time in "\\PC{0,80}") {
        let headers = vec![("x-signed-timestamp".to_owned(), time)];
        let error = take(&method, &path, &headers, &body).err().unwrap_or(WireError::TooMany);
        for proved in [false, true] {
            assert_well_formed(&ENTRY.dialect.render(&Answer::Malformed(&error), &cast::context(&path, &body, proved)));
        }
        let request = WireRequest { method: "POST", path: &path, headers: &headers, body: &body, peer: None };
        if let Ok(incoming) = ENTRY.dialect.read(&request) {
            let context = cast::context(&path, &body, true);
            match &incoming {
                Incoming::Orders(question) => {
                    let found = cast::found(question, true);
                    assert_well_formed(&ENTRY.dialect.render(&Answer::Orders { question, found: &found }, &context));
                    let nothing = OrdersFound::Orders { rows: Vec::new(), total: u64::MAX };
                    assert_well_formed(&ENTRY.dialect.render(&Answer::Orders { question, found: &nothing }, &context));
                }
                Incoming::Authorisation(wish) => {
                    assert_well_formed(&ENTRY.dialect.render(&Answer::Authorisation { wish, payment: &cast::payment(&[]) }, &context));
                }
                Incoming::Tracking(note) => {
                    assert_well_formed(&ENTRY.dialect.render(&Answer::Tracking { note, payment: &cast::payment(&[]) }, &context));
                }
                Incoming::Refund(_) | Incoming::Inquiry(_) => {}
                other => prop_assert!(false, "{} is nothing that this dialect asks", other.api()),
            }
        }
    }

    #[test]
    fn a_signature_holds_for_its_values_alone(number in "[A-Z0-9-]{1,20}", other in "[A-Z0-9-]{1,20}", amount in "[1-9][0-9]{0,6}(\\.[0-9]{1,2})?") {
        let wish = |number| MerchantRefund { payment_reference: PAYMENT_ID, amount: &amount, whole: true, reason: "r", number: Some(number), reference: None };
        let (mine, theirs) = (SENDER.refund(&wish(&number)), SENDER.refund(&wish(&other)));
        prop_assert!(posted(&mine.path, &mine.body).is_ok());
        let body = String::from_utf8(mine.body).unwrap();
        let hash = String::from_utf8(theirs.body).unwrap();
        let moved = format!("{}{}", &body[..body.len() - 64], &hash[hash.len() - 64..]);
        prop_assert_eq!(posted(&mine.path, moved.as_bytes()).is_ok(), number == other);
    }

    #[test]
    fn what_is_sent_is_what_is_read_and_said(
        number in any_text(64), reason in any_text(1_000), reference in any_text(64), minor in 1..=99_999_999_999_i64,
        state in prop::sample::select(&["pending", "submitted", "unresolved", "succeeded", "succeeded_with_arn", "declined", "cancelled", "returned"][..]),
    ) {
        let amount = format!("{}.{:02}", minor / 100, minor % 100);
        let wish = MerchantRefund { payment_reference: PAYMENT_ID, amount: &amount, whole: false, reason: &reason, number: Some(&number), reference: Some(&reference) };
        let request = SENDER.refund(&wish);
        let Incoming::Refund(read) = posted(&request.path, &request.body).unwrap() else { panic!("a refund was sent") };
        prop_assert_eq!(read.amount.of_payment_in("USD".parse().unwrap()), Some(cast::usd(minor)));
        prop_assert!(matches!(read.amount, AskedAmount::Decimal(_)));
        prop_assert_eq!((&read.number, &read.reason, &read.merchant_reference), (&number, &Some(reason), &Some(reference.clone())));

        let refund = cast::refund(&read, state);
        let context = cast::context(&request.path, &request.body, true);
        let answered = assert_well_formed(&ENTRY.dialect.render(&Answer::Refund { refund: &refund, order_number: "o<1>", synchronous: false }, &context));
        prop_assert!(SENDER.is_signed(&answered));
        let said = |document: &str, name: &str| value_of(document.as_bytes(), name).unwrap();
        prop_assert_eq!((said(&answered, "refund_number"), said(&answered, "refund_reference")), (number.clone(), reference));
        prop_assert_eq!((said(&answered, "refund_results"), said(&answered, "order_number")), ("00".to_owned(), "o<1>".to_owned()));

        let query = SENDER.query_by_id(&said(&answered, "refund_id"));
        prop_assert_eq!(posted(&query.path, &query.body), Ok(Incoming::Inquiry(RefundInquiry::Id(refund.id))));
        let inquired = assert_well_formed(&ENTRY.dialect.render(&Answer::Inquiry { refund: &refund }, &cast::context(&query.path, &query.body, true)));
        prop_assert!(SENDER.is_signed(&inquired));
        prop_assert_eq!((said(&inquired, "refund_number"), said(&inquired, "refund_amount")), (number.clone(), amount));

        if let Some(push) = cast::announce("refund.succeeded", Subject::Refund(&refund), &[]) {
            let response = WireResponse { status: 200, headers: Vec::new(), body: push.body };
            let pushed = assert_well_formed(&response);
            prop_assert!(SENDER.is_signed(&pushed));
            prop_assert_eq!((said(&pushed, "refund_number"), said(&pushed, "push_id")), (number, said(&answered, "refund_id")));
        }
    }
}
