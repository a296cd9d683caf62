//! `refundry dispute …`: chargebacks, disputes, retrievals and reports of fraud, on this machine.

use clap::{Args, Subcommand};
use refundry_engine::dispute::{Dispute as Stored, DisputeCategory, DisputeChange, DisputeKind};
use refundry_engine::payment::PaymentKey;
use refundry_engine::{DisputeId, MerchantId};
use refundry_ledger::{Currency, Money};
use refundry_service::disputes::{self, NewDispute};
use refundry_service::{Caller, Service};
use refundry_store::{DisputeFilter, PAGE_LIMIT_MAX, PageRequest};
use serde_json::json;

use super::at_the_desk::{Desk, print};
use super::one_of;
use crate::merchant_api::dispute_view::DisputeView;
use crate::views::Rfc3339;

/// Record chargebacks, disputes, retrievals and reports of fraud, and say what became of them.
#[derive(Args, Debug)]
pub struct Dispute {
    #[command(flatten)]
    desk: Desk,
    /// What to do.
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List them, newest first.
    List {
        /// Whose; all merchants of the mode when left out.
        #[arg(long)]
        merchant: Option<MerchantId>,
        /// Only those whose end somebody waits for.
        #[arg(long)]
        open: bool,
    },
    /// Show one.
    Show(One),
    /// Record what the other side opened. The same number told again is the same dispute.
    Open(Box<Told>),
    /// Say what became of one.
    Change {
        #[command(flatten)]
        one: One,
        /// `represent`, `accept`, `win`, `lose`, `withdraw` or `close`.
        #[arg(long, value_parser = change)]
        to: DisputeChange,
        /// What is said with it.
        #[arg(long, default_value = "")]
        note: String,
    },
}

#[derive(Args, Debug)]
struct One {
    /// Whose.
    #[arg(long)]
    merchant: MerchantId,
    /// Which.
    dispute: DisputeId,
}

#[derive(Args, Debug)]
struct Told {
    /// Whose.
    #[arg(long)]
    merchant: MerchantId,
    /// The number that the merchant was given when it was paid.
    #[arg(long)]
    payment: String,
    /// `chargeback`, `dispute`, `retrieval` or `fraud_report`.
    #[arg(long, value_parser = kind)]
    kind: DisputeKind,
    /// The type within its kind, such as `rdr`; the usual one when it is left out.
    #[arg(long, value_parser = category)]
    category: Option<DisputeCategory>,
    /// What the other side wants, in major units; may be zero.
    #[arg(long)]
    amount: String,
    /// ISO 4217, such as EUR.
    #[arg(long)]
    currency: Currency,
    /// The other side's number of it.
    #[arg(long)]
    network_reference: String,
    /// The other side's code for its reason.
    #[arg(long, default_value = "")]
    reason_code: String,
    /// The reason in words.
    #[arg(long, default_value = "")]
    reason: String,
    /// Until when it has to be answered, such as 2026-01-31T12:00:00Z.
    #[arg(long, value_parser = instant)]
    reply_by: Option<Rfc3339>,
}

impl Dispute {
    /// Does it, and prints JSON lines.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { desk, what } = self;
        desk.work(async |service, caller| match what {
            What::List { merchant, open } => list(service, caller, merchant, open).await,
            What::Show(One { merchant, dispute }) => show(disputes::find(service, caller, Some(merchant), dispute).await?),
            What::Open(told) => show(disputes::record(service, caller, told.read()?).await?.0),
            What::Change { one: One { merchant, dispute }, to, note } => {
                show(disputes::change(service, caller, (Some(merchant), dispute), to, note).await?)
            }
        })
    }
}

impl Told {
    fn read(self) -> anyhow::Result<NewDispute> {
        Ok(NewDispute {
            merchant_id: self.merchant,
            payment: PaymentKey::Reference(self.payment),
            kind: self.kind,
            category: self.category,
            amount: Money::parse_major(&self.amount, self.currency)?,
            network_reference: self.network_reference,
            reason_code: self.reason_code,
            reason: self.reason,
            opened_at: None,
            reply_by: self.reply_by.map(|at| at.0),
        })
    }
}

async fn list(service: &Service, caller: &Caller, merchant_id: Option<MerchantId>, open: bool) -> anyhow::Result<()> {
    let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
    loop {
        let filter = DisputeFilter { merchant_id, open, ..DisputeFilter::default() };
        let read = disputes::list(service, caller, filter, page).await?;
        for dispute in read.rows {
            print(&json!({
                "dispute_id": dispute.id,
                "merchant_id": dispute.merchant_id,
                "kind": dispute.kind.word(),
                "amount": dispute.amount.to_string(),
                "state": dispute.state.word(),
                "network_reference": dispute.network_reference,
            }));
        }
        let Some(next) = read.next else { return Ok(()) };
        page.after = Some(next);
    }
}

fn show(dispute: Stored) -> anyhow::Result<()> {
    print(&serde_json::to_value(DisputeView::from(dispute))?);
    Ok(())
}

fn kind(word: &str) -> Result<DisputeKind, String> {
    DisputeKind::from_word(word).ok_or_else(|| one_of(DisputeKind::ALL.iter().map(|kind| kind.word())))
}

fn category(word: &str) -> Result<DisputeCategory, String> {
    DisputeCategory::from_word(word).ok_or_else(|| one_of(DisputeCategory::ALL.iter().map(|category| category.word())))
}

fn change(word: &str) -> Result<DisputeChange, String> {
    DisputeChange::from_word(word).ok_or_else(|| one_of(DisputeChange::ALL.iter().map(|change| change.word())))
}

fn instant(text: &str) -> Result<Rfc3339, String> {
    serde_json::from_value(json!(text)).map_err(|_| "such as 2026-01-31T12:00:00Z / 例如 2026-01-31T12:00:00Z".to_owned())
}
