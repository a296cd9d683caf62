//! `refundry rate …`: rates of days, on this machine.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use refundry_engine::rate::{DailyRate, Day, RATES_PER_IMPORT_MAX};
use refundry_ledger::Currency;
use refundry_service::rates;
use refundry_store::{RATES_MAX, RateFilter};
use serde::Deserialize;
use serde_json::json;

use super::at_the_desk::{Desk, print};
use crate::operator_api::rates::RateView;

/// Import and list the rates of days, by which amounts are booked.
#[derive(Args, Debug)]
pub struct Rate {
    #[command(flatten)]
    desk: Desk,
    /// What to do.
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List rates, the newest day first.
    List {
        /// Of this currency.
        #[arg(long)]
        base: Option<Currency>,
        /// In this currency.
        #[arg(long)]
        quoted: Option<Currency>,
    },
    /// Take rates over from a CSV file with the header base,quoted,day,price. They hold for both modes, so it takes `--mode live`.
    Import {
        /// The file; a row such as EUR,USD,2026-01-31,1.0834.
        file: PathBuf,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRow {
    base: String,
    quoted: String,
    day: String,
    price: String,
}

impl Rate {
    /// Does it, and prints JSON lines.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { desk, what } = self;
        desk.work(async |service, caller| {
            match what {
                What::List { base, quoted } => {
                    let filter = RateFilter { base, quoted, limit: RATES_MAX, ..RateFilter::default() };
                    for rate in rates::list(service, caller, filter).await? {
                        print(&serde_json::to_value(RateView::from(rate))?);
                    }
                }
                What::Import { file } => {
                    let rows = read(&file)?;
                    let mut imported = 0;
                    for rows in rows.chunks(RATES_PER_IMPORT_MAX) {
                        imported += rates::import(service, caller, rows.to_vec()).await?;
                    }
                    print(&json!({ "imported": imported }));
                }
            }
            Ok(())
        })
    }
}

/// Every row of the file, or the first that is none: nothing is imported of a file that is not in order.
fn read(file: &Path) -> anyhow::Result<Vec<DailyRate>> {
    let mut reader = csv::Reader::from_path(file).with_context(|| format!("open {}", file.display()))?;
    let rows = reader.deserialize().enumerate().map(|(index, row)| {
        let row: Result<FileRow, csv::Error> = row;
        rate(row?).with_context(|| format!("row {} of {}", index + 1, file.display()))
    });
    rows.collect()
}

fn rate(row: FileRow) -> anyhow::Result<DailyRate> {
    let day: Day = row.day.trim().parse()?;
    let (price_mantissa, price_scale) = DailyRate::parse_price(row.price.trim()).ok_or_else(|| {
        anyhow!(
            "the price is digits, perhaps with a point and at most 12 decimals, above zero / 价格须为大于零的十进制数字，小数最多 12 位"
        )
    })?;
    Ok(DailyRate { base: row.base.trim().parse()?, quoted: row.quoted.trim().parse()?, day, price_mantissa, price_scale })
}
