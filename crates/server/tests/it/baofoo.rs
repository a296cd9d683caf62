//! A merchant's program for Baofoo, written from the vendor's pages: it signs what it sends, and checks every answer and every notification. What the
//! dialect says byte by byte is tested in its own crate; the stories are in the modules beside.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use http::Method;
use refundry_engine::Mode;
use refundry_engine::credential::Holder;
use refundry_engine::merchant::Merchant;
use refundry_engine::policy::PolicyPatch;
use refundry_service::credentials::{self, IssuedCredential, NewCredential, NewKey};
use refundry_service::merchants::{self, NewMerchant};
use refundry_service::outgoing::OutgoingRequest;
use refundry_service::signatures::{
    RsaKeyTexts, RsaSigner, RsaVerifier, Sm2KeyTexts, Sm2Signer, Sm2Verifier, generate_rsa_keys, generate_sm2_keys,
};
use refundry_service::{Caller, Service};
use serde_json::{Value, json};

use crate::app::{Actor, Served, Shop, TestApp};

/// Seconds that Shanghai is ahead.
const AHEAD_S: i64 = 8 * 3_600;

/// A merchant's program, or an agent's.
#[derive(Clone)]
pub struct Client {
    pub wire: Actor,
    pub mer_id: String,
    pub ter_id: String,
    pub key: Arc<Pair>,
    pub now_s: i64,
}

/// The caller's private key, and our public one.
pub enum Pair {
    Rsa(RsaSigner, RsaVerifier),
    Sm2(Sm2Signer, Sm2Verifier),
}

/// Keys that a merchant makes.
pub enum Own {
    Rsa(RsaKeyTexts),
    Sm2(Sm2KeyTexts),
}

/// A merchant with a Baofoo terminal and its program.
pub struct Seller {
    pub shop: Shop,
    pub client: Client,
}

impl Own {
    pub fn rsa() -> Self {
        Self::Rsa(generate_rsa_keys())
    }

    pub fn sm2() -> Self {
        Self::Sm2(generate_sm2_keys(|bytes| bytes.iter_mut().enumerate().for_each(|(place, byte)| *byte = place as u8 + 1)))
    }

    fn public(&self) -> NewKey {
        match self {
            Self::Rsa(keys) => NewKey::PublicKey(keys.public_spki.clone()),
            Self::Sm2(keys) => NewKey::PublicKey(keys.public_hex.clone()),
        }
    }

    fn pair(&self, ours: &str) -> Pair {
        match self {
            Self::Rsa(keys) => Pair::Rsa(RsaSigner::parse(&keys.private_pkcs8).unwrap(), RsaVerifier::parse(ours).unwrap()),
            Self::Sm2(keys) => Pair::Sm2(Sm2Signer::parse(&keys.private_hex).unwrap(), Sm2Verifier::parse(ours).unwrap()),
        }
    }
}

impl Pair {
    const fn sign_type(&self) -> &'static str {
        match self {
            Self::Rsa(..) => "RSA",
            Self::Sm2(..) => "SM2",
        }
    }

    fn sign(&self, text: &str) -> String {
        match self {
            Self::Rsa(signer, _) => hex::encode(signer.sign(text.as_bytes())),
            Self::Sm2(signer, _) => hex::encode_upper(signer.sign(text.as_bytes())),
        }
    }

    fn verify(&self, text: &str, signature: &str) -> bool {
        let Ok(signature) = hex::decode(signature) else { return false };
        match self {
            Self::Rsa(_, verifier) => verifier.verify(text.as_bytes(), &signature),
            Self::Sm2(_, verifier) => verifier.verify(text.as_bytes(), &signature),
        }
    }
}

impl Client {
    pub fn new(app: &TestApp, (mer_id, ter_id): (&str, &str), own: &Own, issued: &IssuedCredential) -> Self {
        let key = Arc::new(own.pair(&issued.credential.public_key));
        let now_s = app.service.world.now().ms() / 1_000;
        Self { wire: app.stranger(), mer_id: mer_id.to_owned(), ter_id: ter_id.to_owned(), key, now_s }
    }

