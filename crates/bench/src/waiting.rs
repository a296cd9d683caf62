//! One payment-in that frees many refunds at once: how long until the last of them is released, on both engines, while they are carried out.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use refundry_bench::client::call_once;
use refundry_bench::cluster::Cluster;
use refundry_bench::ground::{Ground, Spread, Stored};
use refundry_bench::report::{Report, Said, Table, median, said};
use refundry_bench::server_process::Server;
use tokio::runtime::Runtime;
use tokio::time::Instant;

use crate::arguments::Arguments;

/// Refunds that wait for one credit.
const WAITING: usize = 10_000;
/// Callers that ask for them.
const CALLERS: usize = 64;
/// How long the last of them may take to be released.
const SECONDS_MAX: u64 = 5;
/// After which nobody waits for it any more.
const GIVE_UP_SECONDS: u64 = 60;
/// How often it is looked: each look reads the whole queue.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Waits, pays in, and counts down, so often as there are rounds.
pub fn released(arguments: &Arguments, binary: &Path, cluster: Option<&Cluster>, report: &mut Report) -> anyhow::Result<()> {
    println!("a credit frees {WAITING} refunds");
    let stored = Stored { payments: crate::PAYMENTS, refunds: 0, merchants: 4 };
    let ground = Ground::make(binary, &arguments.data.join("waiting"), &stored)?;
    let there = cluster.map(|cluster| ground.copied(cluster, "bench_waiting")).transpose()?;
    let title = said(
        format!("{WAITING} refunds wait for one credit: until the last is released, while they are carried out"),
        format!("{WAITING} 笔退款等待同一笔入账：边执行边放行，直到最后一笔放行"),
    );
    let mut table = Table::of_figures(title);
    let mut grounds = vec![(said("Refundry on SQLite", "Refundry，SQLite"), ground)];
    grounds.extend(there.map(|there| (said("Refundry on PostgreSQL", "Refundry，PostgreSQL"), there)));
    for (name, mut ground) in grounds {
        let took_ms = rounds(arguments, &mut ground)?;
        table.figure(name.clone(), format!("{took_ms} ms"));
        judge(&name, took_ms, report);
        ground.refundry(&["doctor", "books"])?;
        ground.dropped()?;
    }
    report.add(table);
    Ok(())
}

fn judge(name: &Said, took_ms: u64, report: &mut Report) {
    use refundry_bench::report::Language;
    let (english, chinese) = (name.text(Language::English), name.text(Language::Chinese));
    report.goal(
        said(format!("{english}: a credit frees {WAITING} waiting refunds"), format!("{chinese}：一笔入账放行 {WAITING} 笔等待中的退款")),
        said(format!("≤ {SECONDS_MAX} s"), format!("≤ {SECONDS_MAX} 秒")),
        format!("{took_ms} ms"),
        took_ms <= SECONDS_MAX * 1_000,
    );
}

/// The median of all rounds, in milliseconds.
fn rounds(arguments: &Arguments, ground: &mut Ground) -> anyhow::Result<u64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let server = [ground.serve(true, &[])?];
    let desk = Desk { runtime, address: server[0].address.clone(), operator_key: ground.manifest.operator_key.clone() };
    let merchant = ground.merchant()?.clone();
    for terminal in &merchant.terminals {
        let path = format!("/api/v1/terminals/{}?merchant_id={}", terminal.terminal_id, merchant.merchant_id);
        desk.send("PUT", &path, "policy", r#"{"policy":{"funds":"wait","draw_unsettled":false,"draw_reserve":false}}"#)?;
    }
    let mut took_ms = Vec::new();
    for round in 0..arguments.rounds.max(1) {
        let prepared = ground.native(WAITING, Spread::Recent)?;
        ground.measure(&server, prepared, CALLERS)?;
        let waiting = desk.waiting(&merchant.merchant_id)?;
        if waiting != WAITING as u64 {
            bail!("{waiting} of {WAITING} refunds wait for money");
        }
        let (currency, begin) = (&merchant.payments.currency, Instant::now());
        let body = format!(r#"{{"merchant_id":"{}","amount":{{"value":{WAITING},"currency":"{currency}"}}}}"#, merchant.merchant_id);
        desk.send("POST", "/api/v1/funds/top-ups", &format!("bench-credit-{round}"), &body)?;
        took_ms.push(desk.all_released(&merchant.merchant_id, begin)?);
        finish(&server[0])?;
    }
    Ok(median(took_ms))
}

/// What was released is carried out to its end before the next round: the lanes have nothing to do any more.
fn finish(server: &Server) -> anyhow::Result<()> {
    let mut before = None;
    for _ in 0..GIVE_UP_SECONDS * 2 {
        let commands = server.lane()?.commands;
        if before == Some(commands) {
            return Ok(());
        }
        before = Some(commands);
        std::thread::sleep(Duration::from_millis(500));
    }
    bail!("refunds are still carried out {GIVE_UP_SECONDS} s later")
}

/// The operator, who watches.
struct Desk {
    runtime: Runtime,
    address: String,
    operator_key: String,
}

impl Desk {
    fn send(&self, method: &str, path: &str, key: &str, body: &str) -> anyhow::Result<Vec<u8>> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {}\r\nidempotency-key: {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.operator_key,
            body.len()
        );
        let answer = self.runtime.block_on(call_once(&self.address, request.as_bytes()))?;
        if answer.status >= 300 {
            bail!("{method} {path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
        Ok(answer.body)
    }

    /// How many refunds of the merchant wait for money.
    fn waiting(&self, merchant_id: &str) -> anyhow::Result<u64> {
        let body = self.send("GET", &format!("/api/v1/funds/waiting?merchant_id={merchant_id}"), "-", "")?;
        let body: serde_json::Value = serde_json::from_slice(&body)?;
        let lines = body["items"].as_array().context("a list of what waits")?;
        Ok(lines.iter().filter_map(|line| line["count"].as_u64()).sum())
    }

    /// The time until nobody waits any more.
    fn all_released(&self, merchant_id: &str, begin: Instant) -> anyhow::Result<u64> {
        while self.waiting(merchant_id)? > 0 {
            if begin.elapsed() > Duration::from_secs(GIVE_UP_SECONDS) {
                bail!("refunds still wait {GIVE_UP_SECONDS} s after the credit");
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        u64::try_from(begin.elapsed().as_millis()).context("milliseconds of a minute")
    }
}
