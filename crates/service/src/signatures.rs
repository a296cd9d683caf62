//! The proofs the dialects ask for: RSA and SM2 signatures, Standard Webhooks signatures, digests, constant-time comparison.
//!
//! Parsed keys are kept by the caller: parsing costs as much as a verification. What is signed is the dialects'
//! affair; this module sees bytes only. A signature costs about 300 µs: make it on the
//! [`CpuPool`](crate::cpu_pool::CpuPool), not on a thread that serves connections.

mod sm2;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeySize, PublicKey};
use aws_lc_rs::signature::{KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, RsaParameters};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

pub use sm2::{Sm2KeyTexts, Sm2Signer, Sm2Verifier, generate_sm2_keys};

/// Longest key text that is looked at: an RSA-8192 private key in PEM has about 6,400 characters.
pub const KEY_TEXT_LENGTH_MAX: usize = 16 * 1024;

/// Standard base64 that also takes missing padding, which third-party signers leave out.
pub const BASE64_LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// Why a key was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not base64, with or without PEM armour.
    #[error("the key is not base64 of DER, with or without PEM armour")]
    NotBase64,
    /// The DER is not an RSA key of the wanted kind with 2048 to 8192 bits.
    #[error("the key is not an RSA key of 2048 to 8192 bits")]
    NotRsa,
    /// Neither a point nor a number of the curve SM2, as hexadecimal digits or in DER.
    #[error("the key is not an SM2 key: hexadecimal digits of the point or the number, or base64 of DER with or without PEM armour")]
    NotSm2,
}

/// A fresh RSA-2048 key pair in the one-line forms that vendors exchange.
pub struct RsaKeyTexts {
    /// PKCS#8 DER in base64, one line.
    pub private_pkcs8: Zeroizing<String>,
    /// SubjectPublicKeyInfo DER in base64, one line.
    pub public_spki: String,
}

/// Makes an RSA-2048 key pair. It draws on the library's own random source, so a simulated run must bring its keys.
pub fn generate_rsa_keys() -> RsaKeyTexts {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("the library can always make an RSA-2048 key");
    let pkcs8 = pair.as_der().expect("a generated key has a PKCS#8 form");
    let private_pkcs8 = Zeroizing::new(BASE64_STANDARD.encode(pkcs8.as_ref()));
    RsaKeyTexts { private_pkcs8, public_spki: spki(&pair) }
}

/// Signs with RSASSA-PKCS1-v1_5 and SHA-256.
pub struct RsaSigner {
    pair: RsaKeyPair,
}

impl RsaSigner {
    /// Reads a private key: base64 of PKCS#8 or PKCS#1 DER, on one line or several, with or without PEM armour.
    pub fn parse(text: &str) -> Result<RsaSigner, KeyError> {
        let der = Zeroizing::new(der_of(text)?);
        let pair = RsaKeyPair::from_pkcs8(&der).or_else(|_| RsaKeyPair::from_der(&der));
        pair.map(|pair| RsaSigner { pair }).map_err(|_| KeyError::NotRsa)
    }

    /// The signature of `message`; the same bytes for the same message and key.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = aws_lc_rs::rand::SystemRandom::new();
        self.pair
            .sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
            .expect("a parsed key signs every message; PKCS#1 v1.5 needs no randomness");
        signature
    }

    /// The signature in standard base64.
    pub fn sign_base64(&self, message: &[u8]) -> String {
        BASE64_STANDARD.encode(self.sign(message))
    }

    /// The public half: SubjectPublicKeyInfo DER in base64, one line.
    pub fn public_spki(&self) -> String {
        spki(&self.pair)
    }
}

/// Verifies RSASSA-PKCS1-v1_5 with SHA-256.
#[derive(Clone)]
pub struct RsaVerifier {
    key: ParsedPublicKey,
}

