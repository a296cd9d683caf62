//! Randomness as an effect: production asks the operating system, the simulator supplies a seeded source.

/// A source of random bytes.
pub trait Random: Send + Sync {
    /// Fills all of `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's cryptographically secure source.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("aws-lc's generator never fails once the process has started");
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A predictable source for tests of this crate: a counter, mixed by one multiplication.
    #[derive(Default)]
    pub(crate) struct CountingRandom(AtomicU64);

    impl Random for CountingRandom {
        fn fill(&self, bytes: &mut [u8]) {
            for chunk in bytes.chunks_mut(8) {
                let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
                let mixed = count.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes();
                chunk.copy_from_slice(&mixed[..chunk.len()]);
            }
        }
    }

    #[test]
    fn the_system_source_does_not_repeat_itself() {
        let (mut first, mut second) = ([0_u8; 32], [0_u8; 32]);
        SystemRandom.fill(&mut first);
        SystemRandom.fill(&mut second);
        assert_ne!(first, second);
    }
}
