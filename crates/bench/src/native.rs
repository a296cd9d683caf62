//! The native API: acceptance alone, the server has no workers.

use refundry_bench::report::{Report, Table, median, ratio};
use refundry_bench::scenarios::{Ground, Spread};
use refundry_bench::server_process::Server;

use crate::arguments::Arguments;
use crate::rows::{CALLERS, COLUMNS, cells, tail};

/// What later rows are compared with.
pub struct Plain {
    /// Processor time of an accepted refund at 64 callers.
    pub us_per_refund: u64,
    /// Accepted refunds a second at 64 callers.
    pub per_second: u64,
}

/// One to many callers, each payment refunded once; then one payment, and many merchants.
pub fn accept(arguments: &Arguments, ground: &mut Ground, report: &mut Report) -> anyhow::Result<Plain> {
    println!("native API, acceptance");
    let server = ground.serve(false, &[])?;
    let warm = ground.native(arguments.refunds / 4, Spread::Recent)?;
    ground.measure(&server, warm, 64)?;
    let mut table = Table::new("Native API: accepted refunds, 100,000 payments stored", &COLUMNS);
    let (mut cpu, mut rates, mut tails) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..arguments.rounds {
        for callers in CALLERS {
            let prepared = ground.native(arguments.count_for(callers), Spread::Recent)?;
            let measured = ground.measure(&server, prepared, callers)?;
            if callers == 64 {
                cpu.push(measured.us_per_refund());
                rates.push(measured.load.per_second());
                tails.push(tail(&measured));
            }
            table.row(cells(format!("{callers} (round {})", round + 1), &measured));
        }
    }
    report.add(&table);
    let plain = Plain { us_per_refund: median(cpu), per_second: median(rates) };
    let tail = median(tails);
    let figure = format!("{} µs", plain.us_per_refund);
    report.goal("native, 64 callers: server CPU per accepted refund", "≤ 150 µs, aim 75".into(), figure, plain.us_per_refund <= 150);
    report.goal("native, 64 callers: p99 / p50", "≤ 6".into(), ratio(tail, 100), tail <= 600);
    spreads(arguments, ground, &server, report)?;
    Ok(plain)
}

/// The same number of refunds over many payments of one merchant, over one payment, and over many merchants; each in turn, so that a change
/// of the machine meets them alike.
fn spreads(arguments: &Arguments, ground: &mut Ground, server: &Server, report: &mut Report) -> anyhow::Result<()> {
    println!("native API, one payment and many merchants");
    let mut table = Table::new("Native API, 64 callers: what is hot", &COLUMNS);
    let all = [(Spread::Recent, "one merchant"), (Spread::OnePayment, "one payment"), (Spread::ManyMerchants, "64 merchants")];
    let mut rates = [const { Vec::new() }; 3];
    for round in 0..arguments.rounds {
        for ((spread, name), rates) in all.into_iter().zip(&mut rates) {
            let prepared = ground.native(arguments.refunds / 2, spread)?;
            let measured = ground.measure(server, prepared, 64)?;
            rates.push(measured.load.per_second());
            table.row(cells(format!("{name} (round {})", round + 1), &measured));
        }
    }
    report.add(&table);
    let [merchant, payment, many] = rates.map(median);
    for (what, rate) in [("one hot merchant", merchant), ("one hot payment", payment)] {
        // A twentieth is what two equal runs differ by.
        let met = rate * 100 >= many * 95;
        report.goal(&format!("{what}: refunds/s by those over 64 merchants"), "≥ 1, not slower".into(), ratio(rate, many), met);
    }
    Ok(())
}

/// The same path and store, one commit per command.
pub fn one_transaction_each(arguments: &Arguments, ground: &mut Ground, plain: &Plain, report: &mut Report) -> anyhow::Result<()> {
    println!("one transaction per refund");
    let single = [("REFUNDRY_DATABASE_BATCH_MAX", "1".to_owned())];
    let mut table = Table::new("Native API, one transaction per refund through the same store", &COLUMNS);
    let (mut cpu, mut alone, mut ours_alone) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..arguments.rounds {
        let mut measure = |name: &str, environment: &[(&str, String)], callers| {
            let server = ground.serve(false, environment)?;
            let prepared = ground.native(arguments.refunds / 10, Spread::Recent)?;
            let measured = ground.measure(&server, prepared, callers)?;
            table.row(cells(format!("{callers}, {name} (round {})", round + 1), &measured));
            anyhow::Ok(measured)
        };
        // A caller alone waits for the disk; whatever else uses it must meet both.
        ours_alone.push(measure("batches", &[], 1)?.load.percentile_us(50));
        alone.push(measure("one each", &single, 1)?.load.percentile_us(50));
        cpu.push(measure("one each", &single, 64)?.us_per_refund());
    }
    report.add(&table);
    let (cpu, alone, ours_alone) = (median(cpu), median(alone), median(ours_alone));
    let figure = ratio(cpu, plain.us_per_refund);
    report.goal("64 callers: CPU of one transaction per refund by ours", "≥ 2".into(), figure, cpu >= 2 * plain.us_per_refund);
    report.goal(
        "one caller alone: our p50 by that of one transaction per refund",
        "≤ 1.05".into(),
        ratio(ours_alone, alone),
        ours_alone * 100 <= alone * 105,
    );
    Ok(())
}
