use refundry_bench::report::{as_ms, ratio};
use refundry_bench::scenarios::Measured;

/// Callers of the rows.
pub const CALLERS: [usize; 4] = [1, 16, 64, 256];

/// What the tables of refunds show.
pub const COLUMNS: [&str; 14] = [
    "callers",
    "accepted",
    "refunds/s",
    "p50",
    "p99",
    "max",
    "CPU per refund",
    "of it HTTP and workers",
    "signatures",
    "lane",
    "other threads",
    "commands per commit",
    "disk per refund",
    "memory",
];

/// A row of them.
pub fn cells(name: String, measured: &Measured) -> Vec<String> {
    let (load, usage) = (&measured.load, &measured.usage);
    if let Some(refusal) = &load.first_refusal {
        println!("  {} refused, the first: {refusal}", load.refused);
    }
    let accepted = load.accepted.max(1);
    let us = |ms: u64| format!("{} µs", ms.saturating_mul(1_000) / accepted);
    let split = [usage.of_threads("http"), usage.of_threads("cpu"), usage.of_threads("store lane")];
    let others = usage.total_ms().saturating_sub(split.iter().sum());
    vec![
        name,
        load.accepted.to_string(),
        load.per_second().to_string(),
        as_ms(load.percentile_us(50)),
        as_ms(load.percentile_us(99)),
        as_ms(load.latency_us.max()),
        format!("{} µs", measured.us_per_refund()),
        us(split[0]),
        us(split[1]),
        us(split[2]),
        us(others),
        measured.lane.as_ref().map_or_else(String::new, |lane| ratio(lane.commands, lane.commits)),
        format!("{} B", measured.grown_bytes / accepted),
        format!("{} MB", measured.resident_kib / 1_024),
    ]
}

/// p99 by p50, in hundredths.
pub fn tail(measured: &Measured) -> u64 {
    measured.load.percentile_us(99).saturating_mul(100) / measured.load.percentile_us(50).max(1)
}
