//! The merchant's side of the wire against our side of it.

use refundry_dialects::antom::ENTRY;
use refundry_dialects::antom::client::{MerchantRefund, MerchantRequest, Sender, answer_is_signed, result_of};
use refundry_dialects::{Answer, Claimed, Context, Incoming, RefundInquiry, Signer, WireRequest, scheme};
use refundry_engine::merchant::WireSettings;
use refundry_engine::payment::PaymentKey;
use refundry_engine::{Refusal, Timestamp};
use refundry_ledger::Money;

use crate::cast::{AntomSigner, NOW, is_ours, keys_of, sign};

struct MerchantSigner;

impl Signer for MerchantSigner {
    fn key_version(&self) -> u32 {
        1
    }

    fn rsa_sha256(&self, message: &[u8]) -> Vec<u8> {
        sign("merchant", message)
    }

    fn sm2_sign(&self, _message: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn secret_sha256(&self, _message: &[u8]) -> Option<[u8; 32]> {
        None
    }
}

fn read(request: &MerchantRequest) -> (Claimed, Incoming) {
    let headers: Vec<(String, String)> = request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let wire = WireRequest { method: "POST", path: request.path, headers: &headers, body: &request.body, peer: None };
    let claimed = ENTRY.dialect.identify(&wire).unwrap();
    ENTRY.dialect.authenticate(&wire, &claimed, &keys_of(&claimed).unwrap()).unwrap();
    (claimed, ENTRY.dialect.read(&wire).unwrap())
}

#[test]
fn what_a_client_signs_is_read_as_it_was_meant() {
    let amount: Money = Money::new(5_800, "JPY".parse().unwrap());
    let wish = MerchantRefund { number: "r1", payment_reference: "p1", amount, reason: Some("破损 & co"), notify_url: None };
    for (client_id, path) in
        [("5YTEST0000000001", "/ams/api/v1/payments/refund"), ("SANDBOX_5YTEST0000000001", "/ams/sandbox/api/v1/payments/refund")]
    {
        let sender = Sender { client_id, signer: &MerchantSigner, now: NOW };
        let request = sender.refund(&wish);
        assert_eq!(request.path, path);
        let (claimed, Incoming::Refund(read)) = read(&request) else { panic!("a refund was asked for") };
        assert_eq!((claimed.lookup.as_str(), read.number.as_str(), read.amount), (client_id, "r1", amount.into()));
        assert_eq!((read.payment, read.reason.as_deref()), (PaymentKey::Reference("p1".to_owned()).into(), Some("破损 & co")));
        let (_, asked) = self::read(&sender.inquiry("r1"));
        assert_eq!(asked, Incoming::Inquiry(RefundInquiry::Number("r1".to_owned())));
    }
}

#[test]
fn a_client_verifies_our_answers_and_nobody_else_s() {
    let path = "/ams/api/v1/payments/refund";
    let context = Context {
        path,
        body: &[],
        lookup: "5Y",
        scheme: scheme::RSA,
        now: Timestamp::from_ms(0),
        settings: &WireSettings::default(),
        proved: true,
        signer: &AntomSigner,
    };
    let mut answer = ENTRY.dialect.render(&Answer::Refused(&Refusal::UnknownPayment), &context);
    assert_eq!(result_of(&answer.body), Some(("F".to_owned(), "ORDER_NOT_EXIST".to_owned())));
    let holds = |path: &str, answer: &refundry_dialects::WireResponse| {
        let header = |name: &str| answer.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        answer_is_signed(path, header, &answer.body, is_ours)
    };
    assert!(holds(path, &answer));
    assert!(!holds("/elsewhere", &answer));
    answer.body.push(b' ');
    assert!(!holds(path, &answer));
    answer.headers.clear();
    assert!(!holds(path, &answer));
    assert_eq!(result_of(b"{}"), None);
}
