//! Many callers refund one payment whose money is shared with three receivers, each of whom gives something back: the books of four merchants in every
//! commit, on both engines.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use refundry_bench::by_hand::ids::now_us;
use refundry_bench::client::call_once;
use refundry_bench::cluster::Cluster;
use refundry_bench::ground::{Ground, Stored};
use refundry_bench::load::Prepared;
use refundry_bench::manifest::DemoMerchant;
use refundry_bench::report::{Report, Said, said};
use refundry_bench::server_process::Server;
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::rows::{Row, table};

/// Callers at once.
const CALLERS: usize = 64;
/// Who gets a share.
const RECEIVERS: usize = 3;
/// Minor units of one refund: one of each receiver, and one that was never shared.
const REFUND_MINOR: usize = RECEIVERS + 1;
/// How often it is looked whether a share has ended.
const LOOKS_MAX: usize = 600;
/// How long until the next look.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Refunds one shared payment per round to its end; the first round warms up.
pub fn refunded(arguments: &Arguments, binary: &Path, cluster: Option<&Cluster>, report: &mut Report) -> anyhow::Result<()> {
    println!("one shared payment, {CALLERS} callers");
    let stored = Stored { payments: 1_000, refunds: 0, merchants: RECEIVERS as u64 + 1 };
    let ground = Ground::make(binary, &arguments.data.join("shared"), &stored)?;
    let there = cluster.map(|cluster| ground.copied(cluster, "bench_shared")).transpose()?;
    let mut grounds = vec![(said("Refundry on SQLite", "Refundry，SQLite"), ground)];
    grounds.extend(there.map(|there| (said("Refundry on PostgreSQL", "Refundry，PostgreSQL"), there)));
    let mut rows = Vec::new();
    for (name, ground) in grounds {
        rows.push(rounds(arguments, &ground, name)?);
        ground.refundry(&["doctor", "books"])?;
        ground.dropped()?;
    }
    let title = said(
        format!(
            "{CALLERS} callers refund one payment that is shared with {RECEIVERS} receivers; each gives something back for every refund"
        ),
        format!("{CALLERS} 个并发退同一笔已分账给 {RECEIVERS} 个接收方的支付；每笔退款各接收方均退回一部分"),
    );
    report.add(table(title, said("service", "服务"), &rows));
    Ok(())
}

fn rounds(arguments: &Arguments, ground: &Ground, name: Said) -> anyhow::Result<Row> {
    let counts: Vec<usize> =
        (0..=arguments.rounds).map(|round| if round == 0 { arguments.refunds / 16 } else { arguments.refunds }).collect();
    let with_workers = ground.serve(true, &[])?;
    let desk = Desk { server: &with_workers, ground, runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()? };
    for (round, count) in counts.iter().enumerate() {
        desk.share(round, *count)?;
    }
    drop(with_workers);
    // Only what it costs to accept is measured, as in the rows of other payments.
    let server = [ground.serve(false, &[])?];
    let mut row = Row::new(name);
    for (round, count) in counts.into_iter().enumerate() {
        let measured = ground.measure(&server, requests(ground, round, count)?, CALLERS)?;
        if measured.load.refused > 0 {
            bail!("{} refunds were refused, such as with {:?}", measured.load.refused, measured.load.first_refusal);
        }
        if round > 0 {
            row.add(measured);
        }
    }
    Ok(row)
}

fn reference(round: usize) -> String {
    format!("bench-shared-{round}")
}

fn receivers(ground: &Ground) -> anyhow::Result<&[DemoMerchant]> {
    ground.manifest.merchants.get(1..=RECEIVERS).context("the demo data have merchants beside the first")
}

/// One refund after the other, until nothing of the payment is left.
fn requests(ground: &Ground, round: usize, count: usize) -> anyhow::Result<Prepared> {
    let giver = ground.merchant()?;
    let amount = |minor: usize| json!({ "value": minor, "currency": giver.payments.currency });
    let back: Vec<Value> =
        receivers(ground)?.iter().map(|receiver| json!({ "receiver": receiver.merchant_id, "amount": amount(1) })).collect();
    let body =
        json!({ "payment_reference": reference(round), "amount": amount(REFUND_MINOR), "reason": "bench", "shares": back }).to_string();
    let request = |number: usize| {
        let head = format!(
            "POST /api/v1/refunds HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {}\r\nidempotency-key: shared{round:03}{number:09}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            giver.api_key,
            body.len()
        );
        [head.as_bytes(), body.as_bytes()].concat()
    };
    Ok(Prepared { requests: (0..count).map(request).collect(), success_mark: "\"refund_id\"", success_status: 201 })
}

/// Whoever makes the payments.
struct Desk<'a> {
    server: &'a Server,
    ground: &'a Ground,
    runtime: tokio::runtime::Runtime,
}

impl Desk<'_> {
    /// A payment for so many refunds, and its receivers have their parts.
    fn share(&self, round: usize, refunds: usize) -> anyhow::Result<()> {
        let giver = self.ground.merchant()?;
        let terminal = giver.terminals.first().context("the first merchant of the demo has a terminal")?;
        // The merchant's key of a demo may refund, and not share.
        let (operator_key, of_giver) = (&self.ground.manifest.operator_key, format!("?merchant_id={}", giver.merchant_id));
        let amount = |minor: usize| json!({ "value": minor, "currency": giver.payments.currency });
        let payment = json!({
            "merchant_id": giver.merchant_id,
            "terminal_id": terminal.terminal_id,
            "payment_reference": reference(round),
            "merchant_reference": reference(round),
            "method": "card",
            "status": "captured",
            "paid_at": jiff::Timestamp::from_microsecond(now_us())?.to_string(),
            "fee_mode": "from_account",
            "authorised": amount(refunds * REFUND_MINOR),
        });
        let payment = self.send("POST", "/api/v1/payments", operator_key, &payment.to_string())?;
        let payment_id = payment["payment_id"].as_str().context("the id of the payment")?;
        let lines: Vec<Value> =
            receivers(self.ground)?.iter().map(|receiver| json!({ "receiver": receiver.merchant_id, "amount": amount(refunds) })).collect();
        let share = json!({ "lines": lines }).to_string();
        let share = self.send("POST", &format!("/api/v1/payments/{payment_id}/shares{of_giver}"), operator_key, &share)?;
        let share_id = share["share_id"].as_str().context("the id of the share")?;
        for _ in 0..LOOKS_MAX {
            let share = self.send("GET", &format!("/api/v1/shares/{share_id}{of_giver}"), operator_key, "")?;
            if share["state"] == "succeeded" {
                return Ok(());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        bail!("the share of {} has not ended", reference(round))
    }

    fn send(&self, method: &str, path: &str, key: &str, body: &str) -> anyhow::Result<Value> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\nidempotency-key: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            path.split('?').next().unwrap_or_default().replace('/', "-"),
            body.len()
        );
        let answer = self.runtime.block_on(call_once(&self.server.address, request.as_bytes()))?;
        if answer.status >= 300 {
            bail!("{method} {path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
        serde_json::from_slice(&answer.body).context("JSON")
    }
}
