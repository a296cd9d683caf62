//! The merchant's side of the wire: requests as merchants' systems send them, the check of our answers and notifications. For tools and tests;
//! the platform itself never calls anybody in this way.

use refundry_engine::Timestamp;
use serde_json::{Map, Value, json};

use super::method::Method;
use super::response::{FIXED, SERIALS, sign_type};
use crate::form::{self, Form};
use crate::time_text::digits;
use crate::{Signer, hex, scheme};

/// A refund as a merchant wishes it. Amounts are in fen.
#[derive(Clone, Debug, Default)]
pub struct MerchantRefund<'a> {
    /// `outTradeNo`: the merchant's number.
    pub number: &'a str,
    /// `originTradeNo`: the payment's number.
    pub payment_reference: Option<&'a str>,
    /// `originOutTradeNo`: the merchant's order number.
    pub order_number: Option<&'a str>,
    /// `refundAmt`: what the shopper gets.
    pub amount_fen: i64,
    /// `mktRefundInfo`: what goes back to the merchant's marketing.
    pub marketing_fen: i64,
    /// `sharingRefundInfo`: what receivers give back.
    pub shares: Vec<(&'a str, i64)>,
    /// `advanceAmt`: what the merchant pays in their place.
    pub advance_fen: i64,
    /// `refundReason`: why.
    pub reason: &'a str,
    /// `notifyUrl`: where its end is announced.
    pub notify_url: Option<&'a str>,
}

/// Who sends, and when.
#[derive(Clone, Copy)]
pub struct Sender<'a> {
    /// `merId`.
    pub account: &'a str,
    /// `terId`.
    pub terminal: &'a str,
    /// `agentMerId` and `agentTerId`, for agents; the form then names the agent.
    pub agent: Option<(&'a str, &'a str)>,
    /// Signs with the merchant's private key, or with the agent's.
    pub signer: &'a dyn Signer,
    /// How it signs: `rsa` or `sm2`.
    pub scheme: &'a str,
    /// The time to send.
    pub now: Timestamp,
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

impl Sender<'_> {
    /// Asks for a refund.
    pub fn refund(&self, wish: &MerchantRefund<'_>) -> MerchantRequest {
        let mut content = json!({
            "outTradeNo": wish.number,
            "refundAmt": wish.amount_fen,
            "totalAmt": wish.amount_fen + wish.marketing_fen,
            "txnTime": digits(self.now),
            "refundReason": wish.reason,
        });
        let texts = [("originTradeNo", wish.payment_reference), ("originOutTradeNo", wish.order_number), ("notifyUrl", wish.notify_url)];
        for (name, text) in texts.into_iter().filter_map(|(name, text)| Some((name, text?))) {
            content[name] = text.into();
        }
        if !wish.shares.is_empty() {
            content["sharingRefundInfo"] =
                wish.shares.iter().map(|(account, amount)| json!({ "sharingAmt": amount, "sharingMerId": account })).collect();
        }
        if wish.marketing_fen != 0 {
            content["mktRefundInfo"] = json!({ "mktAmt": wish.marketing_fen, "mktMerId": self.account });
        }
        if wish.advance_fen != 0 {
            content["advanceAmt"] = wish.advance_fen.into();
        }
        self.call(Method::OrderRefund, content)
    }

    /// Asks how the refund of a number stands.
    pub fn refund_query(&self, number: &str) -> MerchantRequest {
        self.call(Method::RefundQuery, json!({ "outTradeNo": number }))
    }

    /// Any call; who calls is put before the members of `content`.
    pub fn call(&self, method: Method, content: Value) -> MerchantRequest {
        let mut members = Map::new();
        let mut caller = vec![("merId", self.account), ("terId", self.terminal)];
        if let Some((account, terminal)) = self.agent {
            caller.extend([("agentMerId", account), ("agentTerId", terminal)]);
        }
        members.extend(caller.into_iter().map(|(name, text)| (name.to_owned(), Value::from(text))));
        if let Value::Object(content) = content {
            members.extend(content);
        }
        self.send(method, &Value::Object(members).to_string())
    }

    /// Any text as the signed content.
    pub fn send(&self, method: Method, content: &str) -> MerchantRequest {
        let (account, terminal) = self.agent.unwrap_or((self.account, self.terminal));
        let timestamp = digits(self.now);
        let signature = self.signature(content);
        let mut fields = vec![("merId", account), ("terId", terminal), ("method", method.word())];
        fields.extend(FIXED);
        fields.extend([("timestamp", timestamp.as_str()), ("signType", sign_type(self.scheme))]);
        fields.extend(SERIALS);
        fields.extend([("dgtlEnvlp", ""), ("signStr", signature.as_str()), ("bizContent", content)]);
        let headers = vec![("content-type", "application/x-www-form-urlencoded; charset=utf-8".to_owned())];
        MerchantRequest { path: "/api", headers, body: form::write(fields) }
    }

    fn signature(&self, content: &str) -> String {
        if self.scheme == scheme::SM2 {
            return hex::encode(&self.signer.sm2_sign(content.as_bytes()).unwrap_or_default()).to_ascii_uppercase();
        }
        hex::encode(&self.signer.rsa_sha256(content.as_bytes()))
    }
}

/// What the gateway said: its text when it refused.
#[derive(Clone, Debug, PartialEq)]
pub enum GatewayAnswer {
    /// The business has answered, and the answer is signed.
    Answered(Value),
    /// The request was refused before the business saw it.
    Failed(String),
    /// Not an answer of this dialect, or its signature does not hold.
    Unproved,
}

/// Reads an answer; `verify` is told the message and its signature.
pub fn read_answer(body: &[u8], verify: impl FnOnce(&[u8], &[u8]) -> bool) -> GatewayAnswer {
    let Ok(envelope) = serde_json::from_slice::<Value>(body) else { return GatewayAnswer::Unproved };
    let text = |name: &str| envelope[name].as_str().unwrap_or_default();
    match text("returnCode") {
        "SUCCESS" => proved(text("dataContent"), text("signStr"), verify).map_or(GatewayAnswer::Unproved, GatewayAnswer::Answered),
        "FAIL" => GatewayAnswer::Failed(text("returnMsg").to_owned()),
        _ => GatewayAnswer::Unproved,
    }
}

/// Reads a notification: its type and its content, when it is signed.
pub fn read_notification(body: &[u8], verify: impl FnOnce(&[u8], &[u8]) -> bool) -> Option<(String, Value)> {
    let form = Form::parse(body)?;
    let content = proved(form.get("dataContent")?, form.get("signStr")?, verify)?;
    Some((form.get("notifyType")?.to_owned(), content))
}

fn proved(content: &str, signature: &str, verify: impl FnOnce(&[u8], &[u8]) -> bool) -> Option<Value> {
    let signature = hex::decode(signature)?;
    if verify(content.as_bytes(), &signature) { serde_json::from_str(content).ok() } else { None }
}
