//! Credentials by the name that a caller gives, parsed once and kept: an RSA key costs as much to parse as to use, and a sealed secret is opened
//! once. The cache is emptied by every commit of this process that touches credentials, terminals or merchants; what other processes change is
//! seen when an entry is older than [`KEY_AGE_MS_MAX`]. Callers that do not exist are not kept: there is no end of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use refundry_dialects::scheme::{API_KEY, RSA, SECURE_CODE, SM2};
use refundry_dialects::{Keys, Signer};
use refundry_engine::credential::{Credential, Holder};
use refundry_engine::merchant::Terminal;
use refundry_engine::{MerchantId, TerminalId, Timestamp};
use refundry_store::{PAGE_LIMIT_MAX, PageRequest, Store, StoreError};

use crate::caller::Caller;
use crate::seal::MasterKeys;
use crate::signatures::{RsaSigner, RsaVerifier, Sm2Signer, Sm2Verifier, constant_time_equal, sha256_of};
use crate::tokens::token_fits;
use zeroize::Zeroizing;

/// Age from which on an entry is not used any more, so that the changes of other processes are seen.
pub const KEY_AGE_MS_MAX: i64 = 2_000;
/// Age at which one of those who use an entry reads it again, so that under load nobody comes to find it too old.
const KEY_AGE_MS_REFRESH: i64 = 1_000;
/// Callers whose keys are kept, at most; a shard that is full begins anew.
pub const CALLERS_MAX: usize = 16_384;

/// Credentials of one merchant that are looked through for those of a terminal, at most.
const TERMINAL_PAGES_MAX: usize = 20;
const SHARDS: usize = 16;

/// What a sealed secret of a credential is bound to.
pub fn credential_purpose(credential: &Credential) -> String {
    format!("credential {}", credential.id)
}

/// A credential with its keys parsed. As a [`Signer`] it signs with our private key.
pub struct KnownCredential {
    /// The stored row.
    pub credential: Credential,
    /// Who it stands for; `None` when its merchant or terminal is gone.
    pub caller: Option<Arc<Caller>>,
    verifier: Option<AnyVerifier>,
    signer: Option<AnySigner>,
    secret: Option<Zeroizing<Vec<u8>>>,
}

/// A caller's public key.
enum AnyVerifier {
    Rsa(RsaVerifier),
    Sm2(Sm2Verifier),
}

/// Our private key.
enum AnySigner {
    Rsa(RsaSigner),
    Sm2(Sm2Signer),
}

/// All credentials of one name or terminal, newest version first.
pub struct KnownCaller {
    /// The credentials, also those that are not valid any more.
    pub credentials: Vec<Arc<KnownCredential>>,
    read_at: Timestamp,
    /// Somebody reads it again already.
    refreshing: AtomicBool,
}

/// How an entry of the cache is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Lookup(&'static str, String),
    Terminal(MerchantId, TerminalId),
}

/// The kept callers, by shards so that threads seldom meet.
#[derive(Default)]
pub(crate) struct KeyCache {
    shards: [Mutex<BTreeMap<Name, Arc<KnownCaller>>>; SHARDS],
    /// Rises when everything is forgotten, so that what was read before is not kept after.
    generation: AtomicU64,
}

/// Finds credentials and keeps them.
pub struct Keyring {
    store: Arc<dyn Store>,
    master_keys: Arc<MasterKeys>,
    cache: Arc<KeyCache>,
}

impl Keyring {
    pub(crate) fn new(store: Arc<dyn Store>, master_keys: Arc<MasterKeys>, cache: Arc<KeyCache>) -> Self {
        Self { store, master_keys, cache }
    }

    /// The credentials that a dialect's name for a caller stands for; `None` when there is not one row, valid or not.
    pub async fn by_lookup(&self, dialect: &'static str, lookup: &str, now: Timestamp) -> Result<Option<Arc<KnownCaller>>, StoreError> {
        self.find(Name::Lookup(dialect, lookup.to_owned()), now).await
    }

    /// The credentials of a terminal in its own dialect: for notifications, where nobody calls.
    pub async fn by_terminal(
        &self,
        merchant_id: MerchantId,
        terminal_id: TerminalId,
        now: Timestamp,
    ) -> Result<Option<Arc<KnownCaller>>, StoreError> {
        self.find(Name::Terminal(merchant_id, terminal_id), now).await
    }

