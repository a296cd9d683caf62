//! Who may have which credential, and how it is named.

use refundry_dialects::Reach;
use refundry_dialects::scheme::SECURE_CODE;
use refundry_engine::credential::Holder;
use refundry_engine::{Mode, PersonId, Refusal};

use super::{LOOKUP_LENGTH_MAX, NewCredential, NewKey};
use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::install::GATEWAY_LOOKUP;
use crate::permissions::{self, Permission, Permissions, missing};
use crate::refunds::NATIVE;
use crate::roles::allowed_by;
use crate::{merchants, people, terminals};

/// Why a key of somebody else is refused.
const KEYS_OF_OTHERS: &str = "your own: keys of other people are issued with a key of the operator that names nobody";
/// Why a person gets no key desk.
const KEY_DESK: &str = "a person: keys of the operator that name nobody and may issue keys are issued with one of that kind";

/// A terminal's own credential cannot make others.
pub fn may_write(caller: &Caller) -> Result<(), Refusal> {
    if caller.terminal.is_some() { Err(missing(Permission::KeysWrite)) } else { caller.must(Permission::KeysWrite) }
}

/// Whether the caller may give a credential to that holder.
pub async fn check_holder(service: &Service, caller: &Caller, holder: &Holder) -> Result<(), ServiceError> {
    match holder {
        Holder::Operator { mode } if caller.is_operator() && *mode == caller.mode => {}
        Holder::Operator { .. } => return Err(missing(Permission::KeysWrite).into()),
        Holder::Platform { mode, merchant_ids } => {
            if !caller.is_operator() || *mode != caller.mode {
                return Err(missing(Permission::KeysWrite).into());
            }
            for merchant_id in merchant_ids {
                merchants::read(service, caller, *merchant_id).await?;
            }
        }
        Holder::Merchant { merchant_id } => {
            merchants::read(service, caller, caller.merchant_id(Some(*merchant_id))?).await?;
        }
        Holder::Terminal { merchant_id, terminal_id } => {
            terminals::read(service, caller, caller.merchant_id(Some(*merchant_id))?, *terminal_id).await?;
        }
    }
    Ok(())
}

/// A wire dialect's credential belongs to a terminal that speaks it; native keys are tokens.
pub async fn check_dialect(service: &Service, caller: &Caller, new: &NewCredential) -> Result<(), ServiceError> {
    if new.dialect == NATIVE.name {
        let token = matches!(new.key, NewKey::Token) && new.lookup.is_none();
        return if token { Ok(()) } else { Err(invalid("key", "the native API takes tokens that are made here").into()) };
    }
    let entry = terminals::dialect(&new.dialect).ok_or_else(|| invalid("dialect", "is not spoken any more"))?;
    match new.holder {
        Holder::Terminal { merchant_id, terminal_id } => {
            let terminal = terminals::read(service, caller, merchant_id, terminal_id).await?;
            if terminal.dialect != new.dialect {
                return Err(invalid("dialect", &format!("the terminal speaks {}", terminal.dialect)).into());
            }
        }
        // Nobody could name an agent by a name that was made here: merchants write it into their requests.
        Holder::Platform { .. } if entry.agents && new.lookup.is_some() => {}
        Holder::Operator { .. } | Holder::Merchant { .. } | Holder::Platform { .. } => {
            return Err(invalid("dialect", "a credential of a wire dialect belongs to a terminal").into());
        }
    }
    if !entry.schemes.contains(&new.key.scheme()) {
        return Err(invalid("key", &format!("this dialect proves callers by: {}", entry.schemes.join(", "))).into());
    }
    if entry.agents && new.lookup.as_deref().is_some_and(|lookup| !is_account_and_terminal(lookup)) {
        return Err(
            invalid("lookup", "the account's and the terminal's number with a / between them: 1 to 16 letters and digits each").into()
        );
    }
    if new.key.scheme() == SECURE_CODE && new.lookup.as_deref().is_some_and(|lookup| !is_terminal_number(lookup)) {
        return Err(invalid("lookup", "a terminal's number of 8 to 12 digits").into());
    }
    if matches!(new.key, NewKey::Token) && new.lookup.is_some() {
        return Err(invalid("lookup", "the public part of a token is made here").into());
    }
    Ok(())
}

