//! 64-bit ids, ordered by time: 41 bits of milliseconds since 2020, 10 bits of node, 12 bits of counter.
//!
//! They are made outside (see [`IdBlock`]): the engine only reads them. People see a prefix and thirteen characters of Crockford's base 32.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Timestamp;

/// Milliseconds from 1970 to 2020-01-01T00:00:00Z, where ids begin to count.
pub const EPOCH_MS: i64 = 1_577_836_800_000;
/// Highest node number.
pub const NODE_MAX: u16 = (1 << NODE_BITS) - 1;
/// Ids that one node can make in one millisecond.
pub const IDS_PER_MS: u16 = 1 << COUNTER_BITS;
/// Ids in a block: what the largest verdict about one refund, payment or merchant may use.
pub const IDS_PER_BLOCK: u16 = 32;

const NODE_BITS: u32 = 10;
const COUNTER_BITS: u32 = 12;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TEXT_LENGTH: usize = 13;

/// Puts an id together; times before 2020 count as 2020.
pub fn compose(at_ms: i64, node: u16, counter: u16) -> i64 {
    let ms = (at_ms - EPOCH_MS).clamp(0, (1 << 41) - 1);
    (ms << (NODE_BITS + COUNTER_BITS)) | (i64::from(node & NODE_MAX) << COUNTER_BITS) | i64::from(counter & (IDS_PER_MS - 1))
}

/// The instant that an id carries, to the millisecond.
pub fn instant_of(id: i64) -> Timestamp {
    Timestamp::from_ms((id >> (NODE_BITS + COUNTER_BITS)) + EPOCH_MS)
}

/// The smallest id of an instant: a time filter on a table that is ordered by id is a range of ids.
pub fn first_id_at(at: Timestamp) -> i64 {
    compose(at.ms(), 0, 0)
}

/// A text that is no id of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text:?} is not an id of this kind; it looks like {prefix}_ and thirteen letters and digits")]
pub struct NotAnId {
    /// What was read, cut to a sane length.
    pub text: String,
    /// The prefix that was wanted.
    pub prefix: &'static str,
}

fn render(prefix: &str, id: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = [0u8; TEXT_LENGTH];
    for (place, letter) in text.iter_mut().rev().enumerate() {
        *letter = ALPHABET[((id >> (5 * place)) & 31) as usize];
    }
    f.write_str(prefix)?;
    f.write_str("_")?;
    f.write_str(std::str::from_utf8(&text).expect("the alphabet is ASCII"))
}

fn parse(prefix: &'static str, text: &str) -> Result<i64, NotAnId> {
    let wrong = || NotAnId { text: text.chars().take(40).collect(), prefix };
    let letters = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).ok_or_else(wrong)?;
    if letters.len() != TEXT_LENGTH {
        return Err(wrong());
    }
    let mut id: i64 = 0;
    for letter in letters.bytes() {
        let digit = ALPHABET.iter().position(|known| *known == letter).ok_or_else(wrong)?;
        id = id.checked_mul(32).and_then(|id| id.checked_add(digit as i64)).ok_or_else(wrong)?;
    }
    Ok(id)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// What stands before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Wraps a stored number.
            pub const fn new(id: i64) -> Self {
                Self(id)
            }

            /// The number that is stored.
            pub const fn get(self) -> i64 {
                self.0
            }

            /// When it was made, to the millisecond.
            pub fn instant(self) -> Timestamp {
                instant_of(self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                render($prefix, self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                parse($prefix, text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// The business that is paid.
    MerchantId = "mer";
    /// A merchant's acceptance channel.
    TerminalId = "ter";
    /// One purchase. It carries the payment's own time, so that imports of last year sort rightly.
    PaymentId = "pay";
    /// Money going back.
    RefundId = "ref";
    /// An order to share a payment's money.
    ShareId = "shr";
    /// A chargeback, dispute, retrieval or report of fraud.
    DisputeId = "dsp";
    /// The postings of one business event.
    EntryId = "ent";
    /// One message to one address.
    NotificationId = "ntf";
    /// A merchant's address for native notifications.
    EndpointId = "end";
    /// A credential: a key pair, an API key, a secret.
    CredentialId = "crd";
    /// A payment to a merchant's bank: the batch number of a payout.
    PayoutId = "pyt";
    /// What the operator takes or gives outside of payments and refunds.
    AdjustmentId = "adj";
    /// A named person of the operator or of a merchant.
    PersonId = "per";
    /// Something due; a refund's next step has the refund's number.
    TaskId = "tsk";
    /// A line of the audit log.
    AuditId = "aud";
}

/// Consecutive ids that the shell reserved for one command, so that the pure engine can name what it makes. Cloning it repeats it, as a
/// re-run of the same decision must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdBlock {
    next: i64,
    left: u16,
    taken: u16,
}

impl IdBlock {
    /// A block of [`IDS_PER_BLOCK`] ids from `first` on.
    pub const fn new(first: i64) -> Self {
        Self { next: first, left: IDS_PER_BLOCK, taken: 0 }
    }

    /// A block of `count` ids from `first` on, for a verdict about many.
    pub const fn of(first: i64, count: u16) -> Self {
        Self { next: first, left: count, taken: 0 }
    }

    /// How many ids are left.
    pub const fn left(&self) -> u16 {
        self.left
    }

    /// The next id of the block. Behind its end the ids are somebody else's: a verdict that took such a one must not be applied, see
    /// [`IdBlock::overdrawn`].
    pub const fn take(&mut self) -> i64 {
        let id = self.next;
        self.next += 1;
        self.taken = self.taken.saturating_add(1);
        self.left = self.left.saturating_sub(1);
        id
    }

    /// How many ids were wanted, when that is more than the block had: the events of a payment with many receivers need many.
    pub const fn overdrawn(&self, first: &Self) -> Option<u16> {
        if self.taken.saturating_sub(first.taken) > first.left { Some(self.taken.saturating_sub(first.taken)) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_keeps_its_time() {
        let id = RefundId::new(compose(EPOCH_MS + 123_456_789, 5, 77));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.instant().ms(), EPOCH_MS + 123_456_789);
        for text in ["ref_", "pay_0000000000000", "ref_000000000000u", "ref_zzzzzzzzzzzzz", ""] {
            assert!(text.parse::<RefundId>().is_err(), "{text}");
        }
    }
}
