//! `refundry-bench`: one run, one report, goals beside figures.

mod arguments;
mod large;
mod native;
mod rows;
mod the_end;
mod wire;

use std::fs;

use clap::Parser as _;
use refundry_bench::baselines::{Rsa, commits_per_second, rsa};
use refundry_bench::report::{Report, Table};
use refundry_bench::scenarios::{Ground, Stored, empty_route};
use refundry_bench::server_process::release_binary;

use crate::arguments::{Arguments, Part};

/// Payments that the first merchant has in the first tables.
const PAYMENTS: u64 = 100_000;
/// Merchants in the first tables, those with few payments included.
const MERCHANTS: u64 = 68;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let binary = arguments.binary.clone().map_or_else(release_binary, Ok)?;
    if arguments.data.exists() {
        fs::remove_dir_all(&arguments.data)?;
    }
    fs::create_dir_all(&arguments.data)?;
    let mut report = Report::default();

    let rsa = rsa()?;
    let stored = Stored { payments: PAYMENTS, refunds: 0, merchants: MERCHANTS };
    let mut small = Ground::make(&binary, &arguments.data.join("small"), &stored)?;
    report.add(&machine(&arguments, &small, rsa.as_ref())?);
    let plain = native::accept(&arguments, &mut small, &mut report)?;
    if arguments.wants(Part::Antom) {
        let limit_us = rsa.map(|rsa| plain.us_per_refund + rsa.pair_us() * 115 / 100);
        wire::accept(&arguments, &mut small, limit_us, &mut report)?;
    }
    if arguments.wants(Part::End) {
        the_end::to_the_end(&arguments, &binary, &mut report)?;
    }
    if arguments.wants(Part::Single) {
        native::one_transaction_each(&arguments, &mut small, &plain, &mut report)?;
    }
    if arguments.wants(Part::Large) && arguments.stored > 0 {
        large::large(&arguments, &binary, &plain, &mut report)?;
    }
    if let Some(folder) = arguments.out.parent() {
        fs::create_dir_all(folder)?;
    }
    let report = report.markdown();
    fs::write(&arguments.out, &report)?;
    println!("\n{report}\nwritten to {}", arguments.out.display());
    Ok(())
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
