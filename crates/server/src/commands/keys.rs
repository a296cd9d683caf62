//! `refundry keys rotate-master`: a new master key, and every secret sealed again under it. Servers that are running read the key file again
//! when they meet a secret under a key that they do not have; where each machine has a file of its own, the two steps are taken apart.

use anyhow::bail;
use clap::{Args, Subcommand};
use refundry_service::master_rotation::rotate_master;
use refundry_service::random::SystemRandom;

use super::ConfigFile;
use super::serve::runtime;
use crate::config::{Config, ENVIRONMENT_MASTER_KEY};
use crate::installation::open;
use crate::master_key;

/// Change the key under which secrets are sealed.
#[derive(Args, Debug)]
pub struct Keys {
    #[command(flatten)]
    config: ConfigFile,
    /// What to do.
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Add a new master key, and seal every secret again under it. Servers go on serving.
    RotateMaster {
        /// Only add the key: copy the file to every machine, then run `--finish`.
        #[arg(long, conflicts_with = "finish")]
        add_only: bool,
        /// Only seal again: after `--add-only`, after an interruption, or after a key was added to REFUNDRY_MASTER_KEY.
        #[arg(long)]
        finish: bool,
    },
}

impl Keys {
    /// Both steps, or the one that is asked for.
    pub fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let What::RotateMaster { add_only, finish } = self.what;
        if !finish {
            let environment = std::env::var(ENVIRONMENT_MASTER_KEY).ok();
            let keys = master_key::rotate(&config.secrets.master_key_file, environment.as_deref(), &SystemRandom)?;
            println!("the current master key is {0} / 当前主密钥为 {0}", keys.current_id());
        }
        if add_only {
            return Ok(());
        }
        runtime(&config)?.block_on(seal_again(&config))
    }
}

async fn seal_again(config: &Config) -> anyhow::Result<()> {
    let installation = open(config, false).await?;
    let done = rotate_master(&installation.service).await?;
    installation.close().await?;
    println!("{0} secrets seen, {1} sealed again / 已检查 {0} 项，重新加密 {1} 项", done.seen, done.resealed);
    if done.lost > 0 {
        bail!("{0} secrets do not open: their master key is missing / {0} 项机密无法解密：缺少其主密钥", done.lost);
    }
    Ok(())
}
