//! Commands for whoever sits at the machine: they act as the operator, directly on the database, also while it is served.

use clap::{Args, ValueEnum};
use refundry_engine::Mode;
use refundry_service::{Caller, Service};

use super::ConfigFile;
use super::serve::runtime;
use crate::config::Config;
use crate::installation::open;

/// Which database, in which mode.
#[derive(Args, Clone, Debug)]
pub struct Desk {
    #[command(flatten)]
    config: ConfigFile,
    /// Sandbox or live: the one never sees the other.
    #[arg(long, value_enum, default_value_t = ModeName::Sandbox, global = true)]
    mode: ModeName,
}

/// A mode, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModeName {
    /// Play money.
    Sandbox,
    /// Real money.
    Live,
}

impl Desk {
    /// Sandbox or live.
    pub const fn mode(&self) -> Mode {
        match self.mode {
            ModeName::Sandbox => Mode::Sandbox,
            ModeName::Live => Mode::Live,
        }
    }

    /// The configuration that it works with.
    pub fn config(&self) -> anyhow::Result<Config> {
        self.config.load()
    }

    /// Opens the installation, lets `job` work as the operator, and closes it.
    pub fn work(self, job: impl AsyncFnOnce(&Service, &Caller) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let name = std::env::var("USER").unwrap_or_else(|_| "desk".to_owned());
        let caller = Caller::operator(&name, self.mode());
        runtime(&config)?.block_on(async {
            let installation = open(&config, false).await?;
            let done = job(&installation.service, &caller).await;
            installation.close().await?;
            done
        })
    }
}

/// Prints one line of JSON, for people and scripts alike.
pub fn print(value: &serde_json::Value) {
    println!("{value}");
}
