//! `refundry doctor books`: recomputes the books and names each row that is off.

use anyhow::bail;
use clap::{Args, Subcommand};
use refundry_store::{BookFault, BooksReport};

use super::ConfigFile;
use super::serve::runtime;
use crate::installation::open;

/// Faults that are printed; the count says how many there are.
const FAULTS_SHOWN: usize = 100;

/// Check what is stored.
#[derive(Args, Debug)]
pub struct Doctor {
    #[command(flatten)]
    config: ConfigFile,
    /// What to check.
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Recompute every balance from the postings and every refundable amount from the refunds.
    Books,
}

impl Doctor {
    /// Checks, prints, and fails when something is off.
    pub fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        match self.what {
            What::Books => runtime(&config)?.block_on(async {
                let installation = open(&config, false).await?;
                let store = &installation.service.world.store;
                let report = store.check_books().await?;
                installation.close().await?;
                let BooksReport { merchants, payments, refunds, postings, .. } = &report;
                println!(
                    "merchants {merchants} · payments {payments} · refunds {refunds} · postings {postings}\n\
                     商户 {merchants} · 支付 {payments} · 退款 {refunds} · 分录 {postings}"
                );
                if report.faults.is_empty() {
                    println!("the books are clean / 账目无误");
                    return Ok(());
                }
                for fault in report.faults.iter().take(FAULTS_SHOWN) {
                    let BookFault { rule, row, found, expected } = fault;
                    println!("{rule}: {row}: found {found}, expected {expected} / 实际 {found}，应为 {expected}");
                }
                bail!("{} rows are off / {} 行账目有误", report.faults.len(), report.faults.len());
            }),
        }
    }
}
