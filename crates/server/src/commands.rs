//! The commands of `refundry`, one file each.

pub mod adjustment;
pub mod advance;
mod at_the_desk;
pub mod backup;
pub mod copy;
pub mod demo;
pub mod dispute;
pub mod distribute;
pub mod doctor;
pub mod import;
pub mod key;
pub mod keys;
pub mod merchant;
pub mod migrate;
pub mod notification;
pub mod payment;
pub mod payout;
pub mod person;
pub mod queue;
pub mod rate;
pub mod refund;
pub mod serve;
pub mod settlement;
pub mod share;
pub mod terminal;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::Config;

/// Refundry 归款: a self-hosted refund platform.
#[derive(Debug, Parser)]
#[command(name = "refundry", version, about, propagate_version = true)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Where the configuration is.
#[derive(Args, Clone, Debug, Default)]
pub struct ConfigFile {
    /// The configuration file; without it the defaults and the environment count. See `refundry config`.
    #[arg(long, short, env = "REFUNDRY_CONFIG", global = true)]
    pub config: Option<PathBuf>,
}

impl ConfigFile {
    /// Reads it, with the environment's overrides.
    pub fn load(&self) -> anyhow::Result<Config> {
        Ok(Config::load(self.config.as_deref(), std::env::vars())?)
    }
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve requests and carry refunds out.
    Serve(serve::Serve),
    /// Make a data directory with merchants, keys and payments to play with, and serve it.
    Demo(demo::Demo),
    /// Make or update the database.
    Migrate(migrate::Migrate),
    /// Check what is stored.
    Doctor(doctor::Doctor),
    /// Spread the tables of a PostgreSQL over the workers of a Citus cluster.
    Distribute(distribute::Distribute),
    /// Copy the database, consistently, while it is served.
    Backup(backup::Backup),
    /// Copy everything into a database of the other kind, and verify it.
    Copy(copy::Copy),
    /// Make and list merchants.
    Merchant(merchant::Merchant),
    /// Make and list terminals.
    Terminal(terminal::Terminal),
    /// Add, change and list people.
    Person(person::Person),
    /// Issue, list, rotate and revoke credentials.
    Key(key::Key),
    /// Change the key under which secrets are sealed.
    Keys(keys::Keys),
    /// Take payments over from files.
    Import(import::Import),
    /// See when money comes free; take tracking numbers over; mark payments; release reserves.
    Settlement(settlement::Settlement),
    /// List notifications, and send them again.
    Notification(notification::Notification),
    /// Look at the refunds that wait for money.
    Queue(queue::Queue),
    /// Share payments' money with other merchants.
    Share(share::Share),
    /// Take from receivers what was advanced for them.
    Advance(advance::Advance),
    /// Prepare payouts, and say what became of them; see and put their terms.
    Payout(payout::Payout),
    /// Propose adjustments of merchants' money, and book or reject what somebody else proposed.
    Adjustment(adjustment::Adjustment),
    /// Record chargebacks, disputes, retrievals and reports of fraud, and say what became of them.
    Dispute(dispute::Dispute),
    /// Capture and void authorised payments.
    Payment(payment::Payment),
    /// Import and list the rates of days, by which amounts are booked.
    Rate(rate::Rate),
    /// Build, sign and send a refund request, as a merchant's client would.
    Refund(refund::Refund),
    /// Print the configuration file with all keys, their defaults and what they do.
    Config,
    /// Print the OpenAPI document of the native API.
    #[command(name = "openapi")]
    OpenApi,
}

impl Command {
    /// Does it.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Serve(serve) => serve.run(),
            Self::Demo(demo) => demo.run(),
            Self::Migrate(migrate) => migrate.run(),
            Self::Doctor(doctor) => doctor.run(),
            Self::Distribute(distribute) => distribute.run(),
            Self::Backup(backup) => backup.run(),
            Self::Copy(copy) => copy.run(),
            Self::Merchant(merchant) => merchant.run(),
            Self::Terminal(terminal) => terminal.run(),
            Self::Person(person) => person.run(),
            Self::Key(key) => key.run(),
            Self::Keys(keys) => keys.run(),
            Self::Import(import) => import.run(),
            Self::Settlement(settlement) => settlement.run(),
            Self::Notification(notification) => notification.run(),
            Self::Queue(queue) => queue.run(),
            Self::Share(share) => share.run(),
            Self::Advance(advance) => advance.run(),
            Self::Payout(payout) => payout.run(),
            Self::Adjustment(adjustment) => adjustment.run(),
            Self::Dispute(dispute) => dispute.run(),
            Self::Payment(payment) => payment.run(),
            Self::Rate(rate) => rate.run(),
            Self::Refund(refund) => refund.run(),
            Self::Config => {
                print!("{}", crate::config::default_file());
                Ok(())
            }
            Self::OpenApi => {
                print!("{}", crate::openapi::document_text());
                Ok(())
            }
        }
    }
}

/// What is said of a word that is none of those that are known.
fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    format!("one of / 可选 {}", words.collect::<Vec<_>>().join(", "))
}
