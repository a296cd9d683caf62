//! Credentials: issued once, rotated with an overlap, revoked. Secrets leave this module only at the moment when they are made.

mod rules;

use refundry_dialects::scheme::{API_KEY, RSA, SECURE_CODE, SM2};
use refundry_engine::command::RevokeCredential;
use refundry_engine::credential::{Credential, Holder, VALID_CREDENTIALS_MAX};
use refundry_engine::{Act, CredentialId, MerchantId, Mode, PersonId, Refusal, Timestamp};
use refundry_store::{Page, PageRequest};
use zeroize::Zeroizing;

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::install::{GATEWAY_LOOKUP, gateway_key};
use crate::keyring::credential_purpose;
use crate::permissions::{Permission, Permissions};
use crate::service::Edits;
use crate::signatures::{RsaVerifier, Sm2Verifier, generate_rsa_keys, generate_sm2_keys};
use crate::tokens::{GivenSecret, new_secret, new_token, token_digest};
use crate::{merchants, terminals};
use rules::{check_dialect, check_holder, check_person, fresh_lookup, granted, invalid, may_write, unused};

pub(crate) use rules::may_hand_out;

/// The longest time for which an old and a new key are both valid.
pub const OVERLAP_SECONDS_MAX: u32 = 90 * 86_400;
/// Letters of a caller's name in a dialect.
pub const LOOKUP_LENGTH_MAX: usize = 64;

/// A credential to be made.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// Who will hold it.
    pub holder: Holder,
    /// The dialect that it is for: `native`, or that of the terminal.
    pub dialect: String,
    /// What proves it.
    pub key: NewKey,
    /// The dialect's name for the caller, such as an Antom client id, when it is given from outside; otherwise one is made.
    pub lookup: Option<String>,
    /// What the holder may do; left out, what is usual for the dialect and holder.
    pub permissions: Option<Vec<String>>,
    /// Who people see in timelines, unless it is a person's.
    pub name: String,
    /// The person whose it is.
    pub person_id: Option<PersonId>,
    /// Until when it is valid.
    pub expires_at: Option<Timestamp>,
}

/// What proves a new credential.
#[derive(Clone, Debug)]
pub enum NewKey {
    /// A bearer token, made here and shown once.
    Token,
    /// The caller's public key, base64 of SubjectPublicKeyInfo or, of SM2, the digits of the point; the caller keeps its private key, and gets our
    /// public key.
    PublicKey(String),
    /// Both key pairs are made here, and the caller's private key is shown once: for trying out, sandbox only.
    BothPairs,
    /// As [`BothPairs`](Self::BothPairs), on the curve SM2.
    BothSm2Pairs,
    /// A secret that both sides know and neither sends: given from outside, for callers that have one already, or made here and shown once.
    SharedSecret(Option<GivenSecret>),
}

/// A new credential with what is shown this once.
pub struct IssuedCredential {
    /// What is stored.
    pub credential: Credential,
    /// The bearer token.
    pub token: Option<Zeroizing<String>>,
    /// The caller's private key, when it was made here: base64 of PKCS#8 or, of SM2, the digits of the number.
    pub private_key: Option<Zeroizing<String>>,
    /// The shared secret, when it was made here.
    pub secret: Option<Zeroizing<String>>,
}

/// Issues a credential.
pub async fn issue(service: &Service, caller: &Caller, new: NewCredential) -> Result<IssuedCredential, ServiceError> {
    may_write(caller)?;
    check_holder(service, caller, &new.holder).await?;
    check_dialect(service, caller, &new).await?;
    let permissions = granted(service, caller, &new).await?;
    let lookup = match &new.lookup {
        Some(lookup) => unused(service, &new.dialect, lookup.clone()).await?,
        None => fresh_lookup(service, &new, caller.mode, permissions),
    };
    let now = service.world.now();
    let row = Credential {
        id: CredentialId::new(service.world.ids.one(now)?),
        holder: new.holder,
        dialect: new.dialect,
        lookup,
        scheme: String::new(),
        key_version: 1,
        proof: String::new(),
        sealed_secret: String::new(),
        public_key: String::new(),
        permissions: permissions.words(),
        name: new.name,
        person_id: new.person_id,
        issued_by: issuer(caller, new.person_id),
        created_at: now,
        expires_at: new.expires_at,
        revoked_at: None,
    };
    put_with_keys(service, caller, row, new.key).await
}

/// Issues the next version of a credential; the versions before stay valid for `overlap_seconds` more.
pub async fn rotate(
    service: &Service,
    caller: &Caller,
    credential_id: CredentialId,
    key: NewKey,
    overlap_seconds: u32,
) -> Result<IssuedCredential, ServiceError> {
    may_write(caller)?;
    if overlap_seconds > OVERLAP_SECONDS_MAX {
        return Err(invalid("overlap_seconds", &format!("at most {OVERLAP_SECONDS_MAX}")).into());
    }
    let mut edits = Edits::default();
    loop {
        let before = read(service, caller, credential_id).await?;
        let (row, valid) = next_version(service, caller, before, &key).await?;
        let issued = match put_with_keys(service, caller, row, key.clone()).await {
            // Somebody else issued that version in between.
            Err(ServiceError::Refused(Refusal::AlreadyExists { .. })) => {
                edits.again()?;
                continue;
            }
            issued => issued?,
        };
        let at = service.world.now().plus_seconds(overlap_seconds.into());
        for old in valid.iter().filter(|old| old.expires_at.is_none_or(|end| at < end)) {
            service.transact(caller, Act::RevokeCredential(end_of(old, at))).await?;
        }
        return Ok(issued);
    }
}

