//! `refundry queue …`: the refunds that wait for money, on this machine.

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use refundry_engine::{MerchantId, RefundId};
use refundry_ledger::Money;
use refundry_service::{queues, refunds};

use super::at_the_desk::{Desk, print};
use crate::language::Language;
use crate::merchant_api::queues::{OutlookView, WaitingLineView};

/// Look at the refunds that wait for money.
#[derive(Args, Debug)]
pub struct Queue {
    #[command(flatten)]
    desk: Desk,
    /// What to do.
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What waits for money, a line for each currency.
    List {
        /// Whose.
        #[arg(long)]
        merchant: MerchantId,
    },
    /// Why a refund stands where it stands, when it will have its money, and what a payment-in would do.
    Explain {
        /// Which.
        refund: RefundId,
        /// Whose.
        #[arg(long)]
        merchant: MerchantId,
        /// Try out what so much would do, in major units of the refund's currency, such as 500.00; nothing changes.
        #[arg(long)]
        top_up: Option<String>,
        /// In which language.
        #[arg(long, value_enum, default_value_t = Tongue::En)]
        language: Tongue,
    },
}

/// A language, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tongue {
    /// English.
    En,
    /// 中文。
    Zh,
}

impl Queue {
    /// Does it, and prints JSON lines.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { desk, what } = self;
        desk.work(async |service, caller| {
            match what {
                What::List { merchant } => {
                    for line in queues::waiting(service, caller, Some(merchant)).await? {
                        print(&serde_json::to_value(WaitingLineView::from(line))?);
                    }
                }
                What::Explain { refund, merchant, top_up, language } => {
                    let currency = refunds::find(service, caller, Some(merchant), refund).await?.amount.currency();
                    let more = top_up.map(|text| Money::parse_major(&text, currency)).transpose();
                    let more = more.context("--top-up is no amount / --top-up 不是金额")?.map(Money::minor);
                    let outlook = queues::outlook(service, caller, Some(merchant), refund, more).await?;
                    let language = match language {
                        Tongue::En => Language::English,
                        Tongue::Zh => Language::Chinese,
                    };
                    print(&serde_json::to_value(OutlookView::of(outlook, language))?);
                }
            }
            Ok(())
        })
    }
}
