//! A few seeds with every `cargo test`, and always those that once failed.

use refundry_simulator::plan::Plan;
use refundry_simulator::run::run;
use refundry_simulator::seeds::{Place, SeedsWanted, run_seeds};

/// Outside of the seeds of the long test, so that both together see more.
const FIRST_SEED: u64 = 100_001;
const SEEDS: u64 = 30;
const SEEDS_ON_BOTH: u64 = 2;
const SEEDS_OF_DAYS: u64 = 2;
const DAYS: i64 = 20;
/// Before regressions that need both engines.
const ON_BOTH: &str = "both ";
const JOBS: usize = 2;

#[test]
fn some_seeds_break_no_rule() {
    let seeds = FIRST_SEED..=FIRST_SEED + SEEDS - 1;
    let report = run_seeds(&SeedsWanted { seeds, twice: 0, jobs: JOBS, stop_at_first: false, both_engines: false, days: None });
    assert_eq!(report.failures, []);
    assert_eq!(report.seeds, SEEDS);
    let figures = report.figures;
    assert!(figures.crashes > SEEDS && figures.refunds > SEEDS && figures.paid > SEEDS / 2, "the runs are eventful: {figures:?}");
}

#[test]
fn both_engines_do_the_same() {
    let seeds = FIRST_SEED..=FIRST_SEED + SEEDS_ON_BOTH - 1;
    let report = run_seeds(&SeedsWanted { seeds, twice: 0, jobs: JOBS, stop_at_first: false, both_engines: true, days: None });
    assert_eq!(report.failures, []);
    let figures = report.figures;
    assert!(figures.refunds > SEEDS_ON_BOTH && figures.lost_connections > 0 && figures.held > 0, "the runs are eventful: {figures:?}");
}

#[test]
fn weeks_of_trade_break_no_rule() {
    let seeds = FIRST_SEED..=FIRST_SEED + SEEDS_OF_DAYS - 1;
    let report = run_seeds(&SeedsWanted { seeds, twice: 1, jobs: JOBS, stop_at_first: false, both_engines: false, days: Some(DAYS) });
    assert_eq!((report.failures, report.unequal), (vec![], vec![]));
    let figures = report.figures;
    assert!(figures.refunds > SEEDS_OF_DAYS * DAYS.unsigned_abs(), "the weeks are eventful: {figures:?}");
}

#[test]
fn seeds_that_once_failed_stay_cured() {
    for line in regressions().filter(|line| !line.starts_with(ON_BOTH)) {
        assert_eq!(run(&Plan::of(seed_of(line))).violation, None, "{line}");
    }
}

#[test]
fn seeds_that_once_failed_on_both_engines_stay_cured() {
    let place = Place::new(true, None);
    for line in regressions().filter_map(|line| line.strip_prefix(ON_BOTH)) {
        assert_eq!(place.run(&place.plan(seed_of(line))).violation, None, "{line}");
    }
}

fn regressions() -> impl Iterator<Item = &'static str> {
    include_str!("../regressions.txt").lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

fn seed_of(line: &str) -> u64 {
    line.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{line:?} begins with no seed"))
}

#[test]
fn a_seed_writes_the_same_bytes_twice() {
    for seed in [FIRST_SEED, FIRST_SEED + 1] {
        let plan = Plan::of(seed);
        let (first, second) = (run(&plan).trace, run(&plan).trace);
        assert!(first.lines().count() > 50, "the log of seed {seed} says something");
        assert_eq!(first, second, "seed {seed}");
    }
}
