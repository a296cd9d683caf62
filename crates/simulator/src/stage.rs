//! What outlives every crash of a run: the clock, the disk's contents, the other parties and their memories.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use refundry_engine::Timestamp;
use refundry_engine::ids::EPOCH_MS;
use refundry_service::world::Clock as _;

use crate::acquirer::{AcquirerBook, LyingAcquirer};
use crate::cast::{ACQUIRERS, Cast};
use crate::clock::VirtualClock;
use crate::dice::SeededRandom;
use crate::line::Mishaps;
use crate::merchants::Merchants;
use crate::model::Model;
use crate::trace::Trace;

/// When every run begins: seven years after the ids begin to count.
const START_MS: i64 = EPOCH_MS + 7 * 365 * 86_400_000;

/// The world around the process.
pub struct Stage {
    /// Where the choices come from.
    pub seed: u64,
    /// The time.
    pub clock: VirtualClock,
    /// When the run began.
    pub begin: Timestamp,
    /// What happened.
    pub trace: Trace,
    /// What acquirers did.
    pub book: Arc<AcquirerBook>,
    /// The acquirers, in the order of their names in the cast.
    pub acquirers: Vec<Arc<LyingAcquirer>>,
    /// Receivers of notifications.
    pub merchants: Arc<Merchants>,
    /// What still gets lost between services and stores.
    pub mishaps: Arc<Mishaps>,
    /// Who takes part.
    pub cast: Cast,
    /// The service's random bytes.
    pub random: Arc<SeededRandom>,
    model: Mutex<Model>,
}

impl Stage {
    /// The stage of a seed.
    pub fn new(seed: u64) -> Self {
        let begin = Timestamp::from_ms(START_MS);
        let clock = VirtualClock::starting_at(begin);
        let trace = Trace::new(clock.clone());
        let book = Arc::new(AcquirerBook::default());
        let acquirer = |(place, name): (usize, &'static str)| {
            let (clock, trace, book) = (clock.clone(), trace.clone(), book.clone());
            Arc::new(LyingAcquirer { name, recognises_duplicates: place == 0, book, clock, trace, seed })
        };
        let merchants = Arc::new(Merchants::new(clock.clone(), trace.clone(), seed));
        let cast = Cast::of(seed, clock.now());
        Self {
            seed,
            begin,
            acquirers: ACQUIRERS.into_iter().enumerate().map(acquirer).collect(),
            model: Mutex::new(Model::new(&cast)),
            random: Arc::new(SeededRandom::new(seed, "service")),
            clock,
            trace,
            book,
            merchants,
            mishaps: Arc::default(),
            cast,
        }
    }

    /// What the auditor knows.
    pub fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
