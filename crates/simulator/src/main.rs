//! `refundry-sim`: runs seeds, and cuts a failing plan down to the steps that it needs to fail.

use std::ops::RangeInclusive;
use std::process::ExitCode;

use clap::Parser;
use refundry_service::world::Clock as _;
use refundry_simulator::cast::MERCHANTS;
use refundry_simulator::plan::Plan;
use refundry_simulator::run::RunReport;
use refundry_simulator::seeds::{Place, SeedsReport, SeedsWanted, run_seeds};
use refundry_simulator::shrink::shrink;

/// Days of one seed when merchant-days are asked for: long enough for reserves to be released.
const DAYS_OF_TRADE: i64 = 90;

/// Simulates the whole service on a virtual clock: one seed is one run.
#[derive(Parser)]
#[command(name = "refundry-sim", version)]
struct Options {
    /// Run this seed.
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Run these seeds, such as 1..2000.
    #[arg(long, value_parser = seeds_of)]
    seeds: Option<RangeInclusive<u64>>,
    /// Of one seed's plan, keep only these steps, such as 3,7,12.
    #[arg(long, value_delimiter = ',', requires = "seed")]
    keep: Option<Vec<u32>>,
    /// Run so many days of trade of every merchant instead of a few minutes.
    #[arg(long)]
    days: Option<i64>,
    /// Run seeds of ninety days of trade until all merchants together had so many.
    #[arg(long, conflicts_with_all = ["seed", "seeds", "days"])]
    merchant_days: Option<u64>,
    /// Run each plan on SQLite and on PostgreSQL and compare; the cluster is that of scripts/with-postgres.
    #[arg(long)]
    both_engines: bool,
    /// Run this many of the seeds twice and compare every byte of their logs.
    #[arg(long, default_value_t = 0)]
    twice: u64,
    /// Threads for many seeds.
    #[arg(long, default_value_t = default_jobs())]
    jobs: usize,
    /// Stop at the first seed that breaks a rule.
    #[arg(long)]
    stop: bool,
    /// Do not cut a failing plan down.
    #[arg(long)]
    no_shrink: bool,
    /// Print the whole log of a run.
    #[arg(long)]
    log: bool,
}

fn main() -> ExitCode {
    let mut options = Options::parse();
    if let Some(merchant_days) = options.merchant_days {
        let of_one_seed = DAYS_OF_TRADE.unsigned_abs() * u64::try_from(MERCHANTS).unwrap_or(1);
        options.days = Some(DAYS_OF_TRADE);
        options.seeds = Some(1..=merchant_days.div_ceil(of_one_seed));
    }
    // A panic inside a run is a broken rule and is reported as one.
    std::panic::set_hook(Box::new(|_| {}));
    let passed = match (&options.seeds, options.seed) {
        (Some(seeds), _) => many(&options, seeds.clone()),
        (None, seed) => one(&options, seed.unwrap_or(1)),
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn one(options: &Options, seed: u64) -> bool {
    let place = Place::new(options.both_engines, options.days);
    let whole = place.plan(seed);
    let plan = options.keep.as_ref().map_or_else(|| whole.clone(), |kept| whole.keeping(kept));
    let report = place.run(&plan);
    if options.log {
        print!("{}", report.trace);
    }
    let is_equal = options.twice == 0 || place.run(&plan).trace == report.trace;
    println!("seed {seed}: {}", figures_of(&report));
    if !is_equal {
        println!("seed {seed}: a second run wrote other bytes");
    }
    if let Some(violation) = &report.violation {
        println!("seed {seed} broke {}: {}", violation.rule, violation.what);
        if !options.no_shrink {
            explain(&place, &plan, violation.rule);
        }
    }
    is_equal && report.violation.is_none()
}

fn many(options: &Options, seeds: RangeInclusive<u64>) -> bool {
    let clock = refundry_simulator::clock::WallClock;
    let begin = clock.now();
    let wanted = SeedsWanted {
        seeds,
        twice: options.twice,
        jobs: options.jobs,
        stop_at_first: options.stop,
        both_engines: options.both_engines,
        days: options.days,
    };
    let report = run_seeds(&wanted);
    let ms = (clock.now().us() - begin.us()) / 1_000;
    print_summary(&report, ms);
    if let (Some((seed, violation)), false) = (report.failures.first(), options.no_shrink) {
        let place = Place::new(options.both_engines, options.days);
        explain(&place, &place.plan(*seed), violation.rule);
    }
    report.failures.is_empty() && report.unequal.is_empty()
}

fn print_summary(report: &SeedsReport, ms: i64) {
    let figures = report.figures;
    println!(
        "{} seeds, {} steps, {} commits, {} crashes, {} lost connections, {} batches in the way, {} refunds, {} paid out, {}.{} s",
        report.seeds,
        figures.steps,
        figures.commits,
        figures.crashes,
        figures.lost_connections,
        figures.held,
        figures.refunds,
        figures.paid,
        ms / 1_000,
        ms / 100 % 10
    );
    for (seed, violation) in &report.failures {
        println!("seed {seed} broke {}: {}", violation.rule, violation.what);
    }
    for seed in &report.unequal {
        println!("seed {seed}: a second run wrote other bytes");
    }
}

/// Cuts the plan down and prints what is left of it, with the command that repeats it.
fn explain(place: &Place, plan: &Plan, rule: &str) {
    let kept = shrink(plan, rule, |plan| place.run(plan));
    let small = plan.keeping(&kept);
    for step in &small.steps {
        println!("  {:>4} at {:>7} ms  {:?}", step.number, step.at_ms, step.event);
    }
    let kept: Vec<String> = kept.iter().map(u32::to_string).collect();
    let command = if place.is_of_both_engines() { "scripts/with-postgres refundry-sim --both-engines" } else { "refundry-sim" };
    let days = plan.days.map(|days| format!(" --days {days}")).unwrap_or_default();
    println!("repeat it with: {command}{days} --seed {} --log --keep {}", plan.seed, kept.join(","));
}

fn figures_of(report: &RunReport) -> String {
    let figures = report.figures;
    format!("{} steps, {} commits, {} crashes, {} refunds", figures.steps, figures.commits, figures.crashes, figures.refunds)
}

fn seeds_of(text: &str) -> Result<RangeInclusive<u64>, String> {
    let (first, last) = text.split_once("..").ok_or_else(|| "two numbers such as 1..2000".to_owned())?;
    let number = |text: &str| text.trim_start_matches('=').parse::<u64>().map_err(|error| format!("{text}: {error}"));
    Ok(number(first)?..=number(last)?)
}

fn default_jobs() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
