//! `refundry settlement …`: what comes free when, tracking numbers from a file, and what the operator marks and releases.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use refundry_engine::command::PaymentMark;
use refundry_engine::payment::Payment;
use refundry_engine::{Language, MerchantId, PaymentId};
use refundry_ledger::{Currency, Money};
use refundry_service::settlement;
use refundry_service::shipments::{self, BATCH_ROWS_MAX, PaymentNames, TrackingRow};
use refundry_service::{Caller, Service, ServiceError};
use serde::Deserialize;
use serde_json::json;

use super::at_the_desk::{Desk, print};
use crate::merchant_api::settlement::FundsOverviewView;

/// See when money comes free; take tracking numbers over; mark payments; release reserves.
#[derive(Args, Debug)]
pub struct Settlement {
    #[command(flatten)]
    desk: Desk,
    /// What to do.
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print terms, and what is settleable, not settled and paid out, per currency.
    Funds {
        /// Whose.
        #[arg(long)]
        merchant: MerchantId,
    },
    /// Print what becomes available by itself, by day.
    Coming {
        /// Whose.
        #[arg(long)]
        merchant: MerchantId,
        /// Days to look ahead.
        #[arg(long, default_value_t = 30)]
        days: u32,
    },
    /// Take tracking numbers over from a CSV file with the header payment_reference,merchant_reference,tracking_numbers,carrier_url.
    Tracking {
        /// Whose.
        #[arg(long)]
        merchant: MerchantId,
        /// The file, of any length.
        file: PathBuf,
    },
    /// Mark payments that a person looked at, or that the bank lists; a file with one payment reference per line.
    Mark {
        /// Whose.
        #[arg(long)]
        merchant: MerchantId,
        /// As what.
        #[arg(long, value_enum)]
        r#as: MarkName,
        /// The file.
        file: PathBuf,
    },
    /// Release what is left of one payment's rolling reserve.
    ReleaseReserve {
        /// Whose.
        #[arg(long)]
        merchant: MerchantId,
        /// Which payment's.
        #[arg(long)]
        payment: PaymentId,
    },
    /// Release the fixed reserve of a currency, but for what is kept.
    ReleaseFixedReserve {
        /// Whose.
        #[arg(long)]
        merchant: MerchantId,
        /// What is kept, in minor units.
        #[arg(long)]
        keep_minor: i64,
        /// The currency.
        #[arg(long)]
        currency: String,
    },
}

/// What the operator found out, as it is typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum MarkName {
    /// A person looked at it.
    Reviewed,
    /// The bank lists it.
    Reconciled,
}

/// A row of the template, as merchants know it.
#[derive(Debug, Deserialize)]
struct FileRow {
    #[serde(default)]
    payment_reference: String,
    #[serde(default)]
    merchant_reference: String,
    tracking_numbers: String,
    carrier_url: String,
}

impl Settlement {
    /// Does it, and prints JSON lines.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { desk, what } = self;
        desk.work(async |service, caller| what.run(service, caller).await)
    }
}

impl What {
    async fn run(self, service: &Service, caller: &Caller) -> anyhow::Result<()> {
        match self {
            Self::Funds { merchant } => {
                let overview = settlement::overview(service, caller, Some(merchant)).await?;
                print(&serde_json::to_value(FundsOverviewView::from(overview))?);
            }
            Self::Coming { merchant, days } => {
                for (currency, line) in settlement::coming(service, caller, Some(merchant), None, days).await? {
                    let amount = |minor| Money::new(minor, currency).to_string();
                    let at = crate::views::Rfc3339(line.at);
                    let (settled, released) = (amount(line.settled_minor), amount(line.released_minor));
                    print(&json!({ "at": at, "settled": settled, "released": released, "payments": line.payments }));
                }
            }
            Self::Tracking { merchant, file } => {
                let rows = tracking_rows(&file)?;
                let mut sum = Sum::default();
                for rows in rows.chunks(BATCH_ROWS_MAX) {
                    sum.take(shipments::import_tracking(service, caller, Some(merchant), rows.to_vec()).await?)?;
                }
                sum.end()?;
            }
            Self::Mark { merchant, r#as, file } => {
                let mark = match r#as {
                    MarkName::Reviewed => PaymentMark::Reviewed,
                    MarkName::Reconciled => PaymentMark::Reconciled,
                };
                let text = std::fs::read_to_string(&file).with_context(|| format!("open {}", file.display()))?;
                let names = |line: &str| PaymentNames { payment_reference: Some(line.trim().to_owned()), merchant_reference: None };
                let rows: Vec<PaymentNames> = text.lines().filter(|line| !line.trim().is_empty()).map(names).collect();
                let mut sum = Sum::default();
                for rows in rows.chunks(BATCH_ROWS_MAX) {
                    sum.take(settlement::mark(service, caller, Some(merchant), mark, rows.to_vec()).await?)?;
                }
                sum.end()?;
            }
            Self::ReleaseReserve { merchant, payment } => {
                let payment = settlement::release_reserve(service, caller, Some(merchant), payment).await?;
                print(&json!({ "payment_id": payment.id, "reserve_left": payment.reserve_left.to_string() }));
            }
            Self::ReleaseFixedReserve { merchant, keep_minor, currency } => {
                let currency: Currency = currency.parse()?;
                settlement::release_fixed_reserve(service, caller, Some(merchant), Money::new(keep_minor, currency)).await?;
                print(&json!({ "merchant_id": merchant, "kept": Money::new(keep_minor, currency).to_string() }));
            }
        }
        Ok(())
    }
}

fn tracking_rows(file: &Path) -> anyhow::Result<Vec<TrackingRow>> {
    let mut reader = csv::Reader::from_path(file).with_context(|| format!("open {}", file.display()))?;
    let named = |text: String| (!text.is_empty()).then_some(text);
    let rows = reader.deserialize().enumerate().map(|(index, row)| {
        let FileRow { payment_reference, merchant_reference, tracking_numbers, carrier_url } =
            row.with_context(|| format!("row {} of {}", index + 1, file.display()))?;
        let names = PaymentNames { payment_reference: named(payment_reference), merchant_reference: named(merchant_reference) };
        Ok(TrackingRow { names, tracking_numbers, carrier_url })
    });
    rows.collect()
}

/// What became of the rows of a file.
#[derive(Debug, Default)]
struct Sum {
    rows: u64,
    imported: u64,
}

impl Sum {
    /// Prints each row that was rejected.
    fn take(&mut self, results: Vec<Result<Payment, ServiceError>>) -> anyhow::Result<()> {
        for result in results {
            self.rows += 1;
            match result {
                Ok(_) => self.imported += 1,
                Err(ServiceError::Refused(refusal)) => {
                    let (en, zh) = (refusal.text(Language::En), refusal.text(Language::Zh));
                    print(&json!({ "row": self.rows, "code": refusal.code(), "en": en, "zh": zh }));
                }
                Err(ServiceError::Fault(fault)) => return Err(fault.into()),
            }
        }
        Ok(())
    }

    fn end(&self) -> anyhow::Result<()> {
        print(&json!({ "imported": self.imported, "rejected": self.rows - self.imported }));
        match self.rows - self.imported {
            0 => Ok(()),
            rejected => bail!("{rejected} rows were rejected / {rejected} 行被拒绝"),
        }
    }
}
