//! Secrets at rest: sealed under a master key that can be rotated.
//!
//! The sealed text is `v1.<key id>.<base64 of nonce and ciphertext>`, AES-256-GCM. The purpose (which column of
//! which row a secret belongs to) and the key id are bound as associated data, so that a sealed text that is
//! moved to another place does not open there. Nonces are random: one master key seals at most 2³² secrets, which
//! rotation keeps far away. Reading and writing the master key file is the server's affair, not this module's.

use crate::random::Random;
use arc_swap::ArcSwap;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Bytes of one master key.
pub const MASTER_KEY_BYTES: usize = 32;
/// Most keys that one set may hold: rotation is rare, and a longer file is a mistake.
pub const MASTER_KEYS_MAX: usize = 100;
const VERSION: &str = "v1";
const KEY_ID_LENGTH_MAX: usize = 32;

/// The current master key and the older ones that may still be needed to open.
pub struct MasterKeys {
    keys: ArcSwap<Vec<MasterKey>>,
    source: Option<KeySource>,
}

/// Where the text of the keys is read again; `None` when it cannot be read now.
pub type KeySource = Box<dyn Fn() -> Option<Zeroizing<String>> + Send + Sync>;

struct MasterKey {
    id: String,
    key: LessSafeKey,
}

/// Why a set of master keys could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeyError {
    /// There is not one key in the text.
    #[error("there is no master key; write one line `id:base64 of 32 random bytes` / 没有主密钥；请写入一行 `标识:32 字节随机数的 base64`")]
    Empty,
    /// More keys than [`MASTER_KEYS_MAX`].
    #[error(
        "there are more than {MASTER_KEYS_MAX} master keys; remove those that seal nothing any more / 主密钥超过 {MASTER_KEYS_MAX} 个；请删除不再使用的密钥"
    )]
    TooMany,
    /// The line (counted from 1) is not `id:base64`, or its key has not 32 bytes.
    #[error(
        "master key {line} is not `id:base64 of 32 bytes` with an id of letters, digits, - and _ / 第 {line} 个主密钥格式不正确，应为 `标识:32 字节的 base64`"
    )]
    Malformed {
        /// Which key, counted from 1.
        line: usize,
    },
    /// Two keys have one id.
    #[error("two master keys have the id {id}; each id may occur once / 主密钥标识 {id} 重复")]
    Repeated {
        /// The id that occurs twice.
        id: String,
    },
}

/// Why a sealed text did not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The text has not the form of a sealed secret.
    #[error("the sealed secret is malformed")]
    Malformed,
    /// The key that sealed it is not in the set.
    #[error("the secret was sealed under master key {id}, which is not in the master key file")]
    UnknownKey {
        /// The missing key's id.
        id: String,
    },
    /// The text was changed, moved to another purpose, or sealed under another key of the same id.
    #[error("the sealed secret does not open: it was changed, moved, or sealed under another master key")]
    DoesNotOpen,
}

impl MasterKeys {
    /// Reads `id:base64` entries separated by line ends, blanks or commas; the last one is current. Lines that begin
    /// with `#` are remarks.
    pub fn parse(text: &str) -> Result<MasterKeys, MasterKeyError> {
        Ok(MasterKeys { keys: ArcSwap::from_pointee(parse(text)?), source: None })
    }

    /// Reads the keys again from `source` when a secret names one that is not in the set: after a rotation by another process this one
    /// follows without being told.
    pub fn rereading(self, source: KeySource) -> MasterKeys {
        MasterKeys { source: Some(source), ..self }
    }

