//! API keys and key pairs: issued once, rotated with an overlap, revoked.

use axum::response::Response;
use refundry_engine::credential::{Credential, Holder};
use refundry_engine::{CredentialId, MerchantId, PersonId, TerminalId};
use refundry_service::credentials::{self, IssuedCredential, NewCredential, NewKey};
use refundry_service::tokens::GivenSecret;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::call::{Call, created, ok};
use crate::problem::{Problem, kinds};
use crate::views::{Listed, ModeView, Rfc3339, page_request};

/// A credential to be issued.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialRequest {
    /// Who will hold it.
    pub holder: HolderRequest,
    /// The dialect that it is for: `native` for this API, or that of the terminal.
    #[serde(default = "native")]
    #[schema(example = "native")]
    pub dialect: String,
    /// What proves it.
    #[serde(default)]
    pub key: KeyRequest,
    /// The dialect's name for the caller, such as an Antom client id, when it is given from outside.
    pub lookup: Option<String>,
    /// What the holder may do, such as `refunds:write`; left out, what is usual.
    pub permissions: Option<Vec<String>>,
    /// Who people see in timelines, unless it is a person's.
    pub name: String,
    /// The person whose it is: what is done with it is done in the person's name, and bound by the person's role.
    #[schema(value_type = Option<String>)]
    pub person_id: Option<PersonId>,
    /// Until when it is valid.
    pub expires_at: Option<Rfc3339>,
}

/// Who holds a credential.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum HolderRequest {
    /// The operator's systems: all merchants of the caller's mode.
    Operator,
    /// A platform or agent: the merchants that are named.
    Platform {
        /// The linked merchants.
        #[schema(value_type = Vec<String>)]
        merchant_ids: Vec<MerchantId>,
    },
    /// One merchant.
    Merchant {
        /// Which; left out, the key's own.
        #[schema(value_type = Option<String>)]
        merchant_id: Option<MerchantId>,
    },
    /// One terminal.
    Terminal {
        /// Whose; left out, the key's own.
        #[schema(value_type = Option<String>)]
        merchant_id: Option<MerchantId>,
        /// Which.
        #[schema(value_type = String)]
        terminal_id: TerminalId,
    },
}

/// What proves a credential.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum KeyRequest {
    /// A bearer token, made here and shown once.
    #[default]
    Token,
    /// Your public key; you keep the private one and get our public key.
    PublicKey {
        /// Base64 of SubjectPublicKeyInfo, RSA of at least 2,048 bits; or SM2, also as the hexadecimal digits of the point.
        public_key: String,
    },
    /// Both pairs are made here and your private key is shown once: for trying out, sandbox only.
    BothPairs,
    /// As `both_pairs`, on the curve SM2: for dialects that take it (Baofoo).
    BothSm2Pairs,
    /// A secret that both sides know: for dialects that hash it (Oceanpayment's secureCode).
    SharedSecret {
        /// One that you have already, 8 to 128 ASCII letters; left out, one is made here and shown once.
        #[schema(value_type = Option<String>)]
        secret: Option<GivenSecret>,
    },
}

/// The next version of a credential.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotationRequest {
    /// What proves the next version; of the same kind.
    #[serde(default)]
    pub key: KeyRequest,
    /// Seconds for which the version before stays valid.
    #[serde(default)]
    pub overlap_seconds: u32,
}

/// When a credential ends.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevocationRequest {
    /// Left out: at once.
    pub at: Option<Rfc3339>,
}

/// Which credentials.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CredentialQuery {
    /// For keys that act for more than one merchant.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Rows, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// A credential, without what proves it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Credential)]
