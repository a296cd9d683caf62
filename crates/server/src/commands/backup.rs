//! `refundry backup FILE`: a consistent copy of the database, also while a server works on it.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::ConfigFile;
use super::serve::runtime;
use crate::installation::open;

/// Copy the database, consistently, while it is served.
#[derive(Args, Debug)]
pub struct Backup {
    #[command(flatten)]
    config: ConfigFile,
    /// The copy; must not exist yet. The master key is not in it: keep a copy of that apart.
    file: PathBuf,
}

impl Backup {
    /// Copies.
    pub fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        runtime(&config)?.block_on(async {
            let installation = open(&config, false).await?;
            let store = &installation.service.world.store;
            let copied = store.backup(&self.file).await;
            installation.close().await?;
            copied.with_context(|| format!("copy to {}", self.file.display()))?;
            println!("copied to {} / 已备份", self.file.display());
            Ok(())
        })
    }
}
