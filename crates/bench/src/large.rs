//! With much stored.

use std::path::Path;

use refundry_bench::report::{Report, Table, median, ratio};
use refundry_bench::scenarios::{Ground, Spread, Stored};

use crate::arguments::Arguments;
use crate::native::Plain;
use crate::rows::{COLUMNS, cells};

/// Throughput by that of the small data, memory and start.
pub fn large(arguments: &Arguments, binary: &Path, plain: &Plain, report: &mut Report) -> anyhow::Result<()> {
    println!("making {} stored refunds", arguments.stored);
    let stored = Stored { payments: arguments.stored, refunds: arguments.stored, merchants: 4 };
    let mut ground = Ground::make(binary, &arguments.data.join("large"), &stored)?;
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
            &format!("{} stored, {name}: throughput by that with 100,000 payments", arguments.stored),
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
