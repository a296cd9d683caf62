//! The rows of the table: who calls, how many at once, against how much stored data.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::Instant;

use crate::client::call_once;
use crate::cpu::{Usage, bytes_on_disk};
use crate::load::{LoadResult, Prepared, run};
use crate::manifest::{DemoMerchant, Manifest, read};
use crate::receiver::Receiver;
use crate::requests::{Wish, antom, empty, native};
use crate::server_process::{Server, prepare};

/// How long notifications may take after the last request.
const DRAIN_SECONDS_MAX: u64 = 120;
/// Merchants of a demo that are there for people.
const NAMED_MERCHANTS: usize = 4;

/// A data directory that servers are started on, one after the other.
pub struct Ground {
    /// The server's binary.
    pub binary: PathBuf,
    /// Where the data are.
    pub data_dir: PathBuf,
    /// What was made there.
    pub manifest: Manifest,
    next_payment: u64,
}

/// Which payments are refunded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// The newest, one refund each.
    Recent,
    /// Any, chosen without order.
    Uniform,
    /// One payment, many refunds.
    OnePayment,
    /// The newest of many merchants with few payments, in turn.
    ManyMerchants,
}

/// What is made before anything is measured.
pub struct Stored {
    /// Payments of the first merchant.
    pub payments: u64,
    /// How many of them have a finished refund.
    pub refunds: u64,
    /// Merchants in all.
    pub merchants: u64,
}

/// What the lane did.
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
    /// What the server used.
    pub usage: Usage,
    /// Resident memory after it, in kibibytes.
    pub resident_kib: u64,
    /// Bytes that the database grew by.
    pub grown_bytes: u64,
    /// What the lane did, where the server tells.
    pub lane: Option<LaneFigures>,
}

impl LaneFigures {
    fn since(&self, earlier: &Self) -> Self {
        Self { commands: self.commands.saturating_sub(earlier.commands), commits: self.commits.saturating_sub(earlier.commits) }
    }
}

impl Measured {
    /// Processor time per accepted refund, in microseconds.
    pub fn us_per_refund(&self) -> u64 {
        self.usage.total_ms().saturating_mul(1_000) / self.load.accepted.max(1)
    }
}

impl Ground {
    /// Makes fresh data.
    pub fn make(binary: &Path, data_dir: &Path, stored: &Stored) -> anyhow::Result<Self> {
        prepare(binary, data_dir, stored)?;
        let manifest = read(data_dir)?;
        Ok(Self { binary: binary.to_owned(), data_dir: data_dir.to_owned(), manifest, next_payment: 0 })
    }

    /// Starts a server on it; `workers` says whether refunds are also carried out.
    pub fn serve(&self, workers: bool, environment: &[(&str, String)]) -> anyhow::Result<Server> {
        let mut environment = environment.to_vec();
        if !workers {
            environment.push(("REFUNDRY_SERVER_ROLES", "api".to_owned()));
        }
        Server::start(&self.binary, &self.data_dir, &environment)
    }

    /// The merchant whose payments are refunded.
    pub fn merchant(&self) -> anyhow::Result<&DemoMerchant> {
        self.manifest.merchants.first().context("the demo data have a merchant")
    }

    /// Refunds that nobody asked for before; each with the place of its merchant in the manifest.
    fn wishes(&mut self, count: usize, spread: Spread) -> Vec<(usize, Wish)> {
        let first = self.next_payment;
        self.next_payment += count as u64;
        (first..self.next_payment).map(|number| self.wish(number, first, spread)).collect()
    }

    fn wish(&self, number: u64, first: u64, spread: Spread) -> (usize, Wish) {
        let merchants = &self.manifest.merchants;
        // The first four of a demo are those of people; the many come after them.
        let place = match spread {
            Spread::ManyMerchants if merchants.len() > NAMED_MERCHANTS => {
                NAMED_MERCHANTS + usize::try_from(number).unwrap_or(0) % (merchants.len() - NAMED_MERCHANTS)
            }
            Spread::Recent | Spread::Uniform | Spread::OnePayment | Spread::ManyMerchants => 0,
        };
        let payments = &merchants[place].payments;
        let newest = payments.count.saturating_sub(1);
        let payment_reference = match spread {
            Spread::Recent => payments.reference(newest.saturating_sub(number % payments.count)),
            Spread::Uniform => payments.reference(mixed(number) % payments.count),
            // Each run another one: a payment is refunded to its end by as many refunds as it has minor units.
            Spread::OnePayment => payments.reference(mixed(first) % payments.count),
            Spread::ManyMerchants => payments.reference(newest.saturating_sub(number / merchants.len() as u64 % payments.count)),
        };
        (place, Wish { payment_reference, amount_minor: 1, currency: payments.currency.clone(), number: format!("bench{number:012}") })
    }

