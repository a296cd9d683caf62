//! What must hold for any bytes at all.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use refundry_dialects::baofoo::client::{GatewayAnswer, MerchantRefund, Sender, read_answer};
use refundry_dialects::baofoo::{ENTRY, Method, trade_no};
use refundry_dialects::{Answer, Incoming, WireError, WireRequest, WireResponse, scheme};
use refundry_engine::{RefundId, ids};
use serde_json::{Value, json};

use super::cast::{self, ACCOUNT, NOW, PairSigner, TERMINAL, fen};

const SENDER: Sender<'_> =
    Sender { account: ACCOUNT, terminal: TERMINAL, agent: None, signer: &PairSigner("merchant"), scheme: scheme::RSA, now: NOW };

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(15), failure_persistence: None, ..ProptestConfig::default() }
}

fn taken(method: &str, body: &[u8]) -> Result<Incoming, WireError> {
    let headers: Vec<(String, String)> = Vec::new();
    let request = WireRequest { method, path: "/api", headers: &headers, body, peer: None };
    let claimed = ENTRY.dialect.identify(&request)?;
    let keys = cast::keys_of(&claimed).ok_or(WireError::UnknownCaller)?;
    ENTRY.dialect.authenticate(&request, &claimed, &keys)?;
    ENTRY.dialect.read(&request)
}

/// One JSON object that says whether it is an answer, whose text holds JSON.
fn assert_well_formed(response: &WireResponse) {
    assert_eq!((response.status, response.body.first(), response.body.last()), (200, Some(&b'{'), Some(&b'}')));
    let answer: Value = serde_json::from_slice(&response.body).unwrap();
    let content = answer["dataContent"].as_str().unwrap();
    match answer["returnCode"].as_str().unwrap() {
        "SUCCESS" => assert!(serde_json::from_str::<Value>(content).unwrap()["resultCode"].is_string()),
        "FAIL" => assert_eq!(content, ""),
        other => panic!("{other} is no returnCode"),
    }
}

/// JSON of any shape, with members that the methods know.
fn any_content() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "originTradeNo",
        "originOutTradeNo",
        "outTradeNo",
        "tradeNo",
        "refundAmt",
        "totalAmt",
        "txnTime",
        "sharingRefundInfo",
        "mktRefundInfo",
        "advanceAmt",
        "refundReason",
        "sharingDetails",
        "txnAmt",
        "prodType",
        "payCode",
        "sharingInfo",
        "agentMerId",
        "agentTerId",
        "merId",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,40}".prop_map(Value::from),
        "[0-9]{1,24}".prop_map(Value::from),
        Just(json!("[{\"sharingMerId\":\"1\",\"sharingAmt\":1}]")),
    ];
    let any = leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z]{1,12}", inner, 0..4).prop_map(|members| Value::Object(members.into_iter().collect()))
        ]
    });
    prop::collection::btree_map(name, any, 0..8)
        .prop_map(|members| Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn no_bytes_make_it_panic(method in "POST|GET|.{0,6}", body in prop::collection::vec(any::<u8>(), 0..300), prefix in any::<bool>()) {
        let body = if prefix { [b"merId=100000&terId=200000&bizContent=".as_slice(), &body].concat() } else { body };
        let error = taken(&method, &body).unwrap_err();
        for proved in [false, true] {
            for outcome in [Answer::Malformed(&error), Answer::Fault, Answer::Forced("x")] {
                let rendered = ENTRY.dialect.render(&outcome, &cast::context(&body, "100000/200000", scheme::RSA, proved));
                prop_assert_eq!(rendered.status, 200);
                let answer: Value = serde_json::from_slice(&rendered.body).unwrap();
                prop_assert!(answer["returnCode"].is_string());
            }
        }
    }

    #[test]
    fn no_content_makes_it_panic(content in any_content(), place in 0..Method::ALL.len(), sent_as_text in any::<bool>()) {
        let request = if sent_as_text {
            SENDER.send(Method::ALL[place], &content.to_string())
        } else {
            SENDER.call(Method::ALL[place], content)
        };
        let context = cast::context(&request.body, "100000/200000", scheme::RSA, true);
        match taken("POST", &request.body) {
            Ok(_) => assert_well_formed(&ENTRY.dialect.render(&Answer::Fault, &context)),
            Err(error) => assert_well_formed(&ENTRY.dialect.render(&Answer::Malformed(&error), &context)),
        }
    }

    #[test]
    fn numbers_that_we_give_read_back(ms in ids::EPOCH_MS..4_070_908_800_000, node in 0_u16..1_024, counter in 0_u16..4_096) {
        let id = RefundId::new(ids::compose(ms, node, counter));
        let number = trade_no::of_refund(id);
        prop_assert_eq!((number.len(), trade_no::refund(&number), trade_no::share(&number)), (24, Some(id), None));
    }
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn what_is_sent_is_what_is_read_and_said(
        number in "[A-Za-z0-9_]{1,50}",
        reason in "[^\\p{C}\\s]\\PC{0,100}",
        amount in 1_i64..=900_000_000,
        marketing in 0_i64..=1_000,
    ) {
        let wish = MerchantRefund {
            number: &number,
            order_number: Some("PAY1"),
            amount_fen: amount,
            marketing_fen: marketing,
            reason: &reason,
            ..MerchantRefund::default()
        };
        let request = SENDER.refund(&wish);
        let Ok(Incoming::Refund(read)) = taken("POST", &request.body) else { panic!("a refund was sent") };
        prop_assert_eq!((read.number.as_str(), read.amount.money(), read.reason.as_deref()), (number.as_str(), Some(fen(amount + marketing)), Some(reason.as_str())));
        let refund = cast::refund(&read, "pending");
        let answer = Answer::Refund { refund: &refund, order_number: "PAY1", synchronous: false };
        let said = ENTRY.dialect.render(&answer, &cast::context(&request.body, "100000/200000", scheme::RSA, true));
        assert_well_formed(&said);
        let content = read_answer(&said.body, |message, signature| cast::is_ours(scheme::RSA, message, signature));
        let GatewayAnswer::Answered(content) = content else { panic!("it is signed") };
        prop_assert_eq!((&content["outTradeNo"], &content["refundAmt"], &content["totalAmt"]), (&json!(number), &json!(amount), &json!(amount + marketing)));
    }

    #[test]
    fn a_signature_holds_for_its_bytes_alone(place in any::<prop::sample::Index>(), letter in "[0-9a-zA-Z]") {
        let request = SENDER.refund(&MerchantRefund { number: "R1", order_number: Some("PAY1"), amount_fen: 1, reason: "x", ..MerchantRefund::default() });
        let start = String::from_utf8(request.body.clone()).unwrap().find("bizContent=").unwrap() + "bizContent=".len();
        let place = start + place.index(request.body.len() - start);
        let mut spoiled = request.body.clone();
        spoiled[place] = letter.as_bytes()[0];
        let same = spoiled == request.body;
        let is_escape = |at: usize| request.body.get(at) == Some(&b'%');
        let touches_escape = is_escape(place) || (place > 0 && is_escape(place - 1)) || (place > 1 && is_escape(place - 2));
        prop_assert!(same || touches_escape || taken("POST", &spoiled) == Err(WireError::BadSignature));
    }
}
