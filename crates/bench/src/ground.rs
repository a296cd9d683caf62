//! The data that servers are started on: who has payments, where they are kept, and which of them are refunded.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::client::call_once;
use crate::cluster::Cluster;
use crate::copied::copy_rows;
use crate::load::Prepared;
use crate::manifest::{DemoMerchant, Manifest, read};
use crate::receiver::Receiver;
use crate::requests::{Wish, antom, native, oceanpayment};
use crate::server_process::{ByHand, Server, prepare};

/// Merchants of a demo that are there for people.
const NAMED_MERCHANTS: usize = 4;

/// A data directory that servers are started on, one after the other or together.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The server's binary.
    pub binary: PathBuf,
    /// Where the data are, or were made.
    pub data_dir: PathBuf,
    /// What was made there.
    pub manifest: Manifest,
    /// The PostgreSQL database that has the data now; the data directory's own file where there is none.
    pub database: Option<(Cluster, String)>,
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

impl Ground {
    /// Makes fresh data.
    pub fn make(binary: &Path, data_dir: &Path, stored: &Stored) -> anyhow::Result<Self> {
        prepare(binary, data_dir, stored)?;
        let manifest = read(data_dir)?;
        Ok(Self { binary: binary.to_owned(), data_dir: data_dir.to_owned(), manifest, database: None, next_payment: 0 })
    }

    /// The same data in a new database of a cluster, row by row.
    pub fn copied(&self, cluster: &Cluster, name: &str) -> anyhow::Result<Self> {
        cluster.make_database(name, None)?;
        let copy = Self { database: Some((cluster.clone(), name.to_owned())), ..self.clone() };
        copy.refundry(&["migrate"])?;
        copy_rows(&self.data_dir.join("refundry.db"), cluster, name)?;
        Ok(copy)
    }

    /// A database like this one, on which nothing was measured yet.
    pub fn cloned(&self, name: &str) -> anyhow::Result<Self> {
        let (cluster, template) = self.database.as_ref().context("only a database of a cluster can be cloned")?;
        cluster.make_database(name, Some(template))?;
        Ok(Self { database: Some((cluster.clone(), name.to_owned())), ..self.clone() })
    }

    /// Drops the database.
    pub fn dropped(self) -> anyhow::Result<()> {
        self.database.map_or(Ok(()), |(cluster, name)| cluster.drop_database(&name))
    }

    /// The address of the database, where it is not a file.
    pub fn url(&self) -> Option<String> {
        self.database.as_ref().map(|(cluster, name)| cluster.url(name))
    }

    /// Runs a command of the server's binary on the data; gives what it printed.
    pub fn refundry(&self, command: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(&self.binary)
            .args(command)
            .arg("--config")
            .arg(self.data_dir.join("refundry.toml"))
            .envs(self.url().map(|url| ("REFUNDRY_DATABASE_URL", url)))
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("run {}", self.binary.display()))?;
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            bail!("refundry {} failed with {}: {}", command.join(" "), output.status, String::from_utf8_lossy(&said));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Starts a server on it; `workers` says whether refunds are also carried out.
    pub fn serve(&self, workers: bool, environment: &[(&str, String)]) -> anyhow::Result<Server> {
        let mut environment = environment.to_vec();
        if !workers {
            environment.push(("REFUNDRY_SERVER_ROLES", "api".to_owned()));
        }
        environment.extend(self.url().map(|url| ("REFUNDRY_DATABASE_URL", url)));
        Server::start(&self.binary, &self.data_dir, &environment)
    }

    /// Starts a service on it that is written by hand.
    pub fn serve_by_hand(&self, by_hand: &ByHand) -> anyhow::Result<Server> {
        let url = self.url().context("the services that are written by hand need PostgreSQL")?;
        Server::start_by_hand(by_hand, &url, &self.data_dir)
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

    /// Oceanpayment requests for them.
    pub fn oceanpayment(&mut self, count: usize) -> anyhow::Result<Prepared> {
        let wishes: Vec<Wish> = self.wishes(count, Spread::Recent).into_iter().map(|(_, wish)| wish).collect();
        let terminal = self.merchant()?.terminals.iter().find(|terminal| terminal.dialect == "oceanpayment");
        oceanpayment(&self.data_dir, terminal.context("the demo data have an Oceanpayment terminal")?, &wishes)
    }

    /// Has the refund successes of every merchant sent to the receiver.
    pub fn subscribe(&self, server: &Server, receiver: &Receiver) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let body = format!(r#"{{"url":"http://{}/hook","events":["refund.succeeded"]}}"#, receiver.address);
        for merchant in &self.manifest.merchants {
            let request = format!(
                "POST /api/v1/notification-endpoints HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                merchant.api_key,
                body.len()
            );
            let answer = runtime.block_on(call_once(&server.address, request.as_bytes()))?;
            if answer.status >= 300 {
                bail!("no endpoint: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
            }
        }
        Ok(())
    }
}

/// A number with its bits well mixed, so that neighbours land far apart; the same every time.
fn mixed(number: u64) -> u64 {
    let once = (number ^ (number >> 31)).wrapping_mul(0x7FB5_D329_728E_A185);
    let twice = (once ^ (once >> 27)).wrapping_mul(0x81DA_DEF4_BC2D_D44D);
    (twice ^ (twice >> 33)) >> 1
}
