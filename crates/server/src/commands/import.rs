//! `refundry import payments FILE`: takes payments over from a CSV or NDJSON file of any length, in constant memory. Every row is recorded by
//! itself; a second run of the same file changes nothing, so whoever was interrupted runs it again.

mod rejected;
mod rows;

use std::fs::File;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use refundry_engine::{MerchantId, TerminalId};
use refundry_service::error::ServiceError;
use refundry_service::payments::{self, NewPayment};
use refundry_service::{Caller, Service};

use super::at_the_desk::Desk;
use crate::problem::Problem;
use rejected::{RejectedRow, RejectedRows};
use rows::{Format, Row, Rows};

/// Rows that share commits.
const ROWS_PER_BATCH: usize = 500;
/// What the progress bar shows.
const PROGRESS: &str = "{bar:40} {bytes}/{total_bytes}  {eta}  {msg}";

/// Take payments over from files.
#[derive(Args, Debug)]
pub struct Import {
    #[command(flatten)]
    desk: Desk,
    /// What the file holds.
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Payments: `.csv` with a header, or `.ndjson` (`.jsonl`) as POST /api/v1/payments takes them, one per line.
    Payments(Payments),
}

#[derive(Args, Debug)]
struct Payments {
    /// The file.
    file: PathBuf,
    /// Whose they are, where a row does not say it.
    #[arg(long)]
    merchant: Option<MerchantId>,
    /// Which terminal took them, where a row does not say it.
    #[arg(long)]
    terminal: Option<TerminalId>,
}

/// What became of the rows.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    rows: u64,
    created: u64,
    known: u64,
    rejected: u64,
}

struct Importing {
    options: Payments,
    rows: Rows,
    rejected: RejectedRows,
    progress: ProgressBar,
    sum: Sum,
}

impl Import {
    /// Imports, prints the sum, and fails when rows were rejected.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { desk, what: What::Payments(options) } = self;
        let format = Format::of(&options.file)?;
        let file = File::open(&options.file).with_context(|| format!("open {}", options.file.display()))?;
        let length = file.metadata()?.len();
        let row_bytes_max = desk.config()?.limits.import_line_bytes_max;
        let rows = Rows::new(file, format, row_bytes_max)?;
        let rejected = RejectedRows::beside(&options.file, format)?;
        let progress = if std::io::stderr().is_terminal() { ProgressBar::new(length) } else { ProgressBar::hidden() };
        progress.set_style(ProgressStyle::with_template(PROGRESS)?);
        let importing = Importing { options, rows, rejected, progress, sum: Sum::default() };
        desk.work(async |service, caller| importing.run(service, caller).await)
    }
}

impl Importing {
    async fn run(mut self, service: &Service, caller: &Caller) -> anyhow::Result<()> {
        let ended = self.record_all(service, caller).await;
        self.progress.finish_and_clear();
        let file = self.rejected.finish()?;
        let Sum { rows, created, known, rejected } = self.sum;
        println!(
            "rows {rows} · new {created} · known {known} · rejected {rejected}\n\
             行数 {rows} · 新增 {created} · 已有 {known} · 拒绝 {rejected}"
        );
        ended?;
        if rejected > 0 {
            bail!("{rejected} rows were rejected, see {} / {rejected} 行被拒绝，见该文件", file.display());
        }
        Ok(())
    }

    async fn record_all(&mut self, service: &Service, caller: &Caller) -> anyhow::Result<()> {
        loop {
            let mut batch = Vec::with_capacity(ROWS_PER_BATCH);
            let mut broken = None;
            while batch.len() < ROWS_PER_BATCH {
                match self.rows.next() {
                    Some(Ok(row)) => batch.push(row),
                    Some(Err(error)) => {
                        broken = Some(error);
                        break;
                    }
                    None => break,
                }
            }
            let is_last = batch.len() < ROWS_PER_BATCH;
            self.record(service, caller, batch).await?;
            self.progress.set_position(self.rows.bytes_read());
            self.progress.set_message(format!("{} rejected", self.sum.rejected));
            if let Some(error) = broken {
                return Err(error);
            }
            if is_last {
                return Ok(());
            }
        }
    }

    async fn record(&mut self, service: &Service, caller: &Caller, batch: Vec<Row>) -> anyhow::Result<()> {
        let (mut wishes, mut places): (Vec<NewPayment>, Vec<(u64, String)>) = (Vec::new(), Vec::new());
        let mut rejected: Vec<RejectedRow> = Vec::new();
        for Row { line, payment_reference, read } in batch {
            self.sum.rows += 1;
            match read.and_then(|request| request.into_new()) {
                Ok(mut wish) => {
                    wish.merchant_id = wish.merchant_id.or(self.options.merchant);
                    wish.terminal_id = wish.terminal_id.or(self.options.terminal);
                    places.push((line, payment_reference));
                    wishes.push(wish);
                }
                Err(problem) => rejected.push(RejectedRow::new(line, &payment_reference, &problem)),
            }
        }
        let results = payments::import(service, caller, wishes).await;
        for (result, (line, payment_reference)) in results.into_iter().zip(places) {
            match result {
                Ok(recorded) if recorded.created => self.sum.created += 1,
                Ok(_) => self.sum.known += 1,
                Err(ServiceError::Refused(refusal)) => rejected.push(RejectedRow::new(line, &payment_reference, &Problem::from(refusal))),
                Err(ServiceError::Fault(fault)) => {
                    let cause = "the database did not take it; run the same command again when it works, nothing is recorded twice \
                                 / 数据库未接受；恢复后重新执行同一命令即可，不会重复登记";
                    return Err(anyhow::Error::new(fault).context(format!("line {line}: {cause}")));
                }
            }
        }
        rejected.sort_by_key(RejectedRow::line);
        for row in &rejected {
            self.sum.rejected += 1;
            self.rejected.write(row)?;
        }
        Ok(())
    }
}
