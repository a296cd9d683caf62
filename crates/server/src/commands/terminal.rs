//! `refundry terminal …`: makes and lists terminals on this machine.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use refundry_engine::merchant::{NoticeForm, WireSettings};
use refundry_engine::policy::PolicyPatch;
use refundry_engine::{MerchantId, TerminalId};
use refundry_service::terminals::{self, NewTerminal, TerminalChange};
use serde_json::json;

use super::at_the_desk::{Desk, print};

/// Make and list terminals.
#[derive(Args, Debug)]
pub struct Terminal {
    #[command(flatten)]
    desk: Desk,
    /// What to do.
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a terminal with the default rules of its dialect.
    #[command(visible_alias = "add")]
    Create(Create),
    /// Change where a terminal's callers come from, and how it is told of things. What is left out stays.
    Change(Change),
    /// List the terminals of a merchant.
    List {
        /// Whose.
        #[arg(long)]
        merchant: MerchantId,
    },
}

#[derive(Args, Debug)]
struct Create {
    /// Whose.
    #[arg(long)]
    merchant: MerchantId,
    /// What people read.
    #[arg(long)]
    name: String,
    /// What it speaks: `antom`, `oceanpayment`, `baofoo` or `native`.
    #[arg(long, default_value = "native")]
    dialect: String,
    /// Who carries its refunds out, by the name in the configuration; sandbox terminals have `simulated`.
    #[arg(long)]
    acquirer: Option<String>,
    /// Where the dialect's notifications go.
    #[arg(long)]
    notify_url: Option<String>,
    /// Milliseconds that answers wait for the acquirer; 0 answers at once.
    #[arg(long)]
    synchronous_wait_ms: Option<u32>,
    #[command(flatten)]
    wire: Wire,
}

/// What a dialect asks beside keys and an address.
#[derive(Args, Debug)]
struct Wire {
    /// The account number that callers send beside the terminal's (Oceanpayment: six digits).
    #[arg(long)]
    account: Option<String>,
    /// Answer callers from this address or network only, such as 203.0.113.0/24; may be given more than once.
    #[arg(long)]
    caller: Vec<String>,
    /// Name callers, but do not check yet where they come from.
    #[arg(long, requires = "caller")]
    unchecked_callers: bool,
    /// Oceanpayment: refuse requests that do not prove when they were sent.
    #[arg(long)]
    demands_signed_time: bool,
    /// How notices are written: xml or form.
    #[arg(long, default_value = "xml", value_parser = ["xml", "form"])]
    notice_form: String,
    /// Announce a refund that came back after it had succeeded as failed.
    #[arg(long)]
    announces_returns: bool,
    /// Baofoo: answer a refund of an unknown payment as the vendor's sandbox does: SUCCESS with the state ABNORMAL.
    #[arg(long)]
    unknown_payment_is_abnormal: bool,
}

impl Wire {
    fn settings(self) -> WireSettings {
        WireSettings {
            account: self.account,
            checks_callers: !self.caller.is_empty() && !self.unchecked_callers,
            callers: self.caller,
            demands_signed_time: self.demands_signed_time,
            notice_form: notice_form(&self.notice_form),
            announces_returns: self.announces_returns,
            unknown_payment_is_abnormal: self.unknown_payment_is_abnormal,
        }
    }
}

#[derive(Args, Debug)]
struct Change {
    /// Whose.
    #[arg(long)]
    merchant: MerchantId,
    /// Which.
    #[arg(long)]
    terminal: TerminalId,
    /// What people read.
    #[arg(long)]
    name: Option<String>,
    /// Where the dialect's notifications go.
    #[arg(long)]
    notify_url: Option<String>,
    /// The account number that callers send beside the terminal's.
    #[arg(long)]
    account: Option<String>,
    /// The addresses and networks that callers come from, instead of those before; may be given more than once.
    #[arg(long)]
    caller: Vec<String>,
    /// Whether only those callers are answered.
    #[arg(long)]
    checks_callers: Option<bool>,
    /// Oceanpayment: whether requests that do not prove when they were sent are refused.
    #[arg(long)]
    demands_signed_time: Option<bool>,
    /// How notices are written: xml or form.
    #[arg(long, value_parser = ["xml", "form"])]
    notice_form: Option<String>,
    /// Whether a refund that came back after it had succeeded is announced as failed.
    #[arg(long)]
    announces_returns: Option<bool>,
    /// Baofoo: whether a refund of an unknown payment is answered as the vendor's sandbox does.
    #[arg(long)]
    unknown_payment_is_abnormal: Option<bool>,
}

impl Change {
    /// The settings as they stand, with what was said in their place.
    fn settings(&self, before: WireSettings) -> WireSettings {
        WireSettings {
            account: self.account.clone().or(before.account),
            checks_callers: self.checks_callers.unwrap_or(before.checks_callers),
            callers: if self.caller.is_empty() { before.callers } else { self.caller.clone() },
            demands_signed_time: self.demands_signed_time.unwrap_or(before.demands_signed_time),
            notice_form: self.notice_form.as_deref().map_or(before.notice_form, notice_form),
            announces_returns: self.announces_returns.unwrap_or(before.announces_returns),
            unknown_payment_is_abnormal: self.unknown_payment_is_abnormal.unwrap_or(before.unknown_payment_is_abnormal),
        }
    }
}

fn notice_form(word: &str) -> NoticeForm {
    if word == "form" { NoticeForm::Form } else { NoticeForm::Xml }
}

impl Terminal {
    /// Does it, and prints JSON lines.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { desk, what } = self;
        desk.work(async |service, caller| {
            match what {
                What::Create(create) => {
                    let policy = PolicyPatch { synchronous_wait_ms: create.synchronous_wait_ms, ..PolicyPatch::default() };
                    let new = NewTerminal {
                        merchant_id: Some(create.merchant),
                        name: create.name,
                        dialect: create.dialect,
                        acquirer: create.acquirer,
                        policy,
                        method_policies: BTreeMap::new(),
                        notify_url: create.notify_url,
                        wire: create.wire.settings(),
                    };
                    print(&line(&terminals::create(service, caller, new).await?));
                }
                What::Change(change) => {
                    let before = terminals::find(service, caller, Some(change.merchant), change.terminal).await?;
                    let wire = change.settings(before.wire);
                    let (name, notify_url) = (change.name, change.notify_url.map(Some));
                    let wanted = TerminalChange { name, notify_url, wire: Some(wire), ..TerminalChange::default() };
                    print(&line(&terminals::change(service, caller, Some(change.merchant), change.terminal, wanted).await?));
                }
                What::List { merchant } => {
                    for terminal in terminals::list(service, caller, Some(merchant)).await? {
                        print(&line(&terminal));
                    }
                }
            }
            Ok(())
        })
    }
}

fn line(terminal: &refundry_engine::merchant::Terminal) -> serde_json::Value {
    json!({
        "terminal_id": terminal.id,
        "merchant_id": terminal.merchant_id,
        "name": terminal.name,
        "dialect": terminal.dialect,
        "acquirer": terminal.acquirer,
        "standing": terminal.standing,
        "wire": terminal.wire,
    })
}