    /// The same, over a connection of its own.
    pub fn over(&self, served: &Served) -> Self {
        Self { wire: self.wire.over(served), ..self.clone() }
    }

    /// The same program, later.
    pub fn at(&self, app: &TestApp) -> Self {
        Self { now_s: app.service.world.now().ms() / 1_000, ..self.clone() }
    }

    pub fn time(&self, in_seconds: i64) -> String {
        let at = jiff::Timestamp::from_second(self.now_s + AHEAD_S + in_seconds).unwrap();
        at.strftime("%Y%m%d%H%M%S").to_string()
    }

    /// What a method's business parameters are answered with: the envelope is opened, and its signature checked.
    pub async fn call(&self, method: &str, biz: Value) -> Value {
        let envelope = self.send(method, biz).await;
        assert_eq!(envelope["returnCode"], "SUCCESS", "{method}: {envelope}");
        let text = envelope["dataContent"].as_str().unwrap();
        assert!(self.key.verify(text, envelope["signStr"].as_str().unwrap()), "not signed: {envelope}");
        assert_eq!(envelope["signType"], self.key.sign_type());
        serde_json::from_str(text).unwrap()
    }

    /// The text of a failed envelope.
    pub async fn failure(&self, method: &str, biz: Value) -> String {
        let envelope = self.send(method, biz).await;
        assert_eq!(envelope["returnCode"], "FAIL", "{method}: {envelope}");
        envelope["returnMsg"].as_str().unwrap().to_owned()
    }

    pub async fn send(&self, method: &str, mut biz: Value) -> Value {
        let object = biz.as_object_mut().unwrap();
        object.entry("merId").or_insert_with(|| self.mer_id.clone().into());
        object.entry("terId").or_insert_with(|| self.ter_id.clone().into());
        let content = biz.to_string();
        let (timestamp, signature) = (self.time(0), self.key.sign(&content));
        let fields = [
            ("merId", self.mer_id.as_str()),
            ("terId", &self.ter_id),
            ("method", method),
            ("charset", "UTF-8"),
            ("version", "1.0"),
            ("format", "json"),
            ("timestamp", &timestamp),
            ("signType", self.key.sign_type()),
            ("signSn", "1"),
            ("ncrptnSn", "1"),
            ("signStr", &signature),
            ("bizContent", &content),
        ];
        let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let seen = self.wire.send(Method::POST, "/api", &headers, Body::from(pairs.join("&"))).await;
        assert_eq!(seen.status, 200, "{:?}", seen.bytes);
        seen.json()
    }

    /// Orders a payment of so many fen that is paid at once.
    pub async fn order(&self, number: &str, fen: i64) -> Value {
        self.call("unified_order", self.order_of(number, fen, 0)).await
    }

    pub fn order_of(&self, number: &str, fen: i64, marketing: i64) -> Value {
        let mut order = json!({
            "outTradeNo": number, "txnAmt": fen, "totalAmt": fen + marketing, "txnTime": self.time(0), "prodType": "SHARING", "orderType": 7,
            "payCode": "WECHAT_JSGZH", "payExtend": {"openId": "o"},
        });
        if marketing > 0 {
            order["mktInfo"] = json!({"mktMerId": self.mer_id, "mktAmt": marketing});
        }
        order
    }

    pub async fn share(&self, order: &str, number: &str, details: &[(&str, i64)]) -> Value {
        let biz = json!({"originOutTradeNo": order, "outTradeNo": number, "txnTime": self.time(0), "sharingDetails": parts(details)});
        self.call("share_after_pay", biz).await
    }

    pub async fn refund(&self, biz: Value) -> Value {
        self.call("order_refund", biz).await
    }

    pub fn refund_of(&self, order: &str, number: &str, fen: i64, lines: &[(&str, i64)]) -> Value {
        let mut biz = json!({
            "originOutTradeNo": order, "outTradeNo": number, "refundAmt": fen, "totalAmt": fen, "txnTime": self.time(0), "refundReason": "缺货",
        });
        if !lines.is_empty() {
            biz["sharingRefundInfo"] = parts(lines);
        }
        biz
    }

