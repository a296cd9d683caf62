//! Terminals: the acceptance channels of a merchant, their rules, and answers that are forced for a while.

use std::collections::BTreeMap;
use std::net::IpAddr;

use refundry_dialects::scheme::SECURE_CODE;
use refundry_dialects::{ALL, DialectEntry};
use refundry_engine::command::Change;
use refundry_engine::merchant::{ForcedAnswer, Standing, Terminal, WireSettings};
use refundry_engine::policy::{Policy, PolicyPatch};
use refundry_engine::{Act, MerchantId, Mode, Refusal, TerminalId, Timestamp};

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::merchants;
use crate::outgoing::addresses::Network;
use crate::outgoing::check_url;
use crate::permissions::{Permission, missing};
use crate::service::Edits;

/// The acquirer of every sandbox terminal, and of no live one.
pub const SIMULATED_ACQUIRER: &str = "simulated";
/// The longest time for which an answer can be forced: the longest that Antom's dashboard offers.
pub const FORCED_MINUTES_MAX: u32 = 120;

/// A terminal to be made.
#[derive(Clone, Debug)]
pub struct NewTerminal {
    /// Whose; may be left out by callers that act for one merchant.
    pub merchant_id: Option<MerchantId>,
    /// What people read.
    pub name: String,
    /// The dialect that it speaks: one of the dialects' names, or `native`.
    pub dialect: String,
    /// Who carries its refunds out; left out for sandbox terminals, and where only one acquirer is configured.
    pub acquirer: Option<String>,
    /// Where it differs from the default rules of its dialect.
    pub policy: PolicyPatch,
    /// Rules by payment method.
    pub method_policies: BTreeMap<String, PolicyPatch>,
    /// Where the dialect's notifications go.
    pub notify_url: Option<String>,
    /// What its dialect asks beside that.
    pub wire: WireSettings,
}

/// What is to change; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct TerminalChange {
    /// What people read.
    pub name: Option<String>,
    /// Whether it may act.
    pub standing: Option<Standing>,
    /// Rules of this terminal, whole.
    pub policy: Option<PolicyPatch>,
    /// Rules by payment method, whole.
    pub method_policies: Option<BTreeMap<String, PolicyPatch>>,
    /// Where the dialect's notifications go; `Some(None)` removes the address.
    pub notify_url: Option<Option<String>>,
    /// Who carries its refunds out.
    pub acquirer: Option<String>,
    /// What its dialect asks beside that, whole.
    pub wire: Option<WireSettings>,
}

/// An answer to be forced.
#[derive(Clone, Debug)]
pub struct ForceAnswer {
    /// The dialect's name of the API, such as `refund`.
    pub api: String,
    /// The dialect's result code; `None` ends the simulation.
    pub code: Option<String>,
    /// For how long, in minutes.
    pub minutes: u32,
}

/// Makes a terminal with the default rules of its dialect.
pub async fn create(service: &Service, caller: &Caller, new: NewTerminal) -> Result<Terminal, ServiceError> {
    may_write(caller)?;
    may_rule(
        caller,
        new.policy != PolicyPatch::default() || !new.method_policies.is_empty() || new.acquirer.is_some() || new.wire.account.is_some(),
    )?;
    new.notify_url.as_deref().map_or(Ok(()), |url| check_url("notify_url", url))?;
    check_callers(&new.wire)?;
    let merchant = merchants::read(service, caller, caller.merchant_id(new.merchant_id)?).await?;
    let mut policy = dialect_policy(&new.dialect)?;
    policy.overlay(&new.policy);
    let account = new.wire.account.clone().or_else(|| fresh_account(service, &new.dialect));
    let terminal = Terminal {
        id: TerminalId::new(service.world.ids.one(service.world.now())?),
        merchant_id: merchant.id,
        mode: caller.mode,
        name: new.name,
        dialect: new.dialect,
        standing: Standing::Active,
        policy,
        method_policies: new.method_policies,
        notify_url: new.notify_url,
        acquirer: acquirer(service, caller.mode, new.acquirer)?,
        wire: WireSettings { account, ..new.wire },
        forced_answers: Vec::new(),
    };
    service.transact(caller, Act::PutTerminal(Box::new(terminal.clone()))).await?;
    Ok(terminal)
}

