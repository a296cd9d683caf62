//! Merchants, terminals, addresses and credentials: written as a whole, each with a line in the audit log.

use std::sync::Arc;

use crate::command::{Change, PutEndpoint, RemoveEndpoint, RevokeCredential};
use crate::credential::Credential;
use crate::merchant::{ACCOUNT_LENGTH_MAX, CALLERS_MAX, ENDPOINTS_MAX, METHOD_RULES_MAX, Merchant, NAME_LENGTH_MAX, Terminal};
use crate::policy::{FundsCheck, PolicyPatch, ReviewRule};
use crate::refund::URL_LENGTH_MAX;
use crate::task::Task;
use crate::verdict::{AuditLine, Changes};
use crate::{AuditId, MerchantId, Outcome, Refusal, Snapshot, Stamp, Verdict, payout};

/// Adds or changes a merchant. Its mode never changes: books of play money stay books of play money.
pub fn put_merchant(snapshot: &Snapshot, stamp: &Stamp, merchant: &Merchant) -> Verdict {
    let checked = check_text("name", &merchant.name, NAME_LENGTH_MAX)
        .and_then(|()| merchant.account.as_ref().map_or(Ok(()), |account| check_text("account", account, ACCOUNT_LENGTH_MAX)))
        .and_then(|()| check_policy(&merchant.policy))
        .and_then(|()| payout::schedule::check_terms(merchant));
    if let Err(refusal) = checked {
        return Verdict::refused(refusal);
    }
    if snapshot.merchants.get(&merchant.id).is_some_and(|before| before.mode != merchant.mode) {
        return Verdict::refused(Refusal::FieldInvalid {
            field: "mode".to_owned(),
            rule: "never changes; create a merchant of the other mode beside this one".to_owned(),
        });
    }
    let mut changes = audited(stamp, Some(merchant.id), "merchant.put", merchant.id.to_string());
    look_at_those_who_wait(snapshot, stamp, merchant.id, &mut changes);
    changes.merchants.insert(merchant.id, Arc::new(merchant.clone()));
    let before = snapshot.merchants.get(&merchant.id).map(Arc::as_ref);
    changes.tasks.extend(payout::schedule::runs(before, merchant, stamp.now));
    Verdict { outcome: Outcome::Done, changes }
}

/// Changes a merchant that still stands as it was read.
pub fn change_merchant(snapshot: &Snapshot, stamp: &Stamp, change: &Change<Merchant>) -> Verdict {
    let stands = snapshot.merchants.get(&change.after.id).is_some_and(|merchant| **merchant == change.before);
    if stands { put_merchant(snapshot, stamp, &change.after) } else { Verdict::unchanged(Outcome::Stale) }
}

/// Changes a terminal that still stands as it was read.
pub fn change_terminal(snapshot: &Snapshot, stamp: &Stamp, change: &Change<Terminal>) -> Verdict {
    let key = (change.after.merchant_id, change.after.id);
    let stands = snapshot.terminals.get(&key).is_some_and(|terminal| **terminal == change.before);
    if stands { put_terminal(snapshot, stamp, &change.after) } else { Verdict::unchanged(Outcome::Stale) }
}

/// Changes a credential that still stands as it was read.
pub fn change_credential(snapshot: &Snapshot, stamp: &Stamp, change: &Change<Credential>) -> Verdict {
    let stands = snapshot.credentials.get(&change.after.id) == Some(&change.before);
    if stands { put_credential(snapshot, stamp, &change.after) } else { Verdict::unchanged(Outcome::Stale) }
}

/// Adds or changes a terminal of a known merchant, in the merchant's mode.
pub fn put_terminal(snapshot: &Snapshot, stamp: &Stamp, terminal: &Terminal) -> Verdict {
    let Some(merchant) = snapshot.merchants.get(&terminal.merchant_id) else {
        return Verdict::refused(Refusal::UnknownMerchant);
    };
    if let Err(refusal) = check_terminal(snapshot, merchant, terminal) {
        return Verdict::refused(refusal);
    }
    let mut changes = audited(stamp, Some(terminal.merchant_id), "terminal.put", terminal.id.to_string());
    look_at_those_who_wait(snapshot, stamp, terminal.merchant_id, &mut changes);
    changes.terminals.insert((terminal.merchant_id, terminal.id), Arc::new(terminal.clone()));
    Verdict { outcome: Outcome::Done, changes }
}

