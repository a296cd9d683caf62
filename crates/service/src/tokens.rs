//! API key material: random tokens, of which the store only ever sees the digest.
//!
//! A token holds 256 random bits, so one round of SHA-256 is enough: there is nothing to guess, and a slow password
//! hash would cost more than the whole refund.

use crate::random::Random;
use crate::signatures::{constant_time_equal, sha256_hex};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use refundry_engine::Refusal;
use zeroize::Zeroizing;

/// Random bytes in one token.
pub const TOKEN_BYTES: usize = 32;

/// A fresh token `<prefix><43 characters of A–Z a–z 0–9 - _>`, to be shown once.
pub fn new_token(prefix: &str, random: &dyn Random) -> Zeroizing<String> {
    let text = new_secret(random);
    Zeroizing::new(format!("{prefix}{}", *text))
}

/// 256 random bits as 43 characters without a prefix, for shared secrets.
pub fn new_secret(random: &dyn Random) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0_u8; TOKEN_BYTES]);
    random.fill(&mut *bytes);
    Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(*bytes))
}

/// A fresh Standard Webhooks secret, `whsec_<base64 of 32 bytes>`.
pub fn new_webhook_secret(random: &dyn Random) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0_u8; TOKEN_BYTES]);
    random.fill(&mut *bytes);
    let text = Zeroizing::new(base64::prelude::BASE64_STANDARD.encode(*bytes));
    Zeroizing::new(format!("whsec_{}", *text))
}

/// Letters of a shared secret that is given from outside.
const GIVEN_LENGTH: std::ops::RangeInclusive<usize> = 8..=128;

/// A shared secret that was given from outside. It is never shown, not even in a log.
#[derive(Clone, serde::Deserialize)]
#[serde(from = "String")]
pub struct GivenSecret(Zeroizing<String>);

impl GivenSecret {
    /// Takes a text over.
    pub fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// The text, if it can be a secret at all.
    pub(crate) fn checked(self) -> Result<Zeroizing<String>, Refusal> {
        let fits = GIVEN_LENGTH.contains(&self.0.len()) && self.0.bytes().all(|byte| byte.is_ascii_graphic());
        if fits {
            Ok(self.0)
        } else {
            Err(Refusal::FieldInvalid { field: "secret".to_owned(), rule: "8 to 128 ASCII letters without blanks".to_owned() })
        }
    }
}

impl From<String> for GivenSecret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl std::fmt::Debug for GivenSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GivenSecret")
    }
}

/// What is stored and looked up: SHA-256 of the whole token, in hexadecimal.
pub fn token_digest(token: &str) -> String {
    sha256_hex(token.as_bytes())
}

/// Whether `token` is the one whose digest was stored.
pub fn token_fits(token: &str, stored_digest: &str) -> bool {
    constant_time_equal(token_digest(token).as_bytes(), stored_digest.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::tests::CountingRandom;

    #[test]
    fn a_token_is_recognised_by_its_digest_alone() {
        let random = CountingRandom::default();
        let (token, other) = (new_token("rk_live_", &random), new_token("rk_live_", &random));
        assert_eq!(token.len(), "rk_live_".len() + 43);
        let digest = token_digest(&token);
        assert!(token_fits(&token, &digest));
        assert!(!token_fits(&other, &digest));
        assert!(!token_fits("", &digest));
        assert!(!token_fits(&token, ""));
    }

    #[test]
    fn a_webhook_secret_has_the_published_form() {
        let secret = new_webhook_secret(&CountingRandom::default());
        assert_eq!(crate::signatures::webhook_secret(&secret).len(), TOKEN_BYTES);
    }
}
