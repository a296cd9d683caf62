//! Roles of people: sets of permissions with a name. What a role allows bounds every credential of a person who has it.

use refundry_engine::Refusal;
use refundry_engine::person::Side;

use crate::permissions::{Permission as May, Permissions};

/// A role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role {
    /// The name in storage and requests.
    pub word: &'static str,
    /// Whether the operator's people may have it.
    pub of_operator: bool,
    /// Whether merchants' people may have it.
    pub of_merchant: bool,
    /// What it allows.
    pub permissions: &'static [May],
}

const READ: &[May] = &[
    May::RefundsRead,
    May::PaymentsRead,
    May::SharesRead,
    May::DisputesRead,
    May::RatesRead,
    May::MerchantsRead,
    May::NotificationsRead,
    May::EventsRead,
    May::FundsRead,
    May::PayoutsRead,
];

/// Every role.
pub const ROLES: &[Role] = &[
    Role { word: "operator_admin", of_operator: true, of_merchant: false, permissions: May::ALL },
    Role {
        word: "merchant_admin",
        of_operator: false,
        of_merchant: true,
        permissions: &[
            May::RefundsWrite,
            May::RefundsRead,
            May::RefundsReview,
            May::PaymentsCapture,
            May::SharesWrite,
            May::SharesRead,
            May::ShipmentsWrite,
            May::PaymentsRead,
            May::DisputesWrite,
            May::DisputesRead,
            May::RatesRead,
            May::MerchantsRead,
            May::TerminalsWrite,
            May::KeysWrite,
            May::KeysRead,
            May::PeopleWrite,
            May::PeopleRead,
            May::NotificationsRead,
            May::NotificationsWrite,
            May::EventsRead,
            May::AuditRead,
            May::FundsRead,
            May::PayoutsRead,
        ],
    },
    Role {
        word: "reviewer",
        of_operator: true,
        of_merchant: true,
        permissions: &[May::RefundsRead, May::RefundsReview, May::PaymentsRead, May::MerchantsRead, May::EventsRead],
    },
    Role {
        word: "finance",
        of_operator: true,
        of_merchant: true,
        permissions: &[
            May::RefundsRead,
            May::PaymentsRead,
            May::SharesRead,
            May::MerchantsRead,
            May::EventsRead,
            May::AuditRead,
            May::FundsRead,
            May::FundsWrite,
            May::PayoutsRead,
            May::PayoutsWrite,
        ],
    },
    Role {
        word: "applicant",
        of_operator: false,
        of_merchant: true,
        permissions: &[May::RefundsWrite, May::RefundsRead, May::PaymentsRead, May::MerchantsRead, May::EventsRead],
    },
    Role { word: "read_only", of_operator: true, of_merchant: true, permissions: READ },
];

impl Role {
    /// The role of that name.
    pub fn find(word: &str) -> Option<&'static Self> {
        ROLES.iter().find(|role| role.word == word)
    }

    /// The role of that name, when people of that side may have it.
    pub fn for_side(word: &str, side: &Side) -> Result<&'static Self, Refusal> {
        let fits = |role: &&Self| match side {
            Side::Operator { .. } => role.of_operator,
            Side::Merchant { .. } => role.of_merchant,
        };
        Self::find(word).filter(fits).ok_or_else(|| {
            let known: Vec<&str> = ROLES.iter().filter(fits).map(|role| role.word).collect();
            Refusal::FieldInvalid { field: "role".to_owned(), rule: format!("one of: {}", known.join(", ")) }
        })
    }

    /// What it allows.
    pub fn allows(&self) -> Permissions {
        Permissions::of(self.permissions.iter().copied())
    }
}

/// What a stored role allows; nothing, when this version does not know it.
pub fn allowed_by(word: &str) -> Permissions {
    Role::find(word).map(Role::allows).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use refundry_engine::{MerchantId, Mode};

    #[test]
    fn roles_belong_to_a_side() {
        let (merchant, operator) = (Side::Merchant { merchant_id: MerchantId::new(1) }, Side::Operator { mode: Mode::Live });
        assert!(Role::for_side("operator_admin", &operator).is_ok() && Role::for_side("operator_admin", &merchant).is_err());
        assert!(Role::for_side("applicant", &merchant).is_ok() && Role::for_side("applicant", &operator).is_err());
        assert!(Role::for_side("king", &merchant).is_err());
        assert_eq!(allowed_by("king"), Permissions::default());
        for role in ROLES.iter().filter(|role| role.of_merchant) {
            assert!(!role.allows().contains(May::MerchantsWrite) && !role.allows().contains(May::PaymentsWrite), "{}", role.word);
        }
    }
}
