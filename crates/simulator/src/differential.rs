//! The same plan on both engines. With one process and one lane they do the same at every step: each line of the log, each answer and each row
//! is equal. With several processes and lanes the order is another one; then the auditor looks, and what no order can change is compared.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::ground::Ground;
use crate::model::Violation;
use crate::plan::{Plan, PlannedEvent, Taken, Wish};
use crate::run::{Remains, RunReport, Setting, run_in};
use crate::server::Server;

/// Processes beside each other, and lanes of each of them.
const CROWD: (usize, usize) = (2, 2);

/// Runs a plan on SQLite, on PostgreSQL, and on PostgreSQL with several processes; the first rule that does not hold is reported.
pub fn run_on_both(plan: &Plan, server: &Arc<Server>) -> RunReport {
    let setting = |ground, processes, watched| Setting { ground, processes, compared: true, watched };
    let on_disk = run_in(plan, setting(Ground::disk(plan.seed), 1, true));
    if on_disk.violation.is_some() {
        return on_disk;
    }
    let mut on_server = run_in(plan, setting(Ground::server(plan.seed, server, 1), 1, false));
    on_server.figures.add(&on_disk.figures);
    if on_server.violation.is_none() {
        on_server.violation = difference(&on_disk, &on_server);
    }
    if on_server.violation.is_some() {
        return on_server;
    }
    let (processes, lanes) = CROWD;
    let mut in_crowd = run_in(plan, setting(Ground::server(plan.seed, server, lanes), processes, true));
    in_crowd.figures.add(&on_server.figures);
    if in_crowd.violation.is_none() {
        in_crowd.violation = lasting_difference(plan, &on_disk, &in_crowd);
    }
    in_crowd.trace = on_server.trace + "beside another process:\n" + &in_crowd.trace;
    in_crowd
}

/// The first thing in which two runs of the same steps are not the same.
fn difference(disk: &RunReport, server: &RunReport) -> Option<Violation> {
    let logs = first_difference(disk.trace.lines(), server.trace.lines());
    let broken = logs.map(|what| ("both_engines_do_the_same", what));
    let broken = broken.or_else(|| {
        disk.remains.iter().zip(&server.remains).find_map(|(disk, server)| {
            let rows = first_difference(texts(&disk.rows), texts(&server.rows)).map(|what| ("both_engines_keep_the_same", what));
            let reads = || first_difference(texts(&disk.reads), texts(&server.reads)).map(|what| ("both_engines_read_the_same", what));
            rows.or_else(reads)
        })
    });
    broken.map(|(rule, what)| Violation { rule, what })
}

fn texts(lines: &[String]) -> impl Iterator<Item = &str> {
    lines.iter().map(String::as_str)
}

fn first_difference<'a>(disk: impl Iterator<Item = &'a str>, server: impl Iterator<Item = &'a str>) -> Option<String> {
    let (mut disk, mut server) = (disk.map(Some).chain(std::iter::repeat(None)), server.map(Some).chain(std::iter::repeat(None)));
    loop {
        match (disk.next().flatten(), server.next().flatten()) {
            (None, None) => return None,
            (one, other) if one == other => {}
            (one, other) => return Some(format!("SQLite {one:?}, PostgreSQL {other:?}")),
        }
    }
}

/// Payments and payments-in are asked for until they are there, in whatever order.
fn lasting_difference(plan: &Plan, disk: &RunReport, crowd: &RunReport) -> Option<Violation> {
    let open: BTreeSet<String> = plan.steps.iter().filter_map(|step| ends_by_order(&step.event)).collect();
    let (disk, crowd) = (lasting(disk.remains.last()?, &open), lasting(crowd.remains.last()?, &open));
    let broken = disk.symmetric_difference(&crowd).next().map(|row| format!("only one of both has {row}"));
    let wished: BTreeSet<&str> = plan.steps.iter().filter_map(|step| reference(&step.event)).collect();
    let missing = || {
        let there = |reference: &&&str| crowd.iter().any(|row| row.contains(&format!("payment_reference={reference}")));
        wished.iter().find(|reference| !there(reference)).map(|reference| format!("{reference} is not there"))
    };
    broken.or_else(missing).map(|what| Violation { rule: "no_order_changes_what_was_paid", what })
}

fn reference(event: &PlannedEvent) -> Option<&str> {
    match event {
        PlannedEvent::Wish(Wish::Record(payment)) => Some(&payment.reference),
        PlannedEvent::Wish(_) | PlannedEvent::Fault(_) => None,
    }
}

/// How the row names a payment of which it depends on what came first how much is taken: a capture may be asked for before the authorisation is
/// there, or meet a void. The auditor looks at how each of them ended.
fn ends_by_order(event: &PlannedEvent) -> Option<String> {
    match event {
        PlannedEvent::Wish(Wish::Record(payment)) if payment.taken != Taken::Captured => {
            Some(format!("payment_reference={}", payment.reference))
        }
        PlannedEvent::Wish(_) | PlannedEvent::Fault(_) => None,
    }
}

/// What of the rows does not depend on what came first; of the payments in `open` only that they are there.
fn lasting(remains: &Remains, open: &BTreeSet<String>) -> BTreeSet<String> {
    const OF_OPEN_PAYMENTS: [&str; 4] = ["merchant_id=", "payment_reference=", "currency=", "terminal_id="];
    const OF_PAYMENTS: [&str; 8] = [
        "merchant_id=",
        "payment_reference=",
        "currency=",
        "captured_minor=",
        "marketing_minor=",
        "fee_minor=",
        "reserved_minor=",
        "terminal_id=",
    ];
    const OF_PAYMENTS_IN: [&str; 4] = ["merchant_id=", "number=", "scope=", "compared="];
    let chosen = |row: &str, names: &[&str]| {
        let fields = row.split(" | ").filter(|field| names.iter().any(|name| field.starts_with(name)));
        fields.collect::<Vec<&str>>().join(" | ")
    };
    let line = |row: &String| {
        let is_open = |fields: &str| fields.split(" | ").any(|field| open.contains(field));
        let payment = row.strip_prefix("payments: ");
        let payment = payment.map(|fields| if is_open(fields) { chosen(fields, &OF_OPEN_PAYMENTS) } else { chosen(fields, &OF_PAYMENTS) });
        let paid_in = row.strip_prefix("remembered: ").filter(|fields| fields.contains("refund_id=NULL | refusal=NULL"));
        payment.or_else(|| paid_in.map(|fields| chosen(fields, &OF_PAYMENTS_IN)))
    };
    remains.rows.iter().filter_map(line).collect()
}
