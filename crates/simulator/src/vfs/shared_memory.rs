//! The index of the write-ahead log, shared by the connections of one file, and its eight locks.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::ffi;

/// Regions of memory that never move while they exist, and who holds which locks.
#[derive(Debug, Default)]
pub struct SharedMemory {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Of atomics, because SQLite writes through pointers that several connections hold.
    regions: Vec<Box<[AtomicU64]>>,
    held: BTreeMap<u64, Held>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Held {
    shared: u32,
    exclusive: u32,
}

impl SharedMemory {
    /// The region's memory; `None` when it does not exist and is not to be made.
    pub fn region(&self, index: usize, bytes: usize, extend: bool) -> Option<*mut u8> {
        let mut state = self.lock();
        while extend && state.regions.len() <= index {
            state.regions.push((0..bytes.div_ceil(8)).map(|_| AtomicU64::new(0)).collect());
        }
        state.regions.get(index).map(|region| region.as_ptr().cast_mut().cast())
    }

    /// Takes or gives back locks for the open file `number`, as SQLite's flags say.
    pub fn change_locks(&self, number: u64, first: c_int, count: c_int, flags: c_int) -> c_int {
        let mask = ((1_u32 << count) - 1) << first;
        let mut state = self.lock();
        let others = state
            .held
            .iter()
            .filter(|(holder, _)| **holder != number)
            .fold(Held::default(), |all, (_, held)| Held { shared: all.shared | held.shared, exclusive: all.exclusive | held.exclusive });
        let mine = state.held.entry(number).or_default();
        let shared = flags & ffi::SQLITE_SHM_SHARED != 0;
        if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
            mine.shared &= !mask;
            mine.exclusive &= !mask;
        } else if shared && others.exclusive & mask == 0 {
            mine.shared |= mask;
        } else if !shared && (others.exclusive | others.shared) & mask == 0 {
            mine.exclusive |= mask;
        } else {
            return ffi::SQLITE_BUSY;
        }
        ffi::SQLITE_OK
    }

    /// Forgets the locks of a file that is closed; returns whether nobody is left.
    pub fn leave(&self, number: u64) -> bool {
        let mut state = self.lock();
        state.held.remove(&number);
        state.held.is_empty()
    }

    /// Counts a file in, before it has any lock.
    pub fn join(&self, number: u64) {
        self.lock().held.entry(number).or_default();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
