//! `refundry-bench`: one run, one report, goals beside figures.

use std::fs;
use std::path::PathBuf;

use clap::Parser;
use refundry_bench::baselines::{Rsa, commits_per_second, rsa};
use refundry_bench::receiver::Receiver;
use refundry_bench::report::{Table, as_ms, median, ratio};
use refundry_bench::scenarios::{Ground, Measured, Spread, empty_route};
use refundry_bench::server_process::{Server, release_binary};

/// Callers of the rows.
const CALLERS: [usize; 4] = [1, 16, 64, 256];
/// Payments that the first tables have stored.
const PAYMENTS: u64 = 100_000;

/// Measures what a refund costs the server.
#[derive(Parser)]
struct Arguments {
    /// Refunds per row with many callers; a row with one caller sends a tenth.
    #[arg(long, default_value_t = 20_000)]
    refunds: usize,
    /// How often the rows that goals are judged by are measured; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Stored refunds of the large table; 0 leaves it out.
    #[arg(long, default_value_t = 1_000_000)]
    stored: u64,
    /// Where the report goes, in Markdown.
    #[arg(long, default_value = "bench-results/report.md")]
    out: PathBuf,
    /// The server's binary; the release binary beside this program when it is not named.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// A folder for the data, on the disk that is to be measured.
    #[arg(long, default_value = "bench-results/data")]
    data: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let binary = arguments.binary.clone().map_or_else(release_binary, Ok)?;
    if arguments.data.exists() {
        fs::remove_dir_all(&arguments.data)?;
    }
    fs::create_dir_all(&arguments.data)?;
    let mut report = Report { goals: Table::new("Goals", &["what", "goal", "figure", "met"]), tables: String::new() };

    let rsa = rsa()?;
    let mut small = Ground::make(&binary, &arguments.data.join("small"), PAYMENTS, 0)?;
    report.add(&machine(&arguments, &small, rsa.as_ref())?);
    let plain = accept(&arguments, &mut small, rsa.as_ref(), &mut report)?;
    to_the_end(&arguments, &mut small, &mut report)?;
    one_transaction_each(&arguments, &mut small, &plain, &mut report)?;
    if arguments.stored > 0 {
        large(&arguments, &binary, &plain, &mut report)?;
    }
    let report = format!("{}{}", report.goals.markdown(), report.tables);
    if let Some(folder) = arguments.out.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&arguments.out, &report)?;
    println!("\n{report}\nwritten to {}", arguments.out.display());
    Ok(())
}

/// What later rows are compared with.
struct Plain {
    us_per_refund: u64,
    per_second: u64,
    p50_alone_us: u64,
}

fn machine(arguments: &Arguments, ground: &Ground, rsa: Option<&Rsa>) -> anyhow::Result<Table> {
    println!("this machine");
    let mut table = Table::new("This machine, in the same run", &["what", "figure"]);
    table.row(vec!["processors".into(), std::thread::available_parallelism()?.to_string()]);
    table.row(vec!["commits of 4 KiB a second, one after the other".into(), commits_per_second(&arguments.data)?.to_string()]);
    if let Some(rsa) = rsa {
        table.row(vec!["RSA-2048 signatures a second of one core (openssl)".into(), rsa.signs_per_second.to_string()]);
        table.row(vec!["RSA-2048 verifications a second of one core (openssl)".into(), rsa.verifies_per_second.to_string()]);
    }
    let server = ground.serve(false, &[])?;
    let empty = empty_route(ground, &server, arguments.refunds)?;
    table.row(vec!["an empty handler, 64 callers: requests a second".into(), empty.load.per_second().to_string()]);
    table.row(vec!["an empty handler: server CPU per request".into(), format!("{} µs", empty.us_per_refund())]);
    Ok(table)
}

const COLUMNS: [&str; 10] =
    ["callers", "accepted", "refunds/s", "p50", "p99", "max", "CPU/refund", "by thread, CPU s per 1,000", "memory", "disk/refund"];

fn cells(name: String, measured: &Measured) -> Vec<String> {
    let load = &measured.load;
    if let Some(refusal) = &load.first_refusal {
        println!("  {} refused, the first: {refusal}", load.refused);
    }
    let accepted = load.accepted.max(1);
    let split: Vec<String> = measured.usage.families().map(|(thread, ms)| format!("{thread} {}", ratio(ms, accepted))).collect();
    vec![
        name,
        load.accepted.to_string(),
        load.per_second().to_string(),
        as_ms(load.percentile_us(50)),
        as_ms(load.percentile_us(99)),
        as_ms(load.latency_us.max()),
        format!("{} µs", measured.us_per_refund()),
        split.join(", "),
        format!("{} MB", measured.resident_kib / 1_024),
        format!("{} B", measured.grown_bytes / accepted),
    ]
}

