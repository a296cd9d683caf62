//! What a credential may do: a static table of names. Who it may do it for is [`Caller`](crate::caller::Caller)'s affair.

use refundry_engine::Refusal;

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// One thing that a credential may do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Permission {
            $($(#[$doc])* $name,)*
        }

        impl Permission {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name in storage, requests and refusals.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            /// Reads the name.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|permission| permission.word() == word)
            }
        }
    };
}

permissions! {
    /// Ask for refunds, and cancel them.
    RefundsWrite = "refunds:write";
    /// See refunds.
    RefundsRead = "refunds:read";
    /// Decide about refunds in review.
    RefundsReview = "refunds:review";
    /// Record and settle payments.
    PaymentsWrite = "payments:write";
    /// Capture and void authorised payments.
    PaymentsCapture = "payments:capture";
    /// Share payments' money with other merchants.
    SharesWrite = "shares:write";
    /// See shares, and what receivers owe for advances.
    SharesRead = "shares:read";
    /// Take from receivers what was advanced for them.
    AdvancesRecover = "advances:recover";
    /// Tell the tracking numbers of payments.
    ShipmentsWrite = "shipments:write";
    /// Answer disputes, and agree with chargebacks.
    DisputesWrite = "disputes:write";
    /// See disputes.
    DisputesRead = "disputes:read";
    /// Tell of disputes, and of what the other side decides.
    DisputesRecord = "disputes:record";
    /// Import rates of days.
    RatesWrite = "rates:write";
    /// See rates of days.
    RatesRead = "rates:read";
    /// See payments.
    PaymentsRead = "payments:read";
    /// Make and change merchants.
    MerchantsWrite = "merchants:write";
    /// See merchants and their terminals.
    MerchantsRead = "merchants:read";
    /// Make and change terminals, and force answers.
    TerminalsWrite = "terminals:write";
    /// Make, rotate and revoke credentials.
    KeysWrite = "keys:write";
    /// See credentials, without secrets.
    KeysRead = "keys:read";
    /// Add and change people.
    PeopleWrite = "people:write";
    /// See people.
    PeopleRead = "people:read";
    /// See notifications and endpoints.
    NotificationsRead = "notifications:read";
    /// Make endpoints, replay notifications.
    NotificationsWrite = "notifications:write";
    /// Read the event feed.
    EventsRead = "events:read";
    /// Read the audit log.
    AuditRead = "audit:read";
    /// Pay money in.
    FundsWrite = "funds:write";
    /// See balances.
    FundsRead = "funds:read";
    /// Prepare payouts and move them on, change their terms, propose and book adjustments.
    PayoutsWrite = "payouts:write";
    /// See payouts with their statements, their terms, and adjustments.
    PayoutsRead = "payouts:read";
}

/// What a wire dialect needs: refunds, and nothing else.
pub const DIALECT: &[Permission] = &[Permission::RefundsWrite, Permission::RefundsRead];

/// What a wire dialect needs that also speaks of orders.
pub const ORDERS_DIALECT: &[Permission] =
    &[Permission::RefundsWrite, Permission::RefundsRead, Permission::PaymentsRead, Permission::PaymentsCapture, Permission::ShipmentsWrite];

/// What a wire dialect needs that also speaks of shares, and of the orders whose money is shared.
pub const SHARES_DIALECT: &[Permission] = &[
    Permission::RefundsWrite,
    Permission::RefundsRead,
    Permission::PaymentsRead,
    Permission::PaymentsCapture,
    Permission::SharesWrite,
    Permission::SharesRead,
];

/// What a merchant's own native key has when nothing else is said.
pub const MERCHANT: &[Permission] = &[
    Permission::RefundsWrite,
    Permission::RefundsRead,
    Permission::PaymentsRead,
    Permission::SharesRead,
    Permission::ShipmentsWrite,
    Permission::MerchantsRead,
    Permission::NotificationsRead,
    Permission::NotificationsWrite,
    Permission::EventsRead,
    Permission::FundsRead,
    Permission::PayoutsRead,
    Permission::DisputesWrite,
    Permission::DisputesRead,
    Permission::RatesRead,
];

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u32);

impl Permissions {
    /// Reads stored names; a name of a later version is passed over, because it cannot be used here.
    pub fn from_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self::of(words.into_iter().filter_map(Permission::from_word))
    }

    /// These.
    pub fn of(permissions: impl IntoIterator<Item = Permission>) -> Self {
        Self(permissions.into_iter().fold(0, |bits, permission| bits | bit(permission)))
    }

    /// Whether it is among them.
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & bit(permission) != 0
    }

    /// Those that are in both.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// Whether all of `others` are among them: nobody hands out more than they have.
    pub const fn covers(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// The names, in the order of the table.
    pub fn words(self) -> Vec<String> {
        let held = Permission::ALL.iter().filter(|permission| self.contains(**permission));
        held.map(|permission| permission.word().to_owned()).collect()
    }
}

/// The refusal that names a missing permission.
pub fn missing(permission: Permission) -> Refusal {
    Refusal::NotAllowed { permission: permission.word().to_owned() }
}

const fn bit(permission: Permission) -> u32 {
    1 << (permission as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_sets_cover_their_parts() {
        for permission in Permission::ALL {
            assert_eq!(Permission::from_word(permission.word()), Some(*permission));
        }
        let all = Permissions::of(Permission::ALL.iter().copied());
        let some = Permissions::from_words(["refunds:read", "from:the_future", "events:read"]);
        assert!(all.covers(some) && !some.covers(all));
        assert!(some.contains(Permission::RefundsRead) && !some.contains(Permission::RefundsWrite));
        assert_eq!(some.words(), ["refunds:read", "events:read"]);
        assert!(Permission::ALL.len() <= 32, "a set has 32 bits");
    }
}