    async fn find(&self, name: Name, now: Timestamp) -> Result<Option<Arc<KnownCaller>>, StoreError> {
        let kept = self.cache.shard(&name).get(&name).cloned();
        let Some(kept) = kept else {
            return self.read(name, None, now).await;
        };
        let age_ms = now.ms().saturating_sub(kept.read_at.ms());
        // A clock that went back says nothing about an age.
        if !(0..KEY_AGE_MS_MAX).contains(&age_ms) {
            return self.read(name, Some(&kept), now).await;
        }
        if age_ms < KEY_AGE_MS_REFRESH || kept.refreshing.swap(true, Ordering::Relaxed) {
            return Ok(Some(kept));
        }
        let read = self.read(name, Some(&kept), now).await;
        if read.is_err() {
            kept.refreshing.store(false, Ordering::Relaxed);
        }
        read
    }

    async fn read(&self, name: Name, kept: Option<&KnownCaller>, now: Timestamp) -> Result<Option<Arc<KnownCaller>>, StoreError> {
        let generation = self.cache.generation.load(Ordering::SeqCst);
        let mut rows = match &name {
            Name::Lookup(dialect, lookup) => self.store.credentials_by_lookup(dialect, lookup).await?,
            Name::Terminal(merchant_id, terminal_id) => self.rows_of_terminal(*merchant_id, *terminal_id).await?,
        };
        if rows.is_empty() {
            self.cache.shard(&name).remove(&name);
            return Ok(None);
        }
        rows.sort_by_key(|row| std::cmp::Reverse((row.key_version, row.created_at, row.id)));
        let mut credentials = Vec::with_capacity(rows.len());
        for row in rows {
            let parsed = kept.and_then(|kept| kept.credentials.iter().find(|known| known.credential == row));
            credentials.push(self.known(row, parsed).await?);
        }
        let caller = Arc::new(KnownCaller { credentials, read_at: now, refreshing: AtomicBool::new(false) });
        self.cache.keep(name, caller.clone(), generation);
        Ok(Some(caller))
    }

    async fn rows_of_terminal(&self, merchant_id: MerchantId, terminal_id: TerminalId) -> Result<Vec<Credential>, StoreError> {
        let Some(terminal) = self.store.terminal(merchant_id, terminal_id).await? else { return Ok(Vec::new()) };
        let wanted = Holder::Terminal { merchant_id, terminal_id };
        let mut rows = Vec::new();
        let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
        for _ in 0..TERMINAL_PAGES_MAX {
            let read = self.store.credentials(Some(merchant_id), page).await?;
            rows.extend(read.rows.into_iter().filter(|row| row.holder == wanted && row.dialect == terminal.dialect));
            let Some(next) = read.next else { break };
            page.after = Some(next);
        }
        Ok(rows)
    }

    async fn known(&self, row: Credential, before: Option<&Arc<KnownCredential>>) -> Result<Arc<KnownCredential>, StoreError> {
        let (merchant, terminal) = match &row.holder {
            Holder::Operator { .. } | Holder::Platform { .. } => (None, None),
            Holder::Merchant { merchant_id } => (self.store.merchant(*merchant_id).await?, None),
            Holder::Terminal { merchant_id, terminal_id } => {
                (self.store.merchant(*merchant_id).await?, self.store.terminal(*merchant_id, *terminal_id).await?)
            }
        };
        let person = match row.person_id {
            Some(id) => self.store.person(row.holder.merchant_id(), id).await?,
            None => None,
        };
        if let Some(before) = before.filter(|before| before.is_about(merchant.as_ref(), terminal.as_ref(), person.as_ref())) {
            return Ok(before.clone());
        }
        let caller = Caller::of(&row, merchant.map(Arc::new), terminal.map(Arc::new), person.map(Arc::new)).map(Arc::new);
        let verifier = match row.scheme.as_str() {
            RSA => RsaVerifier::parse(&row.proof).ok().map(AnyVerifier::Rsa),
            SM2 => Sm2Verifier::parse(&row.proof).ok().map(AnyVerifier::Sm2),
            _ => None,
        };
        let (signer, secret) = (self.open_signer(&row), self.open_secret(&row));
        Ok(Arc::new(KnownCredential { credential: row, caller, verifier, signer, secret }))
    }

