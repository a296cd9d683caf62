//! `refundry-crash`: kills a server again and again under load with signal 9, and then asks callers, acquirer and receiver what they remember.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Parser;
use refundry_bench::client::call_once;
use refundry_bench::crash::acquirer::RecordingAcquirer;
use refundry_bench::crash::callers::Callers;
use refundry_bench::crash::inbox::Inbox;
use refundry_bench::crash::verdict::Verdict;
use refundry_bench::server_process::{Server, release_binary};
use tokio::time::Instant;

/// Payments that are refunded in turn.
const PAYMENTS: usize = 500;
/// How long everything that was acknowledged may take to be paid and announced after the last kill.
const SETTLE_SECONDS_MAX: u64 = 180;

/// Kills a server again and again under load.
#[derive(Parser)]
struct Arguments {
    /// How often.
    #[arg(long, default_value_t = 50)]
    kills: u32,
    /// Callers at once.
    #[arg(long, default_value_t = 16)]
    callers: usize,
    /// Shortest and longest life of a server, in milliseconds.
    #[arg(long, num_args = 2, default_values_t = [150, 900])]
    life_ms: Vec<u64>,
    /// The server's binary; the one beside this program when it is not named.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// A folder for the data; emptied first.
    #[arg(long, default_value = "bench-results/crash")]
    data: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let binary = arguments.binary.clone().map_or_else(release_binary, Ok)?;
    let (acquirer, inbox) = (RecordingAcquirer::start()?, Inbox::start()?);
    let stage = Stage::set(&binary, &arguments.data, &acquirer, &inbox)?;
    let callers = Callers::new(stage.merchant_key.clone(), stage.payments.clone(), "USD".to_owned());
    let mut server = stage.start()?;
    callers.call_at(&server.address);
    let running = callers.start(arguments.callers)?;
    for kill in 0..arguments.kills {
        std::thread::sleep(Duration::from_millis(life_ms(&arguments.life_ms, kill)));
        drop(server);
        server = stage.start()?;
        callers.call_at(&server.address);
        println!(
            "kill {}: {} refunds acknowledged, ready again after {} ms",
            kill + 1,
            callers.acknowledged().len(),
            server.ready_after.as_millis()
        );
    }
    callers.stop();
    running.join().map_err(|_| anyhow::anyhow!("a caller stopped with a panic"))?;
    let verdict = settle(&callers, &acquirer, &inbox);
    drop(server);
    report(&stage, &callers, &acquirer, &verdict)
}

/// Lives of different lengths, the same at every run.
fn life_ms(limits: &[u64], kill: u32) -> u64 {
    let (least, most) = (limits.first().copied().unwrap_or(0), limits.get(1).copied().unwrap_or(0));
    least + u64::from(kill).wrapping_mul(7_919) % most.saturating_sub(least).max(1)
}

