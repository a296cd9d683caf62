//! Terminals: their rules, and answers that are forced for a while.

use std::collections::BTreeMap;

use axum::response::Response;
use refundry_engine::merchant::{ForcedAnswer, Terminal, WireSettings};
use refundry_engine::policy::{Policy, PolicyPatch};
use refundry_engine::{MerchantId, TerminalId};
use refundry_service::terminals::{self, ForceAnswer, NewTerminal, TerminalChange};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::policy_view::{PolicyView, StandingView};
use super::wire_view::WireView;
use crate::call::{Call, created, ok};
use crate::merchant_api::MerchantQuery;
use crate::problem::{Problem, kinds};
use crate::views::{Listed, ModeView, Rfc3339};

/// A terminal to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TerminalRequest {
    /// Whose; may be left out by keys that act for one merchant.
    #[schema(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// What people read.
    pub name: String,
    /// The dialect that it speaks, such as `antom`, or `native`.
    #[schema(example = "antom")]
    pub dialect: String,
    /// Who carries its refunds out, by the name in the configuration.
    pub acquirer: Option<String>,
    /// Where it differs from the usual rules of its dialect.
    #[serde(default)]
    #[schema(value_type = PolicyView)]
    pub policy: PolicyPatch,
    /// Rules by payment method; they win.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, PolicyView>)]
    pub method_policies: BTreeMap<String, PolicyPatch>,
    /// Where the dialect's notifications go when request and payment name no address.
    pub notify_url: Option<String>,
    /// What its dialect asks beside that.
    #[serde(default)]
    pub wire: WireView,
}

/// What is to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TerminalChangeRequest {
    /// What people read.
    pub name: Option<String>,
    /// Whether it may act.
    pub standing: Option<StandingView>,
    /// Rules of this terminal, whole.
    #[schema(value_type = Option<PolicyView>)]
    pub policy: Option<PolicyPatch>,
    /// Rules by payment method, whole.
    #[schema(value_type = Option<BTreeMap<String, PolicyView>>)]
    pub method_policies: Option<BTreeMap<String, PolicyPatch>>,
    /// Where the dialect's notifications go; `null` removes the address.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub notify_url: Option<Option<String>>,
    /// Who carries its refunds out.
    pub acquirer: Option<String>,
    /// What its dialect asks beside that, whole.
    pub wire: Option<WireView>,
}

/// An answer to be forced for a while.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForcedAnswerRequest {
    /// The dialect's name of the API, such as `refund` or `inquiryRefund`.
    pub api: String,
    /// The dialect's result code; `null` ends it.
    pub code: Option<String>,
    /// For how long; at most 120.
    #[serde(default)]
    pub minutes: u32,
}

/// A merchant's acceptance channel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Terminal)]
pub struct TerminalView {
    /// Ours.
    #[schema(example = "ter_0d3m4t2ykw000")]
    pub terminal_id: String,
    /// Whose.
    pub merchant_id: String,
    /// Sandbox or live.
    pub mode: ModeView,
    /// What people read.
    pub name: String,
    /// The dialect that it speaks.
    pub dialect: String,
    /// Whether it may act.
    pub standing: StandingView,
    /// Who carries its refunds out.
    pub acquirer: String,
    /// Rules of this terminal.
    #[schema(value_type = PolicyView)]
    pub policy: PolicyPatch,
    /// Rules by payment method.
    #[schema(value_type = BTreeMap<String, PolicyView>)]
    pub method_policies: BTreeMap<String, PolicyPatch>,
    /// Where the dialect's notifications go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_url: Option<String>,
    /// What its dialect asks beside that.
    pub wire: WireView,
    /// Answers that are forced for a while.
    pub forced_answers: Vec<ForcedAnswerView>,
}

/// An answer that is forced for a while.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ForcedAnswer)]
pub struct ForcedAnswerView {
    /// The dialect's name of the API.
    pub api: String,
    /// The dialect's result code.
    pub code: String,
    /// When it ends.
    pub until: Rfc3339,
}

