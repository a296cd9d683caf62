//! The client's requests are read as they were meant, and it verifies what we say.

use refundry_dialects::baofoo::client::{GatewayAnswer, MerchantRefund, Sender, read_answer, read_notification};
use refundry_dialects::baofoo::{ENTRY, Method, trade_no};
use refundry_dialects::sharing::{AskedPart, AskedReturns, AskedShares, NamedPayment};
use refundry_dialects::{ActingFor, Answer, Claimed, Incoming, RefundInquiry, Subject, WireError, WireRequest, scheme};
use refundry_engine::payment::PaymentKey;
use serde_json::json;

use super::cast::{self, ACCOUNT, AGENT, NOW, PairSigner, SM2_TERMINAL, TERMINAL, fen};

const RSA_SENDER: Sender<'_> =
    Sender { account: ACCOUNT, terminal: TERMINAL, agent: None, signer: &PairSigner("merchant"), scheme: scheme::RSA, now: NOW };
const SM2_SENDER: Sender<'_> = Sender { terminal: SM2_TERMINAL, scheme: scheme::SM2, ..RSA_SENDER };

fn a_refund<'a>() -> MerchantRefund<'a> {
    MerchantRefund {
        number: "R1",
        payment_reference: Some(cast::TRADE_NO),
        amount_fen: 4_000,
        marketing_fen: 500,
        shares: vec![("100001", 1_200), ("100002", 300)],
        advance_fen: 100,
        reason: "缺货 & 100%",
        ..MerchantRefund::default()
    }
}

fn taken(body: &[u8]) -> (Claimed, Result<Incoming, WireError>) {
    let headers: Vec<(String, String)> = Vec::new();
    let request = WireRequest { method: "POST", path: "/api", headers: &headers, body, peer: None };
    let claimed = ENTRY.dialect.identify(&request).unwrap();
    ENTRY.dialect.authenticate(&request, &claimed, &cast::keys_of(&claimed).unwrap()).unwrap();
    (claimed, ENTRY.dialect.read(&request))
}

#[test]
fn what_a_client_signs_is_read_as_it_was_meant() {
    for sender in [RSA_SENDER, SM2_SENDER] {
        let (claimed, read) = taken(&sender.refund(&a_refund()).body);
        assert_eq!((claimed.lookup, claimed.scheme), (format!("{ACCOUNT}/{}", sender.terminal), sender.scheme));
        let Ok(Incoming::Refund(wish)) = read else { panic!("a refund was asked for, not {read:?}") };
        assert_eq!((wish.number.as_str(), wish.amount.money(), wish.marketing), ("R1", Some(fen(4_500)), Some(fen(500))));
        assert_eq!(wish.payment, NamedPayment::Key(PaymentKey::Reference(cast::TRADE_NO.into())));
        let part = |account: &str, minor| AskedPart { account: account.into(), amount: fen(minor) };
        let lines = AskedReturns::Named(vec![part("100001", 1_200), part("100002", 300)]);
        assert_eq!(wish.sharing, Some(AskedShares { lines, advance: Some(fen(100)) }));
        assert_eq!(taken(&sender.refund_query("R1").body).1, Ok(Incoming::Inquiry(RefundInquiry::Number("R1".into()))));
        let refund = cast::refund(&wish, "pending");
        let by_id = sender.call(Method::RefundQuery, json!({ "tradeNo": trade_no::of_refund(refund.id) }));
        assert_eq!(taken(&by_id.body).1, Ok(Incoming::Inquiry(RefundInquiry::Id(refund.id))));
    }
}

#[test]
fn an_agent_is_told_apart_from_its_merchant() {
    let (claimed, read) = taken(&Sender { agent: Some(AGENT), ..RSA_SENDER }.refund(&a_refund()).body);
    assert_eq!(claimed.lookup, "900000/900001");
    let acting_for =
        ActingFor { account: ACCOUNT.into(), terminal: TERMINAL.into(), agent_account: AGENT.0.into(), agent_terminal: AGENT.1.into() };
    assert_eq!(claimed.acting_for, Some(acting_for));
    assert!(matches!(read, Ok(Incoming::Refund(_))), "{read:?}");
    assert_eq!(taken(&RSA_SENDER.refund(&a_refund()).body).0.acting_for, None);
}

#[test]
fn a_client_verifies_answers_and_notifications_and_nobody_else_s() {
    for sender in [RSA_SENDER, SM2_SENDER] {
        let request = sender.refund(&a_refund());
        let lookup = format!("{ACCOUNT}/{}", sender.terminal);
        let context = cast::context(&request.body, &lookup, sender.scheme, true);
        let refund = cast::refund(&cast::inquired(), "pending");
        let answer = Answer::Refund { refund: &refund, order_number: cast::ORDER_NUMBER, synchronous: false };
        let said = ENTRY.dialect.render(&answer, &context).body;
        let ours = |message: &[u8], signature: &[u8]| cast::is_ours(sender.scheme, message, signature);
        let GatewayAnswer::Answered(content) = read_answer(&said, ours) else { panic!("it is ours") };
        assert_eq!((&content["resultCode"], &content["refundState"]), (&json!("SUCCESS"), &json!("REFUND")));
        let spoiled = String::from_utf8(said).unwrap().replace("REFUND", "SUCCESS");
        assert_eq!(read_answer(spoiled.as_bytes(), ours), GatewayAnswer::Unproved);

        let words: &[&str] = if sender.scheme == scheme::SM2 { &["sm2"] } else { &[] };
        let sent = cast::announce("refund.succeeded", Subject::Refund(&cast::refund(&cast::inquired(), "succeeded")), words).unwrap();
        let (kind, content) = read_notification(&sent.body, ours).unwrap();
        assert_eq!((kind.as_str(), &content["succAmt"]), ("REFUND", &json!(5_000)));
        assert!(read_notification(&sent.body, |message, signature| !ours(message, signature)).is_none());
    }
}

#[test]
fn the_same_split_is_the_same_wish_in_whichever_order_it_is_sent() {
    let compared = |shares: Vec<(&'static str, i64)>| {
        let (_, read) = taken(&RSA_SENDER.refund(&MerchantRefund { shares, ..a_refund() }).body);
        let Ok(Incoming::Refund(wish)) = read else { panic!("a refund was asked for") };
        wish.compared
    };
    assert_eq!(compared(vec![("100001", 1_200), ("100002", 300)]), compared(vec![("100002", 300), ("100001", 1_200)]));
    assert_ne!(compared(vec![("100001", 1_200), ("100002", 300)]), compared(vec![("100001", 300), ("100002", 1_200)]));
}
