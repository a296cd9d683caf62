//! `refundry demo`: a data directory with merchants, keys and payments to play with, and a server on it.

mod baofoo;
mod directory;
mod seed;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::serve::{runtime, serve};
use crate::config::Config;
use crate::installation::open;

/// Make a data directory with merchants, keys and payments to play with, and serve it.
#[derive(Args, Debug)]
pub struct Demo {
    /// Where the data are; made when it is missing, used again when it is there.
    #[arg(long, default_value = "data/demo")]
    data_dir: PathBuf,
    /// Captured payments of the first merchant; each of the others has a thousand.
    #[arg(long, default_value_t = 2_000)]
    payments: u64,
    /// Merchants in all; those beyond the first four have a native key and a thousand payments each.
    #[arg(long, default_value_t = 4)]
    merchants: u64,
    /// How many of the first merchant's payments have a finished refund, from the oldest on.
    #[arg(long, default_value_t = 0)]
    refunds: u64,
    /// Make the data and end.
    #[arg(long)]
    prepare_only: bool,
    /// Where to listen for plain HTTP.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where to listen for HTTPS, with `--tls-cert` and `--tls-key`.
    #[arg(long, requires = "tls_cert", requires = "tls_key")]
    tls_listen: Option<SocketAddr>,
    /// PEM file with the certificate chain.
    #[arg(long)]
    tls_cert: Option<PathBuf>,
    /// PEM file with the private key.
    #[arg(long)]
    tls_key: Option<PathBuf>,
    /// The public key (base64 of SubjectPublicKeyInfo) that the first merchant's asynchronous Antom terminal signs with, instead of a fresh pair.
    #[arg(long)]
    antom_public_key: Option<PathBuf>,
}

impl Demo {
    /// Makes what is missing, and serves it.
    pub fn run(self) -> anyhow::Result<()> {
        let directory = directory::Directory::new(&self.data_dir)?;
        directory.write_config(&self)?;
        let config = Config::load(Some(&directory.config_file()), std::env::vars())?;
        if !directory.is_prepared() {
            runtime(&config)?.block_on(self.prepare(&directory, &config))?;
        }
        if self.prepare_only {
            return Ok(());
        }
        let welcome = directory.welcome()?;
        serve(&config, |addresses| println!("{}", welcome.text(addresses)))
    }

    async fn prepare(&self, directory: &directory::Directory, config: &Config) -> anyhow::Result<()> {
        let installation = open(config, false).await?;
        let public_key = match &self.antom_public_key {
            Some(file) => Some(std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?.trim().to_owned()),
            None => None,
        };
        let wanted =
            seed::Wanted { payments: self.payments, refunds: self.refunds, merchants: self.merchants, antom_public_key: public_key };
        let made = seed::make(&installation.service, directory, &wanted).await?;
        installation.close().await?;
        directory.write_manifest(&made)
    }
}