/// Of which method.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PolicyQuery {
    /// For keys that act for more than one merchant.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// The payment method; left out, none with rules of its own.
    #[serde(default)]
    pub method: String,
}

/// The rules that hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct EffectivePolicy {
    /// All of them, none left out.
    #[schema(value_type = PolicyView)]
    pub policy: Policy,
}

/// Makes a terminal with the usual rules of its dialect.
pub async fn create(call: Call) -> Result<Response, Problem> {
    let TerminalRequest { merchant_id, name, dialect, acquirer, policy, method_policies, notify_url, wire } = call.json()?;
    let wire = wire.into();
    let new = NewTerminal { merchant_id, name, dialect, acquirer, policy, method_policies, notify_url, wire };
    Ok(created(&TerminalView::from(terminals::create(&call.app.service, &call.caller, new).await?), true))
}

/// Changes a terminal.
pub async fn change(call: Call) -> Result<Response, Problem> {
    let (merchant_id, terminal_id) = named(&call)?;
    let TerminalChangeRequest { name, standing, policy, method_policies, notify_url, acquirer, wire } = call.json()?;
    let wire = wire.map(WireSettings::from);
    let change = TerminalChange { name, standing: standing.map(Into::into), policy, method_policies, notify_url, acquirer, wire };
    ok(&TerminalView::from(terminals::change(&call.app.service, &call.caller, merchant_id, terminal_id, change).await?))
}

/// Forces an answer of a sandbox terminal for a while, or ends that.
pub async fn force_answer(call: Call) -> Result<Response, Problem> {
    let (merchant_id, terminal_id) = named(&call)?;
    let ForcedAnswerRequest { api, code, minutes } = call.json()?;
    let force = ForceAnswer { api, code, minutes };
    ok(&TerminalView::from(terminals::force_answer(&call.app.service, &call.caller, merchant_id, terminal_id, force).await?))
}

/// One terminal.
pub async fn find(call: Call) -> Result<Response, Problem> {
    let (merchant_id, terminal_id) = named(&call)?;
    ok(&TerminalView::from(terminals::find(&call.app.service, &call.caller, merchant_id, terminal_id).await?))
}

/// All terminals of a merchant.
pub async fn list(call: Call) -> Result<Response, Problem> {
    let query: MerchantQuery = call.query()?;
    ok(&Listed::whole(terminals::list(&call.app.service, &call.caller, query.merchant_id).await?, TerminalView::from))
}

/// The rules that hold for refunds of one method.
pub async fn effective_policy(call: Call) -> Result<Response, Problem> {
    let terminal_id = call.path_id("terminal_id", &kinds::UNKNOWN_TERMINAL)?;
    let PolicyQuery { merchant_id, method } = call.query()?;
    let policy = terminals::effective_policy(&call.app.service, &call.caller, merchant_id, terminal_id, &method).await?;
    ok(&EffectivePolicy { policy })
}

impl From<Terminal> for TerminalView {
    fn from(terminal: Terminal) -> Self {
        Self {
            terminal_id: terminal.id.to_string(),
            merchant_id: terminal.merchant_id.to_string(),
            mode: terminal.mode.into(),
            name: terminal.name,
            dialect: terminal.dialect,
            standing: terminal.standing.into(),
            acquirer: terminal.acquirer,
            policy: terminal.policy,
            method_policies: terminal.method_policies,
            notify_url: terminal.notify_url,
            wire: terminal.wire.into(),
            forced_answers: terminal.forced_answers.into_iter().map(ForcedAnswerView::from).collect(),
        }
    }
}

impl From<ForcedAnswer> for ForcedAnswerView {
    fn from(forced: ForcedAnswer) -> Self {
        Self { api: forced.api, code: forced.code, until: forced.until.into() }
    }
}

fn named(call: &Call) -> Result<(Option<MerchantId>, TerminalId), Problem> {
    let query: MerchantQuery = call.query()?;
    Ok((query.merchant_id, call.path_id("terminal_id", &kinds::UNKNOWN_TERMINAL)?))
}

/// Tells `null` from nothing.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
