//! `refundry-bench`: one run, one report, goals beside figures.

mod arguments;
mod large;
mod machine;
mod native;
mod nodes;
mod postgres;
mod rows;
mod shared;
mod the_end;
mod waiting;
mod wire;

use std::fs;
use std::path::Path;

use clap::Parser as _;
use refundry_bench::baselines::rsa;
use refundry_bench::by_hand::ids::now_us;
use refundry_bench::cluster::Cluster;
use refundry_bench::ground::{Ground, Stored};
use refundry_bench::report::{Language, Report, said};
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
    let cluster = Cluster::from_environment()?;
    if cluster.is_none() {
        println!("REFUNDRY_TEST_POSTGRES names no PostgreSQL: what needs one is left out");
    }
    let mut report = Report::new(intro(&arguments)?);
    measure(&arguments, &binary, cluster.as_ref(), &mut report)?;
    if let Some(folder) = arguments.out.parent() {
        fs::create_dir_all(folder)?;
    }
    let text = report.markdown(Language::English);
    fs::write(&arguments.out, &text)?;
    if let Some(docs) = &arguments.docs {
        report.write_into(&docs.join("performance.md"), Language::English)?;
        report.write_into(&docs.join("performance.zh.md"), Language::Chinese)?;
    }
    println!("\n{text}\nwritten to {}", arguments.out.display());
    Ok(())
}

fn measure(arguments: &Arguments, binary: &Path, cluster: Option<&Cluster>, report: &mut Report) -> anyhow::Result<()> {
    let rsa = rsa()?;
    let stored = Stored { payments: PAYMENTS, refunds: 0, merchants: MERCHANTS };
    let mut small = Ground::make(binary, &arguments.data.join("small"), &stored)?;
    let in_cluster = cluster.filter(|_| [Part::Postgres, Part::Nodes].into_iter().any(|part| arguments.wants(part)));
    // Before anything is refunded: both engines begin with the same rows.
    let small_there = in_cluster.map(|cluster| small.copied(cluster, "bench_small")).transpose()?;
    machine::machine(arguments, &small, rsa.as_ref(), cluster, report)?;
    let plain = native::accept(arguments, &mut small, report)?;
    if arguments.wants(Part::Antom) {
        let limit_us = rsa.map(|rsa| plain.us_per_refund + rsa.pair_us() * 115 / 100);
        wire::accept(arguments, &mut small, limit_us, report)?;
        wire::accept_oceanpayment(arguments, &mut small, report)?;
    }
    if arguments.wants(Part::Single) {
        native::one_transaction_each(arguments, &mut small, &plain, report)?;
    }
    let mut plain_there = None;
    if let Some(small_there) = &small_there {
        if arguments.wants(Part::Postgres) {
            plain_there = Some(postgres::accept(arguments, small_there, report)?);
        }
        if arguments.wants(Part::Nodes) {
            nodes::two_nodes(arguments, small_there, report)?;
        }
    }
    if let Some(small_there) = small_there {
        small_there.dropped()?;
    }
    if arguments.wants(Part::End) {
        the_end::to_the_end(arguments, binary, cluster, report)?;
    }
    if arguments.wants(Part::Waiting) {
        waiting::released(arguments, binary, cluster, report)?;
    }
    if arguments.wants(Part::Shared) {
        shared::refunded(arguments, binary, cluster, report)?;
    }
    if arguments.wants(Part::Large) && arguments.stored > 0 {
        let large = Stored { payments: arguments.stored, refunds: arguments.stored, merchants: 4 };
        println!("making {} stored refunds", arguments.stored);
        let ground = Ground::make(binary, &arguments.data.join("large"), &large)?;
        let there = cluster.map(|cluster| ground.copied(cluster, "bench_large")).transpose()?;
        large::sqlite(arguments, ground, &plain, report)?;
        if let Some(there) = there {
            large::postgres(arguments, there, plain_there, report)?;
        }
    }
    Ok(())
}

fn intro(arguments: &Arguments) -> anyhow::Result<refundry_bench::report::Said> {
    let day = jiff::Timestamp::from_microsecond(now_us())?.strftime("%Y-%m-%d").to_string();
    let (refunds, rounds) = (arguments.refunds, arguments.rounds);
    Ok(said(
        format!("Measured on {day}: {refunds} refunds a round, medians of {rounds} rounds that take turns."),
        format!("测量日期 {day}：每轮 {refunds} 笔退款，轮流进行 {rounds} 轮，取中位数。"),
    ))
}