/// Changes a terminal.
pub async fn change(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    terminal_id: TerminalId,
    change: TerminalChange,
) -> Result<Terminal, ServiceError> {
    may_write(caller)?;
    let rules = change.standing.is_some() || change.policy.is_some() || change.method_policies.is_some() || change.acquirer.is_some();
    may_rule(caller, rules)?;
    change.notify_url.as_ref().and_then(|given| given.as_deref()).map_or(Ok(()), |url| check_url("notify_url", url))?;
    change.wire.as_ref().map_or(Ok(()), check_callers)?;
    let acquirer = change.acquirer.clone().map(|name| acquirer(service, caller.mode, Some(name))).transpose()?;
    let change = TerminalChange { acquirer, ..change };
    let merchant_id = caller.merchant_id(merchant_id)?;
    let mut edits = Edits::default();
    loop {
        let before = read(service, caller, merchant_id, terminal_id).await?;
        let after = change.applied_to(before.clone());
        may_rule(caller, after.wire.account != before.wire.account)?;
        if edits.put(service, caller, Act::ChangeTerminal(Box::new(Change { before, after: after.clone() }))).await? {
            return Ok(after);
        }
    }
}

impl TerminalChange {
    fn applied_to(&self, terminal: Terminal) -> Terminal {
        Terminal {
            name: self.name.clone().unwrap_or(terminal.name),
            standing: self.standing.unwrap_or(terminal.standing),
            policy: self.policy.clone().unwrap_or(terminal.policy),
            method_policies: self.method_policies.clone().unwrap_or(terminal.method_policies),
            notify_url: self.notify_url.clone().unwrap_or(terminal.notify_url),
            acquirer: self.acquirer.clone().unwrap_or(terminal.acquirer),
            wire: self.wire.clone().unwrap_or(terminal.wire),
            ..terminal
        }
    }
}

/// Forces one answer of one API of a sandbox terminal for a while, or ends that.
pub async fn force_answer(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    terminal_id: TerminalId,
    force: ForceAnswer,
) -> Result<Terminal, ServiceError> {
    may_write(caller)?;
    if caller.mode != Mode::Sandbox {
        return Err(invalid("terminal_id", "answers can be forced for sandbox terminals only").into());
    }
    let merchant_id = caller.merchant_id(merchant_id)?;
    let mut edits = Edits::default();
    loop {
        let before = read(service, caller, merchant_id, terminal_id).await?;
        let after = force.applied_to(before.clone(), service.world.now())?;
        if edits.put(service, caller, Act::ChangeTerminal(Box::new(Change { before, after: after.clone() }))).await? {
            return Ok(after);
        }
    }
}

impl ForceAnswer {
    fn applied_to(&self, mut terminal: Terminal, now: Timestamp) -> Result<Terminal, Refusal> {
        terminal.forced_answers.retain(|forced| forced.api != self.api && now < forced.until);
        if let Some(code) = &self.code {
            check_forcible(&terminal.dialect, &self.api, code)?;
            if !(1..=FORCED_MINUTES_MAX).contains(&self.minutes) {
                return Err(invalid("minutes", &format!("1 to {FORCED_MINUTES_MAX}")));
            }
            let until = now.plus_seconds(i64::from(self.minutes) * 60);
            terminal.forced_answers.push(ForcedAnswer { api: self.api.clone(), code: code.clone(), until });
        }
        Ok(terminal)
    }
}

/// One terminal.
pub async fn find(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    terminal_id: TerminalId,
) -> Result<Terminal, ServiceError> {
    caller.must(Permission::MerchantsRead)?;
    read(service, caller, caller.merchant_id(merchant_id)?, terminal_id).await
}

/// All terminals of a merchant.
pub async fn list(service: &Service, caller: &Caller, merchant_id: Option<MerchantId>) -> Result<Vec<Terminal>, ServiceError> {
    caller.must(Permission::MerchantsRead)?;
    let merchant = merchants::read(service, caller, caller.merchant_id(merchant_id)?).await?;
    Ok(service.world.store.terminals(merchant.id).await?)
}

/// The rules that hold for refunds of one method at a terminal.
pub async fn effective_policy(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    terminal_id: TerminalId,
    method: &str,
) -> Result<Policy, ServiceError> {
    let terminal = find(service, caller, merchant_id, terminal_id).await?;
    let merchant = merchants::read(service, caller, terminal.merchant_id).await?;
    Ok(terminal.policy_for(&merchant, method))
}

/// The terminal's row, if it is of the caller's mode.
pub(crate) async fn read(
    service: &Service,
    caller: &Caller,
    merchant_id: MerchantId,
    terminal_id: TerminalId,
) -> Result<Terminal, ServiceError> {
    let terminal = service.world.store.terminal(merchant_id, terminal_id).await?;
    Ok(terminal.filter(|terminal| terminal.mode == caller.mode).ok_or(Refusal::UnknownTerminal)?)
}

