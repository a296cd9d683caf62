//! SM2 signatures with SM3 (GB/T 32918.2) for the user id that everybody uses. Nonces come from the key and the message, so that the same
//! message has the same signature and a weak random source reveals no key.

use sm2::dsa::signature::{Signer as _, Verifier as _};
use sm2::dsa::{Signature, SigningKey, VerifyingKey};
use sm2::elliptic_curve::sec1::ToSec1Point as _;
use sm2::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};
use sm2::{PublicKey, SecretKey};
use zeroize::Zeroizing;

use super::{KEY_TEXT_LENGTH_MAX, KeyError, der_of};

/// The user id of the standard's samples, which every vendor signs for.
const USER_ID: &str = "1234567812345678";
/// Bytes of a private number, and of each coordinate of a public point.
const NUMBER_BYTES: usize = 32;
/// The first byte of a point that is written with both coordinates.
const UNCOMPRESSED: u8 = 4;

/// A fresh SM2 key pair as hexadecimal digits, the form in which vendors' clients keep such keys.
pub struct Sm2KeyTexts {
    /// The private number, 64 digits.
    pub private_hex: Zeroizing<String>,
    /// The public point: `04`, x and y, 130 digits.
    pub public_hex: String,
}

/// Makes an SM2 key pair from random bytes that `fill` gives.
pub fn generate_sm2_keys(fill: impl Fn(&mut [u8])) -> Sm2KeyTexts {
    let mut number = Zeroizing::new([0_u8; NUMBER_BYTES]);
    loop {
        fill(number.as_mut_slice());
        // Of 2^32 numbers about one is not below the order of the curve.
        if let Ok(secret) = SecretKey::from_slice(number.as_slice()) {
            return Sm2KeyTexts {
                private_hex: Zeroizing::new(hex::encode(number.as_slice())),
                public_hex: point_hex(&secret.public_key()),
            };
        }
    }
}

/// Signs with SM2 and SM3.
pub struct Sm2Signer {
    key: SigningKey,
}

impl Sm2Signer {
    /// Reads a private key: 64 hexadecimal digits, or base64 of PKCS#8 DER, with or without PEM armour.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let secret = match Zeroizing::new(digits_of(text)) {
            digits if digits.is_empty() => {
                let der = Zeroizing::new(der_of(text)?);
                SecretKey::from_pkcs8_der(&der).map_err(|_| KeyError::NotSm2)?
            }
            digits => SecretKey::from_slice(&digits).map_err(|_| KeyError::NotSm2)?,
        };
        SigningKey::new(USER_ID, &secret).map(|key| Self { key }).map_err(|_| KeyError::NotSm2)
    }

    /// The signature of `message` as DER of r and s; the same bytes for the same message and key.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.key.try_sign(message).expect("a nonce that is unusable comes once in 2^250 messages");
        signature.to_der().as_ref().to_vec()
    }

    /// The public half: hexadecimal digits of `04`, x and y.
    pub fn public_hex(&self) -> String {
        hex::encode(self.key.verifying_key().to_sec1_bytes())
    }
}

/// Verifies SM2 with SM3.
#[derive(Clone)]
pub struct Sm2Verifier {
    key: VerifyingKey,
}

impl Sm2Verifier {
    /// Reads a public key: hexadecimal digits of the point, with or without its first byte, or base64 of SubjectPublicKeyInfo DER, with or without
    /// PEM armour.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let point = match digits_of(text) {
            digits if digits.is_empty() => PublicKey::from_public_key_der(&der_of(text)?).map_err(|_| KeyError::NotSm2)?,
            digits if digits.len() == 2 * NUMBER_BYTES => point_of(&[&[UNCOMPRESSED], digits.as_slice()].concat())?,
            digits => point_of(&digits)?,
        };
        VerifyingKey::new(USER_ID, point).map(|key| Self { key }).map_err(|_| KeyError::NotSm2)
    }

    /// Whether `signature` is this key's signature of `message`: DER of r and s, or the 64 bytes of r and s.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let fits = |signature: Result<Signature, _>| signature.is_ok_and(|signature| self.key.verify(message, &signature).is_ok());
        fits(Signature::from_der(signature)) || fits(Signature::from_slice(signature))
    }
}

impl std::fmt::Debug for Sm2Signer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Sm2Signer")
    }
}

impl std::fmt::Debug for Sm2Verifier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Sm2Verifier")
    }
}

/// The bytes of a text of hexadecimal digits; empty when it is another text.
fn digits_of(text: &str) -> Vec<u8> {
    if text.len() > KEY_TEXT_LENGTH_MAX { Vec::new() } else { hex::decode(text.trim()).unwrap_or_default() }
}

fn point_of(sec1: &[u8]) -> Result<PublicKey, KeyError> {
    PublicKey::from_sec1_bytes(sec1).map_err(|_| KeyError::NotSm2)
}

fn point_hex(point: &PublicKey) -> String {
    hex::encode(point.to_sec1_point(false).as_bytes())
}
