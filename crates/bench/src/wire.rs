//! Antom: signed requests, signed answers.

use refundry_bench::ground::Ground;
use refundry_bench::report::{Report, said};

use crate::arguments::Arguments;
use crate::rows::{CALLERS, Row, callers, table};

/// `limit_us` is the native figure and 1.15 × one verification and one signature; absent where those could not be measured.
pub fn accept(arguments: &Arguments, ground: &mut Ground, limit_us: Option<u64>, report: &mut Report) -> anyhow::Result<()> {
    println!("SQLite, Antom, acceptance");
    let server = [ground.serve(false, &[])?];
    let warm = ground.antom(arguments.refunds / 8)?;
    ground.measure(&server, warm, 64)?;
    let mut rows = CALLERS.map(|count| Row::new(callers(count)));
    for _ in 0..arguments.rounds {
        for (callers, row) in CALLERS.into_iter().zip(&mut rows) {
            let prepared = ground.antom(arguments.count_for(callers) / 2)?;
            row.add(ground.measure(&server, prepared, callers)?);
        }
    }
    if let Some(limit_us) = limit_us {
        let [_, _, row, _] = &rows;
        report.goal(
            said("SQLite, Antom, 64 callers: CPU per accepted refund", "SQLite，Antom，64 个并发：每笔受理退款的 CPU"),
            said(
                format!("≤ {limit_us} µs (native + 1.15 × verification and signature)"),
                format!("≤ {limit_us} µs（原生 + 1.15 ×（一次验签 + 一次签名））"),
            ),
            format!("{} µs", row.us()),
            row.us() <= limit_us,
        );
    }
    report.add(table(said("SQLite, Antom: accepted refunds", "SQLite，Antom：受理退款"), said("callers", "并发"), &rows));
    Ok(())
}