/// The dialect of that name.
pub(crate) fn dialect(name: &str) -> Option<&'static DialectEntry> {
    ALL.iter().copied().find(|entry| entry.name == name)
}

/// A terminal's own credential cannot rewrite its terminal's rules.
fn may_write(caller: &Caller) -> Result<(), Refusal> {
    if caller.terminal.is_some() { Err(missing(Permission::TerminalsWrite)) } else { caller.must(Permission::TerminalsWrite) }
}

/// What is refunded, reviewed and charged is the operator's to rule: a merchant's key can name its terminals and addresses.
fn may_rule(caller: &Caller, rules: bool) -> Result<(), Refusal> {
    if rules && !caller.is_operator() { Err(missing(Permission::TerminalsWrite)) } else { Ok(()) }
}

/// An account number for a terminal whose callers must name one, where none was given.
fn fresh_account(service: &Service, dialect_name: &str) -> Option<String> {
    dialect(dialect_name).filter(|entry| entry.schemes.contains(&SECURE_CODE))?;
    let mut bytes = [0; 4];
    service.world.random.fill(&mut bytes);
    Some(format!("{:06}", 100_000 + u32::from_be_bytes(bytes) % 900_000))
}

/// Addresses are checked where they are written, so that nobody is locked out by a slip.
fn check_callers(wire: &WireSettings) -> Result<(), Refusal> {
    let wrong = wire.callers.iter().find(|text| network(text).is_none());
    match wrong {
        Some(text) => Err(invalid("callers", &format!("{text:?} is no address or network such as 203.0.113.7 or 2001:db8::/32"))),
        None if wire.checks_callers && wire.callers.is_empty() => Err(invalid("callers", "name one, or nobody could call")),
        None => Ok(()),
    }
}

/// A network, or one address.
fn network(text: &str) -> Option<Network> {
    text.parse().ok()
}

/// Whether a terminal takes requests from an address. One that checks and is called from nowhere takes none.
pub fn takes_calls_from(wire: &WireSettings, address: Option<IpAddr>) -> bool {
    let known = |address: IpAddr| wire.callers.iter().filter_map(|text| network(text)).any(|network| network.contains(address));
    !wire.checks_callers || address.is_some_and(known)
}

fn dialect_policy(name: &str) -> Result<PolicyPatch, Refusal> {
    if name == crate::refunds::NATIVE.name {
        return Ok(PolicyPatch::default());
    }
    let entry = dialect(name).ok_or_else(|| {
        let known: Vec<_> = ALL.iter().map(|entry| entry.name).collect();
        invalid("dialect", &format!("native or one of: {}", known.join(", ")))
    })?;
    Ok((entry.policy)())
}

/// Play money goes to the simulated acquirer alone, real money never.
fn acquirer(service: &Service, mode: Mode, named: Option<String>) -> Result<String, Refusal> {
    let configured = &service.world.acquirers;
    let mut live = configured.keys().filter(|name| *name != SIMULATED_ACQUIRER);
    match (mode, named) {
        (Mode::Sandbox, None) => Ok(SIMULATED_ACQUIRER.to_owned()),
        (Mode::Sandbox, Some(name)) if name == SIMULATED_ACQUIRER => Ok(name),
        (Mode::Sandbox, Some(_)) => Err(invalid("acquirer", "sandbox terminals use the acquirer `simulated`")),
        (Mode::Live, Some(name)) if name != SIMULATED_ACQUIRER && configured.contains_key(&name) => Ok(name),
        (Mode::Live, None) => match (live.next(), live.next()) {
            (Some(only), None) => Ok(only.clone()),
            (None, _) => Err(invalid("acquirer", "no acquirer for live money is configured")),
            (Some(_), Some(_)) => Err(invalid("acquirer", "name one of the configured acquirers")),
        },
        (Mode::Live, Some(_)) => Err(invalid("acquirer", "name a configured acquirer; live terminals cannot use `simulated`")),
    }
}

fn check_forcible(dialect_name: &str, api: &str, code: &str) -> Result<(), Refusal> {
    let forcible = dialect(dialect_name).map_or(&[][..], |entry| entry.forcible);
    let Some((_, codes)) = forcible.iter().find(|(known, _)| *known == api) else {
        let known: Vec<_> = forcible.iter().map(|(api, _)| *api).collect();
        return Err(invalid("api", &format!("one of: {}", known.join(", "))));
    };
    if codes.contains(&code) { Ok(()) } else { Err(invalid("code", &format!("one of: {}", codes.join(", ")))) }
}

fn invalid(field: &str, rule: &str) -> Refusal {
    Refusal::FieldInvalid { field: field.to_owned(), rule: rule.to_owned() }
}
