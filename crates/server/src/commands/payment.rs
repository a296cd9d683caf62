//! `refundry payment …`: what becomes of authorised payments, on this machine.

use clap::{Args, Subcommand};
use refundry_engine::MerchantId;
use refundry_engine::command::VoidWhat;
use refundry_engine::payment::{Payment as Stored, PaymentKey};
use refundry_ledger::{Currency, Money};
use refundry_service::caller::Caller;
use refundry_service::{Service, authorisations, payments};
use refundry_store::{PageRequest, PaymentFilter};

use super::at_the_desk::{Desk, print};
use crate::merchant_api::payment_view::PaymentView;

/// Capture and void authorised payments, and look for what is owed.
#[derive(Args, Debug)]
pub struct Payment {
    #[command(flatten)]
    desk: Desk,
    /// What to do.
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Take the money of an authorised payment, or a part of it; the rest is released.
    Capture {
        #[command(flatten)]
        one: One,
        /// How much, in major units.
        #[arg(long)]
        amount: String,
        /// ISO 4217, such as EUR.
        #[arg(long)]
        currency: Currency,
    },
    /// Those for which merchants owe something, newest first, one JSON line each.
    Owed {
        /// Of one merchant alone.
        #[arg(long)]
        merchant: Option<MerchantId>,
    },
    /// Give an authorisation up.
    Void {
        #[command(flatten)]
        one: One,
        /// A sale at a till of which nothing has moved since, in place of an authorisation.
        #[arg(long)]
        sale: bool,
    },
}

#[derive(Args, Debug)]
struct One {
    /// Whose.
    #[arg(long)]
    merchant: MerchantId,
    /// The number that the merchant was given for it.
    payment: String,
}

impl Payment {
    /// Does it, and prints the payment as JSON.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { desk, what } = self;
        desk.work(async |service, caller| match what {
            What::Capture { one: One { merchant, payment }, amount, currency } => {
                let amount = Money::parse_major(&amount, currency)?.into();
                show(authorisations::capture(service, caller, Some(merchant), &PaymentKey::Reference(payment), amount).await?)
            }
            What::Owed { merchant } => owed(service, caller, merchant).await,
            What::Void { one: One { merchant, payment }, sale } => {
                let what = if sale { VoidWhat::OfflineSale } else { VoidWhat::Authorisation };
                show(authorisations::void(service, caller, Some(merchant), &PaymentKey::Reference(payment), what).await?)
            }
        })
    }
}

async fn owed(service: &Service, caller: &Caller, merchant_id: Option<MerchantId>) -> anyhow::Result<()> {
    let filter = PaymentFilter { merchant_id, exposed: true, ..PaymentFilter::default() };
    let mut page = PageRequest::default();
    loop {
        let found = payments::list(service, caller, filter.clone(), page).await?;
        found.rows.into_iter().try_for_each(show)?;
        let Some(next) = found.next else { return Ok(()) };
        page.after = Some(next);
    }
}

fn show(payment: Stored) -> anyhow::Result<()> {
    print(&serde_json::to_value(PaymentView::from(payment))?);
    Ok(())
}
