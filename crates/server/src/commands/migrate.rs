//! `refundry migrate`: brings the database to this version's schema, and says which that is. `serve` does the same at its start.

use clap::Args;

use super::ConfigFile;
use super::serve::runtime;
use crate::database::Place;
use crate::installation::open;

/// Make or update the database.
#[derive(Args, Debug)]
pub struct Migrate {
    #[command(flatten)]
    config: ConfigFile,
}

impl Migrate {
    /// Opens the database, which updates it, and closes it.
    pub fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        runtime(&config)?.block_on(async {
            let installation = open(&config, false).await?;
            installation.close().await?;
            println!("{} is up to date / 数据库已是最新", Place::of(&config.database.url));
            Ok(())
        })
    }
}
