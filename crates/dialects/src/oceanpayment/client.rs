//! The merchant's side of the wire: requests as merchants' systems send them, the check of our answers and of our pushes. For tools and tests;
//! the platform itself never calls anybody in this way.

use refundry_engine::Timestamp;

use super::call::Call;
use super::{auth, xml};
use crate::form::{self, Form};
use crate::{Signer, hex};

/// A refund as a merchant wishes it.
#[derive(Clone, Copy, Debug)]
pub struct MerchantRefund<'a> {
    /// `payment_id`: the payment's number.
    pub payment_reference: &'a str,
    /// `refund_amount`: digits in major units, such as `10.50`, in the payment's currency.
    pub amount: &'a str,
    /// Whether that is the whole payment.
    pub whole: bool,
    /// `refund_description`: why.
    pub reason: &'a str,
    /// `refund_number`: the merchant's number.
    pub number: Option<&'a str>,
    /// `refund_reference`: a reference of the merchant's.
    pub reference: Option<&'a str>,
}

/// A request as it goes out: POST to `path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MerchantRequest {
    /// Path without host.
    pub path: String,
    /// Header names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Who sends.
#[derive(Clone, Copy)]
pub struct Sender<'a> {
    /// The account number.
    pub account: &'a str,
    /// The terminal number.
    pub terminal: &'a str,
    /// Knows the secret.
    pub signer: &'a dyn Signer,
    /// The time to prove, for senders that prove when they sent.
    pub signed_time: Option<Timestamp>,
}

impl Sender<'_> {
    /// Asks for a refund.
    pub fn refund(&self, wish: &MerchantRefund<'_>) -> MerchantRequest {
        let mut fields = vec![
            ("payment_id", wish.payment_reference),
            ("refund_type", if wish.whole { "1" } else { "2" }),
            ("refund_amount", wish.amount),
            ("refund_description", wish.reason),
        ];
        fields.extend(wish.number.map(|number| ("refund_number", number)));
        fields.extend(wish.reference.map(|reference| ("refund_reference", reference)));
        self.request("/service/applyRefund", &fields)
    }

    /// Asks how the refund of our id stands.
    pub fn query_by_id(&self, refund_id: &str) -> MerchantRequest {
        self.request("/service/queryRefund", &[("refund_id", refund_id)])
    }

    /// Asks how the refund of a number stands.
    pub fn query_by_number(&self, number: &str) -> MerchantRequest {
        self.request("/service/queryRefund", &[("refund_number", number)])
    }

    /// Any call, signed as that call is.
    pub fn request(&self, path: &str, fields: &[(&str, &str)]) -> MerchantRequest {
        let mut all = vec![("account", self.account), ("terminal", self.terminal)];
        all.extend(fields);
        let unsigned = form::write(all.iter().copied());
        let sign_value = Call::of(path).zip(Form::parse(&unsigned)).and_then(|(call, form)| {
            let digest = self.signer.secret_sha256(form.joined(call.signed(&form)).as_bytes())?;
            Some(hex::encode(&digest))
        });
        let sign_value = sign_value.unwrap_or_default();
        all.push(("signValue", &sign_value));
        let body = form::write(all.iter().copied());
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        headers.extend(self.signed_time.and_then(|at| self.time_header(at, &body)).map(|value| (auth::SIGNED_TIME_HEADER, value)));
        MerchantRequest { path: path.to_owned(), headers, body }
    }

    /// Whether an answer of applyRefund or queryRefund, or a push, is signed with the secret.
    pub fn is_signed(&self, document: &str) -> bool {
        let value = |name: &str| xml::text_of(document, name).unwrap_or_default();
        let names: &[&str] = match (value("push_id").is_empty(), value("refund_results").is_empty()) {
            (false, _) => &["order_number", "payment_id", "push_id", "push_status", "push_details"],
            (true, false) => &["payment_id", "refund_number", "refund_id", "refund_results", "refund_description"],
            (true, true) => &["refund_id", "refund_number", "refund_check", "refund_description"],
        };
        let signed: String = ["account", "terminal"].iter().chain(names).map(|name| value(name)).collect();
        let sent = hex::decode(&value("signValue"));
        sent.is_some() && sent == self.signer.secret_sha256(signed.as_bytes()).map(Vec::from)
    }

    fn time_header(&self, at: Timestamp, body: &[u8]) -> Option<String> {
        let seconds = at.ms().div_euclid(1_000).to_string();
        let digest = self.signer.secret_sha256(&auth::signed_time_text(&seconds, body))?;
        Some(format!("{seconds}.{}", hex::encode(&digest)))
    }
}

/// A value of an answer or a push, by the name of its element.
pub fn value_of(document: &[u8], name: &str) -> Option<String> {
    xml::text_of(std::str::from_utf8(document).ok()?, name)
}
