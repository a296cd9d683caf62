//! Until the refund is final and the merchant has its notification.

use std::path::Path;

use refundry_bench::receiver::Receiver;
use refundry_bench::report::{Report, Table, median};
use refundry_bench::scenarios::{Ground, Spread, Stored};

use crate::arguments::Arguments;
use crate::rows::{COLUMNS, cells};

/// The server has its workers, the merchant an endpoint that says yes.
pub fn to_the_end(arguments: &Arguments, binary: &Path, report: &mut Report) -> anyhow::Result<()> {
    println!("native API, to the final state with notification");
    // Data of its own: the refunds of other parts are not carried out yet, and are not to be paid for here.
    let stored = Stored { payments: crate::PAYMENTS, refunds: 0, merchants: 4 };
    let mut ground = Ground::make(binary, &arguments.data.join("end"), &stored)?;
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
    report.add(&table);
    let cpu = median(cpu);
    let figure = format!("{cpu} µs");
    report.goal("native, 64 callers: server CPU per refund, final and notified", "≤ 300 µs, aim 150".into(), figure, cpu <= 300);
    Ok(())
}