    /// Native requests for them.
    pub fn native(&mut self, count: usize, spread: Spread) -> anyhow::Result<Prepared> {
        let wishes = self.wishes(count, spread);
        let merchants = &self.manifest.merchants;
        Ok(native(wishes.iter().map(|(place, wish)| (&merchants[*place], wish))))
    }

    /// Antom requests for them.
    pub fn antom(&mut self, count: usize) -> anyhow::Result<Prepared> {
        let wishes: Vec<Wish> = self.wishes(count, Spread::Recent).into_iter().map(|(_, wish)| wish).collect();
        let terminals = &self.merchant()?.terminals;
        let terminal = terminals.iter().find(|terminal| terminal.dialect == "antom" && !terminal.synchronous);
        antom(&self.data_dir, terminal.context("the demo data have an asynchronous Antom terminal")?, &wishes)
    }

    /// Runs prepared requests and measures what they cost the server.
    pub fn measure(&self, server: &Server, prepared: Prepared, callers: usize) -> anyhow::Result<Measured> {
        let database = self.data_dir.join("refundry.db");
        let lane = server.lane()?;
        let (before, bytes) = (server.usage()?, bytes_on_disk(&database));
        let load = run(&server.address, prepared, callers)?;
        let usage = server.usage()?.since(&before);
        let grown_bytes = bytes_on_disk(&database).saturating_sub(bytes);
        let lane = Some(server.lane()?.since(&lane));
        Ok(Measured { load, usage, resident_kib: server.resident_kib()?, grown_bytes, lane })
    }

    /// As [`Self::measure`], until every refund is final and its notification has come.
    pub fn measure_to_the_end(&self, server: &Server, receiver: &Receiver, prepared: Prepared, callers: usize) -> anyhow::Result<Measured> {
        let lane = server.lane()?;
        let (before, came) = (server.usage()?, receiver.received());
        let database = self.data_dir.join("refundry.db");
        let bytes = bytes_on_disk(&database);
        let load = run(&server.address, prepared, callers)?;
        let begin = Instant::now();
        while receiver.received() - came < load.accepted {
            if begin.elapsed() > Duration::from_secs(DRAIN_SECONDS_MAX) {
                anyhow::bail!("{} of {} notifications came in {DRAIN_SECONDS_MAX} s", receiver.received() - came, load.accepted);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let usage = server.usage()?.since(&before);
        let grown_bytes = bytes_on_disk(&database).saturating_sub(bytes);
        let lane = Some(server.lane()?.since(&lane));
        Ok(Measured { load, usage, resident_kib: server.resident_kib()?, grown_bytes, lane })
    }

    /// Has the merchant's refund successes sent to the receiver.
    pub fn subscribe(&self, server: &Server, receiver: &Receiver) -> anyhow::Result<()> {
        let merchant = self.merchant()?;
        let body = format!(r#"{{"url":"http://{}/hook","events":["refund.succeeded"]}}"#, receiver.address);
        let request = format!(
            "POST /api/v1/notification-endpoints HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            merchant.api_key,
            body.len()
        );
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let answer = runtime.block_on(call_once(&server.address, request.as_bytes()))?;
        if answer.status >= 300 {
            anyhow::bail!("no endpoint: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
        Ok(())
    }
}

/// What a route that does nothing costs, in microseconds per request, and how many a second it serves.
pub fn empty_route(ground: &Ground, server: &Server, count: usize) -> anyhow::Result<Measured> {
    ground.measure(server, empty(count), 64)
}

/// A number with its bits well mixed, so that neighbours land far apart; the same every time.
fn mixed(number: u64) -> u64 {
    let once = (number ^ (number >> 31)).wrapping_mul(0x7FB5_D329_728E_A185);
    let twice = (once ^ (once >> 27)).wrapping_mul(0x81DA_DEF4_BC2D_D44D);
    (twice ^ (twice >> 33)) >> 1
}
