//! `refundry payout …`: prepares payouts and moves them on, on this machine.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use refundry_engine::command::PayoutStep;
use refundry_engine::merchant::Merchant;
use refundry_engine::payout::{Payout as Stored, PayoutKind};
use refundry_engine::{MerchantId, PayoutId};
use refundry_ledger::{Currency, Money};
use refundry_service::payouts::{self, NewPayout};
use refundry_service::{Caller, Service};
use refundry_store::{PAGE_LIMIT_MAX, PageRequest, PayoutFilter};
use serde_json::json;

use super::at_the_desk::{Desk, print};
use crate::merchant_api::payout_terms_view::PayoutTermsView;
use crate::merchant_api::payout_view::{PayoutView, TermsView};

/// Prepare payouts, and say what became of them.
#[derive(Args, Debug)]
pub struct Payout {
    #[command(flatten)]
    desk: Desk,
    /// What to do.
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List payouts, newest first.
    List {
        /// Whose; all merchants of the mode when left out.
        #[arg(long)]
        merchant: Option<MerchantId>,
    },
    /// Show one with its statement.
    Show(One),
    /// Prepare one. Somebody else sends it.
    Prepare {
        /// Whose.
        #[arg(long)]
        merchant: MerchantId,
        /// ISO 4217, such as EUR.
        #[arg(long)]
        currency: Currency,
        /// Pay out what was released from the reserve, and not the trade.
        #[arg(long)]
        reserve: bool,
        /// How much, in major units; everything that is due when it is left out.
        #[arg(long)]
        amount: Option<String>,
        /// What the merchant reads beside it.
        #[arg(long)]
        note: Option<String>,
    },
    /// The bank was told.
    Send {
        #[command(flatten)]
        one: One,
        /// The bank's number of it.
        #[arg(long)]
        bank_reference: Option<String>,
    },
    /// The bank said that it arrived.
    Confirm(One),
    /// The bank did not carry it out, or sent it back.
    Fail {
        #[command(flatten)]
        one: One,
        /// Why, in the bank's words.
        #[arg(long)]
        reason: String,
    },
    /// Print when a merchant is paid out, by currency, with the next time.
    Terms {
        /// Whose.
        #[arg(long)]
        merchant: MerchantId,
    },
    /// Put the terms of one currency, as JSON like that which `terms` prints.
    PutTerms {
        /// Whose.
        #[arg(long)]
        merchant: MerchantId,
        /// ISO 4217, such as EUR.
        #[arg(long)]
        currency: Currency,
        /// Such as {"days":{"kind":"weekly","weekdays":[1,4]},"minimum_minor":10000}.
        terms: String,
    },
    /// Take one back before it is sent.
    Cancel {
        #[command(flatten)]
        one: One,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Args, Debug)]
struct One {
    /// Whose.
    #[arg(long)]
    merchant: MerchantId,
    /// Which.
    payout: PayoutId,
}

impl Payout {
    /// Does it, and prints JSON lines.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { desk, what } = self;
        desk.work(async |service, caller| match what {
            What::List { merchant } => list(service, caller, merchant).await,
            What::Show(One { merchant, payout }) => show(payouts::find(service, caller, Some(merchant), payout).await?),
            What::Prepare { merchant, currency, reserve, amount, note } => {
                let kind = if reserve { PayoutKind::Reserve } else { PayoutKind::Trade };
                let amount = amount.map(|text| Money::parse_major(&text, currency)).transpose()?;
                show(payouts::prepare(service, caller, NewPayout { merchant_id: merchant, kind, currency, amount, note }).await?)
            }
            What::Send { one, bank_reference } => advance(service, caller, one, PayoutStep::Send { bank_reference }).await,
            What::Confirm(one) => advance(service, caller, one, PayoutStep::Confirm).await,
            What::Fail { one, reason } => advance(service, caller, one, PayoutStep::Fail { reason }).await,
            What::Terms { merchant } => terms(service, payouts::terms(service, caller, Some(merchant)).await?),
            What::PutTerms { merchant, currency, terms: text } => {
                let view: PayoutTermsView = serde_json::from_str(&text).context("the terms / 条款")?;
                terms(service, payouts::put_terms(service, caller, Some(merchant), currency, view.into()).await?)
            }
            What::Cancel { one, reason } => advance(service, caller, one, PayoutStep::Cancel { reason }).await,
        })
    }
}

async fn list(service: &Service, caller: &Caller, merchant_id: Option<MerchantId>) -> anyhow::Result<()> {
    let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
    loop {
        let filter = PayoutFilter { merchant_id, ..PayoutFilter::default() };
        let read = payouts::list(service, caller, filter, page).await?;
        for payout in read.rows {
            print(&json!({
                "payout_id": payout.id,
                "merchant_id": payout.merchant_id,
                "kind": payout.kind.word(),
                "amount": payout.amount.to_string(),
                "state": payout.state.name().word(),
            }));
        }
        let Some(next) = read.next else { return Ok(()) };
        page.after = Some(next);
    }
}

async fn advance(service: &Service, caller: &Caller, one: One, step: PayoutStep) -> anyhow::Result<()> {
    show(payouts::advance(service, caller, Some(one.merchant), one.payout, step).await?)
}

fn terms(service: &Service, merchant: Merchant) -> anyhow::Result<()> {
    for terms in TermsView::all(merchant, service.world.now()) {
        print(&serde_json::to_value(terms)?);
    }
    Ok(())
}

fn show(payout: Stored) -> anyhow::Result<()> {
    print(&serde_json::to_value(PayoutView::from(payout))?);
    Ok(())
}
