//! Who calls the native API: a bearer token, checked against the digest that is stored.

use std::sync::Arc;

use refundry_dialects::Keys as _;
use refundry_dialects::scheme::API_KEY;

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::refunds::NATIVE;
use crate::tokens::token_digest;

/// Underscores up to the secret in `rk_test_<public part>_<secret>`.
const UNDERSCORES_BEFORE_SECRET: usize = 3;

/// The caller that a native token proves; `None` for every other text. What is not known costs a digest too.
pub async fn bearer(service: &Service, token: &str) -> Result<Option<Arc<Caller>>, ServiceError> {
    let Some(lookup) = public_part(token) else { return Ok(None) };
    let now = service.world.now();
    let Some(known) = service.keyring.by_lookup(NATIVE.name, lookup, now).await? else {
        token_digest(token);
        return Ok(None);
    };
    let keys = known.keys(API_KEY, now);
    keys.token(token);
    Ok(keys.proved_by().and_then(|proved| proved.caller.clone()))
}

/// What stands before the secret of a token; it names the caller and is no secret.
pub fn public_part(token: &str) -> Option<&str> {
    let (end, _) = token.match_indices('_').nth(UNDERSCORES_BEFORE_SECRET - 1)?;
    Some(&token[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_part_ends_before_the_secret_whatever_the_secret_holds() {
        for (token, public) in [
            ("rk_test_0a1b_se-cret_with_more", Some("rk_test_0a1b")),
            ("isak_TEST_0a1b_secret", Some("isak_TEST_0a1b")),
            ("rk_test_0a1b", None),
            ("", None),
            ("___", Some("__")),
        ] {
            assert_eq!(public_part(token), public, "{token}");
        }
    }
}
