//! A PostgreSQL cluster on this machine: its databases, and what its server has used.
//!
//! Processor time of the server is that of all its processes. Those that are alive tell their own; those that ended are in the account of the
//! parent of them all, which waits for each: so nothing is lost when connections come and go during a run.

use std::fs;
use std::future::Future;

use anyhow::Context as _;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

/// What names the cluster; `scripts/with-postgres` sets it.
const VARIABLE: &str = "REFUNDRY_TEST_POSTGRES";
/// The kernel counts processor time in hundredths of a second.
const US_PER_TICK: u64 = 10_000;

/// A cluster, and the right to make databases in it.
#[derive(Clone, Debug)]
pub struct Cluster {
    address: String,
    first_process: u32,
}

/// One connection and the runtime that moves its bytes.
pub struct Session {
    runtime: Runtime,
    client: Client,
}

impl Cluster {
    /// The cluster that the environment names; `None` when it names none.
    pub fn from_environment() -> anyhow::Result<Option<Self>> {
        let Ok(address) = std::env::var(VARIABLE) else { return Ok(None) };
        let session = Session::open(&address)?;
        let file = session.text("SELECT pg_read_file('postmaster.pid')").context("only a superuser may read which process it is")?;
        let first_process = file.lines().next().and_then(|line| line.trim().parse().ok()).context("the file begins with a number")?;
        Ok(Some(Self { address, first_process }))
    }

    /// The address of a database.
    pub fn url(&self, database: &str) -> String {
        let end = self.address.rfind('/').unwrap_or(self.address.len());
        format!("{}/{database}", &self.address[..end])
    }

    /// A connection to a database.
    pub fn session(&self, database: &str) -> anyhow::Result<Session> {
        Session::open(&self.url(database))
    }

    /// Makes a database, as a copy of another when one is named. One of the same name is dropped first.
    pub fn make_database(&self, name: &str, template: Option<&str>) -> anyhow::Result<()> {
        let session = Session::open(&self.address)?;
        session.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        // Copying files is much faster than writing each page into the log, for what is large.
        let from = template.map_or_else(|| "TEMPLATE template0".to_owned(), |template| format!("TEMPLATE {template} STRATEGY file_copy"));
        session.run(&format!("CREATE DATABASE {name} {from}"))
    }

    /// Drops a database.
    pub fn drop_database(&self, name: &str) -> anyhow::Result<()> {
        Session::open(&self.address)?.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    }

    /// Bytes of a database.
    pub fn bytes(&self, database: &str) -> anyhow::Result<u64> {
        Session::open(&self.address)?.number(&format!("SELECT pg_database_size('{database}')"))
    }

    /// Bytes that were ever written to the write-ahead log.
    pub fn log_bytes(&self) -> anyhow::Result<u64> {
        Session::open(&self.address)?.number("SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::BIGINT")
    }

    /// Writes everything that is only in memory to the files, so that what is measured next does not pay for what was before.
    pub fn settle(&self) -> anyhow::Result<()> {
        Session::open(&self.address)?.run("CHECKPOINT")
    }

    /// A setting, or the version, as the server prints it.
    pub fn shows(&self, setting: &str) -> anyhow::Result<String> {
        Session::open(&self.address)?.text(&format!("SHOW {setting}"))
    }

    /// Processor time of all processes of the server until now, in microseconds.
    pub fn cpu_us(&self) -> anyhow::Result<u64> {
        let parent = Account::of(self.first_process)?;
        let mut us = parent.with_ended_ticks * US_PER_TICK;
        for entry in fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
            // A process that ends meanwhile is in its parent's account at the next reading.
            let Ok(account) = Account::of(pid) else { continue };
            if account.parent == self.first_process {
                us += running_us(pid).unwrap_or(account.own_ticks * US_PER_TICK);
            }
        }
        Ok(us)
    }
}

/// What the kernel says of a process.
struct Account {
    parent: u32,
    own_ticks: u64,
    with_ended_ticks: u64,
}

impl Account {
    fn of(pid: u32) -> anyhow::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let (_, after) = stat.rsplit_once(')').context("a stat line names its process in brackets")?;
        let fields: Vec<&str> = after.split_whitespace().collect();
        let number = |place: usize| fields.get(place).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        let own_ticks = number(11) + number(12);
        Ok(Self { parent: u32::try_from(number(1))?, own_ticks, with_ended_ticks: own_ticks + number(13) + number(14) })
    }
}

/// To the microsecond, where the kernel keeps such an account. A process of this server has one thread.
fn running_us(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    text.split_whitespace().next()?.parse::<u64>().ok().filter(|ns| *ns > 0).map(|ns| ns / 1_000)
}

impl Session {
    /// To an address.
    pub fn open(address: &str) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(address, NoTls).await.with_context(|| format!("connect to {address}"))?;
            tokio::spawn(connection);
            anyhow::Ok(client)
        })?;
        Ok(Self { runtime, client })
    }

    /// Runs statements.
    pub fn run(&self, statements: &str) -> anyhow::Result<()> {
        self.wait(self.client.batch_execute(statements)).with_context(|| format!("run {statements}"))
    }

    /// A text that a statement gives.
    pub fn text(&self, query: &str) -> anyhow::Result<String> {
        let row = self.wait(self.client.query_one(query, &[])).with_context(|| format!("run {query}"))?;
        Ok(row.try_get(0)?)
    }

    /// A number that a statement gives, which is not negative.
    pub fn number(&self, query: &str) -> anyhow::Result<u64> {
        let row = self.wait(self.client.query_one(query, &[])).with_context(|| format!("run {query}"))?;
        Ok(u64::try_from(row.try_get::<_, i64>(0)?)?)
    }

    /// The connection.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Waits for something that uses the connection.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}