/// The goals with their figures, and the tables behind them.
struct Report {
    goals: Table,
    tables: String,
}

impl Report {
    fn goal(&mut self, what: &str, wanted: String, figure: String, met: bool) {
        self.goals.row(vec![what.to_owned(), wanted, figure, if met { "yes" } else { "NO" }.to_owned()]);
    }

    fn add(&mut self, table: &Table) {
        self.tables.push_str(&table.markdown());
    }
}

fn count_for(arguments: &Arguments, callers: usize) -> usize {
    if callers == 1 { arguments.refunds / 10 } else { arguments.refunds }
}

/// Acceptance alone: the server has no workers.
fn accept(arguments: &Arguments, ground: &mut Ground, rsa: Option<&Rsa>, report: &mut Report) -> anyhow::Result<Plain> {
    println!("native API, acceptance");
    let server = ground.serve(false, &[])?;
    let warm = ground.native(arguments.refunds / 4, Spread::Recent)?;
    ground.measure(&server, warm, 64)?;
    let mut table = Table::new("Native API: accepted refunds, 100,000 payments stored", &COLUMNS);
    let (mut cpu, mut rates, mut alone, mut tails) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..arguments.rounds {
        for callers in CALLERS {
            let prepared = ground.native(count_for(arguments, callers), Spread::Recent)?;
            let measured = ground.measure(&server, prepared, callers)?;
            if callers == 64 {
                cpu.push(measured.us_per_refund());
                rates.push(measured.load.per_second());
                tails.push(measured.load.percentile_us(99).saturating_mul(100) / measured.load.percentile_us(50).max(1));
            }
            if callers == 1 {
                alone.push(measured.load.percentile_us(50));
            }
            table.row(cells(format!("{callers} (round {})", round + 1), &measured));
        }
    }
    let plain = Plain { us_per_refund: median(cpu), per_second: median(rates), p50_alone_us: median(alone) };
    let tail = median(tails);
    report.goal(
        "native, 64 callers: server CPU per accepted refund",
        "≤ 150 µs, aim 75".into(),
        format!("{} µs", plain.us_per_refund),
        plain.us_per_refund <= 150,
    );
    report.goal("native, 64 callers: p99 / p50", "≤ 6".into(), ratio(tail, 100), tail <= 600);
    report.add(&table);

    hot_payment(arguments, ground, &server, &plain, report)?;
    let limit_us = rsa.map(|rsa| plain.us_per_refund + rsa.pair_us() * 115 / 100);
    accept_antom(arguments, ground, &server, limit_us, report)?;
    Ok(plain)
}

fn hot_payment(arguments: &Arguments, ground: &mut Ground, server: &Server, plain: &Plain, report: &mut Report) -> anyhow::Result<()> {
    println!("native API, one payment");
    let mut hot = Table::new("Native API, 64 callers: one hot payment", &COLUMNS);
    let prepared = ground.native(arguments.refunds / 2, Spread::OnePayment)?;
    let measured = ground.measure(server, prepared, 64)?;
    hot.row(cells("64".into(), &measured));
    let share = ratio(measured.load.per_second(), plain.per_second);
    report.goal(
        "one hot payment, 64 callers: refunds/s by many payments' rate",
        "≥ 1, not slower".into(),
        share,
        measured.load.per_second() * 100 >= plain.per_second * 95,
    );
    report.add(&hot);
    Ok(())
}

/// `limit_us` is the native figure and 1.15 × one verification and one signature; absent where those could not be measured.
fn accept_antom(
    arguments: &Arguments,
    ground: &mut Ground,
    server: &Server,
    limit_us: Option<u64>,
    report: &mut Report,
) -> anyhow::Result<()> {
    println!("Antom, acceptance");
    let mut table = Table::new("Antom: accepted refunds", &COLUMNS);
    let mut cpu = Vec::new();
    for round in 0..arguments.rounds {
        for callers in CALLERS {
            let prepared = ground.antom(count_for(arguments, callers) / 2)?;
            let measured = ground.measure(server, prepared, callers)?;
            if callers == 64 {
                cpu.push(measured.us_per_refund());
            }
            table.row(cells(format!("{callers} (round {})", round + 1), &measured));
        }
    }
    if let Some(limit_us) = limit_us {
        let antom = median(cpu);
        report.goal(
            "Antom, 64 callers: server CPU per accepted refund",
            format!("≤ {limit_us} µs (native + 1.15 × verification and signature)"),
            format!("{antom} µs"),
            antom <= limit_us,
        );
    }
    report.add(&table);
    Ok(())
}

