//! Takes connections to a server away at the moments that matter: before anything is begun, before the commit, and while its answer is on its way.
//! None of it may be noticed by anybody but the lane.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use refundry_store::{ConnectionFaults, Moment};

use crate::dice::Dice;

/// Of a thousand moments so many are bad ones.
const PER_MILLE: usize = 15;
/// A new connection takes a server some milliseconds of real time.
const LOST_MAX: u64 = 8;

/// Decides by the dice.
pub struct LostConnections {
    dice: Mutex<Dice>,
    count: AtomicU64,
}

impl LostConnections {
    /// Those of a seed.
    pub fn of(seed: u64) -> Self {
        Self { dice: Mutex::new(Dice::new(seed, "connections")), count: AtomicU64::new(0) }
    }

    /// How many were taken away.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

impl ConnectionFaults for LostConnections {
    fn takes_connection(&self, _moment: Moment) -> bool {
        let thrown = self.dice.lock().unwrap_or_else(PoisonError::into_inner).below(1_000);
        let takes = thrown < PER_MILLE && self.count() < LOST_MAX;
        if takes {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        takes
    }
}
