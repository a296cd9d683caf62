//! Ids as the schema wants them: 64 bits, ordered by time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;

const EPOCH_MS: i64 = 1_577_836_800_000;
const NODE_BITS: u32 = 10;
const COUNTER_BITS: u32 = 12;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TEXT_LENGTH: usize = 13;

/// Makes ids.
pub struct Ids {
    node: i64,
    last: AtomicI64,
}

impl Ids {
    /// Of a node; numbers from 0 to 1023.
    pub const fn new(node: u16) -> Self {
        Self { node: (node & ((1 << NODE_BITS) - 1)) as i64, last: AtomicI64::new(0) }
    }

    /// So many ids in a row, which never come again: the first of them.
    pub fn take(&self, count: i64) -> i64 {
        let at_least = (now_us() / 1_000 - EPOCH_MS) << COUNTER_BITS;
        let taken = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(last.max(at_least) + count));
        // The counter runs on into the milliseconds that follow, as a clock that is a little ahead.
        let first = taken.map_or(at_least, |last| last.max(at_least));
        let (ms, counter) = (first >> COUNTER_BITS, first & ((1 << COUNTER_BITS) - 1));
        (ms << (NODE_BITS + COUNTER_BITS)) | (self.node << COUNTER_BITS) | counter
    }
}

/// As people see it: a prefix and thirteen characters.
pub fn id_text(prefix: &str, id: i64) -> String {
    let mut text = String::with_capacity(prefix.len() + 1 + TEXT_LENGTH);
    text.push_str(prefix);
    text.push('_');
    for place in (0..TEXT_LENGTH).rev() {
        let letter = usize::try_from((id >> (5 * place)) & 31).unwrap_or(0);
        text.push(char::from(ALPHABET[letter]));
    }
    text
}

/// Reads what [`id_text`] writes.
pub fn id_from(text: &str) -> anyhow::Result<i64> {
    let letters = text.split_once('_').map(|(_, letters)| letters).with_context(|| format!("{text:?} is no id"))?;
    letters.bytes().try_fold(0_i64, |id, letter| {
        let place = ALPHABET.iter().position(|known| *known == letter).with_context(|| format!("{text:?} is no id"))?;
        Ok((id << 5) | i64::try_from(place)?)
    })
}

/// Microseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "this is a program of its own, measured on the real clock")]
pub fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_and_are_read_as_they_are_written() {
        let ids = Ids::new(1_000);
        let made: Vec<i64> = (0..10_000).map(|_| ids.take(2)).collect();
        assert!(made.is_sorted_by(|one, next| one < next));
        for id in made {
            assert_eq!(id_from(&id_text("ref", id)).unwrap(), id);
        }
        assert_eq!(id_text("ref", 912_365_832_909_094_912), "ref_0saazwgfw0000");
    }
}