    /// Our private key of a credential. One that does not open is logged and left out: the caller is then answered with the gateway's own key.
    fn open_signer(&self, row: &Credential) -> Option<AnySigner> {
        if !matches!(row.scheme.as_str(), RSA | SM2) || row.sealed_secret.is_empty() {
            return None;
        }
        let opened = self.master_keys.open(&credential_purpose(row), &row.sealed_secret);
        let opened = opened.inspect_err(|cause| tracing::error!(credential = %row.id, %cause, "a signing key does not open")).ok()?;
        let text = std::str::from_utf8(&opened).unwrap_or_default();
        let parsed =
            if row.scheme == SM2 { Sm2Signer::parse(text).map(AnySigner::Sm2) } else { RsaSigner::parse(text).map(AnySigner::Rsa) };
        parsed.inspect_err(|cause| tracing::error!(credential = %row.id, %cause, "a signing key cannot be read")).ok()
    }

    /// The secret that we share with the caller. One that does not open is logged and left out: nothing proves its caller then.
    fn open_secret(&self, row: &Credential) -> Option<Zeroizing<Vec<u8>>> {
        if row.scheme != SECURE_CODE || row.sealed_secret.is_empty() {
            return None;
        }
        let opened = self.master_keys.open(&credential_purpose(row), &row.sealed_secret);
        opened.inspect_err(|cause| tracing::error!(credential = %row.id, %cause, "a shared secret does not open")).ok()
    }
}

impl KnownCredential {
    /// The terminal that it belongs to.
    pub fn terminal(&self) -> Option<&Terminal> {
        self.caller.as_ref()?.terminal.as_deref()
    }

    /// Whether it has our private key, or a secret that we share.
    pub const fn can_sign(&self) -> bool {
        self.signer.is_some() || self.secret.is_some()
    }

    fn is_about(
        &self,
        merchant: Option<&refundry_engine::merchant::Merchant>,
        terminal: Option<&refundry_engine::merchant::Terminal>,
        person: Option<&refundry_engine::person::Person>,
    ) -> bool {
        let Some(caller) = &self.caller else { return false };
        caller.merchant.as_deref() == merchant && caller.terminal.as_deref() == terminal && caller.person.as_deref() == person
    }
}

impl Signer for KnownCredential {
    fn key_version(&self) -> u32 {
        self.credential.key_version
    }

    fn rsa_sha256(&self, message: &[u8]) -> Vec<u8> {
        match &self.signer {
            Some(AnySigner::Rsa(signer)) => signer.sign(message),
            Some(AnySigner::Sm2(_)) | None => Vec::new(),
        }
    }

    fn sm2_sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match &self.signer {
            Some(AnySigner::Sm2(signer)) => Some(signer.sign(message)),
            Some(AnySigner::Rsa(_)) | None => None,
        }
    }

    fn secret_sha256(&self, message: &[u8]) -> Option<[u8; 32]> {
        self.secret.as_ref().map(|secret| sha256_of(&[message, secret]))
    }
}

impl KnownCaller {
    /// The newest credential that is valid and can sign.
    pub fn signer(&self, now: Timestamp) -> Option<Arc<KnownCredential>> {
        self.credentials.iter().find(|known| known.credential.is_valid_at(now) && known.can_sign()).cloned()
    }

    /// The credential that signs what nobody asked for. Of two shared secrets the older one does, until it ends: a receiver learns a new secret some
    /// time after it was issued, and is told by ending the older one when that is done. A receiver with our public key verifies with the newest.
    pub fn notice_signer(&self, now: Timestamp) -> Option<Arc<KnownCredential>> {
        let older = self.credentials.iter().rev().find(|known| known.credential.is_valid_at(now) && known.secret.is_some());
        older.cloned().or_else(|| self.signer(now))
    }

    /// Whether any credential ever could sign for us, valid or not: errors about an expired key are signed with it.
    pub fn last_signer(&self) -> Option<Arc<KnownCredential>> {
        self.credentials.iter().find(|known| known.can_sign()).cloned()
    }

    /// The terminal that its credentials belong to.
    pub fn terminal(&self) -> Option<&Terminal> {
        self.credentials.iter().find_map(|known| known.terminal())
    }

