//! What a caller proves itself with. The secrets are sealed by the shell; the engine only keeps the rows.

use serde::{Deserialize, Serialize};

use crate::{CredentialId, MerchantId, Mode, PersonId, TerminalId, Timestamp};

/// Credentials that may be valid at once for one terminal and kind: two, so that a rotation can overlap.
pub const VALID_CREDENTIALS_MAX: usize = 2;

/// Who may use a credential, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Holder {
    /// The operator's systems and people: all merchants of one mode.
    Operator {
        /// The mode.
        mode: Mode,
    },
    /// One terminal of one merchant.
    Terminal {
        /// The merchant.
        merchant_id: MerchantId,
        /// The terminal.
        terminal_id: TerminalId,
    },
    /// One merchant, all its terminals.
    Merchant {
        /// The merchant.
        merchant_id: MerchantId,
    },
    /// A platform or agent: the merchants that are linked to it.
    Platform {
        /// The mode, which is that of every linked merchant.
        mode: Mode,
        /// The linked merchants.
        merchant_ids: Vec<MerchantId>,
    },
}

/// A credential: how it is found, what it proves, until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Ours.
    pub id: CredentialId,
    /// Who holds it.
    pub holder: Holder,
    /// The dialect that it is for, such as `native`, `antom`.
    pub dialect: String,
    /// The dialect's name for the caller: a client id, the public part of an API key. Unique per dialect and key version.
    pub lookup: String,
    /// What kind, as the dialect names it: `rsa`, `api_key`.
    pub scheme: String,
    /// Version of the key, from 1; requests may name it.
    pub key_version: u32,
    /// The caller's public key or the hash of its token, as text.
    pub proof: String,
    /// Our private key for answers and notifications, or the shared secret; sealed under the master key. Empty when there is none.
    pub sealed_secret: String,
    /// Our public key, handed to the caller. Empty when there is none.
    pub public_key: String,
    /// What the holder may do, such as `refunds:write`.
    pub permissions: Vec<String>,
    /// Who people see in timelines, unless it belongs to a person.
    pub name: String,
    /// The person that it belongs to, if it is a person's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_id: Option<PersonId>,
    /// The person who had it in hand first, for keys that name nobody: who asks with it is no other person than that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_by: Option<PersonId>,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when; the overlap of a rotation ends here.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Holder {
    /// The merchant that it belongs to, when it belongs to one.
    pub const fn merchant_id(&self) -> Option<MerchantId> {
        match self {
            Self::Merchant { merchant_id } | Self::Terminal { merchant_id, .. } => Some(*merchant_id),
            Self::Operator { .. } | Self::Platform { .. } => None,
        }
    }
}

impl Credential {
    /// Whether it proves anything at `now`.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}
