//! Antom: signed requests, signed answers.

use refundry_bench::report::{Report, Table, median};
use refundry_bench::scenarios::Ground;

use crate::arguments::Arguments;
use crate::rows::{CALLERS, COLUMNS, cells};

/// `limit_us` is the native figure and 1.15 × one verification and one signature; absent where those could not be measured.
pub fn accept(arguments: &Arguments, ground: &mut Ground, limit_us: Option<u64>, report: &mut Report) -> anyhow::Result<()> {
    println!("Antom, acceptance");
    let server = ground.serve(false, &[])?;
    let warm = ground.antom(arguments.refunds / 8)?;
    ground.measure(&server, warm, 64)?;
    let mut table = Table::new("Antom: accepted refunds", &COLUMNS);
    let mut cpu = Vec::new();
    for round in 0..arguments.rounds {
        for callers in CALLERS {
            let prepared = ground.antom(arguments.count_for(callers) / 2)?;
            let measured = ground.measure(&server, prepared, callers)?;
            if callers == 64 {
                cpu.push(measured.us_per_refund());
            }
            table.row(cells(format!("{callers} (round {})", round + 1), &measured));
        }
    }
    report.add(&table);
    if let Some(limit_us) = limit_us {
        let antom = median(cpu);
        let goal = format!("≤ {limit_us} µs (native + 1.15 × verification and signature)");
        report.goal("Antom, 64 callers: server CPU per accepted refund", goal, format!("{antom} µs"), antom <= limit_us);
    }
    Ok(())
}
