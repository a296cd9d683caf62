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
                What::Create { name } => {
                    let merchant = merchants::create(service, caller, NewMerchant { name, policy: PolicyPatch::default() }).await?;
                    print(&json!({ "merchant_id": merchant.id, "name": merchant.name, "mode": merchant.mode }));
                }
                What::List => {
                    let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
                    loop {
                        let read = merchants::list(service, caller, page).await?;
                        for merchant in read.rows {
                            print(&json!({ "merchant_id": merchant.id, "name": merchant.name, "standing": merchant.standing }));
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