/// Until the refund is final and the merchant has its notification.
fn to_the_end(arguments: &Arguments, ground: &mut Ground, report: &mut Report) -> anyhow::Result<()> {
    println!("native API, to the final state with notification");
    let receiver = Receiver::start()?;
    let server = ground.serve(true, &[("REFUNDRY_OUTGOING_NETWORKS_ALLOWED", "127.0.0.0/8".to_owned())])?;
    ground.subscribe(&server, &receiver)?;
    let mut table = Table::new("Native API, 64 callers: to the final state, notification delivered", &COLUMNS);
    let mut cpu = Vec::new();
    for round in 0..arguments.rounds {
        let prepared = ground.native(arguments.refunds / 2, Spread::Recent)?;
        let measured = ground.measure_to_the_end(&server, &receiver, prepared, 64)?;
        cpu.push(measured.us_per_refund());
        table.row(cells(format!("64 (round {})", round + 1), &measured));
    }
    let cpu = median(cpu);
    report.goal(
        "native, 64 callers: server CPU per refund, final and notified",
        "≤ 300 µs, aim 150".into(),
        format!("{cpu} µs"),
        cpu <= 300,
    );
    report.add(&table);
    Ok(())
}

/// The same path and store, one commit per command.
fn one_transaction_each(arguments: &Arguments, ground: &mut Ground, plain: &Plain, report: &mut Report) -> anyhow::Result<()> {
    println!("one transaction per refund");
    let server = ground.serve(false, &[("REFUNDRY_DATABASE_BATCH_MAX", "1".to_owned())])?;
    let mut table = Table::new("Native API, one transaction per refund through the same store", &COLUMNS);
    let (mut cpu, mut alone) = (Vec::new(), Vec::new());
    for round in 0..arguments.rounds {
        for callers in [1, 64] {
            let prepared = ground.native(arguments.refunds / 10, Spread::Recent)?;
            let measured = ground.measure(&server, prepared, callers)?;
            match callers {
                1 => alone.push(measured.load.percentile_us(50)),
                _ => cpu.push(measured.us_per_refund()),
            }
            table.row(cells(format!("{callers} (round {})", round + 1), &measured));
        }
    }
    let (cpu, alone) = (median(cpu), median(alone));
    report.goal(
        "64 callers: CPU of one transaction per refund by ours",
        "≥ 2".into(),
        ratio(cpu, plain.us_per_refund),
        cpu >= 2 * plain.us_per_refund,
    );
    report.goal(
        "one caller alone: our p50 by that of one transaction per refund",
        "≤ 1.05".into(),
        ratio(plain.p50_alone_us, alone),
        plain.p50_alone_us * 100 <= alone * 105,
    );
    report.add(&table);
    Ok(())
}

/// With much stored.
fn large(arguments: &Arguments, binary: &std::path::Path, plain: &Plain, report: &mut Report) -> anyhow::Result<()> {
    println!("making {} stored refunds", arguments.stored);
    let mut ground = Ground::make(binary, &arguments.data.join("large"), arguments.stored, arguments.stored)?;
    let server = ground.serve(false, &[])?;
    let ready_ms = u64::try_from(server.ready_after.as_millis()).unwrap_or(u64::MAX);
    let mut table = Table::new(&format!("Native API, 64 callers, {} refunds stored", arguments.stored), &COLUMNS);
    for (spread, name, wanted) in [(Spread::Recent, "payments of the last month", 70), (Spread::Uniform, "payments chosen uniformly", 45)] {
        let mut rates = Vec::new();
        for round in 0..arguments.rounds {
            let prepared = ground.native(arguments.refunds, spread)?;
            let measured = ground.measure(&server, prepared, 64)?;
            rates.push(measured.load.per_second());
            table.row(cells(format!("{name} (round {})", round + 1), &measured));
        }
        let rate = median(rates);
        report.goal(
            &format!("{} stored, {name}: throughput by the empty one", arguments.stored),
            format!("≥ 0.{wanted}"),
            ratio(rate, plain.per_second),
            rate * 100 >= plain.per_second * wanted,
        );
    }
    let resident = server.resident_kib()? / 1_024;
    report.goal("resident memory with it", "≤ 150 MB".into(), format!("{resident} MB"), resident <= 150);
    report.goal("start to ready with it", "≤ 500 ms".into(), format!("{ready_ms} ms"), ready_ms <= 500);
    report.add(&table);
    Ok(())
}
