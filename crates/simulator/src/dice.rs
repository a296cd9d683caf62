//! Every choice of a run, from its seed: the same seed throws the same numbers.

use std::sync::{Mutex, PoisonError};

use refundry_service::random::Random;

/// A stream of numbers (SplitMix64): small, fast, and good enough to choose by. Never used for secrets outside a simulation.
#[derive(Clone, Debug)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// The stream of one purpose of one seed, so that what one part throws does not shift what another gets.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut dice = Self { state: seed ^ 0x5EED_0F4E_F0DD_1E55 };
        for byte in purpose.bytes() {
            dice.state = dice.throw().wrapping_add(u64::from(byte));
        }
        dice
    }

    /// Any number.
    pub fn throw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `limit - 1`; 0 when there is nothing to choose from.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.throw() % limit).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = high.saturating_sub(low).unsigned_abs().saturating_add(1);
        low.saturating_add(i64::try_from(self.throw() % width).unwrap_or(0))
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, chance: u32) -> bool {
        self.throw() % 100 < u64::from(chance)
    }

    /// One of them.
    ///
    /// # Panics
    /// When there are none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// The service's random bytes, from the seed.
#[derive(Debug)]
pub struct SeededRandom(Mutex<Dice>);

impl SeededRandom {
    /// A stream of its own.
    pub fn new(seed: u64, purpose: &str) -> Self {
        Self(Mutex::new(Dice::new(seed, purpose)))
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let mut dice = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            let number = dice.throw().to_le_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_of_a_seed_repeats_and_differs_from_others() {
        let throw = |seed, purpose| {
            (0..4)
                .map({
                    let mut dice = Dice::new(seed, purpose);
                    move |_| dice.throw()
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(throw(1, "disk"), throw(1, "disk"));
        assert_ne!(throw(1, "disk"), throw(2, "disk"));
        assert_ne!(throw(1, "disk"), throw(1, "plan"));
    }
}
