//! People: the operator's and the merchants'. A person may hold several credentials; what they do is done in the person's name.

use serde::{Deserialize, Serialize};

use crate::merchant::{Mode, Standing};
use crate::{MerchantId, PersonId, Timestamp};

/// Whose a person is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Side {
    /// The operator's, in one mode.
    Operator {
        /// The mode.
        mode: Mode,
    },
    /// One merchant's.
    Merchant {
        /// The merchant.
        merchant_id: MerchantId,
    },
}

/// A named person. The role bounds what every credential of the person may do, so that a changed role counts at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Ours.
    pub id: PersonId,
    /// Whose; never changes.
    pub side: Side,
    /// Who people see in timelines.
    pub name: String,
    /// The word of a role; what it allows is the shell's table.
    pub role: String,
    /// A suspended person's credentials prove nothing.
    pub standing: Standing,
    /// Since when.
    pub created_at: Timestamp,
}

impl Side {
    /// The merchant, when it is a merchant's.
    pub const fn merchant_id(&self) -> Option<MerchantId> {
        match self {
            Self::Merchant { merchant_id } => Some(*merchant_id),
            Self::Operator { .. } => None,
        }
    }
}

/// How a person is found: the merchant, or none for the operator's people, and the id.
pub type PersonKey = (Option<MerchantId>, PersonId);

impl Person {
    /// How it is found.
    pub const fn key(&self) -> PersonKey {
        (self.side.merchant_id(), self.id)
    }
}
