//! `refundry-crash`: kills a server again and again under load with signal 9, and then asks callers, acquirer and receiver what they remember.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::bail;
use clap::Parser;
use refundry_bench::crash::acquirer::RecordingAcquirer;
use refundry_bench::crash::callers::Callers;
use refundry_bench::crash::inbox::Inbox;
use refundry_bench::crash::stage::Stage;
use refundry_bench::crash::verdict::Verdict;
use refundry_bench::server_process::release_binary;

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
    let stage = Stage::set(&binary, &arguments.data, None, &acquirer, &inbox)?;
    let callers = Callers::new(stage.merchant_key.clone(), stage.payments.clone(), "USD".to_owned(), Duration::ZERO);
    let mut server = stage.start()?;
    callers.call_at(vec![server.address.clone()]);
    let running = callers.start(arguments.callers)?;
    for kill in 0..arguments.kills {
        std::thread::sleep(Duration::from_millis(life_ms(&arguments.life_ms, kill)));
        drop(server);
        server = stage.start()?;
        callers.call_at(vec![server.address.clone()]);
        println!(
            "kill {}: {} refunds acknowledged, ready again after {} ms",
            kill + 1,
            callers.acknowledged().len(),
            server.ready_after.as_millis()
        );
    }
    callers.stop();
    running.join().map_err(|_| anyhow::anyhow!("a caller stopped with a panic"))?;
    let verdict = Verdict::awaited(&callers, &acquirer, &inbox);
    drop(server);
    report(&stage, &callers, &acquirer, &verdict)
}

/// Lives of different lengths, the same at every run.
fn life_ms(limits: &[u64], kill: u32) -> u64 {
    let (least, most) = (limits.first().copied().unwrap_or(0), limits.get(1).copied().unwrap_or(0));
    least + u64::from(kill).wrapping_mul(7_919) % most.saturating_sub(least).max(1)
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
    bail!("the parties remember different things; the data are in {}", stage.folder().display())
}

fn first(texts: &[String]) -> &[String] {
    &texts[..texts.len().min(3)]
}