    /// Seals under the current key.
    pub fn seal(&self, purpose: &str, plain: &[u8], random: &dyn Random) -> String {
        let keys = self.keys.load();
        let MasterKey { id, key } = current(&keys);
        let mut nonce = [0_u8; NONCE_LEN];
        random.fill(&mut nonce);
        let mut in_out = plain.to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(associated(id, purpose)), &mut in_out)
            .expect("AES-GCM seals anything below 64 GiB");
        let mut bytes = nonce.to_vec();
        bytes.append(&mut in_out);
        format!("{VERSION}.{id}.{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Opens what [`seal`](Self::seal) made for the same purpose, with whichever key of the set it names.
    pub fn open(&self, purpose: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (id, text) = split(sealed)?;
        let keys = self.keys_with(id)?;
        let found = keys.iter().find(|key| key.id == id).map(|found| &found.key);
        let key = found.ok_or_else(|| SealError::UnknownKey { id: id.to_owned() })?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| SealError::Malformed)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(SealError::Malformed)?;
        let mut in_out = Zeroizing::new(sealed.to_vec());
        let length = key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(associated(id, purpose)), &mut in_out)
            .map_err(|_| SealError::DoesNotOpen)?
            .len();
        in_out.truncate(length);
        Ok(in_out)
    }

    /// Seals again under the current key; `None` when the text already is.
    pub fn reseal(&self, purpose: &str, sealed: &str, random: &dyn Random) -> Result<Option<String>, SealError> {
        let plain = self.open(purpose, sealed)?;
        if split(sealed)?.0 == self.current_id() {
            return Ok(None);
        }
        Ok(Some(self.seal(purpose, &plain, random)))
    }

    /// The id of the key that seals now.
    pub fn current_id(&self) -> String {
        current(&self.keys.load()).id.clone()
    }

    /// The ids of all keys, oldest first.
    pub fn ids(&self) -> Vec<String> {
        self.keys.load().iter().map(|key| key.id.clone()).collect()
    }

    fn keys_with(&self, id: &str) -> Result<Arc<Vec<MasterKey>>, SealError> {
        let keys = self.keys.load_full();
        if keys.iter().any(|key| key.id == id) {
            return Ok(keys);
        }
        let unknown = || SealError::UnknownKey { id: id.to_owned() };
        let text = self.source.as_ref().and_then(|source| source()).ok_or_else(unknown)?;
        let fresh = parse(&text).map(Arc::new).map_err(|_| unknown())?;
        // A set without the wanted key would only lose keys that still work.
        if fresh.iter().any(|key| key.id == id) {
            self.keys.store(fresh.clone());
            return Ok(fresh);
        }
        Err(unknown())
    }
}

impl std::fmt::Debug for MasterKeys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.ids()).finish()
    }
}

impl MasterKey {
    fn parse(entry: &str) -> Option<MasterKey> {
        let (id, text) = entry.split_once(':')?;
        let plain_id = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if id.is_empty() || id.len() > KEY_ID_LENGTH_MAX || !plain_id {
            return None;
        }
        let bytes = Zeroizing::new(BASE64_STANDARD.decode(text).ok()?);
        let key = UnboundKey::new(&AES_256_GCM, &bytes).ok()?;
        Some(MasterKey { id: id.to_owned(), key: LessSafeKey::new(key) })
    }
}

/// One fresh line of a master key file: `k<8 hex digits>:<base64>`.
pub fn new_master_key_line(random: &dyn Random) -> Zeroizing<String> {
    let mut id = [0_u8; 4];
    random.fill(&mut id);
    let mut key = Zeroizing::new([0_u8; MASTER_KEY_BYTES]);
    random.fill(&mut *key);
    let text = Zeroizing::new(BASE64_STANDARD.encode(*key));
    Zeroizing::new(format!("k{}:{}", hex::encode(id), *text))
}

fn parse(text: &str) -> Result<Vec<MasterKey>, MasterKeyError> {
    let entries = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let entries = entries.flat_map(|line| line.split([' ', '\t', ',', '\r'])).filter(|entry| !entry.is_empty());
    let mut keys: Vec<MasterKey> = Vec::new();
    for (index, entry) in entries.enumerate() {
        if index == MASTER_KEYS_MAX {
            return Err(MasterKeyError::TooMany);
        }
        let key = MasterKey::parse(entry).ok_or(MasterKeyError::Malformed { line: index + 1 })?;
        if keys.iter().any(|other| other.id == key.id) {
            return Err(MasterKeyError::Repeated { id: key.id });
        }
        keys.push(key);
    }
    if keys.is_empty() { Err(MasterKeyError::Empty) } else { Ok(keys) }
}

fn current(keys: &[MasterKey]) -> &MasterKey {
    keys.last().expect("parse refuses an empty set")
}

fn split(sealed: &str) -> Result<(&str, &str), SealError> {
    let (version, rest) = sealed.split_once('.').ok_or(SealError::Malformed)?;
    if version != VERSION {
        return Err(SealError::Malformed);
    }
    rest.split_once('.').ok_or(SealError::Malformed)
}

