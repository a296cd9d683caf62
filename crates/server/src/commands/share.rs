//! `refundry share …`: shares of payments, on this machine.

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use refundry_engine::payment::PaymentKey;
use refundry_engine::share::ShareKey;
use refundry_engine::{MerchantId, PaymentId, ShareId, Timestamp};
use refundry_ledger::Money;
use refundry_service::receivers::NamedLine;
use refundry_service::refunds::NATIVE;
use refundry_service::shares::{self, NewShare};
use refundry_service::{Caller, Service, payments};
use refundry_store::{PAGE_LIMIT_MAX, PageRequest};

use super::at_the_desk::{Desk, print};
use crate::merchant_api::share_view::ShareView;

/// Share payments' money with other merchants.
#[derive(Args, Debug)]
pub struct Share {
    #[command(flatten)]
    desk: Desk,
    /// What to do.
    #[command(subcommand)]
    what: What,
}

/// Whose payment it is.
#[derive(Args, Debug)]
struct Giver {
    /// Whose payment it is.
    #[arg(long)]
    merchant: MerchantId,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Share a payment's money, now or at a time.
    Create {
        #[command(flatten)]
        giver: Giver,
        /// Of which payment.
        #[arg(long)]
        payment: PaymentId,
        /// Your number for it: repeat a command that got no answer with the same one.
        #[arg(long)]
        number: String,
        /// Who gets how much, in major units of the payment's currency, such as 100001=30.00; as often as there are receivers.
        #[arg(long = "line", required = true)]
        lines: Vec<String>,
        /// When it begins, such as 2026-01-31T09:30:00Z; left out, at once.
        #[arg(long)]
        due_at: Option<String>,
    },
    /// List the shares of a payment, newest first.
    List {
        #[command(flatten)]
        giver: Giver,
        /// Of which payment.
        #[arg(long)]
        payment: PaymentId,
    },
    /// Read one share.
    Show {
        #[command(flatten)]
        giver: Giver,
        /// Which.
        share: ShareId,
    },
    /// Take a planned share back.
    Cancel {
        #[command(flatten)]
        giver: Giver,
        /// Which.
        share: ShareId,
    },
    /// End a share of the sandbox whose number asked to be left running.
    Finish {
        #[command(flatten)]
        giver: Giver,
        /// Which.
        share: ShareId,
        /// Let it fail, for this reason.
        #[arg(long)]
        fails: Option<String>,
    },
}

impl Share {
    /// Does it, and prints JSON lines.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { desk, what } = self;
        desk.work(async |service, caller| what.carry_out(service, caller).await)
    }
}

impl What {
    async fn carry_out(self, service: &Service, caller: &Caller) -> anyhow::Result<()> {
        let share = match self {
            Self::Create { giver: Giver { merchant }, payment, number, lines, due_at } => {
                let key = PaymentKey::Id(payment);
                let currency = payments::find(service, caller, Some(merchant), &key).await?.currency();
                let named: anyhow::Result<Vec<NamedLine>> = lines.iter().map(|text| line(text, currency)).collect();
                let due_at =
                    due_at.map(|text| text.parse::<jiff::Timestamp>()).transpose().context("--due-at is no time / --due-at 不是时间")?;
                let mut compared = lines.clone();
                compared.sort_unstable();
                let new = NewShare {
                    merchant_id: Some(merchant),
                    payment: key,
                    number,
                    compared: vec![("payment_id".to_owned(), payment.to_string()), ("lines".to_owned(), compared.join(", "))],
                    lines: named?,
                    due_at: due_at.map(|at| Timestamp::from_us(at.as_microsecond())),
                    notify_url: None,
                    asked_at_text: None,
                };
                *shares::create(service, caller, NATIVE, new).await?.share
            }
            Self::List { giver: Giver { merchant }, payment } => return list(service, caller, merchant, payment).await,
            Self::Show { giver: Giver { merchant }, share } => shares::find(service, caller, Some(merchant), &ShareKey::Id(share)).await?,
            Self::Cancel { giver: Giver { merchant }, share } => shares::cancel(service, caller, Some(merchant), share).await?,
            Self::Finish { giver: Giver { merchant }, share, fails } => {
                let succeeds = fails.is_none();
                shares::finish(service, caller, (Some(merchant), share), succeeds, fails.unwrap_or_default()).await?
            }
        };
        print(&serde_json::to_value(ShareView::from(share))?);
        Ok(())
    }
}

async fn list(service: &Service, caller: &Caller, merchant: MerchantId, payment: PaymentId) -> anyhow::Result<()> {
    let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
    loop {
        let read = shares::list(service, caller, Some(merchant), payment, page).await?;
        for share in read.rows {
            print(&serde_json::to_value(ShareView::from(share))?);
        }
        let Some(next) = read.next else { return Ok(()) };
        page.after = Some(next);
    }
}

/// A receiver and its amount.
pub fn line(text: &str, currency: refundry_ledger::Currency) -> anyhow::Result<NamedLine> {
    let Some((receiver, amount)) = text.split_once('=') else {
        bail!("{text:?} is no receiver with its amount, such as 100001=30.00 / {text:?} 不是“接收方=金额”的形式")
    };
    let amount = Money::parse_major(amount, currency).with_context(|| format!("{amount:?} is no amount / 不是金额"))?;
    Ok(NamedLine { receiver: receiver.to_owned(), amount })
}
