//! `refundry-failover`: two servers on a PostgreSQL that fails over, callers all the time, and one kind of death after the other. Then callers,
//! acquirer and receiver are asked what they remember.
//!
//! The machines with PostgreSQL are started, killed and healed by the program that `--cluster` names; `deploy/ha-demo/run` brings it along.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Parser;
use refundry_bench::crash::acquirer::RecordingAcquirer;
use refundry_bench::crash::callers::Callers;
use refundry_bench::crash::inbox::Inbox;
use refundry_bench::crash::stage::Stage;
use refundry_bench::crash::verdict::Verdict;
use refundry_bench::server_process::{Server, release_binary};
use tokio::time::Instant;

/// What is done to the machines: what the cluster's program is told, and how it is called in the table.
const DEATHS: [(&str, &str); 4] = [
    ("crash-primary", "the primary's PostgreSQL is killed"),
    ("lose-primary", "the primary's machine is gone"),
    ("cut-primary", "the primary's network is cut"),
    ("lose-standby", "the standby's machine is gone"),
];
/// A death shows within this time.
const WATCH: Duration = Duration::from_secs(12);
/// It is over when answers came for so long without a break.
const CALM: Duration = Duration::from_secs(10);
/// Longest time between two answers that is no break.
const BREAK_MIN: Duration = Duration::from_secs(1);
/// When there is no calm for so long, it will not come.
const CALM_WAIT_MAX: Duration = Duration::from_secs(150);

/// Kills machines and servers under load.
#[derive(Parser)]
struct Arguments {
    /// The program that starts, kills and heals the machines with PostgreSQL.
    #[arg(long)]
    cluster: PathBuf,
    /// Callers at once.
    #[arg(long, default_value_t = 16)]
    callers: usize,
    /// What each caller waits between two refunds, in milliseconds.
    #[arg(long, default_value_t = 20)]
    pause_ms: u64,
    /// How often all of it is done.
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// The server's binary; the one beside this program when it is not named.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// A folder for keys, configuration and logs; emptied first.
    #[arg(long, default_value = "bench-results/failover")]
    data: PathBuf,
}

/// One death and the time that belongs to it.
struct Scene {
    title: String,
    begun_at: Instant,
    struck_at: Instant,
    ended_at: Instant,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let binary = arguments.binary.clone().map_or_else(release_binary, Ok)?;
    let (acquirer, inbox) = (RecordingAcquirer::start()?, Inbox::start()?);
    let url = order(&arguments.cluster, "url")?;
    let stage = Stage::set(&binary, &arguments.data, Some(&url), &acquirer, &inbox)?;
    let pause = Duration::from_millis(arguments.pause_ms);
    let callers = Callers::new(stage.merchants.clone(), "USD".to_owned(), pause);
    let mut nodes = [stage.start_node("node-1")?, stage.start_node("node-2")?];
    callers.call_at(addresses(&nodes));
    let running = callers.start(arguments.callers)?;
    let mut scenes = Vec::new();
    for _ in 0..arguments.rounds {
        for (order, title) in DEATHS {
            scenes.push(strike_machine(&arguments.cluster, &callers, order, title)?);
        }
        scenes.push(strike_node(&stage, &callers, &mut nodes)?);
    }
    callers.stop();
    running.join().map_err(|_| anyhow::anyhow!("a caller stopped with a panic"))?;
    callers.repeat_all(arguments.callers)?;
    let verdict = Verdict::awaited(&callers, &acquirer, &inbox);
    let books = stage.run(&["doctor", "books"])?;
    drop(nodes);
    report(&scenes, &callers, &verdict, &books)
}

fn strike_machine(cluster: &Path, callers: &Callers, death: &str, title: &str) -> anyhow::Result<Scene> {
    let begun_at = Instant::now();
    sleep(CALM / 2);
    let struck_at = Instant::now();
    let machine = order(cluster, death)?;
    println!("{machine}: {title}");
    await_calm(callers, struck_at)?;
    println!("  {}", order(cluster, "heal")?);
    // Coming back must not hurt either: what it does to callers belongs to this scene.
    sleep(CALM / 2);
    Ok(Scene { title: title.to_owned(), begun_at, struck_at, ended_at: Instant::now() })
}

