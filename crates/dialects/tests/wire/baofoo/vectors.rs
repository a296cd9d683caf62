//! Signatures that others made, verified on the way that requests take.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use refundry_dialects::baofoo::ENTRY;
use refundry_dialects::{Keys, WireError, WireRequest};
use refundry_engine::Timestamp;
use serde_json::Value;

use super::cast::{NOW, sm2_point, sm2_verify};

/// The public key of one vector.
struct VectorKeys {
    key: Value,
}

impl Keys for VectorKeys {
    fn is_empty(&self) -> bool {
        false
    }

    fn rsa_sha256(&self, _key_version: Option<u32>, message: &[u8], signature: &[u8]) -> bool {
        let pem = self.key.as_str().unwrap();
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, base64).unwrap();
        let key = aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256, der);
        key.verify(message, signature).is_ok()
    }

    fn sm2(&self, message: &[u8], signature: &[u8]) -> bool {
        let bytes = |index: usize| bytes_of(self.key[index].as_str().unwrap());
        sm2_verify(&sm2_point(&[bytes(0), bytes(1)].concat()), message, signature)
    }

    fn token(&self, _token: &str) -> bool {
        false
    }

    fn secret_sha256(&self, _message: &[u8], _digest: &[u8]) -> bool {
        false
    }

    fn account(&self) -> Option<&str> {
        None
    }

    fn now(&self) -> Timestamp {
        NOW
    }
}

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|place| u8::from_str_radix(&hex[2 * place..2 * place + 2], 16).unwrap()).collect()
}

/// Whether a vector's text and signature prove a request. Two of the texts name no terminal, which is found after the proof.
fn is_proved(vector: &Value, signature: &str) -> bool {
    let text = |name: &str| utf8_percent_encode(vector[name].as_str().unwrap(), NON_ALPHANUMERIC).to_string();
    let body = format!(
        "merId=100000&terId=200000&method=order_refund&charset=UTF-8&version=1.0&format=json&timestamp=20261122150105&signType={}&signSn=1&\
         ncrptnSn=1&signStr={signature}&bizContent={}",
        text("signType"),
        text("content"),
    );
    let headers: Vec<(String, String)> = Vec::new();
    let request = WireRequest { method: "POST", path: "/api", headers: &headers, body: body.as_bytes(), peer: None };
    let claimed = ENTRY.dialect.identify(&request).unwrap();
    match ENTRY.dialect.authenticate(&request, &claimed, &VectorKeys { key: vector["publicKey"].clone() }) {
        Ok(()) => true,
        Err(WireError::Field { field, .. }) if field == "terId" => true,
        Err(WireError::BadSignature) => false,
        Err(other) => panic!("{other:?}"),
    }
}

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("../../fixtures/baofoo-vectors.json")).unwrap()
}

#[test]
fn every_vector_proves_its_request_or_does_not() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 6);
    for vector in &vectors {
        let signature = vector["signStr"].as_str().unwrap();
        assert_eq!(is_proved(vector, signature), vector["valid"].as_bool().unwrap(), "{vector}");
        assert_eq!(is_proved(vector, &signature.to_lowercase()), is_proved(vector, &signature.to_uppercase()), "{vector}");
        let other = signature.replace(signature.chars().last().unwrap(), "0");
        assert!(other == signature || !is_proved(vector, &other), "{vector}");
    }
}

#[test]
fn sm2_is_taken_as_der_and_as_the_bytes_of_both_numbers() {
    let vector = vectors().into_iter().find(|vector| vector["signType"] == "SM2").unwrap();
    let der = bytes_of(vector["signStr"].as_str().unwrap());
    let signature = sm2::dsa::Signature::from_der(&der).unwrap();
    let raw: String = signature.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(raw.len(), 128);
    assert!(is_proved(&vector, &raw));
    assert!(!is_proved(&vector, &raw[..126]));
    assert!(!is_proved(&vector, &"0".repeat(128)));
}
