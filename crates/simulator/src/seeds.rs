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
    /// How many days of trade each plan has; minutes without.
    pub days: Option<i64>,
}

/// Where the runs of one thread take place, one after the other, and how long they are.
pub struct Place {
    ground: PlaceGround,
    days: Option<i64>,
}

enum PlaceGround {
    /// On SQLite, with everything that can go wrong with a disk.
    Disk,
    /// On both engines, compared; the database of PostgreSQL is this thread's own.
    BothEngines(Arc<Server>),
}

impl Place {
    /// A new place, with a database of its own where one is needed. Runs take minutes, or so many days.
    pub fn new(both_engines: bool, days: Option<i64>) -> Self {
        let ground = if both_engines { PlaceGround::BothEngines(Arc::new(Server::create())) } else { PlaceGround::Disk };
        Self { ground, days }
    }

    /// Whether each plan is run on both engines.
    pub const fn is_of_both_engines(&self) -> bool {
        matches!(self.ground, PlaceGround::BothEngines(_))
    }

    /// The plan of a seed for this place.
    pub fn plan(&self, seed: u64) -> Plan {
        let plan = self.days.map_or_else(|| Plan::of(seed), |days| Plan::of_days(seed, days));
        if self.is_of_both_engines() { plan.without_disk() } else { plan }
    }

    /// Runs a plan.
    pub fn run(&self, plan: &Plan) -> RunReport {
        match &self.ground {
            PlaceGround::Disk => run(plan),
            PlaceGround::BothEngines(server) => run_on_both(plan, server),
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
                let place = Place::new(wanted.both_engines, wanted.days);
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
