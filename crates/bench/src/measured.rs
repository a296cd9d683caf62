//! What a run of requests costs: the application, and the database server beside it.

use std::time::Duration;

use tokio::time::Instant;

use crate::cpu::{Usage, bytes_on_disk};
use crate::ground::Ground;
use crate::load::{LoadResult, Prepared, run};
use crate::receiver::Receiver;
use crate::requests::empty;
use crate::server_process::Server;

/// How long notifications may take after the last request.
const DRAIN_SECONDS_MAX: u64 = 120;
/// What follows the last notification: that it came is written down.
const LAST_COMMITS: Duration = Duration::from_millis(300);

/// What the lanes did.
#[derive(Clone, Copy, Debug, Default)]
pub struct LaneFigures {
    /// Commands that were carried out.
    pub commands: u64,
    /// Commits that they shared.
    pub commits: u64,
}

/// What one measured run gave.
pub struct Measured {
    /// Answers and their times.
    pub load: LoadResult,
    /// What the application used; several nodes together.
    pub usage: Usage,
    /// Processor time of a database server, in microseconds.
    pub database_us: Option<u64>,
    /// Bytes written: into the write-ahead log of a database server; into all files by an application that has its database within.
    pub written_bytes: u64,
    /// Resident memory of the application after it, in kibibytes.
    pub resident_kib: u64,
    /// Bytes that the database grew by.
    pub grown_bytes: u64,
    /// What the lanes did, where the application tells.
    pub lane: LaneFigures,
}

impl Measured {
    /// Processor time per accepted refund, of application and database server together, in microseconds.
    pub fn us_per_refund(&self) -> u64 {
        (self.usage.total_ms().saturating_mul(1_000) + self.database_us.unwrap_or(0)) / self.load.accepted.max(1)
    }

    /// Of it what is not the store: connections, parsing, proof, answers, workers, signatures.
    pub fn us_beside_the_store(&self) -> u64 {
        self.usage.total_ms().saturating_sub(self.usage.of_threads("store")).saturating_mul(1_000) / self.load.accepted.max(1)
    }
}

/// Readings of all meters at one instant.
struct Reading {
    usage: Usage,
    database_us: Option<u64>,
    written_bytes: u64,
    bytes: u64,
    lane: LaneFigures,
}

impl Reading {
    fn of(ground: &Ground, servers: &[Server]) -> anyhow::Result<Self> {
        let mut lane = LaneFigures::default();
        let (mut usage, mut written_bytes) = (Usage::default(), 0);
        for server in servers {
            let figures = server.lane()?;
            lane.commands += figures.commands;
            lane.commits += figures.commits;
            usage = usage.and(&server.usage()?);
            written_bytes += server.written_bytes();
        }
        let Some((cluster, name)) = &ground.database else {
            let bytes = bytes_on_disk(&ground.data_dir.join("refundry.db"));
            return Ok(Self { usage, database_us: None, written_bytes, bytes, lane });
        };
        let (bytes, written_bytes) = (cluster.bytes(name)?, cluster.log_bytes()?);
        Ok(Self { usage, database_us: Some(cluster.cpu_us()?), written_bytes, bytes, lane })
    }
}

impl Ground {
    /// Runs prepared requests and measures what they cost.
    pub fn measure(&self, servers: &[Server], prepared: Prepared, callers: usize) -> anyhow::Result<Measured> {
        self.measure_until(servers, prepared, callers, |_| Ok(()))
    }

    /// As [`Self::measure`], until every refund is final and its notification has come.
    pub fn measure_to_the_end(
        &self,
        servers: &[Server],
        receiver: &Receiver,
        prepared: Prepared,
        callers: usize,
    ) -> anyhow::Result<Measured> {
        let came = receiver.received();
        self.measure_until(servers, prepared, callers, |load| {
            let begin = Instant::now();
            while receiver.received() - came < load.accepted {
                if begin.elapsed() > Duration::from_secs(DRAIN_SECONDS_MAX) {
                    anyhow::bail!("{} of {} notifications came in {DRAIN_SECONDS_MAX} s", receiver.received() - came, load.accepted);
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            load.took += begin.elapsed();
            std::thread::sleep(LAST_COMMITS);
            Ok(())
        })
    }

    fn measure_until(
        &self,
        servers: &[Server],
        prepared: Prepared,
        callers: usize,
        end: impl FnOnce(&mut LoadResult) -> anyhow::Result<()>,
    ) -> anyhow::Result<Measured> {
        let addresses: Vec<&str> = servers.iter().map(|server| server.address.as_str()).collect();
        let before = Reading::of(self, servers)?;
        let mut load = run(&addresses, prepared, callers)?;
        end(&mut load)?;
        let after = Reading::of(self, servers)?;
        if let Some(refusal) = &load.first_refusal {
            println!("  {} of {} were not accepted, the first: {refusal}", load.refused, load.refused + load.accepted);
        }
        let lane = LaneFigures {
            commands: after.lane.commands.saturating_sub(before.lane.commands),
            commits: after.lane.commits.saturating_sub(before.lane.commits),
        };
        let resident = servers.iter().map(Server::resident_kib).sum::<anyhow::Result<u64>>()?;
        Ok(Measured {
            load,
            usage: after.usage.since(&before.usage),
            database_us: after.database_us.zip(before.database_us).map(|(after, before)| after.saturating_sub(before)),
            written_bytes: after.written_bytes.saturating_sub(before.written_bytes),
            resident_kib: resident,
            grown_bytes: after.bytes.saturating_sub(before.bytes),
            lane,
        })
    }
}

/// What a route that does nothing costs, in microseconds per request, and how many a second it serves.
pub fn empty_route(ground: &Ground, servers: &[Server], count: usize) -> anyhow::Result<Measured> {
    ground.measure(servers, empty(count), 64)
}
