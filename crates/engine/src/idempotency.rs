//! The caller's name for one attempt at one intent, and what is remembered of it for ever.

use crate::{AdjustmentId, MerchantId, RefundId, Refusal, ShareId, Timestamp};

/// Letters of a merchant's refund number.
pub const NUMBER_LENGTH_MAX: usize = 64;

/// The scope of keys that stand for a number that the caller did not give.
pub const STAND_IN_SCOPE: &str = "stand-in";

/// The scope of keys that name proposals of adjustments.
const ADJUSTMENT_SCOPE: &str = "adjustment";
/// The dialect in which adjustments are proposed.
const NATIVE: &str = "native";

/// Names one intent: within a merchant, per dialect and the scope that the dialect chooses (Antom: the client id).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey {
    /// Whose.
    pub merchant_id: MerchantId,
    /// In which dialect.
    pub dialect: String,
    /// Within what, as the dialect says; may be empty.
    pub scope: String,
    /// The merchant's refund number.
    pub number: String,
}

impl IdempotencyKey {
    /// A key of the native interface that names the proposal of an adjustment.
    pub fn of_adjustment(merchant_id: MerchantId, number: String) -> Self {
        Self { merchant_id, dialect: NATIVE.to_owned(), scope: ADJUSTMENT_SCOPE.to_owned(), number }
    }

    /// Whether it names one. Other dialects choose their own scopes.
    pub fn is_of_adjustment(&self) -> bool {
        self.dialect == NATIVE && self.scope == ADJUSTMENT_SCOPE
    }
}

/// The fields that a dialect compares when a number comes again, by name, in their canonical text. In the dialect's own spelling, so that a
/// mismatch can name the field.
pub type ComparedFields = Vec<(String, String)>;

/// What was decided for a key. Stored with the refund in one commit, never deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The key.
    pub key: IdempotencyKey,
    /// What was asked.
    pub compared: ComparedFields,
    /// What was decided.
    pub decision: RememberedDecision,
    /// When.
    pub at: Timestamp,
}

/// The first answer to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RememberedDecision {
    /// This refund.
    Accepted(RefundId),
    /// This share; only of keys that name shares.
    Shared(ShareId),
    /// A receiver paid an advance back; only of keys that name recoveries.
    Recovered,
    /// Money was paid in, by the merchant or by the acquirer.
    ToppedUp,
    /// This adjustment was proposed; only of keys that name proposals.
    Proposed(AdjustmentId),
    /// Declined, and the dialect wants that remembered.
    Refused(Refusal),
}

impl RememberedDecision {
    /// What the key was used for.
    pub const fn type_word(&self) -> &'static str {
        match self {
            Self::Accepted(_) | Self::Refused(_) => "refund",
            Self::Shared(_) => "share",
            Self::Recovered => "recovery",
            Self::ToppedUp => "top_up",
            Self::Proposed(_) => "adjustment",
        }
    }
}

/// The first field in which two inputs differ: its name, what was sent first, what was sent now.
pub fn first_difference(first: &ComparedFields, now: &ComparedFields) -> Option<(String, String, String)> {
    let value_of = |fields: &ComparedFields, name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let names = first.iter().chain(now).map(|(name, _)| name);
    for name in names {
        let (before, after) = (value_of(first, name), value_of(now, name));
        if before != after {
            return Some((name.clone(), before.unwrap_or_default(), after.unwrap_or_default()));
        }
    }
    None
}