fn associated(id: &str, purpose: &str) -> String {
    format!("{VERSION}.{id}.{purpose}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::tests::CountingRandom;

    fn line(id: &str, byte: u8) -> String {
        format!("{id}:{}", BASE64_STANDARD.encode([byte; MASTER_KEY_BYTES]))
    }

    fn keys(text: &str) -> MasterKeys {
        MasterKeys::parse(text).expect("the test's keys are well formed")
    }

    #[test]
    fn what_is_sealed_opens_for_its_purpose_only() {
        let random = CountingRandom::default();
        let keys = keys(&line("a", 1));
        let sealed = keys.seal("terminal 7 signing key", b"secret", &random);
        assert!(sealed.starts_with("v1.a."), "{sealed}");
        assert!(!sealed.contains("secret"));
        assert_eq!(keys.open("terminal 7 signing key", &sealed).unwrap().as_slice(), b"secret");
        assert_eq!(keys.open("terminal 8 signing key", &sealed), Err(SealError::DoesNotOpen));
        assert_ne!(keys.seal("terminal 7 signing key", b"secret", &random), sealed, "each seal has its own nonce");
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let keys = keys(&line("a", 1));
        let sealed = keys.seal("p", b"secret", &CountingRandom::default());
        for index in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(keys.open("p", &changed).is_err(), "byte {index} of {sealed}");
        }
        for (text, error) in [
            ("", SealError::Malformed),
            ("v1.a", SealError::Malformed),
            ("v1.a.AAAA", SealError::Malformed),
            ("v2.a.AAAA", SealError::Malformed),
            ("v1.z.AAAA", SealError::UnknownKey { id: "z".into() }),
        ] {
            assert_eq!(keys.open("p", text), Err(error), "{text}");
        }
    }

    #[test]
    fn rotation_reseals_and_the_old_key_may_then_go() {
        let random = CountingRandom::default();
        let old = keys(&line("a", 1));
        let sealed = old.seal("p", b"secret", &random);
        let both = keys(&format!("# remark\n{}\n\n{}\n", line("a", 1), line("b", 2)));
        assert_eq!(both.current_id(), "b");
        let resealed = both.reseal("p", &sealed, &random).unwrap().expect("it was sealed under the older key");
        assert_eq!(both.reseal("p", &resealed, &random), Ok(None));
        let new = keys(&line("b", 2));
        assert_eq!(new.open("p", &resealed).unwrap().as_slice(), b"secret");
        assert_eq!(new.open("p", &sealed), Err(SealError::UnknownKey { id: "a".into() }));
    }

    #[test]
    fn a_rotation_elsewhere_is_followed_when_its_key_is_met() {
        let random = CountingRandom::default();
        let file = Arc::new(std::sync::Mutex::new(line("a", 1)));
        let source = file.clone();
        let serving = keys(&line("a", 1)).rereading(Box::new(move || Some(Zeroizing::new(source.lock().unwrap().clone()))));
        let old = serving.seal("p", b"old", &random);
        let both = format!("{} {}", line("a", 1), line("b", 2));
        let new = keys(&both).seal("p", b"new", &random);
        assert_eq!(serving.open("p", &new), Err(SealError::UnknownKey { id: "b".into() }));
        *file.lock().unwrap() = both;
        assert_eq!(serving.open("p", &old).unwrap().as_slice(), b"old");
        assert_eq!(serving.current_id(), "a", "nothing asked for the new key yet");
        assert_eq!(serving.open("p", &new).unwrap().as_slice(), b"new");
        assert_eq!(serving.current_id(), "b");
        *file.lock().unwrap() = "damaged".to_owned();
        let strange = keys(&line("c", 3)).seal("p", b"x", &random);
        assert_eq!(serving.open("p", &strange), Err(SealError::UnknownKey { id: "c".into() }));
        assert_eq!(serving.open("p", &new).unwrap().as_slice(), b"new", "what worked goes on working");
    }

    #[test]
    fn malformed_key_files_are_refused() {
        let short = format!("a:{}", BASE64_STANDARD.encode([1_u8; 16]));
        for (text, error) in [
            (String::new(), MasterKeyError::Empty),
            ("# only a remark\n".to_owned(), MasterKeyError::Empty),
            ("nonsense".to_owned(), MasterKeyError::Malformed { line: 1 }),
            (short, MasterKeyError::Malformed { line: 1 }),
            (format!("{} a b:{}", line("a", 1), line("c", 2)), MasterKeyError::Malformed { line: 2 }),
            (format!("{},{}", line("a", 1), line("a", 2)), MasterKeyError::Repeated { id: "a".into() }),
            ((0..=MASTER_KEYS_MAX).map(|id| line(&id.to_string(), 1)).collect::<Vec<_>>().join("\n"), MasterKeyError::TooMany),
        ] {
            assert_eq!(MasterKeys::parse(&text).err(), Some(error), "{text}");
        }
    }

    #[test]
    fn a_fresh_line_is_a_key() {
        let random = CountingRandom::default();
        let (first, second) = (new_master_key_line(&random), new_master_key_line(&random));
        let keys = keys(&format!("{}\n{}", *first, *second));
        assert_eq!(keys.ids().len(), 2);
        assert!(!format!("{keys:?}").contains(first.split_once(':').unwrap().1), "Debug shows ids only");
    }
}
