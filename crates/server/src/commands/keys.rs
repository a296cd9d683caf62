//! `refundry keys rotate-master`: a new master key, in two steps so that no running server meets a secret that it cannot open.

use anyhow::bail;
use clap::{Args, Subcommand};
use refundry_service::master_rotation::rotate_master;
use refundry_service::random::SystemRandom;

use super::ConfigFile;
use super::serve::runtime;
use crate::config::ENVIRONMENT_MASTER_KEY;
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
    /// Add a new master key; with `--finish`, after all servers were restarted, seal every secret again under it.
    RotateMaster {
        /// Seal every secret again under the current master key.
        #[arg(long)]
        finish: bool,
    },
}

impl Keys {
    /// One of the two steps.
    pub fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let What::RotateMaster { finish } = self.what;
        if !finish {
            let environment = std::env::var(ENVIRONMENT_MASTER_KEY).ok();
            let keys = master_key::rotate(&config.secrets.master_key_file, environment.as_deref(), &SystemRandom)?;
            println!(
                "The new master key is {}. Restart every server, then run `refundry keys rotate-master --finish`.\n\
                 新主密钥为 {}。请重启所有服务进程，然后执行 `refundry keys rotate-master --finish`。",
                keys.current_id(),
                keys.current_id()
            );
            return Ok(());
        }
        runtime(&config)?.block_on(async {
            let installation = open(&config, false).await?;
            let done = rotate_master(&installation.service).await?;
            installation.service.world.store.close().await?;
            println!("{} secrets seen, {} sealed again / 已检查 {} 项，重新加密 {} 项", done.seen, done.resealed, done.seen, done.resealed);
            if done.lost > 0 {
                bail!("{} secrets do not open: their master key is missing / {} 项机密无法解密：缺少其主密钥", done.lost, done.lost);
            }
            Ok(())
        })
    }
}