    pub async fn refund_state(&self, number: &str) -> String {
        brief(&self.call("refund_query", json!({"outTradeNo": number})).await, "refundState")
    }

    pub async fn share_state(&self, number: &str) -> String {
        brief(&self.call("share_query", json!({"outTradeNo": number})).await, "txnState")
    }

    pub async fn balance(&self, order: &str) -> Value {
        self.call("order_balance_query", json!({"originOutTradeNo": order})).await
    }

    /// A notification that is signed as it should be: its type and what it says.
    pub fn checked(&self, letter: &OutgoingRequest) -> (String, Value) {
        let text = std::str::from_utf8(&letter.body).unwrap();
        let plain = |value: &str| percent_encoding::percent_decode_str(&value.replace('+', " ")).decode_utf8().unwrap().into_owned();
        let fields: BTreeMap<String, String> =
            text.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.to_owned(), plain(value))).collect();
        assert!(self.key.verify(&fields["dataContent"], &fields["signStr"]), "{text}");
        assert_eq!((fields["merId"].as_str(), fields["terId"].as_str()), (self.mer_id.as_str(), self.ter_id.as_str()));
        (fields["notifyType"].clone(), serde_json::from_str(&fields["dataContent"]).unwrap())
    }
}

pub fn parts(lines: &[(&str, i64)]) -> Value {
    lines.iter().map(|(account, fen)| json!({"sharingMerId": account, "sharingAmt": fen})).collect()
}

/// A state, or what stands in its place.
pub fn brief(answer: &Value, state: &str) -> String {
    match (answer["errCode"].as_str(), answer[state].as_str()) {
        (Some(code), _) => code.to_owned(),
        (None, Some(state)) => state.to_owned(),
        (None, None) => answer["resultCode"].as_str().unwrap_or("nothing").to_owned(),
    }
}

/// `resultCode`, and what went wrong.
pub fn result(answer: &Value) -> String {
    match answer["errCode"].as_str() {
        Some(code) => format!("{} {code}", answer["resultCode"].as_str().unwrap()),
        None => answer["resultCode"].as_str().unwrap().to_owned(),
    }
}

fn escaped(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

pub fn letters(app: &TestApp) -> Vec<OutgoingRequest> {
    app.post.received.lock().unwrap().drain(..).collect()
}

pub fn receivers_say_ok(app: &TestApp) {
    *app.post.says.lock().unwrap() = Some(Bytes::from_static(b"OK"));
}

/// A merchant that others know by an account number, without a terminal.
pub async fn receiver(app: &TestApp, mode: Mode, account: &str) -> Merchant {
    let new = NewMerchant { name: format!("receiver {account}"), account: Some(account.to_owned()), policy: PolicyPatch::default() };
    merchants::create(&app.service, &Caller::operator("olga", mode), new).await.unwrap()
}

/// A seller with keys of its own.
pub async fn seller(app: &TestApp, mode: Mode, (account, terminal): (&str, &str), own: &Own) -> Seller {
    let shop = app.shop_of(mode, "baofoo", account).await;
    let holder = Holder::Terminal { merchant_id: shop.merchant.id, terminal_id: shop.terminal.id };
    let issued = issue(&app.service, mode, holder, (account, terminal), own).await;
    let client = Client::new(app, (account, terminal), own, &issued);
    Seller { shop, client }
}

pub async fn issue(service: &Service, mode: Mode, holder: Holder, (account, terminal): (&str, &str), own: &Own) -> IssuedCredential {
    let new = NewCredential {
        holder,
        dialect: "baofoo".to_owned(),
        key: own.public(),
        lookup: Some(format!("{account}/{terminal}")),
        permissions: None,
        name: format!("shop system of {account}"),
        person_id: None,
        expires_at: None,
    };
    credentials::issue(service, &Caller::operator("olga", mode), new).await.unwrap()
}
