use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use refundry_engine::event::Event;
use refundry_engine::{Actor, MerchantId, NotificationId, PaymentId, RefundId, Timestamp};
use serde::Serialize;

use crate::time_text::rfc_3339;
use crate::{Mac, NotificationRequest};

/// The notification of an event: its body is a line of the feed, so it is the same however often it is sent; its headers are those of
/// Standard Webhooks, with the notification's id for the receiver to know repeats by.
pub fn notify(event: &Event, id: NotificationId, now: Timestamp, mac: &dyn Mac) -> NotificationRequest {
    let body = Payload {
        kind: event.kind.word(),
        timestamp: rfc_3339(event.at),
        data: Line {
            sequence: event.sequence,
            merchant_id: event.merchant_id,
            actor: &event.actor,
            payment_id: event.payment_id,
            refund_id: event.refund_id,
            facts: event.facts.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        },
    };
    let body = serde_json::to_vec(&body).expect("texts and numbers always serialize");
    let (id, seconds) = (id.to_string(), now.ms().div_euclid(1_000));
    let mut signed = format!("{id}.{seconds}.").into_bytes();
    signed.extend_from_slice(&body);
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("webhook-signature", format!("v1,{}", BASE64_STANDARD.encode(mac.hmac_sha256(&signed)))),
        ("webhook-id", id),
        ("webhook-timestamp", seconds.to_string()),
    ];
    NotificationRequest { headers, body }
}

/// The members that Standard Webhooks recommends.
#[derive(Serialize)]
struct Payload<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: Line<'a>,
}

/// A line of the merchant's feed, in the words of the native API.
#[derive(Serialize)]
struct Line<'a> {
    sequence: i64,
    merchant_id: MerchantId,
    actor: &'a Actor,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<PaymentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_id: Option<RefundId>,
    facts: BTreeMap<&'a str, &'a str>,
}
