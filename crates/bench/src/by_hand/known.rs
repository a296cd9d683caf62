//! What changes seldom, read once and kept: who may call, the terminals, and where notifications go.

use std::collections::BTreeMap;

use anyhow::Context as _;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;
use tokio_postgres::Client;

use super::ids::id_from;

/// All of it.
#[derive(Default)]
pub struct Known {
    callers: BTreeMap<String, Caller>,
    terminals: BTreeMap<i64, Vec<Terminal>>,
    endpoints: BTreeMap<i64, Vec<Endpoint>>,
}

/// A merchant with a key.
pub struct Caller {
    digest: String,
    /// Whose payments the key refunds.
    pub merchant_id: i64,
    /// Who asked, as it is stored.
    pub applicant: String,
    /// Sandbox or live.
    pub mode: String,
}

/// A channel of a merchant.
pub struct Terminal {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Who carries its refunds out.
    pub acquirer: String,
}

/// An address that wants to hear of refunds.
pub struct Endpoint {
    /// Its id.
    pub id: i64,
    /// Where it is.
    pub url: String,
}

#[derive(Deserialize)]
struct CredentialBody {
    name: String,
    proof: String,
}

#[derive(Deserialize)]
struct TerminalBody {
    name: String,
    acquirer: String,
}

#[derive(Deserialize)]
struct MerchantBody {
    endpoints: Vec<EndpointBody>,
}

#[derive(Deserialize)]
struct EndpointBody {
    id: String,
    url: String,
}

impl Known {
    /// Reads all of it.
    pub async fn read(client: &Client) -> anyhow::Result<Self> {
        let mut known = Self::default();
        let sql = "SELECT lookup, credentials.merchant_id, mode, credentials.body FROM credentials JOIN merchants USING (merchant_id) \
            WHERE dialect = 'native' AND scheme = 'api_key'";
        for row in client.query(sql, &[]).await? {
            let body: CredentialBody = serde_json::from_str(row.get(3)).context("read a credential")?;
            let caller =
                Caller { digest: body.proof, merchant_id: row.get(1), applicant: format!("merchant:{}", body.name), mode: row.get(2) };
            known.callers.insert(row.get(0), caller);
        }
        for row in client.query("SELECT merchant_id, terminal_id, body FROM terminals", &[]).await? {
            let body: TerminalBody = serde_json::from_str(row.get(2)).context("read a terminal")?;
            let terminal = Terminal { id: row.get(1), name: body.name, acquirer: body.acquirer };
            known.terminals.entry(row.get(0)).or_default().push(terminal);
        }
        for row in client.query("SELECT merchant_id, body FROM merchants", &[]).await? {
            let body: MerchantBody = serde_json::from_str(row.get(1)).context("read a merchant")?;
            for endpoint in body.endpoints {
                known.endpoints.entry(row.get(0)).or_default().push(Endpoint { id: id_from(&endpoint.id)?, url: endpoint.url });
            }
        }
        Ok(known)
    }

    /// The caller that a bearer token proves: the digest of the token is compared in constant time.
    pub fn proved(&self, authorization: &str) -> Option<&Caller> {
        let token = authorization.strip_prefix("Bearer ")?;
        let (end, _) = token.match_indices('_').nth(2)?;
        let caller = self.callers.get(&token[..end])?;
        verify_slices_are_equal(digest_text(token).as_bytes(), caller.digest.as_bytes()).is_ok().then_some(caller)
    }

    /// The channels of a merchant.
    pub fn terminals(&self, merchant_id: i64) -> &[Terminal] {
        self.terminals.get(&merchant_id).map_or(&[], Vec::as_slice)
    }

    /// The addresses of a merchant.
    pub fn endpoints(&self, merchant_id: i64) -> &[Endpoint] {
        self.endpoints.get(&merchant_id).map_or(&[], Vec::as_slice)
    }
}

fn digest_text(token: &str) -> String {
    let mut text = String::with_capacity(64);
    for byte in digest(&SHA256, token.as_bytes()).as_ref() {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from_digit(half.into(), 16).unwrap_or('0'));
        }
    }
    text
}
