//! Agents and whom they act for. An agent is a platform with a credential of its own in a wire dialect; the merchants that are linked to the
//! credential are those that it may act for, as with a platform's native key. Who is not linked does not exist for it.

use std::sync::Arc;

use refundry_dialects::{ActingFor, DialectEntry};
use refundry_engine::credential::Holder;
use refundry_engine::{MerchantId, Refusal};

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;

/// The caller as which a request is carried out. An agent that calls for a merchant acts as the merchant's terminal, with no more rights than both
/// have, and under its own name; a merchant that names its agent acts as itself, if the agent is its agent.
pub(crate) async fn acting(
    service: &Service,
    entry: &'static DialectEntry,
    caller: Arc<Caller>,
    named: Option<&ActingFor>,
) -> Result<Arc<Caller>, ServiceError> {
    match (&caller.holder, named) {
        (Holder::Platform { merchant_ids, .. }, Some(named)) => {
            let terminal = of(service, entry, &named.account, &named.terminal).await?;
            let linked = |terminal: &Caller| terminal.mode == caller.mode && is_one_of(merchant_ids, terminal);
            let terminal = terminal.filter(|terminal| linked(terminal)).ok_or(Refusal::AgentNotLinked)?;
            Ok(Arc::new(on_behalf(&caller, &terminal)))
        }
        (Holder::Platform { .. }, None) => Err(Refusal::AgentNotLinked.into()),
        (Holder::Terminal { merchant_id, .. }, Some(named)) => {
            let agent = of(service, entry, &named.agent_account, &named.agent_terminal).await?;
            let is_linked = agent.is_some_and(|agent| agent.mode == caller.mode && acts_for(&agent, *merchant_id));
            if is_linked { Ok(caller) } else { Err(Refusal::AgentNotLinked.into()) }
        }
        (Holder::Terminal { .. } | Holder::Operator { .. } | Holder::Merchant { .. }, _) => Ok(caller),
    }
}

/// Who has a valid credential under these numbers.
async fn of(service: &Service, entry: &'static DialectEntry, account: &str, terminal: &str) -> Result<Option<Arc<Caller>>, ServiceError> {
    let now = service.world.now();
    let known = service.keyring.by_lookup(entry.name, &format!("{account}/{terminal}"), now).await?;
    let valid = known.and_then(|known| known.credentials.iter().find(|known| known.credential.is_valid_at(now)).cloned());
    Ok(valid.and_then(|known| known.caller.clone()))
}

fn is_one_of(merchant_ids: &[MerchantId], terminal: &Caller) -> bool {
    terminal.terminal.as_ref().is_some_and(|terminal| merchant_ids.contains(&terminal.merchant_id))
}

fn acts_for(agent: &Caller, merchant_id: MerchantId) -> bool {
    match &agent.holder {
        Holder::Platform { merchant_ids, .. } => merchant_ids.contains(&merchant_id),
        Holder::Operator { .. } | Holder::Merchant { .. } | Holder::Terminal { .. } => false,
    }
}

fn on_behalf(agent: &Caller, terminal: &Caller) -> Caller {
    Caller {
        permissions: agent.permissions.and(terminal.permissions),
        name: agent.name.clone(),
        credential_id: agent.credential_id,
        person: None,
        lookup: agent.lookup.clone(),
        scheme: agent.scheme.clone(),
        ..terminal.clone()
    }
}