/// Other rules may let refunds go that wait for money: which they may draw, in which order, at which hours.
fn look_at_those_who_wait(snapshot: &Snapshot, stamp: &Stamp, merchant_id: MerchantId, changes: &mut Changes) {
    let queues = snapshot.waiting.iter().filter(|((of, _), count)| *of == merchant_id && **count > 0);
    for task in queues.map(|((_, currency), _)| Task::release_waiting(merchant_id, *currency, stamp.now)) {
        changes.tasks.insert((merchant_id, task.id), Some(task));
    }
}

fn check_policy(policy: &PolicyPatch) -> Result<(), Refusal> {
    let number = policy.out_of_range().map(|(name, least, most)| (name, format!("{least} to {most}")));
    let rules =
        || policy.review.as_ref().and_then(ReviewRule::fault).or_else(|| policy.funds_check.as_ref().and_then(FundsCheck::broken_rule));
    let fault = number.or_else(rules).or_else(|| {
        let code: String = policy.settlement.unknown_currency()?.chars().take(8).collect();
        Some(("settlement.fixed_reserve_minor", format!("by currencies of ISO 4217; {code} is none")))
    });
    match fault {
        Some((name, rule)) => Err(Refusal::FieldInvalid { field: format!("policy.{name}"), rule }),
        None => Ok(()),
    }
}

fn check_terminal(snapshot: &Snapshot, merchant: &Merchant, terminal: &Terminal) -> Result<(), Refusal> {
    check_text("name", &terminal.name, NAME_LENGTH_MAX)?;
    check_policy(&terminal.policy)?;
    terminal.method_policies.values().try_for_each(check_policy)?;
    if merchant.mode != terminal.mode {
        return Err(Refusal::FieldInvalid {
            field: "mode".to_owned(),
            rule: "is the merchant's; use a merchant of the other mode".to_owned(),
        });
    }
    let before = snapshot.terminals.get(&(terminal.merchant_id, terminal.id));
    if before.is_some_and(|before| before.dialect != terminal.dialect) {
        return Err(Refusal::FieldInvalid { field: "dialect".to_owned(), rule: "never changes; create another terminal".to_owned() });
    }
    if let Some(url) = &terminal.notify_url {
        check_text("notify_url", url, URL_LENGTH_MAX)?;
    }
    if let Some(account) = &terminal.wire.account {
        check_text("account", account, ACCOUNT_LENGTH_MAX)?;
    }
    if terminal.wire.callers.len() > CALLERS_MAX {
        return Err(limit("callers", CALLERS_MAX));
    }
    if terminal.method_policies.len() > METHOD_RULES_MAX {
        return Err(limit("method_policies", METHOD_RULES_MAX));
    }
    if terminal.mode != crate::Mode::Sandbox && !terminal.forced_answers.is_empty() {
        return Err(Refusal::FieldInvalid {
            field: "forced_answers".to_owned(),
            rule: "only sandbox terminals can be made to answer a chosen code".to_owned(),
        });
    }
    Ok(())
}

/// Adds or changes a native notification address.
pub fn put_endpoint(snapshot: &Snapshot, stamp: &Stamp, act: &PutEndpoint) -> Verdict {
    let Some(merchant) = snapshot.merchants.get(&act.merchant_id) else {
        return Verdict::refused(Refusal::UnknownMerchant);
    };
    if let Err(refusal) = check_text("url", &act.endpoint.url, URL_LENGTH_MAX) {
        return Verdict::refused(refusal);
    }
    let place = merchant.endpoints.iter().position(|endpoint| endpoint.id == act.endpoint.id);
    if place.map(|place| &merchant.endpoints[place]) != act.before.as_ref() {
        return Verdict::unchanged(Outcome::Stale);
    }
    let mut merchant = Merchant::clone(merchant);
    match place {
        Some(place) => merchant.endpoints[place] = act.endpoint.clone(),
        None if merchant.endpoints.len() >= ENDPOINTS_MAX => return Verdict::refused(limit("endpoints", ENDPOINTS_MAX)),
        None => merchant.endpoints.push(act.endpoint.clone()),
    }
    let mut changes = audited(stamp, Some(act.merchant_id), "endpoint.put", act.endpoint.id.to_string());
    changes.merchants.insert(act.merchant_id, Arc::new(merchant));
    Verdict { outcome: Outcome::Done, changes }
}

