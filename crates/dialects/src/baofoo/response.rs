//! Answers: one JSON object, HTTP 200 whatever is said. What became of the business is a JSON text within it, and that text is signed.

use serde_json::{Map, Value};

use super::content;
use super::envelope::Envelope;
use super::gateway_texts;
use crate::{Answer, Context, WireError, WireResponse, hex, scheme};

/// An outcome to bytes.
pub fn render(outcome: &Answer<'_>, context: &Context<'_>) -> WireResponse {
    let envelope = Envelope::of_body(context.body);
    let body = match (refused_by_gateway(outcome, context), &envelope) {
        (Some(text), envelope) => failed(text, envelope.as_ref().filter(|_| is_known(outcome, context)), context),
        (None, Some(envelope)) => answered(&content::render(outcome, context, envelope), envelope, context),
        (None, None) => failed(gateway_texts::BUSY, None, context),
    };
    WireResponse { status: 200, headers: vec![("content-type", "application/json;charset=UTF-8".to_owned())], body }
}

/// What is refused before the signature is trusted has a text and no code.
fn refused_by_gateway(outcome: &Answer<'_>, context: &Context<'_>) -> Option<&'static str> {
    match outcome {
        Answer::Malformed(error) if !context.proved => Some(gateway_texts::of(error)),
        Answer::Fault if !context.proved => Some(gateway_texts::BUSY),
        _ => None,
    }
}

/// Whether the key that signs is the caller's own counterpart.
fn is_known(outcome: &Answer<'_>, context: &Context<'_>) -> bool {
    !context.lookup.is_empty() && !matches!(outcome, Answer::Malformed(WireError::UnknownCaller))
}

/// The business has answered.
fn answered(content: &str, envelope: &Envelope<'_>, context: &Context<'_>) -> Vec<u8> {
    let mut answer = Map::new();
    put(&mut answer, "returnCode", "SUCCESS");
    put(&mut answer, "returnMsg", "OK");
    sign(&mut answer, content, envelope, context);
    put(&mut answer, "dataContent", content);
    Value::Object(answer).to_string().into_bytes()
}

/// The gateway has refused. Some clients fail without `dataContent`; where the caller is known, nothing is signed, too.
fn failed(text: &str, envelope: Option<&Envelope<'_>>, context: &Context<'_>) -> Vec<u8> {
    let mut answer = Map::new();
    put(&mut answer, "returnCode", "FAIL");
    put(&mut answer, "returnMsg", text);
    if let Some(envelope) = envelope {
        sign(&mut answer, "", envelope, context);
    }
    put(&mut answer, "dataContent", "");
    Value::Object(answer).to_string().into_bytes()
}

fn sign(answer: &mut Map<String, Value>, content: &str, envelope: &Envelope<'_>, context: &Context<'_>) {
    for name in ["merId", "terId"] {
        put(answer, name, envelope.sent(name));
    }
    for (name, value) in FIXED {
        put(answer, name, value);
    }
    put(answer, "signType", sign_type(envelope.scheme()));
    for (name, value) in SERIALS {
        put(answer, name, value);
    }
    put(answer, "signStr", &signature(content, envelope.scheme(), context));
}

/// What every envelope says.
pub const FIXED: [(&str, &str); 3] = [("charset", "UTF-8"), ("version", "1.0"), ("format", "json")];
/// The indexes of both sides' certificates.
pub const SERIALS: [(&str, &str); 2] = [("signSn", "1"), ("ncrptnSn", "1")];

/// The vendor's name of a scheme.
pub fn sign_type(scheme: &str) -> &'static str {
    if scheme == scheme::SM2 { "SM2" } else { "RSA" }
}

/// Our signature of a text; empty when there is no key of that kind.
pub fn signature(content: &str, scheme: &str, context: &Context<'_>) -> String {
    if scheme == scheme::SM2 {
        return context.signer.sm2_sign(content.as_bytes()).map(|bytes| hex::encode(&bytes).to_ascii_uppercase()).unwrap_or_default();
    }
    hex::encode(&context.signer.rsa_sha256(content.as_bytes()))
}

fn put(answer: &mut Map<String, Value>, name: &str, value: &str) {
    answer.insert(name.to_owned(), Value::from(value));
}
