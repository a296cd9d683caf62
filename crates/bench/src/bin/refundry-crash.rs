//! `refundry-crash`: kills servers again and again under load with signal 9, and then asks callers, acquirer and receiver what they remember.
//!
//! Without `--database` one server on a file is killed. With it, two servers on a PostgreSQL are, and the database server too, in turn;
//! `scripts/with-postgres --durable --revive` starts that one again.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::Duration;

use anyhow::bail;
use clap::Parser;
use refundry_bench::crash::acquirer::RecordingAcquirer;
use refundry_bench::crash::callers::Callers;
use refundry_bench::crash::database::{Database, Death};
use refundry_bench::crash::inbox::Inbox;
use refundry_bench::crash::nodes::{Nodes, name};
use refundry_bench::crash::outages::Outages;
use refundry_bench::crash::stage::Stage;
use refundry_bench::crash::verdict::Verdict;
use refundry_bench::server_process::release_binary;
use tokio::time::Instant;

/// Kills servers again and again under load.
#[derive(Parser)]
struct Arguments {
    /// A PostgreSQL database without tables, as a superuser; it is killed as well, and somebody must start it again.
    #[arg(long)]
    database: Option<String>,
    /// How often.
    #[arg(long, default_value_t = 50)]
    kills: u32,
    /// Callers at once.
    #[arg(long, default_value_t = 32)]
    callers: usize,
    /// How often a node and the database server stand still afterwards, in turn, for longer than everybody waits for them; only with a server.
    #[arg(long, default_value_t = 4)]
    pauses: u32,
    /// What each caller waits between two refunds, in milliseconds.
    #[arg(long, default_value_t = 0)]
    pause_ms: u64,
    /// Shortest and longest time between two kills while everything works, in milliseconds.
    #[arg(long, num_args = 2, default_values_t = [150, 900])]
    life_ms: Vec<u64>,
    /// The server's binary; the one beside this program when it is not named.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// A folder for keys, configuration and logs, and for the data when there is no other database; emptied first.
    #[arg(long, default_value = "bench-results/crash")]
    data: PathBuf,
}

/// How long a node stands still: until others have asked the acquirer about what it had begun, and its transaction has been taken from it.
const STANDSTILL: Duration = Duration::from_secs(14);

/// What is killed at once.
struct Strike {
    nodes: Vec<usize>,
    database: Option<Death>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let binary = arguments.binary.clone().map_or_else(release_binary, Ok)?;
    let (acquirer, inbox) = (RecordingAcquirer::start()?, Inbox::start()?);
    let stage = Stage::set(&binary, &arguments.data, arguments.database.as_deref(), &acquirer, &inbox)?;
    let database = arguments.database.as_deref().map(Database::at);
    let pause = Duration::from_millis(arguments.pause_ms);
    let callers = Callers::new(stage.merchants.clone(), "USD".to_owned(), pause);
    let mut nodes = Nodes::start(&stage, &callers, if database.is_some() { 2 } else { 1 })?;
    let strikes = strikes(database.is_some());
    let mut outages = Outages::default();
    let running = callers.start(arguments.callers)?;
    for (kill, strike) in (0..arguments.kills).zip(strikes.iter().cycle()) {
        sleep(Duration::from_millis(life_ms(&arguments.life_ms, kill)));
        let (kind, at) = (strike.name(nodes.count()), Instant::now());
        let back_after = strike.carry_out(&mut nodes, database.as_ref())?;
        outages.note(&kind, at, back_after);
        println!("kill {}, {kind}: {} acknowledged, back after {} ms", kill + 1, callers.acknowledged_count(), back_after.as_millis());
    }
    for (pause, database) in (0..arguments.pauses).zip(database.iter().cycle()) {
        sleep(Duration::from_millis(life_ms(&arguments.life_ms, pause)));
        let (of_node, at) = (pause % 2 == 0, Instant::now());
        let (who, stood) = match of_node {
            true => (name(1), nodes.stand_still(1, STANDSTILL)),
            false => ("the database server".to_owned(), database.stand_still(STANDSTILL)),
        };
        stood?;
        let kind = format!("nothing, but {who} stood still for {} s", STANDSTILL.as_secs());
        outages.note(&kind, at, at.elapsed());
        println!("pause {}, {kind}: {} acknowledged", pause + 1, callers.acknowledged_count());
    }
    sleep(Duration::from_millis(life_ms(&arguments.life_ms, arguments.kills)));
    let ended_at = Instant::now();
    callers.stop();
    running.join().map_err(|_| anyhow::anyhow!("a caller stopped with a panic"))?;
    callers.repeat_all(arguments.callers)?;
    let verdict = Verdict::awaited(&callers, &acquirer, &inbox);
    drop(nodes);
    println!("\n{}", outages.table(&callers.timeline(), ended_at));
    report(&stage, &callers, &acquirer, &verdict)
}

/// What is killed, in turn.
fn strikes(with_database: bool) -> Vec<Strike> {
    let strike = |nodes: &[usize], database| Strike { nodes: nodes.to_vec(), database };
    if !with_database {
        return vec![strike(&[0], None)];
    }
    vec![
        strike(&[0], None),
        strike(&[], Some(Death::Killed)),
        strike(&[1], None),
        strike(&[], Some(Death::StoppedAtOnce)),
        strike(&[0, 1], None),
        strike(&[], Some(Death::OneProcessKilled)),
        strike(&[0], Some(Death::Killed)),
        strike(&[0, 1], Some(Death::Killed)),
    ]
}

impl Strike {
    fn name(&self, nodes: usize) -> String {
        let database = match self.database {
            None => "",
            Some(Death::Killed) => "database server",
            Some(Death::StoppedAtOnce) => "database server, stopped at once",
            Some(Death::OneProcessKilled) => "one process of the database server",
        };
        let of_nodes = match &self.nodes[..] {
            [] => String::new(),
            all if all.len() == nodes && nodes > 1 => "all nodes".to_owned(),
            some => some.iter().copied().map(name).collect::<Vec<_>>().join(", "),
        };
        [&of_nodes, database].into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" and ")
    }

    /// Kills, and waits until everything is there again; gives how long that took.
    fn carry_out(&self, nodes: &mut Nodes<'_>, database: Option<&Database>) -> anyhow::Result<Duration> {
        let begin = Instant::now();
        let struck = database.zip(self.database);
        if let Some((database, death)) = struck {
            database.kill(death)?;
        }
        nodes.kill(&self.nodes);
        nodes.revive(&self.nodes)?;
        if let Some((database, _)) = struck {
            database.wait_until_back()?;
        }
        Ok(begin.elapsed())
    }
}

/// Lives of different lengths, the same at every run.
fn life_ms(limits: &[u64], kill: u32) -> u64 {
    let (least, most) = (limits.first().copied().unwrap_or(0), limits.get(1).copied().unwrap_or(0));
    least + u64::from(kill).wrapping_mul(7_919) % most.saturating_sub(least).max(1)
}

fn report(stage: &Stage, callers: &Callers, acquirer: &RecordingAcquirer, verdict: &Verdict) -> anyhow::Result<()> {
    let forgotten = callers.forgotten();
    println!("acknowledged {}", verdict.acknowledged);
    println!("requests without an answer, repeated {}", callers.repeated.load(Ordering::Relaxed));
    println!("paid by the acquirer {}", acquirer.paid().len());
    println!("lost {} {:?}", verdict.lost.len() + forgotten.len(), first(&[&verdict.lost[..], &forgotten].concat()));
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
