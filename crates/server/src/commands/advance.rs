//! `refundry advance …`: what givers advanced for receivers, on this machine.

use clap::{Args, Subcommand};
use refundry_engine::payment::PaymentKey;
use refundry_engine::{MerchantId, PaymentId};
use refundry_service::payments;
use refundry_service::shares::{self, Recovery};
use refundry_store::{PAGE_LIMIT_MAX, PageRequest};

use super::at_the_desk::{Desk, print};
use super::share::line;
use crate::merchant_api::payment_view::PaymentView;

/// Take from receivers what was advanced for them.
#[derive(Args, Debug)]
pub struct Advance {
    #[command(flatten)]
    desk: Desk,
    /// What to do.
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the payments of whose advances receivers still owe something, newest first.
    List {
        /// Whose payments.
        #[arg(long)]
        merchant: MerchantId,
    },
    /// Take so much from a receiver, and give it to the merchant that advanced it.
    Recover {
        /// Whose payment it is.
        #[arg(long)]
        merchant: MerchantId,
        /// Of which payment.
        #[arg(long)]
        payment: PaymentId,
        /// From whom how much, in major units of the payment's currency, such as 100001=30.00.
        #[arg(long)]
        line: String,
        /// Your number for it: repeat a command that got no answer with the same one.
        #[arg(long)]
        number: String,
    },
}

impl Advance {
    /// Does it, and prints JSON lines.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { desk, what } = self;
        desk.work(async |service, caller| {
            match what {
                What::List { merchant } => {
                    let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
                    loop {
                        let read = shares::advances(service, caller, Some(merchant), page).await?;
                        for payment in read.rows {
                            print(&serde_json::to_value(PaymentView::from(payment))?);
                        }
                        let Some(next) = read.next else { break };
                        page.after = Some(next);
                    }
                }
                What::Recover { merchant, payment, line: text, number } => {
                    let key = PaymentKey::Id(payment);
                    let currency = payments::find(service, caller, Some(merchant), &key).await?.currency();
                    let named = line(&text, currency)?;
                    let recovery = Recovery {
                        merchant_id: Some(merchant),
                        payment_id: payment,
                        receiver: named.receiver,
                        amount: named.amount,
                        number,
                    };
                    print(&serde_json::to_value(PaymentView::from(shares::recover(service, caller, recovery).await?))?);
                }
            }
            Ok(())
        })
    }
}
