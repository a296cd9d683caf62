//! With much stored, on both engines.

use refundry_bench::ground::{Ground, Spread};
use refundry_bench::measured::Measured;
use refundry_bench::report::{Report, Said, ratio, said};
use refundry_bench::server_process::Server;

use crate::arguments::Arguments;
use crate::native::Plain;
use crate::postgres::{LANES, PlainThere, lanes};
use crate::rows::{Row, table};

/// From so many stored refunds on, three fifths of the throughput are enough.
const VERY_MUCH: u64 = 10_000_000;

/// The rows of one engine.
struct Large {
    recent: Row,
    recent_256: Row,
    uniform: Row,
}

/// Throughput by that of the small data, what is not the store, memory and start.
pub fn sqlite(arguments: &Arguments, mut ground: Ground, plain: &Plain, report: &mut Report) -> anyhow::Result<()> {
    println!("SQLite, {} stored", arguments.stored);
    let server = [ground.serve(false, &[])?];
    let ready_ms = u64::try_from(server[0].ready_after.as_millis()).unwrap_or(u64::MAX);
    let rows = rows(arguments, &mut ground, &server)?;
    let least = if arguments.stored >= VERY_MUCH { 60 } else { 70 };
    judge_rate(arguments, ("SQLite", "payments of the last month", "最近一个月的支付"), (&rows.recent, plain.per_second, least), report);
    judge_rate(arguments, ("SQLite", "payments chosen uniformly", "均匀选取的支付"), (&rows.uniform, plain.per_second, 45), report);
    judge_tail(arguments, "SQLite", &rows.recent, report);
    let (all, beside) = (rows.recent_256.us(), rows.recent_256.median(Measured::us_beside_the_store));
    report.goal(
        stored(arguments, "SQLite", "256 callers: CPU per accepted refund", "256 个并发：每笔受理退款的 CPU"),
        "≤ 200 µs".to_owned().into(),
        format!("{all} µs"),
        all <= 200,
    );
    report.goal(
        stored(arguments, "SQLite", "of it what is not the store", "其中存储以外的部分"),
        "≤ 60 µs".to_owned().into(),
        format!("{beside} µs"),
        beside <= 60,
    );
    let resident = server[0].resident_kib()? / 1_024;
    let met = resident <= 150;
    report.goal(stored(arguments, "SQLite", "resident memory", "常驻内存"), "≤ 150 MB".to_owned().into(), format!("{resident} MB"), met);
    let met = ready_ms <= 500;
    report.goal(stored(arguments, "SQLite", "start to ready", "从启动到就绪"), "≤ 500 ms".to_owned().into(), format!("{ready_ms} ms"), met);
    add_table(arguments, "SQLite", &rows, report);
    Ok(())
}

/// Throughput by that of the small data, where that was measured.
pub fn postgres(arguments: &Arguments, mut ground: Ground, plain: Option<PlainThere>, report: &mut Report) -> anyhow::Result<()> {
    println!("PostgreSQL, {} stored", arguments.stored);
    let server = [lanes(&ground, LANES)?];
    let rows = rows(arguments, &mut ground, &server)?;
    if let Some(plain) = plain {
        judge_rate(
            arguments,
            ("PostgreSQL", "payments of the last month", "最近一个月的支付"),
            (&rows.recent, plain.per_second, 60),
            report,
        );
    }
    judge_tail(arguments, "PostgreSQL", &rows.recent, report);
    add_table(arguments, "PostgreSQL", &rows, report);
    drop(server);
    ground.dropped()
}

fn rows(arguments: &Arguments, ground: &mut Ground, server: &[Server]) -> anyhow::Result<Large> {
    let mut rows = Large {
        recent: Row::new(said("64 callers, payments of the last month", "64 个并发，最近一个月的支付")),
        recent_256: Row::new(said("256 callers, payments of the last month", "256 个并发，最近一个月的支付")),
        uniform: Row::new(said("64 callers, payments chosen uniformly", "64 个并发，均匀选取的支付")),
    };
    let warm = ground.native(arguments.refunds / 4, Spread::Recent)?;
    ground.measure(server, warm, 64)?;
    for _ in 0..arguments.rounds {
        let cases =
            [(&mut rows.recent, Spread::Recent, 64), (&mut rows.recent_256, Spread::Recent, 256), (&mut rows.uniform, Spread::Uniform, 64)];
        for (row, spread, callers) in cases {
            let prepared = ground.native(arguments.refunds, spread)?;
            row.add(ground.measure(server, prepared, callers)?);
        }
    }
    Ok(rows)
}

fn judge_rate(arguments: &Arguments, names: (&str, &str, &str), figures: (&Row, u64, u64), report: &mut Report) {
    let ((engine, spread, spread_zh), (row, plain, least)) = (names, figures);
    let rate = row.per_second();
    let english = format!("{spread}: throughput by that with 100,000 payments");
    let chinese = format!("{spread_zh}：与仅 10 万笔支付时的吞吐之比");
    report.goal(
        stored(arguments, engine, &english, &chinese),
        format!("≥ 0.{least}").into(),
        ratio(rate, plain),
        rate * 100 >= plain * least,
    );
}

fn judge_tail(arguments: &Arguments, engine: &str, row: &Row, report: &mut Report) {
    let tail = row.tail();
    let what = stored(arguments, engine, "64 callers: p99 / p50", "64 个并发：p99 / p50");
    report.goal(what, "≤ 5".to_owned().into(), ratio(tail, 100), tail <= 500);
}

fn stored(arguments: &Arguments, engine: &str, english: &str, chinese: &str) -> Said {
    let stored = arguments.stored;
    said(format!("{engine}, {stored} stored, {english}"), format!("{engine}，已存 {stored} 笔退款，{chinese}"))
}

fn add_table(arguments: &Arguments, engine: &str, rows: &Large, report: &mut Report) {
    let title = said(
        format!("{engine}: accepted refunds, {} refunds stored", arguments.stored),
        format!("{engine}：受理退款，已存 {} 笔退款", arguments.stored),
    );
    report.add(table(title, said("callers", "并发"), [&rows.recent, &rows.recent_256, &rows.uniform]));
}
