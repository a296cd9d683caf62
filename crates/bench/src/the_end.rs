//! Until the refund is final and the merchant has its notification, on both engines, beside the service that is written by hand.

use std::path::Path;

use refundry_bench::by_hand::service::Way;
use refundry_bench::cluster::Cluster;
use refundry_bench::ground::{Ground, Spread, Stored};
use refundry_bench::receiver::Receiver;
use refundry_bench::report::{Report, Said, ratio, said};
use refundry_bench::server_process::{ByHand, Server};

use crate::arguments::Arguments;
use crate::rows::{Row, table};

/// Connections and workers of the service that is written by hand.
const BY_HAND: ByHand = ByHand { way: Way::Interactive, connections: 32, workers: 32 };
/// Callers at once.
const CALLERS: usize = 64;

/// Who takes part.
struct Contender {
    ground: Ground,
    server: [Server; 1],
    receiver: Receiver,
    row: Row,
    spread: Spread,
    /// One transaction after the other needs fewer refunds for the same time.
    share: usize,
}

/// The servers have their workers, the merchant an endpoint that says yes.
pub fn to_the_end(arguments: &Arguments, binary: &Path, cluster: Option<&Cluster>, report: &mut Report) -> anyhow::Result<()> {
    println!("to the final state with notification");
    // Data of its own: the refunds of other parts are not carried out yet, and are not to be paid for here.
    let stored = Stored { payments: crate::PAYMENTS, refunds: 0, merchants: crate::MERCHANTS };
    let ground = Ground::make(binary, &arguments.data.join("end"), &stored)?;
    let mut contenders = Vec::new();
    // Before anybody asks to be told: each contender tells a receiver of its own.
    let there = cluster.map(|cluster| ground.copied(cluster, "bench_end_by_hand")).transpose()?;
    contenders.push(enter(ground, said("Refundry on SQLite, one merchant", "Refundry，SQLite，一个商户"), (None, Spread::Recent))?);
    if let Some(by_hand) = there {
        let ours = by_hand.cloned("bench_end")?;
        let name = said("Refundry on PostgreSQL, 64 merchants", "Refundry，PostgreSQL，64 个商户");
        contenders.push(enter(ours, name, (None, Spread::ManyMerchants))?);
        let name = said(
            format!("by hand, interactive transactions ({} connections), 64 merchants", BY_HAND.connections),
            format!("手写，交互事务（{} 个连接），64 个商户", BY_HAND.connections),
        );
        contenders.push(enter(by_hand, name, (Some(&BY_HAND), Spread::ManyMerchants))?);
    }
    for round in 0..=arguments.rounds {
        for contender in &mut contenders {
            // The first round warms up.
            let count = arguments.refunds / if round == 0 { 16 } else { contender.share };
            let prepared = contender.ground.native(count, contender.spread)?;
            let measured = contender.ground.measure_to_the_end(&contender.server, &contender.receiver, prepared, CALLERS)?;
            if round > 0 {
                contender.row.add(measured);
            }
        }
    }
    judge(&contenders, report);
    let title = said("64 callers: to the final state, notification delivered", "64 个并发：直至终态并送达通知");
    report.add(table(title, said("service", "服务"), contenders.iter().map(|contender| &contender.row)));
    for contender in contenders {
        drop(contender.server);
        contender.ground.refundry(&["doctor", "books"])?;
        contender.ground.dropped()?;
    }
    Ok(())
}

fn enter(ground: Ground, name: Said, (by_hand, spread): (Option<&ByHand>, Spread)) -> anyhow::Result<Contender> {
    let receiver = Receiver::start()?;
    let mut server = ground.serve(true, &[("REFUNDRY_OUTGOING_NETWORKS_ALLOWED", "127.0.0.0/8".to_owned())])?;
    ground.subscribe(&server, &receiver)?;
    if let Some(by_hand) = by_hand {
        drop(server);
        server = ground.serve_by_hand(by_hand)?;
    }
    let share = if by_hand.is_some() { 8 } else { 2 };
    Ok(Contender { ground, server: [server], receiver, row: Row::new(name), spread, share })
}

fn judge(contenders: &[Contender], report: &mut Report) {
    let mut us = contenders.iter().map(|contender| contender.row.us());
    let sqlite = us.next().unwrap_or(0);
    report.goal(
        said("SQLite, 64 callers: CPU per refund, final and notified", "SQLite，64 个并发：每笔退款到达终态并送达通知的 CPU"),
        said("≤ 300 µs, aim 150", "≤ 300 µs，力争 150"),
        format!("{sqlite} µs"),
        sqlite <= 300,
    );
    if let Some((ours, theirs)) = us.next().zip(us.next()) {
        report.goal(
            said(
                "PostgreSQL, 64 callers: CPU per refund, final and notified, by that of the service written by hand",
                "PostgreSQL，64 个并发：每笔退款到达终态并送达通知的 CPU 与手写服务之比",
            ),
            said("≤ 1/4, aim 1/6", "≤ 1/4，力争 1/6"),
            format!("{ours} µs / {theirs} µs = {}", ratio(ours, theirs)),
            ours * 4 <= theirs,
        );
    }
}
