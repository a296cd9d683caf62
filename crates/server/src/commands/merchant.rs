//! `refundry merchant …`: makes and lists merchants on this machine.

use clap::{Args, Subcommand};
use refundry_engine::policy::PolicyPatch;
use refundry_service::merchants::{self, NewMerchant};
use refundry_store::{PAGE_LIMIT_MAX, PageRequest};
use serde_json::json;

use super::at_the_desk::{Desk, print};

/// Make and list merchants.
#[derive(Args, Debug)]
pub struct Merchant {
    #[command(flatten)]
    desk: Desk,
    /// What to do.
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a merchant.
    Create {
        /// What people read.
        #[arg(long)]
        name: String,
        /// The number by which wire protocols name it where it gets a share of a payment.
        #[arg(long)]
        account: Option<String>,
    },
    /// List the merchants of a mode.
    List,
}

impl Merchant {
    /// Does it, and prints JSON lines.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { desk, what } = self;
        desk.work(async |service, caller| {
            match what {
                What::Create { name, account } => {
                    let new = NewMerchant { name, account, policy: PolicyPatch::default() };
                    let merchant = merchants::create(service, caller, new).await?;
                    print(&json!({ "merchant_id": merchant.id, "name": merchant.name, "account": merchant.account, "mode": merchant.mode }));
                }
                What::List => {
                    let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
                    loop {
                        let read = merchants::list(service, caller, page).await?;
                        for merchant in read.rows {
                            print(&json!({ "merchant_id": merchant.id, "name": merchant.name, "account": merchant.account, "standing": merchant.standing }));
                        }
                        let Some(next) = read.next else { break };
                        page.after = Some(next);
                    }
                }
            }
            Ok(())
        })
    }
}