/// Whether the next version is a key pair of another kind, in a dialect that takes both: who moves to the other algorithm keeps its name.
fn is_another_pair(key: &NewKey, before: &Credential) -> bool {
    let entry = terminals::dialect(&before.dialect);
    let is_pair = |scheme: &str| matches!(scheme, RSA | SM2) && entry.is_some_and(|entry| entry.schemes.contains(&scheme));
    is_pair(key.scheme()) && is_pair(&before.scheme)
}

/// The next version of a credential without its keys, and the versions before that are valid.
async fn next_version(
    service: &Service,
    caller: &Caller,
    before: Credential,
    key: &NewKey,
) -> Result<(Credential, Vec<Credential>), ServiceError> {
    let permissions = Permissions::from_words(before.permissions.iter().map(String::as_str));
    may_hand_out(caller, &before.holder, permissions)?;
    check_person(caller, "credential_id", (&before.holder, before.person_id), permissions)?;
    if key.scheme() != before.scheme && !is_another_pair(key, &before) {
        return Err(invalid("key", "a credential keeps its kind; issue another one instead").into());
    }
    let now = service.world.now();
    if !before.is_valid_at(now) {
        return Err(invalid("credential_id", "only a valid version can be rotated; issue another credential instead").into());
    }
    let mut versions = service.world.store.credentials_by_lookup(&before.dialect, &before.lookup).await?;
    let newest = versions.iter().map(|version| version.key_version).max().unwrap_or(before.key_version);
    versions.retain(|version| version.is_valid_at(now));
    if versions.len() >= VALID_CREDENTIALS_MAX {
        let limit = u32::try_from(VALID_CREDENTIALS_MAX).unwrap_or(u32::MAX);
        return Err(Refusal::LimitReached { what: "valid versions of one credential".to_owned(), limit }.into());
    }
    let row = Credential {
        id: CredentialId::new(service.world.ids.one(now)?),
        key_version: newest.saturating_add(1),
        created_at: now,
        expires_at: None,
        revoked_at: None,
        issued_by: issuer(caller, before.person_id),
        ..before
    };
    Ok((row, versions))
}

/// Ends a credential: at once, or at a time to come.
pub async fn revoke(
    service: &Service,
    caller: &Caller,
    credential_id: CredentialId,
    at: Option<Timestamp>,
) -> Result<Credential, ServiceError> {
    may_write(caller)?;
    let row = read(service, caller, credential_id).await?;
    let at = at.unwrap_or_else(|| service.world.now());
    service.transact(caller, Act::RevokeCredential(end_of(&row, at))).await?;
    read(service, caller, credential_id).await
}

/// Who issues or rotates a key that names nobody has it in hand. By way of a key that they issued before, it still is them.
fn issuer(caller: &Caller, names: Option<PersonId>) -> Option<PersonId> {
    if names.is_some() { None } else { caller.person_behind() }
}

fn end_of(row: &Credential, at: Timestamp) -> RevokeCredential {
    RevokeCredential { merchant_id: row.holder.merchant_id(), credential_id: row.id, at }
}

/// One credential. Its proof and sealed secret are not for showing.
pub async fn find(service: &Service, caller: &Caller, credential_id: CredentialId) -> Result<Credential, ServiceError> {
    caller.must(Permission::KeysRead)?;
    read(service, caller, credential_id).await
}

/// Credentials by id: of one merchant, or (operator) all of its mode. Their proofs and sealed secrets are not for showing.
pub async fn list(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    page: PageRequest,
) -> Result<Page<Credential>, ServiceError> {
    caller.must(Permission::KeysRead)?;
    let merchant_id = caller.merchant_of_list(merchant_id)?;
    if let Some(merchant_id) = merchant_id {
        merchants::read(service, caller, merchant_id).await?;
    }
    let mut found = service.world.store.credentials(merchant_id, page).await?;
    let mut rows = Vec::with_capacity(found.rows.len());
    for row in found.rows {
        if is_visible(service, caller, &row).await? {
            rows.push(row);
        }
    }
    found.rows = rows;
    Ok(found)
}