/// Removes a native notification address. What is still due to it is parked by its worker, which finds no address.
pub fn remove_endpoint(snapshot: &Snapshot, stamp: &Stamp, act: &RemoveEndpoint) -> Verdict {
    let Some(merchant) = snapshot.merchants.get(&act.merchant_id) else {
        return Verdict::refused(Refusal::UnknownMerchant);
    };
    if !merchant.endpoints.iter().any(|endpoint| endpoint.id == act.endpoint_id) {
        return Verdict::refused(Refusal::Unknown { what: "endpoint".to_owned() });
    }
    let mut merchant = Merchant::clone(merchant);
    merchant.endpoints.retain(|endpoint| endpoint.id != act.endpoint_id);
    let mut changes = audited(stamp, Some(act.merchant_id), "endpoint.remove", act.endpoint_id.to_string());
    changes.merchants.insert(act.merchant_id, Arc::new(merchant));
    Verdict { outcome: Outcome::Done, changes }
}

/// Adds or changes a credential.
pub fn put_credential(_snapshot: &Snapshot, stamp: &Stamp, credential: &Credential) -> Verdict {
    if let Err(refusal) = check_text("name", &credential.name, NAME_LENGTH_MAX) {
        return Verdict::refused(refusal);
    }
    let mut changes = audited(stamp, credential.holder.merchant_id(), "credential.put", credential.id.to_string());
    changes.credentials.insert(credential.id, credential.clone());
    Verdict { outcome: Outcome::Done, changes }
}

/// Ends a credential at a time; an end that is already set is only ever moved forward to an earlier one.
pub fn revoke_credential(snapshot: &Snapshot, stamp: &Stamp, act: &RevokeCredential) -> Verdict {
    let Some(before) = snapshot.credentials.get(&act.credential_id) else {
        return Verdict::refused(Refusal::Unknown { what: "credential".to_owned() });
    };
    let mut credential = before.clone();
    if act.at <= stamp.now {
        credential.revoked_at = Some(credential.revoked_at.map_or(stamp.now, |earlier| earlier.min(stamp.now)));
    } else {
        credential.expires_at = Some(credential.expires_at.map_or(act.at, |earlier| earlier.min(act.at)));
    }
    let mut changes = audited(stamp, credential.holder.merchant_id(), "credential.revoke", credential.id.to_string());
    changes.credentials.insert(credential.id, credential);
    Verdict { outcome: Outcome::Done, changes }
}

pub(crate) fn audited(stamp: &Stamp, merchant_id: Option<MerchantId>, action: &'static str, subject: String) -> Changes {
    let id = AuditId::new(stamp.ids.clone().take());
    let line = AuditLine { id, merchant_id, at: stamp.now, actor: stamp.actor.clone(), action, subject, facts: Vec::new() };
    Changes { audit: vec![line], ..Changes::default() }
}

pub(crate) fn check_text(field: &str, text: &str, longest: usize) -> Result<(), Refusal> {
    let length = text.chars().count();
    if (1..=longest).contains(&length) && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Refusal::FieldInvalid {
        field: field.to_owned(),
        rule: format!("1 to {longest} letters without control characters; {length} were sent"),
    })
}

fn limit(what: &str, limit: usize) -> Refusal {
    Refusal::LimitReached { what: what.to_owned(), limit: u32::try_from(limit).unwrap_or(u32::MAX) }
}
