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
}

impl Measured {
    /// Processor time per accepted refund, in microseconds.
    pub fn us_per_refund(&self) -> u64 {
        self.usage.total_ms().saturating_mul(1_000) / self.load.accepted.max(1)
    }
}

impl Ground {
    /// Makes fresh data.
    pub fn make(binary: &Path, data_dir: &Path, payments: u64, refunds: u64) -> anyhow::Result<Self> {
        prepare(binary, data_dir, payments, refunds)?;
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

    /// Refunds that nobody asked for before.
    pub fn wishes(&mut self, count: usize, spread: Spread) -> anyhow::Result<Vec<Wish>> {
        let first = self.next_payment;
        let payments = &self.merchant()?.payments;
        let newest = payments.count.saturating_sub(1);
        let reference_of = |place: u64| match spread {
            Spread::Recent => payments.reference(newest.saturating_sub((first + place) % payments.count)),
            Spread::Uniform => payments.reference(mixed(first + place) % payments.count),
            Spread::OnePayment => payments.reference(newest / 2),
        };
        let wishes = (0..count as u64)
            .map(|place| Wish {
                payment_reference: reference_of(place),
                amount_minor: 1,
                currency: payments.currency.clone(),
                number: format!("bench{:012}", first + place),
            })
            .collect();
        self.next_payment = first + count as u64;
        Ok(wishes)
    }

    /// Native requests for them.
    pub fn native(&mut self, count: usize, spread: Spread) -> anyhow::Result<Prepared> {
        let wishes = self.wishes(count, spread)?;
        Ok(native(self.merchant()?, &wishes))
    }

    /// Antom requests for them.
    pub fn antom(&mut self, count: usize) -> anyhow::Result<Prepared> {
        let wishes = self.wishes(count, Spread::Recent)?;
        let terminals = &self.merchant()?.terminals;
        let terminal = terminals.iter().find(|terminal| terminal.dialect == "antom" && !terminal.synchronous);
        antom(&self.data_dir, terminal.context("the demo data have an asynchronous Antom terminal")?, &wishes)
    }

    /// Runs prepared requests and measures what they cost the server.
    pub fn measure(&self, server: &Server, prepared: Prepared, callers: usize) -> anyhow::Result<Measured> {
        let database = self.data_dir.join("refundry.db");
        let (before, bytes) = (server.usage()?, bytes_on_disk(&database));
        let load = run(&server.address, prepared, callers)?;
        let usage = server.usage()?.since(&before);
        let grown_bytes = bytes_on_disk(&database).saturating_sub(bytes);
        Ok(Measured { load, usage, resident_kib: server.resident_kib()?, grown_bytes })
    }

    /// As [`Self::measure`], until every refund is final and its notification has come.
    pub fn measure_to_the_end(&self, server: &Server, receiver: &Receiver, prepared: Prepared, callers: usize) -> anyhow::Result<Measured> {
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
        Ok(Measured { load, usage, resident_kib: server.resident_kib()?, grown_bytes })
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
