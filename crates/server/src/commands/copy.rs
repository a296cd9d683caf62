//! `refundry copy --from … --to …`: everything of one database into another of the other kind. A file that moves to PostgreSQL is not served any more;
//! a PostgreSQL is copied into a file while it is served.

mod meter;

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use refundry_store::{CopyError, CopyOptions, CopyReport, Difference, PostgresOptions, copy_to_postgres, copy_to_sqlite, give_up};

use super::ConfigFile;
use crate::config::Config;
use crate::database::{Place, postgres_options};
use meter::Meter;

/// Copy everything into a database of the other kind, and verify it.
#[derive(Args, Debug)]
pub struct Copy {
    #[command(flatten)]
    config: ConfigFile,
    /// Where everything is now: `sqlite:///var/lib/refundry/refundry.db` or `postgres://user@host/refundry`.
    #[arg(long)]
    from: String,
    /// Where it shall be: an empty database, or a file that is not there yet. The password and the certificates of PostgreSQL are those of the
    /// configuration.
    #[arg(long, required_unless_present = "give_up")]
    to: Option<String>,
    /// End after so many batches; the same command goes on later.
    #[arg(long)]
    batches_max: Option<u64>,
    /// Let a file be served again that was to be moved; what was copied is not used then.
    #[arg(long, conflicts_with = "to")]
    give_up: bool,
    /// With --give-up: also a file whose copy is complete. What was done in the new database is not in the file.
    #[arg(long, requires = "give_up")]
    although_moved: bool,
}

impl Copy {
    /// Copies, verifies and prints what is there.
    pub fn run(self) -> anyhow::Result<()> {
        let from = place(&self.from)?;
        let Some(to) = &self.to else { return self.give_up(&from) };
        let to = place(to)?;
        let shown = (shown(&from), shown(&to));
        let meter = Meter::start()?;
        let observer = |progress| meter.note(progress);
        let options = CopyOptions { batches_max: self.batches_max, observer: &observer, ..CopyOptions::new(&shown.0, &shown.1) };
        let copied = match (&from, &to) {
            (Place::File(file), Place::Postgres(url)) => copy_to_postgres(file, &self.connection(url)?, &options),
            (Place::Postgres(url), Place::File(file)) => copy_to_sqlite(&self.connection(url)?, file, &options).map(Some),
            (Place::File(_), Place::File(_)) => bail!("use `refundry backup` for a copy of a file / 复制文件请用 refundry backup"),
            (Place::Postgres(_), Place::Postgres(_)) => {
                bail!("use PostgreSQL's own tools: pg_basebackup, pg_dump / 请用 PostgreSQL 自带的工具：pg_basebackup、pg_dump")
            }
        };
        meter.end();
        match copied {
            Ok(Some(report)) => print(&report, &meter),
            Ok(None) => {
                println!("this copy was completed and verified before; nothing was done / 该复制此前已完成并核对，本次未做任何操作")
            }
            Err(CopyError::Different(differences)) => {
                for found in &differences {
                    let Difference { table, what, source, target } = found;
                    println!("{table}: {what}: {source} in the source, {target} in the target / 源库 {source}，目标库 {target}");
                }
                return Err(CopyError::Different(differences).into());
            }
            Err(error) => return Err(error).with_context(|| format!("copy {} to {}", shown.0, shown.1)),
        }
        println!("from now on / 此后使用: refundry serve --database {}", shown.1);
        Ok(())
    }

    fn give_up(&self, from: &Place) -> anyhow::Result<()> {
        let Place::File(file) = from else { bail!("only a file is ever closed for a copy / 只有文件库会因迁移而停用") };
        let given_up = give_up(file, self.although_moved)?;
        let file = file.display();
        match given_up {
            true => println!("{file} may be served again; empty what was copied to / {file} 可再次使用；请清空复制目标"),
            false => println!("{file} was not being copied / {file} 并未处于迁移中"),
        }
        Ok(())
    }

    fn connection(&self, url: &str) -> anyhow::Result<PostgresOptions> {
        let url = ("REFUNDRY_DATABASE_URL".to_owned(), url.to_owned());
        let config = Config::load(self.config.config.as_deref(), std::env::vars().chain([url]))?;
        Ok(postgres_options(&config.database))
    }
}

fn place(url: &str) -> anyhow::Result<Place> {
    let known = ["sqlite://", "postgres://", "postgresql://"];
    if !known.iter().any(|beginning| url.len() > beginning.len() && url.starts_with(beginning)) {
        bail!("{url} is not an address of a database: sqlite:///path/to/file.db or postgres://user@host/name / 不是数据库地址");
    }
    Ok(match Place::of(url) {
        Place::File(file) => Place::File(std::path::absolute(&file).unwrap_or(file)),
        postgres @ Place::Postgres(_) => postgres,
    })
}

fn shown(place: &Place) -> String {
    match place {
        Place::File(file) => format!("sqlite://{}", PathBuf::from(file).display()),
        Place::Postgres(_) => place.to_string(),
    }
}

fn print(report: &CopyReport, meter: &Meter) {
    println!("{:<16}{:>12}  hash / 校验值", "table / 表", "rows / 行");
    let mut rows: u64 = 0;
    for (table, tally) in &report.tables {
        println!("{table:<16}{:>12}  {:032x}", tally.rows, tally.hash);
        rows = rows.saturating_add(tally.rows);
    }
    for (table, tally) in &report.tables {
        for ((column, currency), sum) in tally.sums.iter().filter(|(_, sum)| **sum != 0) {
            println!("sum / 合计  {table}.{column} {currency} {sum}");
        }
    }
    if report.rows_before > 0 {
        println!("{0} of the rows were copied by earlier calls / 其中 {0} 行由之前的执行复制", report.rows_before);
    }
    println!("{}", meter.speed());
    println!("verified: {rows} rows, their sums and hashes are the same on both sides / 已核对：两侧 {rows} 行及其合计、校验值一致");
}