/// Fills in the keys, stores the row, and gives what is shown once.
async fn put_with_keys(service: &Service, caller: &Caller, mut row: Credential, key: NewKey) -> Result<IssuedCredential, ServiceError> {
    let (mut token, mut private_key, mut secret) = (None, None, None);
    match key {
        NewKey::Token => {
            let text = new_token(&format!("{}_", row.lookup), service.world.random.as_ref());
            API_KEY.clone_into(&mut row.scheme);
            row.proof = token_digest(&text);
            token = Some(text);
        }
        NewKey::PublicKey(text) => {
            row.proof = text.trim().to_owned();
            if Sm2Verifier::parse(&text).is_ok() {
                add_our_sm2_pair(service, &mut row);
            } else {
                RsaVerifier::parse(&text).map_err(|cause| invalid("public_key", &cause.to_string()))?;
                add_our_key(service, &mut row).await?;
            }
        }
        NewKey::BothPairs | NewKey::BothSm2Pairs if caller.mode != Mode::Sandbox => {
            return Err(invalid("key", "live callers make their own key pair and send the public key").into());
        }
        NewKey::BothPairs => {
            let pair = service.cpu.run(generate_rsa_keys).await;
            row.proof = pair.public_spki;
            private_key = Some(pair.private_pkcs8);
            add_our_key(service, &mut row).await?;
        }
        NewKey::BothSm2Pairs => {
            let pair = generate_sm2_keys(|bytes| service.world.random.fill(bytes));
            row.proof = pair.public_hex;
            private_key = Some(pair.private_hex);
            add_our_sm2_pair(service, &mut row);
        }
        NewKey::SharedSecret(given) => {
            SECURE_CODE.clone_into(&mut row.scheme);
            let text = match given {
                Some(given) => given.checked()?,
                None => secret.insert(new_secret(service.world.random.as_ref())).clone(),
            };
            row.sealed_secret = service.master_keys.seal(&credential_purpose(&row), text.as_bytes(), service.world.random.as_ref());
        }
    }
    service.transact(caller, Act::PutCredential(Box::new(row.clone()))).await?;
    Ok(IssuedCredential { credential: row, token, private_key, secret })
}

impl NewKey {
    /// The scheme of what it proves.
    pub fn scheme(&self) -> &'static str {
        match self {
            Self::Token => API_KEY,
            Self::PublicKey(text) if Sm2Verifier::parse(text).is_ok() => SM2,
            Self::PublicKey(_) | Self::BothPairs => RSA,
            Self::BothSm2Pairs => SM2,
            Self::SharedSecret(_) => SECURE_CODE,
        }
    }
}

/// Our key for the answers to this caller. A first version gets the gateway's own: a client that mistypes its name can then still verify the
/// answer that nobody has this name. A rotation replaces our side, too, so later versions get a pair of their own.
async fn add_our_key(service: &Service, row: &mut Credential) -> Result<(), ServiceError> {
    if row.key_version == 1
        && let Some(gateway) = gateway_key(service).await?
        && let Ok(private) = service.master_keys.open(&credential_purpose(&gateway.credential), &gateway.credential.sealed_secret)
    {
        keep_our_key(service, row, &gateway.credential.public_key, &private);
    } else {
        add_our_pair(service, row).await;
    }
    Ok(())
}

/// A fresh key pair of ours. The public key is handed out, the private one sealed.
pub(crate) async fn add_our_pair(service: &Service, row: &mut Credential) {
    let pair = service.cpu.run(generate_rsa_keys).await;
    keep_our_key(service, row, &pair.public_spki, pair.private_pkcs8.as_bytes());
}

/// As [`add_our_pair`], on the curve SM2.
fn add_our_sm2_pair(service: &Service, row: &mut Credential) {
    let pair = generate_sm2_keys(|bytes| service.world.random.fill(bytes));
    keep_our_key(service, row, &pair.public_hex, pair.private_hex.as_bytes());
    SM2.clone_into(&mut row.scheme);
}

fn keep_our_key(service: &Service, row: &mut Credential, public_key: &str, private_key: &[u8]) {
    RSA.clone_into(&mut row.scheme);
    public_key.clone_into(&mut row.public_key);
    row.sealed_secret = service.master_keys.seal(&credential_purpose(row), private_key, service.world.random.as_ref());
}

async fn read(service: &Service, caller: &Caller, credential_id: CredentialId) -> Result<Credential, ServiceError> {
    if let Some(row) = service.world.store.credential(credential_id).await?
        && is_visible(service, caller, &row).await?
    {
        return Ok(row);
    }
    Err(Refusal::Unknown { what: "credential".to_owned() }.into())
}

async fn is_visible(service: &Service, caller: &Caller, row: &Credential) -> Result<bool, ServiceError> {
    if row.lookup == GATEWAY_LOOKUP {
        return Ok(false);
    }
    let merchant_id = match &row.holder {
        Holder::Operator { mode } | Holder::Platform { mode, .. } => return Ok(caller.is_operator() && *mode == caller.mode),
        Holder::Merchant { merchant_id } | Holder::Terminal { merchant_id, .. } => *merchant_id,
    };
    if caller.merchant_id(Some(merchant_id)).is_err() {
        return Ok(false);
    }
    let merchant = service.world.store.merchant(merchant_id).await?;
    Ok(merchant.is_some_and(|merchant| merchant.mode == caller.mode))
}
