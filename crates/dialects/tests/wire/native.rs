//! Native notifications, byte for byte.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use refundry_dialects::Mac;
use refundry_dialects::native::{RESEND_SECONDS, acknowledged, notify};
use refundry_engine::event::{Event, EventKind};
use refundry_engine::{Actor, MerchantId, NotificationId, PaymentId, RefundId};

use crate::cast::{NOW, REFUND_AT};

struct Secret;

impl Mac for Secret {
    fn hmac_sha256(&self, message: &[u8]) -> [u8; 32] {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"a secret of the tests"), message).as_ref().try_into().unwrap()
    }
}

#[test]
fn an_event_is_announced_in_the_words_of_the_feed() {
    let event = Event {
        merchant_id: MerchantId::new(1),
        sequence: 12,
        at: REFUND_AT,
        actor: Actor::Acquirer,
        payment_id: Some(PaymentId::new(3)),
        refund_id: Some(RefundId::new(4)),
        kind: EventKind::RefundSucceeded,
        facts: vec![("number".into(), "shop/7".into()), ("amount".into(), "10.00 EUR".into())],
    };
    let sent = notify(&event, NotificationId::new(5), NOW, &Secret);
    let body = r#"{"type":"refund.succeeded","timestamp":"2026-11-22T07:01:03.913Z","data":{"sequence":12,"merchant_id":"mer_0000000000001","actor":"acquirer","payment_id":"pay_0000000000003","refund_id":"ref_0000000000004","facts":{"amount":"10.00 EUR","number":"shop/7"}}}"#;
    assert_eq!(String::from_utf8(sent.body).unwrap(), body);
    let signature = BASE64_STANDARD.encode(Secret.hmac_sha256(format!("ntf_0000000000005.1795330865.{body}").as_bytes()));
    let expected = [
        ("content-type", "application/json".to_owned()),
        ("webhook-signature", format!("v1,{signature}")),
        ("webhook-id", "ntf_0000000000005".to_owned()),
        ("webhook-timestamp", "1795330865".to_owned()),
    ];
    assert_eq!(sent.headers, expected);
}

#[test]
fn any_good_status_acknowledges() {
    assert!([200, 202, 204, 299].into_iter().all(acknowledged));
    assert!(![199, 301, 404, 410, 500].into_iter().any(acknowledged));
    assert_eq!(RESEND_SECONDS[0], 0);
}