fn settle(callers: &Arc<Callers>, acquirer: &RecordingAcquirer, inbox: &Inbox) -> Verdict {
    let begin = Instant::now();
    loop {
        let verdict = Verdict::of(&callers.acknowledged(), &acquirer.paid(), &inbox.heard());
        if verdict.is_clean() || begin.elapsed() > Duration::from_secs(SETTLE_SECONDS_MAX) {
            return verdict;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn report(stage: &Stage, callers: &Callers, acquirer: &RecordingAcquirer, verdict: &Verdict) -> anyhow::Result<()> {
    println!("acknowledged {}", verdict.acknowledged);
    println!("requests without an answer, repeated {}", callers.repeated.load(Ordering::Relaxed));
    println!("paid by the acquirer {}", acquirer.paid().len());
    println!("lost {} {:?}", verdict.lost.len(), first(&verdict.lost));
    println!("doubled {} {:?}", verdict.doubled.len(), first(&verdict.doubled));
    println!("not announced {} {:?}", verdict.unannounced.len(), first(&verdict.unannounced));
    println!("paid without being asked for {} {:?}", verdict.unasked.len(), first(&verdict.unasked));
    let contradictions = callers.contradictions();
    println!("contradicting answers {} {:?}", contradictions.len(), first(&contradictions));
    let books = stage.run(&["doctor", "books"])?;
    println!("{books}");
    if verdict.is_clean() && contradictions.is_empty() && verdict.acknowledged > 0 {
        println!("1 passed, 0 failed");
        return Ok(());
    }
    bail!("the parties remember different things; the data are in {}", stage.data.display())
}

fn first(texts: &[String]) -> &[String] {
    &texts[..texts.len().min(3)]
}

/// An installation with a live merchant whose acquirer does not recognise duplicates.
struct Stage {
    binary: PathBuf,
    data: PathBuf,
    merchant_key: String,
    payments: Vec<String>,
}

impl Stage {
    fn set(binary: &Path, data: &Path, acquirer: &RecordingAcquirer, inbox: &Inbox) -> anyhow::Result<Self> {
        if data.exists() {
            fs::remove_dir_all(data)?;
        }
        fs::create_dir_all(data)?;
        let data = data.canonicalize()?;
        fs::write(data.join("refundry.toml"), config(&data, acquirer))?;
        let payments = (0..PAYMENTS).map(|number| format!("CRASH{number:08}")).collect();
        let mut stage = Self { binary: binary.to_owned(), data, merchant_key: String::new(), payments };
        let made = stage.json(&["merchant", "--mode", "live", "create", "--name", "Crash"])?;
        let merchant = text(&made, "merchant_id")?;
        let made =
            stage.json(&["terminal", "--mode", "live", "create", "--merchant", &merchant, "--name", "API", "--acquirer", "recorder"])?;
        let terminal = text(&made, "terminal_id")?;
        stage.merchant_key = text(&stage.json(&["key", "--mode", "live", "issue", "--merchant", &merchant])?, "token")?;
        let operator_key = text(&stage.json(&["key", "--mode", "live", "issue", "--operator"])?, "token")?;
        let server = stage.start()?;
        stage.import(&server, &operator_key, &merchant, &terminal)?;
        let body = format!(r#"{{"url":"http://{}/hook","events":["refund.succeeded"]}}"#, inbox.address);
        post(&server, "/api/v1/notification-endpoints", &stage.merchant_key, "application/json", &body)?;
        Ok(stage)
    }

    fn start(&self) -> anyhow::Result<Server> {
        Server::start(&self.binary, &self.data, &[])
    }

    fn import(&self, server: &Server, key: &str, merchant: &str, terminal: &str) -> anyhow::Result<()> {
        let line = |reference: &String| {
            format!(
                r#"{{"merchant_id":"{merchant}","terminal_id":"{terminal}","payment_reference":"{reference}","merchant_reference":"order-{reference}","method":"card","status":"captured","paid_at":"{}","authorised":{{"value":100000000,"currency":"USD"}}}}"#,
                today()
            )
        };
        let lines: Vec<String> = self.payments.iter().map(line).collect();
        let sum = post(server, "/api/v1/payments/import", key, "application/x-ndjson", &lines.join("\n"))?;
        if !sum.contains(&format!("\"created\":{PAYMENTS}")) {
            bail!("not every payment was imported: {sum}");
        }
        Ok(())
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(&self.binary).args(arguments).env("REFUNDRY_CONFIG", self.data.join("refundry.toml")).output()?;
        let printed = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !output.status.success() {
            bail!("refundry {} failed: {printed} {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(printed)
    }

    fn json(&self, arguments: &[&str]) -> anyhow::Result<serde_json::Value> {
        let printed = self.run(arguments)?;
        serde_json::from_str(&printed).with_context(|| format!("refundry {} printed {printed}", arguments.join(" ")))
    }
}

fn config(data: &Path, acquirer: &RecordingAcquirer) -> String {
    format!(
        "[database]\nurl = \"sqlite://{data}/refundry.db\"\n\n[secrets]\nmaster_key_file = \"{data}/master.key\"\n\n\
         [outgoing]\nnetworks_allowed = [\"127.0.0.0/8\"]\n\n\
         [workers]\nacquirer_timeout_ms = 2000\nretry_delay_ms_min = 200\nlease_ms = 5000\n\n\
         [acquirer.recorder]\nkind = \"http\"\nurl = \"http://{}/refunds\"\nsecret = \"crash-test\"\nrecognises_duplicates = false\nunknown_is_final_after_ms = 2500\n",
        acquirer.address,
        data = data.display(),
    )
}

fn today() -> String {
    // `date` knows the day, so that the payments are never too old to be refunded.
    let printed = Command::new("date").args(["-u", "+%Y-%m-%dT00:00:00Z"]).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&printed).trim().to_owned()
}

fn post(server: &Server, path: &str, key: &str, kind: &str, body: &str) -> anyhow::Result<String> {
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: crash\r\nauthorization: Bearer {key}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(call_once(&server.address, request.as_bytes()))?;
    if answer.status >= 300 {
        bail!("{path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
    }
    Ok(String::from_utf8_lossy(&answer.body).into_owned())
}

fn text(value: &serde_json::Value, field: &str) -> anyhow::Result<String> {
    value[field].as_str().map(str::to_owned).with_context(|| format!("{value} has no {field}"))
}