    /// The keys for one request made at `now`.
    pub fn keys<'a>(&'a self, scheme: &'a str, now: Timestamp) -> CallerKeys<'a> {
        CallerKeys { known: self, scheme, now, proved_by: std::cell::Cell::new(None) }
    }
}

/// The valid keys of the claimed caller, for one request. It remembers which of them proved it, because the answer is signed with our key of the
/// same version: a merchant in the middle of a rotation still verifies with the older one.
pub struct CallerKeys<'a> {
    known: &'a KnownCaller,
    scheme: &'a str,
    now: Timestamp,
    proved_by: std::cell::Cell<Option<usize>>,
}

impl CallerKeys<'_> {
    /// The credential that proved the request.
    pub fn proved_by(&self) -> Option<&Arc<KnownCredential>> {
        self.proved_by.get().and_then(|index| self.known.credentials.get(index))
    }

    fn valid(&self) -> impl Iterator<Item = (usize, &KnownCredential)> {
        let all = self.known.credentials.iter().enumerate().map(|(index, known)| (index, known.as_ref()));
        all.filter(|(_, known)| known.credential.scheme == self.scheme && known.credential.is_valid_at(self.now))
    }

    fn prove(&self, mut fits: impl FnMut(&KnownCredential) -> bool) -> bool {
        let proved = self.valid().find(|(_, known)| fits(known)).map(|(index, _)| index);
        self.proved_by.set(proved);
        proved.is_some()
    }
}

impl Keys for CallerKeys<'_> {
    fn is_empty(&self) -> bool {
        let proves = |known: &KnownCredential| match known.credential.scheme.as_str() {
            API_KEY => !known.credential.proof.is_empty(),
            _ => known.verifier.is_some() || known.secret.is_some(),
        };
        !self.valid().any(|(_, known)| proves(known))
    }

    fn rsa_sha256(&self, key_version: Option<u32>, message: &[u8], signature: &[u8]) -> bool {
        let named = |known: &KnownCredential| key_version.is_none_or(|version| known.credential.key_version == version);
        let fits = |known: &KnownCredential| matches!(&known.verifier, Some(AnyVerifier::Rsa(key)) if key.verify(message, signature));
        self.prove(|known| named(known) && fits(known))
    }

    fn sm2(&self, message: &[u8], signature: &[u8]) -> bool {
        self.prove(|known| matches!(&known.verifier, Some(AnyVerifier::Sm2(key)) if key.verify(message, signature)))
    }

    fn token(&self, token: &str) -> bool {
        self.prove(|known| known.credential.scheme == API_KEY && token_fits(token, &known.credential.proof))
    }

    fn secret_sha256(&self, message: &[u8], digest: &[u8]) -> bool {
        self.prove(|known| known.secret_sha256(message).is_some_and(|expected| constant_time_equal(&expected, digest)))
    }

    fn account(&self) -> Option<&str> {
        self.known.terminal()?.wire.account.as_deref()
    }

    fn demands_signed_time(&self) -> bool {
        self.known.terminal().is_some_and(|terminal| terminal.wire.demands_signed_time)
    }

    fn now(&self) -> Timestamp {
        self.now
    }
}

impl KeyCache {
    /// Forgets every caller: a credential, terminal or merchant changed.
    pub(crate) fn forget_all(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        for shard in &self.shards {
            lock(shard).clear();
        }
    }

    fn keep(&self, name: Name, caller: Arc<KnownCaller>, generation: u64) {
        let mut shard = self.shard(&name);
        if self.generation.load(Ordering::SeqCst) != generation {
            return;
        }
        if shard.len() >= CALLERS_MAX / SHARDS {
            shard.clear();
        }
        shard.insert(name, caller);
    }

    fn shard(&self, name: &Name) -> MutexGuard<'_, BTreeMap<Name, Arc<KnownCaller>>> {
        let place = match name {
            Name::Lookup(_, lookup) => lookup.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())),
            Name::Terminal(_, terminal_id) => usize::try_from(terminal_id.get() & 0xFFFF).unwrap_or(0),
        };
        lock(&self.shards[place % SHARDS])
    }
}

fn lock(shard: &Mutex<BTreeMap<Name, Arc<KnownCaller>>>) -> MutexGuard<'_, BTreeMap<Name, Arc<KnownCaller>>> {
    // The map is whole between any two operations on it, also when a thread ended in between.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