fn strike_node(stage: &Stage, callers: &Callers, nodes: &mut [Server; 2]) -> anyhow::Result<Scene> {
    let begun_at = Instant::now();
    sleep(CALM / 2);
    let struck_at = Instant::now();
    println!("node-1: a refundry node is killed");
    nodes[0].kill();
    await_calm(callers, struck_at)?;
    nodes[0] = stage.start_node("node-1")?;
    callers.call_at(addresses(nodes));
    println!("  ready again after {} ms", nodes[0].ready_after.as_millis());
    sleep(CALM / 2);
    Ok(Scene { title: "a refundry node is killed".to_owned(), begun_at, struck_at, ended_at: Instant::now() })
}

/// Waits until answers come without a break.
fn await_calm(callers: &Callers, struck_at: Instant) -> anyhow::Result<()> {
    sleep(WATCH);
    loop {
        let now = Instant::now();
        let recent = (now - CALM).max(struck_at);
        if callers.timeline().longest_silence(recent, now) < BREAK_MIN {
            return Ok(());
        }
        if now.duration_since(struck_at) > CALM_WAIT_MAX {
            bail!("callers are not answered again: {} acknowledged until now", callers.acknowledged().len());
        }
        sleep(Duration::from_millis(500));
    }
}

fn report(scenes: &[Scene], callers: &Callers, verdict: &Verdict, books: &str) -> anyhow::Result<()> {
    let (timeline, contradictions) = (callers.timeline(), callers.contradictions());
    let lost: BTreeSet<String> = verdict.lost.iter().cloned().chain(callers.forgotten()).collect();
    let doubled: BTreeSet<String> = verdict.doubled.iter().cloned().collect();
    println!("\n| What happened | Acknowledged | Lost | Doubled | Nobody was answered for | Longest wait of one caller |");
    println!("|---|---:|---:|---:|---:|---:|");
    for Scene { title, begun_at, struck_at, ended_at } in scenes {
        let acknowledged = timeline.acknowledged(*begun_at, *ended_at);
        let (lost, doubled) = (lost.intersection(&acknowledged).count(), doubled.intersection(&acknowledged).count());
        let silence = seconds(timeline.longest_silence(*struck_at, *ended_at));
        let wait = seconds(timeline.longest_wait(*struck_at, *ended_at));
        println!("| {title} | {} | {lost} | {doubled} | {silence} | {wait} |", acknowledged.len());
    }
    println!("| together | {} | {} | {} | | |", verdict.acknowledged, lost.len(), doubled.len());
    println!("\nrequests without an answer, repeated: {}", callers.repeated.load(Ordering::Relaxed));
    println!("asked for once more at the end: {}, answered differently: {}", verdict.acknowledged, contradictions.len());
    println!("paid without being asked for: {}", verdict.unasked.len());
    println!("acknowledged and not announced: {}", verdict.unannounced.len());
    println!("{books}");
    if verdict.is_clean() && contradictions.is_empty() && verdict.acknowledged > 0 {
        println!("1 passed, 0 failed");
        return Ok(());
    }
    bail!("the parties remember different things: {:?}", contradictions.iter().take(3).collect::<Vec<_>>())
}

fn seconds(time: Duration) -> String {
    format!("{}.{} s", time.as_secs(), time.subsec_millis() / 100)
}

fn addresses(nodes: &[Server; 2]) -> Vec<String> {
    nodes.iter().map(|node| node.address.clone()).collect()
}

/// Tells the cluster's program to do something; gives what it printed.
fn order(cluster: &Path, what: &str) -> anyhow::Result<String> {
    let output = Command::new(cluster).arg(what).output().with_context(|| format!("run {}", cluster.display()))?;
    if !output.status.success() {
        bail!("{} {what} failed: {}", cluster.display(), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
