//! `refundry distribute`: spreads the tables of a PostgreSQL over the workers of a Citus cluster, by merchant.

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use refundry_store::{DistributeError, DistributeStep, DistributeWish, distribute};

use super::ConfigFile;
use super::serve::runtime;
use crate::config::Config;
use crate::database::{Place, postgres_options};

/// Bytes of a mebibyte.
const MEBIBYTE: i64 = 1_024 * 1_024;

/// Spread the tables of a PostgreSQL over the workers of a Citus cluster.
#[derive(Args, Debug)]
pub struct Distribute {
    #[command(flatten)]
    config: ConfigFile,
    /// The database, instead of `database.url`: the coordinator, such as `postgres://user@host/refundry`.
    #[arg(long)]
    database: Option<String>,
    /// Print the statements, run none of them.
    #[arg(long)]
    dry_run: bool,
    /// Move rows that are there already. Nobody can write meanwhile.
    #[arg(long)]
    move_rows: bool,
    /// Into how many shards: several for each worker that you will ever have. Each process opens a connection for each.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1_024))]
    shards: u16,
}

impl Distribute {
    /// Distributes what is not distributed yet.
    pub fn run(self) -> anyhow::Result<()> {
        let named = self.database.map(|database| ("REFUNDRY_DATABASE_URL".to_owned(), database));
        let config = Config::load(self.config.config.as_deref(), std::env::vars().chain(named))?;
        let place = Place::of(&config.database.url);
        if let Place::File(_) = place {
            bail!(
                "{place} is a file; only a PostgreSQL with Citus can be distributed / 该数据库是文件；只有装有 Citus 的 PostgreSQL 才能分布"
            );
        }
        let wish = DistributeWish { dry_run: self.dry_run, move_rows: self.move_rows, shards: self.shards };
        let tell = |step: &DistributeStep| match step.was_done {
            true => println!("-- done before / 已完成: {};", step.sql),
            false => println!("{};", step.sql),
        };
        let distributed = runtime(&config)?.block_on(distribute(&postgres_options(&config.database), &wish, tell));
        match distributed {
            Ok(_) if wish.dry_run => println!("-- nothing was run / 未执行任何语句"),
            Ok(shards) => println!("-- {place}: {shards} shards; serve from it now / 共 {shards} 个分片，现在可以启动服务"),
            Err(error) => return Err(advice(error)).with_context(|| format!("distribute {place} / 分布 {place}")),
        }
        Ok(())
    }
}

fn advice(error: DistributeError) -> anyhow::Error {
    match error {
        DistributeError::NoCitus { installed: false } => anyhow!(
            "the server has no extension citus. Install its package on every machine of the cluster (such as postgresql-17-citus-13.0 from \
             Citus' own repository), put shared_preload_libraries = 'citus' first in postgresql.conf, restart, and run CREATE EXTENSION citus \
             in this database / 服务器没有 citus 扩展。请在集群的每台机器上安装其软件包（例如来自 Citus 软件源的 postgresql-17-citus-13.0），\
             在 postgresql.conf 中将 citus 写在 shared_preload_libraries 的首位，重启，然后在此数据库中执行 CREATE EXTENSION citus"
        ),
        DistributeError::NoCitus { installed: true } => anyhow!(
            "this database has no extension citus, though the server knows it: check that shared_preload_libraries = 'citus' stands in \
             postgresql.conf, and run CREATE EXTENSION citus in this database / 服务器已安装 citus，但此数据库尚未启用：请确认 postgresql.conf \
             中有 shared_preload_libraries = 'citus'，然后在此数据库中执行 CREATE EXTENSION citus"
        ),
        DistributeError::NodesServe(count) => anyhow!(
            "{count} processes serve from this database: end them first; those that were killed are gone when their lease ends, within \
             server.node_lease_ms / 有 {count} 个进程正在使用此数据库：请先停止；被强制终止的进程在租约（server.node_lease_ms）到期后即不再计入"
        ),
        DistributeError::HoldsRows { bytes } => {
            let mebibytes = bytes / MEBIBYTE;
            anyhow!(
                "the tables hold rows ({mebibytes} MiB with indexes). With --move-rows they are copied to the workers; that much room is needed \
                 there, and nobody can write meanwhile / 表中已有数据（含索引 {mebibytes} MiB）。加上 --move-rows 会将其复制到工作节点：\
                 工作节点需有相应空间，期间无法写入"
            )
        }
        DistributeError::PlacedOtherwise(table) => anyhow!(
            "the table {table} is distributed in another way already: undo that with undistribute_table('{table}') / 表 {table} 已按其他方式分布：\
             请先用 undistribute_table('{table}') 撤销"
        ),
        DistributeError::Store(error) => anyhow::Error::new(error)
            .context("some tables may be distributed and some not: run it again / 可能只分布了部分表：请再次运行本命令"),
    }
}
