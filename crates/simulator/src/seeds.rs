//! Many seeds at once, on as many threads as wanted: each run is alone on its thread, so its bytes are the same whatever runs beside it.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::differential::run_on_both;
use crate::model::Violation;
use crate::plan::Plan;
use crate::run::{Figures, RunReport, run};
use crate::server::Server;

/// What became of many seeds.
#[derive(Debug, Default)]
pub struct SeedsReport {
    /// Seeds that were run.
    pub seeds: u64,
    /// Sums over all of them.
    pub figures: Figures,
    /// Seeds that broke a rule, in rising order.
    pub failures: Vec<(u64, Violation)>,
    /// Seeds whose second run wrote other bytes.
    pub unequal: Vec<u64>,
}

/// How many seeds are run.
#[derive(Clone, Debug)]
pub struct SeedsWanted {
    /// Which.
    pub seeds: RangeInclusive<u64>,
    /// Of the first ones, how many are run twice.
    pub twice: u64,
    /// Threads.
    pub jobs: usize,
    /// Whether the first failure ends it.
    pub stop_at_first: bool,
    /// Whether each plan is run on both engines.
    pub both_engines: bool,
}

/// Where the runs of one thread take place, one after the other.
pub enum Place {
    /// On SQLite, with everything that can go wrong with a disk.
    Disk,
    /// On both engines, compared; the database of PostgreSQL is this thread's own.
    BothEngines(Arc<Server>),
}

impl Place {
    /// A new place, with a database of its own where one is needed.
    pub fn new(both_engines: bool) -> Self {
        if both_engines { Self::BothEngines(Arc::new(Server::create())) } else { Self::Disk }
    }

    /// The plan of a seed for this place.
    pub fn plan(&self, seed: u64) -> Plan {
        match self {
            Self::Disk => Plan::of(seed),
            Self::BothEngines(_) => Plan::without_disk(seed),
        }
    }

    /// Runs a plan.
    pub fn run(&self, plan: &Plan) -> RunReport {
        match self {
            Self::Disk => run(plan),
            Self::BothEngines(server) => run_on_both(plan, server),
        }
    }
}

/// Runs them.
pub fn run_seeds(wanted: &SeedsWanted) -> SeedsReport {
    let next = AtomicU64::new(*wanted.seeds.start());
    let report = Mutex::new(SeedsReport::default());
    std::thread::scope(|scope| {
        for _ in 0..wanted.jobs.max(1) {
            scope.spawn(|| {
                let place = Place::new(wanted.both_engines);
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let failed = !report.lock().unwrap_or_else(PoisonError::into_inner).failures.is_empty();
                    if seed > *wanted.seeds.end() || (wanted.stop_at_first && failed) {
                        return;
                    }
                    run_one(seed, &place, wanted, &report);
                }
            });
        }
    });
    let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.failures.sort_by_key(|(seed, _)| *seed);
    report
}

fn run_one(seed: u64, place: &Place, wanted: &SeedsWanted, report: &Mutex<SeedsReport>) {
    let plan = place.plan(seed);
    let first = place.run(&plan);
    let is_equal = seed - wanted.seeds.start() >= wanted.twice || place.run(&plan).trace == first.trace;
    let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
    report.seeds += 1;
    report.figures.add(&first.figures);
    report.failures.extend(first.violation.map(|violation| (seed, violation)));
    if !is_equal {
        report.unequal.push(seed);
    }
}
