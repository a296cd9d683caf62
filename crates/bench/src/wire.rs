//! The wire dialects beside the native API: Antom with signatures, Oceanpayment with a shared secret.

use refundry_bench::ground::{Ground, Spread};
use refundry_bench::report::{Report, ratio, said};

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

/// Oceanpayment beside the native API, in turns, so that a change of the machine meets both alike.
pub fn accept_oceanpayment(arguments: &Arguments, ground: &mut Ground, report: &mut Report) -> anyhow::Result<()> {
    println!("SQLite, Oceanpayment beside the native API, acceptance");
    let server = [ground.serve(false, &[])?];
    let warm = ground.oceanpayment(arguments.refunds / 8)?;
    ground.measure(&server, warm, 64)?;
    let mut rows = [said("native API", "原生 API"), said("Oceanpayment applyRefund", "Oceanpayment applyRefund")].map(Row::new);
    for _ in 0..arguments.rounds {
        let [native, oceanpayment] = &mut rows;
        let prepared = ground.native(arguments.count_for(64) / 2, Spread::Recent)?;
        native.add(ground.measure(&server, prepared, 64)?);
        let prepared = ground.oceanpayment(arguments.count_for(64) / 2)?;
        oceanpayment.add(ground.measure(&server, prepared, 64)?);
    }
    let [native, oceanpayment] = &rows;
    report.goal(
        said(
            "SQLite, Oceanpayment applyRefund, 64 callers: server CPU by the native API's",
            "SQLite，Oceanpayment applyRefund，64 个并发：服务端 CPU 与原生 API 之比",
        ),
        "≤ 1.15".to_owned().into(),
        ratio(oceanpayment.us(), native.us()),
        oceanpayment.us() * 100 <= native.us() * 115,
    );
    report.add(table(said("SQLite, 64 callers: dialects", "SQLite，64 个并发：协议"), said("dialect", "协议"), &rows));
    Ok(())
}