pub struct CredentialView {
    /// Ours.
    #[schema(example = "crd_0d3m4t2ykw000")]
    pub credential_id: String,
    /// Who holds it.
    pub holder: HolderView,
    /// The dialect that it is for.
    pub dialect: String,
    /// The dialect's name for the caller: a client id, the public part of a token.
    pub lookup: String,
    /// `api_key`, `rsa`, `sm2` or `secure_code`.
    pub scheme: String,
    /// Version of the key.
    pub key_version: u32,
    /// Our public key, with which our answers are verified.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub our_public_key: String,
    /// What the holder may do.
    pub permissions: Vec<String>,
    /// Who people see in timelines, unless it is a person's.
    pub name: String,
    /// The person whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person_id: Option<String>,
    /// Since when.
    pub created_at: Rfc3339,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Rfc3339>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Rfc3339>,
    /// The bearer token; shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Your private key, base64 of PKCS#8 or, of SM2, hexadecimal digits; shown once, when it is made here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key: Option<String>,
    /// The shared secret; shown once, when it is made here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// Who holds a credential.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[schema(as = Holder)]
#[expect(missing_docs, reason = "as HolderRequest, with everything filled in")]
pub enum HolderView {
    Operator { mode: ModeView },
    Platform { mode: ModeView, merchant_ids: Vec<String> },
    Merchant { merchant_id: String },
    Terminal { merchant_id: String, terminal_id: String },
}

/// Issues a credential.
pub async fn issue(call: Call) -> Result<Response, Problem> {
    let request: CredentialRequest = call.json()?;
    let new = NewCredential {
        holder: holder(&call, request.holder)?,
        dialect: request.dialect,
        key: request.key.into(),
        lookup: request.lookup,
        permissions: request.permissions,
        name: request.name,
        person_id: request.person_id,
        expires_at: request.expires_at.map(|at| at.0),
    };
    let issued = credentials::issue(&call.app.service, &call.caller, new).await?;
    Ok(created(&CredentialView::from(issued), true))
}

/// Issues the next version of a credential.
pub async fn rotate(call: Call) -> Result<Response, Problem> {
    let credential_id = credential_id(&call)?;
    let RotationRequest { key, overlap_seconds } = call.json()?;
    let issued = credentials::rotate(&call.app.service, &call.caller, credential_id, key.into(), overlap_seconds).await?;
    Ok(created(&CredentialView::from(issued), true))
}

/// Ends a credential.
pub async fn revoke(call: Call) -> Result<Response, Problem> {
    let credential_id = credential_id(&call)?;
    let RevocationRequest { at } = call.json()?;
    let revoked = credentials::revoke(&call.app.service, &call.caller, credential_id, at.map(|at| at.0)).await?;
    ok(&CredentialView::from(revoked))
}

/// One credential.
pub async fn find(call: Call) -> Result<Response, Problem> {
    ok(&CredentialView::from(credentials::find(&call.app.service, &call.caller, credential_id(&call)?).await?))
}

/// Credentials by id.
pub async fn list(call: Call) -> Result<Response, Problem> {
    let CredentialQuery { merchant_id, cursor, limit } = call.query()?;
    let page = page_request(cursor.as_deref(), limit)?;
    ok(&Listed::of(credentials::list(&call.app.service, &call.caller, merchant_id, page).await?, CredentialView::from))
}

fn native() -> String {
    refundry_service::refunds::NATIVE.name.to_owned()
}

fn holder(call: &Call, request: HolderRequest) -> Result<Holder, Problem> {
    Ok(match request {
        HolderRequest::Operator => Holder::Operator { mode: call.caller.mode },
        HolderRequest::Platform { merchant_ids } => Holder::Platform { mode: call.caller.mode, merchant_ids },
        HolderRequest::Merchant { merchant_id } => Holder::Merchant { merchant_id: call.merchant_id(merchant_id)? },
        HolderRequest::Terminal { merchant_id, terminal_id } => {
            Holder::Terminal { merchant_id: call.merchant_id(merchant_id)?, terminal_id }
        }
    })
}

fn credential_id(call: &Call) -> Result<CredentialId, Problem> {
    call.path_id("credential_id", &kinds::UNKNOWN)
}

impl From<KeyRequest> for NewKey {
    fn from(request: KeyRequest) -> Self {
        match request {
            KeyRequest::Token => Self::Token,
            KeyRequest::PublicKey { public_key } => Self::PublicKey(public_key),
            KeyRequest::BothPairs => Self::BothPairs,
            KeyRequest::BothSm2Pairs => Self::BothSm2Pairs,
            KeyRequest::SharedSecret { secret } => Self::SharedSecret(secret),
        }
    }
}

impl From<Holder> for HolderView {
    fn from(holder: Holder) -> Self {
        match holder {
            Holder::Operator { mode } => Self::Operator { mode: mode.into() },
            Holder::Platform { mode, merchant_ids } => {
                Self::Platform { mode: mode.into(), merchant_ids: merchant_ids.iter().map(ToString::to_string).collect() }
            }
            Holder::Merchant { merchant_id } => Self::Merchant { merchant_id: merchant_id.to_string() },
            Holder::Terminal { merchant_id, terminal_id } => {
                Self::Terminal { merchant_id: merchant_id.to_string(), terminal_id: terminal_id.to_string() }
            }
        }
    }
}

impl From<Credential> for CredentialView {
    fn from(row: Credential) -> Self {
        Self {
            credential_id: row.id.to_string(),
            holder: row.holder.into(),
            dialect: row.dialect,
            lookup: row.lookup,
            scheme: row.scheme,
            key_version: row.key_version,
            our_public_key: row.public_key,
            permissions: row.permissions,
            name: row.name,
            person_id: row.person_id.map(|id| id.to_string()),
            created_at: row.created_at.into(),
            expires_at: row.expires_at.map(Rfc3339),
            revoked_at: row.revoked_at.map(Rfc3339),
            token: None,
            private_key: None,
            secret: None,
        }
    }
}

impl From<IssuedCredential> for CredentialView {
    fn from(issued: IssuedCredential) -> Self {
        let text = |secret: zeroize::Zeroizing<String>| secret.as_str().to_owned();
        let (token, private_key, secret) = (issued.token.map(text), issued.private_key.map(text), issued.secret.map(text));
        Self { token, private_key, secret, ..Self::from(issued.credential) }
    }
}
