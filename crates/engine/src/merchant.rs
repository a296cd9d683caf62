//! Merchants, their terminals, and where they want to hear of things.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::payout::PayoutTerms;
use crate::policy::{Policy, PolicyPatch};
use crate::settlement::SettlementTerms;
use crate::{EndpointId, MerchantId, TerminalId};

/// Native notification addresses that one merchant may have.
pub const ENDPOINTS_MAX: usize = 8;
/// Payment methods that one terminal may have rules of its own for.
pub const METHOD_RULES_MAX: usize = 200;
/// Networks that one terminal may name its callers' addresses by.
pub const CALLERS_MAX: usize = 64;
/// Letters of an account number.
pub const ACCOUNT_LENGTH_MAX: usize = 32;
/// Letters of a name.
pub const NAME_LENGTH_MAX: usize = 128;

/// Sandbox sees sandbox only, live sees live only: payments, books, acquirers and credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Play money, the simulated acquirer.
    Sandbox,
    /// Real money.
    Live,
}

/// Whether somebody may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// May act.
    Active,
    /// May read, may not refund.
    Suspended,
}

/// The business that is paid. A merchant is of one mode: a shop that tries things out has a sandbox merchant beside its live one,
/// and so their books never meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merchant {
    /// Ours.
    pub id: MerchantId,
    /// Sandbox or live.
    pub mode: Mode,
    /// What people read.
    pub name: String,
    /// The number by which dialects name it where it gets a share; no other merchant of its mode has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Whether it may act.
    pub standing: Standing,
    /// Rules for all its terminals.
    pub policy: PolicyPatch,
    /// When it is paid out, by currency code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub payout_terms: BTreeMap<String, PayoutTerms>,
    /// Addresses that hear of everything, with Standard Webhooks headers.
    pub endpoints: Vec<Endpoint>,
}

/// A native notification address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Ours.
    pub id: EndpointId,
    /// Where to post.
    pub url: String,
    /// Signing secret, sealed under the master key.
    pub sealed_secret: String,
    /// Kinds of events wanted, by name; empty for all.
    pub events: Vec<String>,
    /// Whether it is switched on.
    pub enabled: bool,
}

/// A merchant's acceptance channel. It speaks one dialect; its credentials live beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terminal {
    /// Ours.
    pub id: TerminalId,
    /// Whose.
    pub merchant_id: MerchantId,
    /// Sandbox or live, as its merchant.
    pub mode: Mode,
    /// What people read.
    pub name: String,
    /// The dialect that it speaks, such as `antom`.
    pub dialect: String,
    /// Whether it may act.
    pub standing: Standing,
    /// Rules of this terminal.
    pub policy: PolicyPatch,
    /// Rules by payment method; they come last and win.
    pub method_policies: BTreeMap<String, PolicyPatch>,
    /// Where the dialect's notifications go when the request and the payment name no address.
    pub notify_url: Option<String>,
    /// Which acquirer carries its refunds out, by the name in the configuration.
    pub acquirer: String,
    /// What its dialect asks beside that.
    #[serde(default)]
    pub wire: WireSettings,
    /// An answer that is forced for a while: the dashboard's "error scenario simulation". Sandbox only.
    pub forced_answers: Vec<ForcedAnswer>,
}

/// What a terminal's dialect is told, where it asks for more than keys and an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WireSettings {
    /// The account number that callers send beside the terminal's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Whether only callers from `callers` are answered.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub checks_callers: bool,
    /// Where callers come from: addresses and networks such as `203.0.113.0/24`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub callers: Vec<String>,
    /// Whether callers must also prove when they sent a request, in dialects where that is their choice.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub demands_signed_time: bool,
    /// How notices are written.
    pub notice_form: NoticeForm,
    /// Whether a refund that came back after it had succeeded is announced as failed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub announces_returns: bool,
    /// Whether a refund of an unknown payment is answered with a state instead of a failure, as one vendor's sandbox does.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unknown_payment_is_abnormal: bool,
}

/// How notices are written, in dialects that know more than one form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeForm {
    /// As XML.
    #[default]
    Xml,
    /// As the fields of a form.
    Form,
}

/// One API of a sandbox terminal always answers one result code until a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForcedAnswer {
    /// The dialect's name of the API, such as `refund`.
    pub api: String,
    /// The dialect's result code.
    pub code: String,
    /// When it ends.
    pub until: crate::Timestamp,
}

impl Terminal {
    /// The terms on which a payment that was made by `method` is settled.
    pub fn settlement_terms_for(&self, merchant: &Merchant, method: &str) -> SettlementTerms {
        let terms = SettlementTerms::default().patched(&merchant.policy.settlement).patched(&self.policy.settlement);
        match self.method_policies.get(method) {
            Some(patch) => terms.patched(&patch.settlement),
            None => terms,
        }
    }

    /// The rules for a refund of a payment that was made by `method`.
    pub fn policy_for(&self, merchant: &Merchant, method: &str) -> Policy {
        let policy = Policy::default().patched(&merchant.policy).patched(&self.policy);
        match self.method_policies.get(method) {
            Some(patch) => policy.patched(patch),
            None => policy,
        }
    }
}
