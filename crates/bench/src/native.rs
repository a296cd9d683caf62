//! The native API on SQLite: acceptance alone, the server has no workers.

use refundry_bench::ground::{Ground, Spread};
use refundry_bench::report::{Report, ratio, said};
use refundry_bench::server_process::Server;

use crate::arguments::Arguments;
use crate::rows::{CALLERS, Row, callers, table};

/// What later rows are compared with.
pub struct Plain {
    /// Processor time of an accepted refund at 64 callers.
    pub us_per_refund: u64,
    /// Accepted refunds a second at 64 callers.
    pub per_second: u64,
}

/// One to many callers, each payment refunded once; then one payment, and many merchants.
pub fn accept(arguments: &Arguments, ground: &mut Ground, report: &mut Report) -> anyhow::Result<Plain> {
    println!("SQLite, native API, acceptance");
    let server = [ground.serve(false, &[])?];
    let warm = ground.native(arguments.refunds / 4, Spread::Recent)?;
    ground.measure(&server, warm, 64)?;
    let mut rows = CALLERS.map(|count| Row::new(callers(count)));
    for _ in 0..arguments.rounds {
        for (callers, row) in CALLERS.into_iter().zip(&mut rows) {
            let prepared = ground.native(arguments.count_for(callers), Spread::Recent)?;
            row.add(ground.measure(&server, prepared, callers)?);
        }
    }
    let [_, _, row, _] = &rows;
    let plain = Plain { us_per_refund: row.us(), per_second: row.per_second() };
    report.goal(
        said("SQLite, 64 callers: CPU per accepted refund", "SQLite，64 个并发：每笔受理退款的 CPU"),
        said("≤ 150 µs, aim 75", "≤ 150 µs，力争 75"),
        format!("{} µs", plain.us_per_refund),
        plain.us_per_refund <= 150,
    );
    let tail = row.tail();
    report.goal(
        said("SQLite, 64 callers: p99 / p50", "SQLite，64 个并发：p99 / p50"),
        "≤ 6".to_owned().into(),
        ratio(tail, 100),
        tail <= 600,
    );
    let title = said("SQLite: accepted refunds, 100,000 payments stored", "SQLite：受理退款，已存 10 万笔支付");
    report.add(table(title, said("callers", "并发"), &rows));
    spreads(arguments, ground, &server, report)?;
    Ok(plain)
}

/// The same number of refunds over many payments of one merchant, over one payment, and over many merchants; each in turn, so that a change
/// of the machine meets them alike.
fn spreads(arguments: &Arguments, ground: &mut Ground, server: &[Server], report: &mut Report) -> anyhow::Result<()> {
    println!("SQLite, native API, one payment and many merchants");
    let all = [Spread::Recent, Spread::OnePayment, Spread::ManyMerchants];
    let mut rows = [said("one merchant", "一个商户"), said("one payment", "一笔支付"), said("64 merchants", "64 个商户")].map(Row::new);
    for _ in 0..arguments.rounds {
        for (spread, row) in all.into_iter().zip(&mut rows) {
            let prepared = ground.native(arguments.refunds / 2, spread)?;
            row.add(ground.measure(server, prepared, 64)?);
        }
    }
    let [merchant, payment, many] = rows.each_ref().map(Row::per_second);
    let hot = [
        (
            said(
                "SQLite, one hot merchant: refunds/s by those over 64 merchants",
                "SQLite，单个热点商户：每秒退款数与分散在 64 个商户时之比",
            ),
            merchant,
        ),
        (
            said(
                "SQLite, one hot payment: refunds/s by those over 64 merchants",
                "SQLite，单笔热点支付：每秒退款数与分散在 64 个商户时之比",
            ),
            payment,
        ),
    ];
    for (what, rate) in hot {
        // A twentieth is what two equal runs differ by.
        let met = rate * 100 >= many * 95;
        report.goal(what, said("≥ 1, not slower", "≥ 1，不变慢"), ratio(rate, many), met);
    }
    let title = said("SQLite, 64 callers: what is hot", "SQLite，64 个并发：热点");
    report.add(table(title, said("refunds of", "退款对象"), &rows));
    Ok(())
}

/// The same path and store, one commit per command.
pub fn one_transaction_each(arguments: &Arguments, ground: &mut Ground, plain: &Plain, report: &mut Report) -> anyhow::Result<()> {
    println!("SQLite, one transaction per refund");
    let single = [("REFUNDRY_DATABASE_BATCH_MAX", "1".to_owned())];
    let mut rows = [
        said("1 caller, batches", "1 个并发，合并提交"),
        said("1 caller, one each", "1 个并发，每笔单独提交"),
        said("64 callers, one each", "64 个并发，每笔单独提交"),
    ]
    .map(Row::new);
    for _ in 0..arguments.rounds {
        // A caller alone waits for the disk; whatever else uses it must meet both.
        let cases: [(&[(&str, String)], usize); 3] = [(&[], 1), (&single, 1), (&single, 64)];
        for ((environment, callers), row) in cases.into_iter().zip(&mut rows) {
            let server = [ground.serve(false, environment)?];
            let prepared = ground.native(arguments.refunds / 10, Spread::Recent)?;
            row.add(ground.measure(&server, prepared, callers)?);
        }
    }
    let [ours_alone, alone, many] = &rows;
    report.goal(
        said("SQLite, 64 callers: CPU of one transaction per refund by ours", "SQLite，64 个并发：每笔退款单独一个事务的 CPU 与本设计之比"),
        "≥ 2".to_owned().into(),
        ratio(many.us(), plain.us_per_refund),
        many.us() >= 2 * plain.us_per_refund,
    );
    let (ours_alone, alone) = (ours_alone.p50_us(), alone.p50_us());
    report.goal(
        said(
            "SQLite, one caller alone: our p50 by that of one transaction per refund",
            "SQLite，单个调用方：本设计 p50 与每笔单独事务 p50 之比",
        ),
        "≤ 1.05".to_owned().into(),
        ratio(ours_alone, alone),
        ours_alone * 100 <= alone * 105,
    );
    let title = said("SQLite: one transaction per refund through the same store", "SQLite：同一存储，每笔退款单独一个事务");
    report.add(table(title, said("callers", "并发"), &rows));
    Ok(())
}
