//! `refundry adjustment …`: what the operator takes from a merchant's available money or gives to it, on this machine.

use clap::{Args, Subcommand};
use refundry_engine::adjustment::{Adjustment as Stored, AdjustmentKind};
use refundry_engine::payment::PaymentKey;
use refundry_engine::{AdjustmentId, MerchantId};
use refundry_ledger::{Currency, Money};
use refundry_service::adjustments::{self, NewAdjustment};
use refundry_service::{Caller, Service};
use refundry_store::{AdjustmentFilter, PAGE_LIMIT_MAX, PageRequest};

use super::at_the_desk::{Desk, print};
use super::one_of;
use crate::merchant_api::adjustments::AdjustmentView;

/// Propose adjustments of merchants' money, and book or reject what somebody else proposed.
#[derive(Args, Debug)]
pub struct Adjustment {
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
    },
    /// Ask for one. Nothing is booked until another person books it.
    Propose(Box<Asked>),
    /// Book one that somebody else proposed.
    Book(One),
    /// Reject one.
    Reject(One),
}

#[derive(Args, Debug)]
struct One {
    /// Whose.
    #[arg(long)]
    merchant: MerchantId,
    /// Which.
    adjustment: AdjustmentId,
}

#[derive(Args, Debug)]
struct Asked {
    /// Whose money it moves.
    #[arg(long)]
    merchant: MerchantId,
    /// `settlement_fee`, `deduction`, `other_charge`, `other_credit`, `given_back` or `exposure_written_off`.
    #[arg(long, value_parser = kind)]
    kind: AdjustmentKind,
    /// How much, in major units.
    #[arg(long)]
    amount: String,
    /// ISO 4217, such as EUR.
    #[arg(long)]
    currency: Currency,
    /// Why, in words that the merchant reads.
    #[arg(long)]
    reason: String,
    /// The payment that it is about, by the number that the merchant was given for it; a write-off must name one.
    #[arg(long)]
    payment: Option<String>,
    /// Your number of it: the same number proposes once.
    #[arg(long)]
    number: String,
}

impl Adjustment {
    /// Does it, and prints JSON lines.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { desk, what } = self;
        desk.work(async |service, caller| match what {
            What::List { merchant } => list(service, caller, merchant).await,
            What::Propose(asked) => show(adjustments::propose(service, caller, asked.read()?).await?),
            What::Book(One { merchant, adjustment }) => show(adjustments::decide(service, caller, Some(merchant), adjustment, true).await?),
            What::Reject(One { merchant, adjustment }) => {
                show(adjustments::decide(service, caller, Some(merchant), adjustment, false).await?)
            }
        })
    }
}

impl Asked {
    fn read(self) -> anyhow::Result<NewAdjustment> {
        Ok(NewAdjustment {
            merchant_id: self.merchant,
            kind: self.kind,
            amount: Money::parse_major(&self.amount, self.currency)?,
            reason: self.reason,
            payment: self.payment.map(PaymentKey::Reference),
            number: self.number,
        })
    }
}

async fn list(service: &Service, caller: &Caller, merchant_id: Option<MerchantId>) -> anyhow::Result<()> {
    let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
    loop {
        let filter = AdjustmentFilter { merchant_id, ..AdjustmentFilter::default() };
        let read = adjustments::list(service, caller, filter, page).await?;
        read.rows.into_iter().try_for_each(show)?;
        let Some(next) = read.next else { return Ok(()) };
        page.after = Some(next);
    }
}

fn show(adjustment: Stored) -> anyhow::Result<()> {
    print(&serde_json::to_value(AdjustmentView::from(adjustment))?);
    Ok(())
}

fn kind(word: &str) -> Result<AdjustmentKind, String> {
    AdjustmentKind::from_word(word).ok_or_else(|| one_of(AdjustmentKind::ALL.iter().map(|kind| kind.word())))
}
