//! The merchant's side of the wire: requests as the vendor's clients send them, and the check of our answers. For tools and tests; the
//! platform itself never calls anybody in this way.

use refundry_engine::Timestamp;
use refundry_engine::merchant::WireSettings;
use refundry_ledger::Money;
use serde::Serialize;

use super::auth;
use crate::time_text::iso_8601;
use crate::{Context, Signer, scheme};

/// A refund as a merchant wishes it.
#[derive(Clone, Copy, Debug)]
pub struct MerchantRefund<'a> {
    /// `refundRequestId`: the merchant's number.
    pub number: &'a str,
    /// `paymentId`: the payment's number.
    pub payment_reference: &'a str,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: Option<&'a str>,
    /// Where its end is announced.
    pub notify_url: Option<&'a str>,
}

/// A request as it goes out: POST to `path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MerchantRequest {
    /// Path without host.
    pub path: &'static str,
    /// Header names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Who sends, and when.
#[derive(Clone, Copy)]
pub struct Sender<'a> {
    /// The client id. Like the vendor's clients, one that begins with `SANDBOX_` calls the sandbox paths.
    pub client_id: &'a str,
    /// Signs with the merchant's private key.
    pub signer: &'a dyn Signer,
    /// The time to sign.
    pub now: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RefundBody<'a> {
    refund_request_id: &'a str,
    payment_id: &'a str,
    refund_amount: AmountBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_notify_url: Option<&'a str>,
}

#[derive(Serialize)]
struct AmountBody {
    currency: &'static str,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InquiryBody<'a> {
    refund_request_id: &'a str,
}

impl Sender<'_> {
    /// Asks for a refund.
    pub fn refund(&self, wish: &MerchantRefund<'_>) -> MerchantRequest {
        let body = RefundBody {
            refund_request_id: wish.number,
            payment_id: wish.payment_reference,
            refund_amount: AmountBody { currency: wish.amount.currency().code(), value: wish.amount.minor().to_string() },
            refund_reason: wish.reason,
            refund_notify_url: wish.notify_url,
        };
        self.signed("/ams/api/v1/payments/refund", "/ams/sandbox/api/v1/payments/refund", &body)
    }

    /// Asks how the refund of a number stands.
    pub fn inquiry(&self, number: &str) -> MerchantRequest {
        let body = InquiryBody { refund_request_id: number };
        self.signed("/ams/api/v1/payments/inquiryRefund", "/ams/sandbox/api/v1/payments/inquiryRefund", &body)
    }

    fn signed(&self, live_path: &'static str, sandbox_path: &'static str, body: &impl Serialize) -> MerchantRequest {
        let path = if self.client_id.starts_with("SANDBOX_") { sandbox_path } else { live_path };
        let body = serde_json::to_vec(body).expect("texts are JSON");
        let time = iso_8601(self.now);
        let (lookup, scheme, now) = (self.client_id, scheme::RSA, self.now);
        let settings = &WireSettings::default();
        let context = Context { path, body: &[], lookup, scheme, now, settings, proved: true, signer: self.signer };
        let headers = vec![
            ("content-type", "application/json; charset=UTF-8".to_owned()),
            ("client-id", self.client_id.to_owned()),
            ("signature", auth::signature_header(&context, path, &time, &body)),
            ("request-time", time),
        ];
        MerchantRequest { path, headers, body }
    }
}

/// Whether an answer to a call of `path` is signed; `header` finds its headers, `verify` is told the message and its signature.
pub fn answer_is_signed<'a>(
    path: &str,
    header: impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
    verify: impl FnOnce(&[u8], &[u8]) -> bool,
) -> bool {
    let (Some(client_id), Some(time), Some(signature)) = (header("client-id"), header("response-time"), header("signature")) else {
        return false;
    };
    auth::signature_of(signature).is_some_and(|signature| verify(&auth::signed_text(path, client_id, time, body), &signature))
}

/// What an answer says: its `resultStatus` and `resultCode`.
pub fn result_of(body: &[u8]) -> Option<(String, String)> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let word = |name: &str| body["result"][name].as_str().map(str::to_owned);
    Some((word("resultStatus")?, word("resultCode")?))
}
