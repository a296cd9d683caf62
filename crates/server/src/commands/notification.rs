//! `refundry notification …`: what was sent to merchants, and sending it again, on this machine.

use anyhow::bail;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use refundry_engine::notification::NotificationState;
use refundry_engine::{MerchantId, NotificationId, RefundId, Timestamp};
use refundry_service::{Caller, Service, notifications};
use refundry_store::{NotificationFilter, PAGE_LIMIT_MAX, PageRequest};
use serde_json::json;

use super::at_the_desk::{Desk, print};
use crate::merchant_api::notifications::NotificationView;

/// List notifications, and send them again.
#[derive(Args, Debug)]
pub struct Notification {
    #[command(flatten)]
    desk: Desk,
    /// What to do.
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List notifications, newest first.
    List {
        /// Of this merchant; without it all of them.
        #[arg(long)]
        merchant: Option<MerchantId>,
        /// In this state.
        #[arg(long, value_enum)]
        state: Option<StateName>,
        /// About this refund.
        #[arg(long)]
        refund: Option<RefundId>,
    },
    /// Send one again, or all of a state.
    Replay(Replay),
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("which").required(true))]
struct Replay {
    /// Whose.
    #[arg(long)]
    merchant: MerchantId,
    /// This one, whatever became of it.
    #[arg(group = "which")]
    notification: Option<NotificationId>,
    /// All in this state: `parked`, or `delivered` to a receiver that lost them.
    #[arg(long, value_enum, group = "which")]
    state: Option<StateName>,
    /// Those made at or after this time, such as 2026-01-31T09:30:00Z.
    #[arg(long, requires = "state")]
    from: Option<jiff::Timestamp>,
    /// Those made before this time.
    #[arg(long, requires = "state")]
    to: Option<jiff::Timestamp>,
}

/// A state, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StateName {
    /// To be sent, or sent again.
    Due,
    /// Acknowledged.
    Delivered,
    /// Given up.
    Parked,
}

impl From<StateName> for NotificationState {
    fn from(name: StateName) -> Self {
        match name {
            StateName::Due => Self::Due,
            StateName::Delivered => Self::Delivered,
            StateName::Parked => Self::Parked,
        }
    }
}

impl Notification {
    /// Does it, and prints JSON lines. A server that works on this database sends what is due.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { desk, what } = self;
        desk.work(async |service, caller| {
            match what {
                What::List { merchant, state, refund } => {
                    let filter = NotificationFilter { merchant_id: merchant, mode: None, state: state.map(Into::into), refund_id: refund };
                    let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
                    loop {
                        let read = notifications::list(service, caller, filter.clone(), page).await?;
                        for row in read.rows {
                            print(&serde_json::to_value(NotificationView::from(row))?);
                        }
                        let Some(next) = read.next else { break };
                        page.after = Some(next);
                    }
                }
                What::Replay(Replay { merchant, notification: Some(id), .. }) => {
                    let replayed = notifications::replay(service, caller, Some(merchant), id).await?;
                    print(&serde_json::to_value(NotificationView::from(replayed))?);
                }
                What::Replay(Replay { merchant, state: Some(state), from, to, .. }) => {
                    if state == StateName::Due {
                        bail!("those that are due are sent anyway / 待发送的通知会自动发送");
                    }
                    let made = [from, to].map(|at| at.map(|at| Timestamp::from_us(at.as_microsecond())));
                    let replayed = replay_made_between(service, caller, (merchant, state.into()), made).await?;
                    print(&json!({ "replayed": replayed }));
                }
                What::Replay(_) => bail!("say which: an id, or --state / 请指定通知编号，或用 --state 指定状态"),
            }
            Ok(())
        })
    }
}

/// Goes from the newest to the oldest once: a server may deliver them again meanwhile, and what was delivered is not replayed twice.
async fn replay_made_between(
    service: &Service,
    caller: &Caller,
    (merchant_id, state): (MerchantId, NotificationState),
    [from, to]: [Option<Timestamp>; 2],
) -> anyhow::Result<u64> {
    let filter = NotificationFilter { merchant_id: Some(merchant_id), mode: None, state: Some(state), refund_id: None };
    let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
    let mut replayed = 0;
    loop {
        let read = notifications::list(service, caller, filter.clone(), page).await?;
        for row in read.rows.iter().filter(|row| to.is_none_or(|to| row.created_at < to)) {
            if from.is_some_and(|from| row.created_at < from) {
                return Ok(replayed);
            }
            notifications::replay(service, caller, Some(merchant_id), row.id).await?;
            replayed += 1;
        }
        let Some(next) = read.next else { return Ok(replayed) };
        page.after = Some(next);
    }
}