/// What a new credential may do: wire dialects can do no more than refunds, and a person's no more than the person's role.
pub async fn granted(service: &Service, caller: &Caller, new: &NewCredential) -> Result<Permissions, ServiceError> {
    let permissions = bounded(service, caller, new).await?;
    check_person(caller, "person_id", (&new.holder, new.person_id), permissions)?;
    Ok(permissions)
}

async fn bounded(service: &Service, caller: &Caller, new: &NewCredential) -> Result<Permissions, ServiceError> {
    let Some(person_id) = new.person_id else { return Ok(wanted(caller, new)?) };
    let merchant_id = new.holder.merchant_id();
    if new.dialect != NATIVE.name || matches!(new.holder, Holder::Platform { .. }) {
        return Err(invalid("person_id", "people use native keys of the operator, a merchant or a terminal").into());
    }
    let person = people::read(service, caller, merchant_id, person_id).await?;
    let allowed = allowed_by(&person.role);
    let words = new.permissions.clone().unwrap_or_else(|| allowed.words());
    let wanted = wanted(caller, &NewCredential { permissions: Some(words), ..new.clone() })?;
    if allowed.covers(wanted) {
        return Ok(wanted);
    }
    Err(invalid("permissions", &format!("the role {} allows: {}", person.role, allowed.words().join(", "))).into())
}

fn wanted(caller: &Caller, new: &NewCredential) -> Result<Permissions, Refusal> {
    let in_dialect = Permissions::of(usual(&new.dialect).iter().copied());
    let wanted = match (&new.permissions, &new.holder) {
        (Some(words), _) => {
            for word in words {
                Permission::from_word(word).ok_or_else(|| invalid("permissions", &format!("there is no permission {word:?}")))?;
            }
            let wanted = Permissions::from_words(words.iter().map(String::as_str));
            if new.dialect != NATIVE.name && !in_dialect.covers(wanted) {
                let known: Vec<_> = usual(&new.dialect).iter().map(|permission| permission.word()).collect();
                return Err(invalid("permissions", &format!("for this dialect: {}", known.join(", "))));
            }
            wanted
        }
        (None, _) if new.dialect != NATIVE.name => in_dialect,
        (None, Holder::Operator { .. }) => Permissions::of(Permission::ALL.iter().copied()),
        (None, Holder::Platform { .. } | Holder::Merchant { .. } | Holder::Terminal { .. }) => {
            Permissions::of(permissions::MERCHANT.iter().copied())
        }
    };
    may_hand_out(caller, &new.holder, wanted)?;
    Ok(wanted)
}

/// What the callers of a dialect may be allowed.
fn usual(dialect: &str) -> &'static [Permission] {
    match terminals::dialect(dialect).map(|entry| entry.reach) {
        Some(Reach::Orders) => permissions::ORDERS_DIALECT,
        Some(Reach::Shares) => permissions::SHARES_DIALECT,
        Some(Reach::Refunds) | None => permissions::DIALECT,
    }
}

fn is_account_and_terminal(text: &str) -> bool {
    let is_number = |part: &str| (1..=16).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.split_once('/').is_some_and(|(account, terminal)| is_number(account) && is_number(terminal))
}

