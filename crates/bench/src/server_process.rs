//! The release server as a child process, and its data directory.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::time::Instant;

use crate::by_hand::service::Way;
use crate::client::call_once;
use crate::cpu::{Usage, resident_kib, written_bytes};
use crate::ground::Stored;
use crate::measured::LaneFigures;

/// How long a server may take to be ready with a large database.
const READY_SECONDS_MAX: u64 = 120;

/// A server that is running.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: String,
    /// How long it took from start to ready.
    pub ready_after: Duration,
}

/// Makes a data directory with so many payments, so many of them refunded.
pub fn prepare(binary: &Path, data_dir: &Path, stored: &Stored) -> anyhow::Result<()> {
    let status = Command::new(binary)
        .args(["demo", "--prepare-only", "--data-dir"])
        .arg(data_dir)
        .args(["--payments", &stored.payments.to_string(), "--refunds", &stored.refunds.to_string()])
        .args(["--merchants", &stored.merchants.to_string()])
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("run {}", binary.display()))?;
    if !status.success() {
        bail!("refundry demo --prepare-only failed with {status}");
    }
    Ok(())
}

/// A service that is written by hand.
pub struct ByHand {
    /// How it writes a refund.
    pub way: Way,
    /// Its connections to the database.
    pub connections: usize,
    /// Refunds that it carries out at once; 0 leaves them accepted.
    pub workers: usize,
}

impl Server {
    /// Starts it with the configuration of a data directory; `environment` overrides single keys.
    pub fn start(binary: &Path, data_dir: &Path, environment: &[(&str, String)]) -> anyhow::Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(binary);
        command.args(["serve", "--config"]).arg(data_dir.join("refundry.toml")).env("REFUNDRY_SERVER_LISTEN", &address);
        for (name, value) in environment {
            command.env(name, value);
        }
        Self::started(command, address, &data_dir.join("server.log"))
    }

    /// Starts a service that is written by hand on a database; what it says goes into a file of the folder.
    pub fn start_by_hand(by_hand: &ByHand, database: &str, folder: &Path) -> anyhow::Result<Self> {
        let address = free_address()?;
        let way = match by_hand.way {
            Way::Function => "function",
            Way::Interactive => "interactive",
        };
        let mut command = Command::new(beside("refundry-by-hand")?);
        command.args(["--way", way, "--database", database, "--listen", &address]);
        command.args(["--connections", &by_hand.connections.to_string(), "--workers", &by_hand.workers.to_string()]);
        Self::started(command, address, &folder.join("by-hand.log"))
    }

    fn started(mut command: Command, address: String, log: &Path) -> anyhow::Result<Self> {
        let log = std::fs::File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let begin = Instant::now();
        let child = command.spawn().with_context(|| format!("start {}", command.get_program().display()))?;
        let mut server = Self { child, address, ready_after: Duration::ZERO };
        server.wait_until_ready(begin)?;
        server.ready_after = begin.elapsed();
        Ok(server)
    }

    fn wait_until_ready(&mut self, begin: Instant) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let request = b"GET /readyz HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n";
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status}; see its log in the data directory");
            }
            if runtime.block_on(call_once(&self.address, request)).is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            if begin.elapsed() > Duration::from_secs(READY_SECONDS_MAX) {
                bail!("the server was not ready after {READY_SECONDS_MAX} s");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Kills it with signal 9. Nothing is lost by it: what was acknowledged is on disk.
    pub fn kill(&mut self) {
        // A child that is gone already is what we want.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }

    /// Stops it where it stands for a while, as a machine does that has no processor left for it, and lets it go on.
    pub fn stand_still(&self, time: Duration) -> anyhow::Result<()> {
        signal("-STOP", self.child.id())?;
        std::thread::sleep(time);
        signal("-CONT", self.child.id())
    }

    /// Processor time until now.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        Usage::of(self.child.id())
    }

    /// The sum of all series of the server's own figures that begin so, without fractions.
    pub fn figure(&self, prefix: &str) -> anyhow::Result<u64> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let request = b"GET /metrics HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n";
        let answer = runtime.block_on(call_once(&self.address, request))?;
        let text = String::from_utf8(answer.body).context("figures are text")?;
        let values = text.lines().filter(|line| line.starts_with(prefix)).filter_map(|line| line.rsplit_once(' '));
        Ok(values.filter_map(|(_, value)| value.split('.').next()?.parse::<u64>().ok()).sum())
    }

    /// What the lane did until now.
    pub fn lane(&self) -> anyhow::Result<LaneFigures> {
        Ok(LaneFigures { commands: self.figure("refundry_batch_commands_sum")?, commits: self.figure("refundry_batch_commands_count")? })
    }

    /// Bytes that it had written to storage.
    pub fn written_bytes(&self) -> u64 {
        written_bytes(self.child.id())
    }

    /// Resident memory, in kibibytes.
    pub fn resident_kib(&self) -> anyhow::Result<u64> {
        resident_kib(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The release binary beside this program, unless the caller named another.
pub fn release_binary() -> anyhow::Result<PathBuf> {
    beside("refundry")
}

fn beside(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let beside = own.with_file_name(name);
    if !beside.exists() {
        bail!("{} is missing; build it with `cargo build --release --bin {name}`", beside.display());
    }
    Ok(beside)
}

fn free_address() -> anyhow::Result<String> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// Sends a signal, such as `-STOP`, to a process.
pub fn signal(signal: &str, process: u32) -> anyhow::Result<()> {
    let status = Command::new("kill").args([signal, &process.to_string()]).status().context("run kill")?;
    if !status.success() {
        bail!("kill {signal} {process} ended with {status}");
    }
    Ok(())
}
