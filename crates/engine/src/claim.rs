//! What a merchant owes for one payment beyond what that payment captured, and what became of the debt.

use serde::{Deserialize, Serialize};

use crate::payment::Payment;

/// What the books remember of a payment's exposure beside its refunds and chargebacks, in minor units of its currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Claim {
    /// What the acquirer paid of refunds that had ended unpaid.
    #[serde(skip_serializing_if = "is_nothing")]
    pub late_minor: i64,
    /// What the merchant paid of the debt, out of its available money.
    #[serde(skip_serializing_if = "is_nothing")]
    pub collected_minor: i64,
    /// What of it the operator bears.
    #[serde(skip_serializing_if = "is_nothing")]
    pub written_off_minor: i64,
}

/// How a debt became smaller: the parts sum to what it became smaller by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shrunk {
    /// What was still owed.
    pub(crate) owed_minor: i64,
    /// What the operator had borne.
    pub(crate) written_off_minor: i64,
    /// What the merchant had paid.
    pub(crate) collected_minor: i64,
}

impl Claim {
    /// The reason for so much of the debt is gone, of which `owed` was open: first what is open goes, then what was written off, then what was paid.
    pub(crate) fn shrink(&mut self, owed: i64, minor: i64) -> Shrunk {
        let owed_minor = minor.min(owed.max(0));
        let written_off_minor = (minor - owed_minor).min(self.written_off_minor);
        let collected_minor = minor - owed_minor - written_off_minor;
        self.written_off_minor -= written_off_minor;
        self.collected_minor = self.collected_minor.saturating_sub(collected_minor);
        Shrunk { owed_minor, written_off_minor, collected_minor }
    }
}

impl Payment {
    /// What the merchant owes for it, in minor units: what is beyond the captured amount and what was paid of refunds that had ended, less what was
    /// collected and written off.
    pub fn exposure(&self) -> i64 {
        let Claim { late_minor, collected_minor, written_off_minor } = self.settling.claim;
        self.beyond_captured().saturating_add(late_minor).saturating_sub(collected_minor).saturating_sub(written_off_minor)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
const fn is_nothing(minor: &i64) -> bool {
    *minor == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_goes_first_then_the_operators_part_then_the_merchants() {
        for (owed, written_off, collected, minor, expected) in
            [(100, 0, 0, 60, (60, 0, 0)), (10, 20, 30, 60, (10, 20, 30)), (0, 20, 30, 10, (0, 10, 0)), (0, 0, 30, 30, (0, 0, 30))]
        {
            let mut claim = Claim { late_minor: 0, collected_minor: collected, written_off_minor: written_off };
            let shrunk = claim.shrink(owed, minor);
            assert_eq!((shrunk.owed_minor, shrunk.written_off_minor, shrunk.collected_minor), expected);
            assert_eq!(claim.written_off_minor + claim.collected_minor, written_off + collected - expected.1 - expected.2);
        }
    }
}