fn is_terminal_number(text: &str) -> bool {
    (8..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Nobody hands out more than they have, by a new key or by a new version of one that is there. Only that the operator's keys may equip merchants
/// without being able to refund themselves.
pub fn may_hand_out(caller: &Caller, holder: &Holder, permissions: Permissions) -> Result<(), Refusal> {
    let equips = match holder {
        Holder::Operator { .. } | Holder::Platform { .. } => false,
        Holder::Merchant { .. } | Holder::Terminal { .. } => caller.is_operator(),
    };
    if equips || caller.permissions.covers(permissions) { Ok(()) } else { Err(missing(Permission::KeysWrite)) }
}

/// Whoever issues a key has it in hand, and could act as the person that it names: be the second person to itself. So people issue keys in nobody's
/// name but their own, and only the operator's keys that name nobody, the key desk, issue those of others. For the same reason no person makes itself
/// the key desk.
pub fn check_person(caller: &Caller, field: &str, of: (&Holder, Option<PersonId>), permissions: Permissions) -> Result<(), Refusal> {
    let own = caller.person.as_ref().map(|person| person.id);
    let is_key_desk = caller.is_operator() && own.is_none();
    match of {
        _ if is_key_desk => Ok(()),
        (_, Some(person_id)) if own == Some(person_id) => Ok(()),
        (_, Some(_)) => Err(invalid(field, KEYS_OF_OTHERS)),
        (Holder::Operator { .. }, None) if permissions.contains(Permission::KeysWrite) => Err(invalid(field, KEY_DESK)),
        (Holder::Operator { .. } | Holder::Platform { .. } | Holder::Merchant { .. } | Holder::Terminal { .. }, None) => Ok(()),
    }
}

/// A name given from outside, when nobody has it.
pub async fn unused(service: &Service, dialect: &str, lookup: String) -> Result<String, ServiceError> {
    let plain = lookup.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/'));
    if lookup.is_empty() || lookup.len() > LOOKUP_LENGTH_MAX || !plain || lookup == GATEWAY_LOOKUP {
        return Err(invalid("lookup", "1 to 64 letters, digits, -, _ and /").into());
    }
    if service.world.store.credentials_by_lookup(dialect, &lookup).await?.is_empty() {
        return Ok(lookup);
    }
    Err(Refusal::AlreadyExists { field: "lookup".to_owned() }.into())
}

/// A name that nobody has: for tokens their public part, for key pairs a client id in the vendor's shape. The vendor tells keys that can do
/// everything from restricted ones by their first letter.
pub fn fresh_lookup(service: &Service, new: &NewCredential, mode: Mode, permissions: Permissions) -> String {
    let mut bytes = [0_u8; 8];
    service.world.random.fill(&mut bytes);
    if new.key.scheme() == SECURE_CODE {
        // Ten digits: within what the vendor's clients take for a terminal's number.
        return format!("{:010}", u64::from_be_bytes(bytes) % 10_000_000_000);
    }
    if terminals::dialect(&new.dialect).is_some_and(|entry| entry.agents) {
        // Two numbers of six digits, as the vendor's are.
        let number = u64::from_be_bytes(bytes);
        return format!("{:06}/{:06}", 100_000 + number % 900_000, 100_000 + (number >> 32) % 900_000);
    }
    let text = hex::encode(bytes);
    let token = matches!(new.key, NewKey::Token);
    let kind = if permissions.covers(Permissions::of(permissions::DIALECT.iter().copied())) { "isak" } else { "irak" };
    match (new.dialect == NATIVE.name, token, mode) {
        (true, _, Mode::Sandbox) => format!("rk_test_{text}"),
        (true, _, Mode::Live) => format!("rk_live_{text}"),
        (false, true, Mode::Sandbox) => format!("{kind}_TEST_{text}"),
        (false, true, Mode::Live) => format!("{kind}_PROD_{text}"),
        (false, false, Mode::Sandbox) => format!("SANDBOX_5Y{}", text.to_uppercase()),
        (false, false, Mode::Live) => format!("5Y{}", text.to_uppercase()),
    }
}

/// A field that cannot be so.
pub fn invalid(field: &str, rule: &str) -> Refusal {
    Refusal::FieldInvalid { field: field.to_owned(), rule: rule.to_owned() }
}
