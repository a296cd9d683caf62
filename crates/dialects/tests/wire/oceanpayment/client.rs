//! The merchant's side of the wire against our side of it.

use refundry_dialects::oceanpayment::ENTRY;
use refundry_dialects::oceanpayment::client::{MerchantRefund, MerchantRequest, Sender, value_of};
use refundry_dialects::{Answer, Incoming, RefundInquiry, Subject, WireRequest};
use refundry_engine::Refusal;
use refundry_engine::asked::Extent;

use super::cast::{self, ACCOUNT, NOW, PAYMENT_ID, SECRET, SecretSigner, TERMINAL};

const SENDER: Sender<'_> = Sender { account: ACCOUNT, terminal: TERMINAL, signer: &SecretSigner(SECRET), signed_time: Some(NOW) };

fn read(request: &MerchantRequest) -> Incoming {
    let headers: Vec<(String, String)> = request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let wire = WireRequest { method: "POST", path: &request.path, headers: &headers, body: &request.body, peer: None };
    let claimed = ENTRY.dialect.identify(&wire).unwrap();
    ENTRY.dialect.authenticate(&wire, &claimed, &cast::keys_of(&claimed).unwrap()).unwrap();
    ENTRY.dialect.read(&wire).unwrap()
}

fn a_refund<'a>(number: Option<&'a str>) -> MerchantRefund<'a> {
    MerchantRefund { payment_reference: PAYMENT_ID, amount: "4.00", whole: false, reason: "破损 & co", number, reference: Some("RMA 7") }
}

#[test]
fn what_a_client_signs_is_read_as_it_was_meant() {
    let Incoming::Refund(wish) = read(&SENDER.refund(&a_refund(Some("R-1")))) else { panic!("a refund was asked for") };
    assert_eq!((wish.number.as_str(), wish.extent), ("R-1", Some(Extent::Part)));
    assert_eq!((wish.reason.as_deref(), wish.merchant_reference.as_deref()), (Some("破损 & co"), Some("RMA 7")));
    assert_eq!(wish.amount.of_payment_in("USD".parse().unwrap()), Some(cast::usd(400)));
    assert_eq!(read(&SENDER.query_by_number("R-1")), Incoming::Inquiry(RefundInquiry::Number("R-1".to_owned())));
    let refund = cast::refund(&wish, "pending");
    assert_eq!(read(&SENDER.query_by_id(&refund.id.get().to_string())), Incoming::Inquiry(RefundInquiry::Id(refund.id)));
}

#[test]
fn a_client_verifies_answers_and_pushes_and_nobody_else_s() {
    let request = SENDER.refund(&a_refund(None));
    let Incoming::Refund(wish) = read(&request) else { panic!("a refund was asked for") };
    let refund = cast::refund(&wish, "succeeded_with_arn");
    let render = |answer: &Answer<'_>, path: &str| {
        let answer = ENTRY.dialect.render(answer, &cast::context(path, &request.body, true));
        String::from_utf8(answer.body).unwrap()
    };
    let push = cast::announce("refund.succeeded", Subject::Refund(&refund), &[]).unwrap();
    for document in [
        render(&Answer::Refund { refund: &refund, order_number: "o", synchronous: false }, "/service/applyRefund"),
        render(&Answer::Refused(&Refusal::UnknownPayment), "/service/applyRefund"),
        render(&Answer::Inquiry { refund: &refund }, "/service/queryRefund"),
        String::from_utf8(push.body).unwrap(),
    ] {
        assert!(SENDER.is_signed(&document), "{document}");
        assert!(!Sender { signer: &SecretSigner("87654321"), ..SENDER }.is_signed(&document));
        assert!(!SENDER.is_signed(&document.replace("995378", "995379")));
        let stripped = document.replace(&value_of(document.as_bytes(), "signValue").unwrap(), "");
        assert!(!SENDER.is_signed(&stripped));
    }
}