impl RsaVerifier {
    /// Reads a public key: base64 of SubjectPublicKeyInfo or PKCS#1 DER, with or without PEM armour.
    pub fn parse(text: &str) -> Result<RsaVerifier, KeyError> {
        let key = PublicKey::from_der(&der_of(text)?).map_err(|_| KeyError::NotRsa)?;
        // The parser takes any modulus; only verification would refuse a short one, and then for ever.
        match RsaParameters::public_modulus_len(key.as_ref()) {
            Ok(2048..=8192) => {}
            Ok(_) | Err(_) => return Err(KeyError::NotRsa),
        }
        let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.as_ref());
        key.map(|key| RsaVerifier { key }).map_err(|_| KeyError::NotRsa)
    }

    /// Whether `signature` is this key's signature of `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }

    /// As [`verify`](Self::verify), the signature in base64 with or without padding.
    pub fn verify_base64(&self, message: &[u8], signature: &str) -> bool {
        BASE64_LENIENT.decode(signature).is_ok_and(|signature| self.verify(message, &signature))
    }
}

impl std::fmt::Debug for RsaSigner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("RsaSigner")
    }
}

impl std::fmt::Debug for RsaVerifier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("RsaVerifier")
    }
}

/// The `webhook-signature` header of Standard Webhooks: `v1,<base64 HMAC-SHA256 of "id.timestamp.body">`.
pub fn webhook_signature(secret: &[u8], id: &str, timestamp_s: i64, body: &[u8]) -> String {
    let tag = webhook_tag(secret, id, timestamp_s, body);
    format!("v1,{}", BASE64_STANDARD.encode(tag.as_ref()))
}

/// Whether one of the blank-separated signatures of a `webhook-signature` header fits.
pub fn verify_webhook(secret: &[u8], id: &str, timestamp_s: i64, body: &[u8], header: &str) -> bool {
    let tag = webhook_tag(secret, id, timestamp_s, body);
    let candidates = header.split(' ').filter_map(|part| part.strip_prefix("v1,"));
    let mut decoded = candidates.filter_map(|text| BASE64_LENIENT.decode(text).ok());
    decoded.any(|candidate| constant_time_equal(&candidate, tag.as_ref()))
}

/// The bytes of a Standard Webhooks secret `whsec_<base64>`; a secret without the prefix is taken as it is written.
pub fn webhook_secret(text: &str) -> Zeroizing<Vec<u8>> {
    let decoded = text.strip_prefix("whsec_").and_then(|rest| BASE64_LENIENT.decode(rest).ok());
    Zeroizing::new(decoded.unwrap_or_else(|| text.as_bytes().to_vec()))
}

/// HMAC-SHA256.
pub fn hmac_sha256(secret: &[u8], message: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message);
    tag.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// SHA-256.
pub fn sha256(message: &[u8]) -> [u8; 32] {
    digest::digest(&digest::SHA256, message).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// SHA-256 over the parts, one after the other.
pub fn sha256_of(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}

/// SHA-256 in lower-case hexadecimal.
pub fn sha256_hex(message: &[u8]) -> String {
    hex::encode(sha256(message))
}

/// Compares without telling by its duration where the difference is; lengths are not secret.
pub fn constant_time_equal(left: &[u8], right: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(left, right).is_ok()
}

fn webhook_tag(secret: &[u8], id: &str, timestamp_s: i64, body: &[u8]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret));
    context.update(format!("{id}.{timestamp_s}.").as_bytes());
    context.update(body);
    context.sign()
}

fn spki(pair: &RsaKeyPair) -> String {
    let der = pair.public_key().as_der().expect("a parsed key has a public form");
    BASE64_STANDARD.encode(der.as_ref())
}

fn der_of(text: &str) -> Result<Vec<u8>, KeyError> {
    if text.len() > KEY_TEXT_LENGTH_MAX {
        return Err(KeyError::NotBase64);
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
    let text: Zeroizing<String> = Zeroizing::new(lines.flat_map(str::split_ascii_whitespace).collect());
    match BASE64_LENIENT.decode(text.as_bytes()) {
        Ok(der) if !der.is_empty() => Ok(der),
        Ok(_) | Err(_) => Err(KeyError::NotBase64),
    }
}

#[cfg(test)]
mod tests;
