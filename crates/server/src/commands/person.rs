//! `refundry person …`: adds, changes and lists people on this machine.

use clap::{Args, Subcommand};
use refundry_engine::merchant::Standing;
use refundry_engine::person::Person as Row;
use refundry_engine::{MerchantId, PersonId};
use refundry_service::people::{self, NewPerson, PersonChange};
use refundry_store::{PAGE_LIMIT_MAX, PageRequest};
use serde_json::json;

use super::at_the_desk::{Desk, print};

/// Add, change and list people.
#[derive(Args, Debug)]
pub struct Person {
    #[command(flatten)]
    desk: Desk,
    /// What to do.
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Add a person; keys are issued with `refundry key issue --person`.
    Add {
        /// Of this merchant; without it the operator's.
        #[arg(long)]
        merchant: Option<MerchantId>,
        /// Who people see in timelines.
        #[arg(long)]
        name: String,
        /// `operator_admin`, `merchant_admin`, `reviewer`, `finance`, `applicant` or `read_only`.
        #[arg(long)]
        role: String,
    },
    /// Change a person's name or role, or suspend them: their keys are bound by it at once.
    Change {
        /// Which.
        person: PersonId,
        /// Of this merchant; without it the operator's.
        #[arg(long)]
        merchant: Option<MerchantId>,
        /// Who people see in timelines.
        #[arg(long)]
        name: Option<String>,
        /// The role.
        #[arg(long)]
        role: Option<String>,
        /// Their keys prove nothing any more.
        #[arg(long)]
        suspend: bool,
        /// Their keys work again.
        #[arg(long, conflicts_with = "suspend")]
        reinstate: bool,
    },
    /// List people.
    List {
        /// Of this merchant; without it the operator's.
        #[arg(long)]
        merchant: Option<MerchantId>,
    },
}

impl Person {
    /// Does it, and prints JSON lines.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { desk, what } = self;
        desk.work(async |service, caller| {
            match what {
                What::Add { merchant, name, role } => {
                    print(&line(&people::create(service, caller, NewPerson { merchant_id: merchant, name, role }).await?));
                }
                What::Change { person, merchant, name, role, suspend, reinstate } => {
                    let standing = match (suspend, reinstate) {
                        (true, _) => Some(Standing::Suspended),
                        (false, true) => Some(Standing::Active),
                        (false, false) => None,
                    };
                    let change = PersonChange { name, role, standing };
                    print(&line(&people::change(service, caller, merchant, person, change).await?));
                }
                What::List { merchant } => {
                    let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
                    loop {
                        let read = people::list(service, caller, merchant, page).await?;
                        read.rows.iter().for_each(|row| print(&line(row)));
                        let Some(next) = read.next else { break };
                        page.after = Some(next);
                    }
                }
            }
            Ok(())
        })
    }
}

fn line(person: &Row) -> serde_json::Value {
    json!({
        "person_id": person.id,
        "merchant_id": person.side.merchant_id(),
        "name": person.name,
        "role": person.role,
        "standing": person.standing,
    })
}
