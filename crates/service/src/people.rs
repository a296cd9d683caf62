//! People of the operator and of merchants. A person may hold several keys; whatever key is used, the person did it.

use refundry_engine::command::Change;
use refundry_engine::credential::Holder;
use refundry_engine::merchant::Standing;
use refundry_engine::person::{Person, Side};
use refundry_engine::{Act, MerchantId, PersonId, Refusal};
use refundry_store::{Page, PageRequest};

use crate::Service;
use crate::caller::Caller;
use crate::credentials::may_hand_out;
use crate::error::ServiceError;
use crate::merchants;
use crate::permissions::{Permission, missing};
use crate::roles::Role;
use crate::service::Edits;

/// A person to be added.
#[derive(Clone, Debug)]
pub struct NewPerson {
    /// Whose; left out, the caller's own merchant, or the operator's.
    pub merchant_id: Option<MerchantId>,
    /// Who people see in timelines.
    pub name: String,
    /// The word of a role.
    pub role: String,
}

/// What is to change; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct PersonChange {
    /// Who people see in timelines.
    pub name: Option<String>,
    /// The word of a role.
    pub role: Option<String>,
    /// Whether the person's keys work.
    pub standing: Option<Standing>,
}

/// Adds a person. Nobody gives a role that allows more than they may do themselves; only that the operator may equip merchants.
pub async fn create(service: &Service, caller: &Caller, new: NewPerson) -> Result<Person, ServiceError> {
    may_write(caller)?;
    let side = side(service, caller, new.merchant_id).await?;
    may_give(caller, side, &new.role)?;
    let now = service.world.now();
    let id = PersonId::new(service.world.ids.one(now)?);
    let person = Person { id, side, name: new.name, role: new.role, standing: Standing::Active, created_at: now };
    service.transact(caller, Act::PutPerson(Box::new(person.clone()))).await?;
    Ok(person)
}

/// Changes a person: the next request with one of the person's keys is bound by it.
pub async fn change(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    person_id: PersonId,
    change: PersonChange,
) -> Result<Person, ServiceError> {
    may_write(caller)?;
    let mut edits = Edits::default();
    loop {
        let before = read(service, caller, merchant_id, person_id).await?;
        if let Some(role) = &change.role {
            may_give(caller, before.side, role)?;
        }
        let after = Person {
            name: change.name.clone().unwrap_or_else(|| before.name.clone()),
            role: change.role.clone().unwrap_or_else(|| before.role.clone()),
            standing: change.standing.unwrap_or(before.standing),
            ..before.clone()
        };
        if edits.put(service, caller, Act::ChangePerson(Box::new(Change { before, after: after.clone() }))).await? {
            return Ok(after);
        }
    }
}

/// One person.
pub async fn find(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    person_id: PersonId,
) -> Result<Person, ServiceError> {
    caller.must(Permission::PeopleRead)?;
    read(service, caller, merchant_id, person_id).await
}

/// People by id: of a merchant, or, asked by the operator for no merchant, the operator's of the caller's mode.
pub async fn list(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    page: PageRequest,
) -> Result<Page<Person>, ServiceError> {
    caller.must(Permission::PeopleRead)?;
    let side = side(service, caller, merchant_id).await?;
    let mut found = service.world.store.people(side.merchant_id(), page).await?;
    found.rows.retain(|person| person.side == side);
    Ok(found)
}

/// The person's row, when the caller may know of it.
pub(crate) async fn read(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    person_id: PersonId,
) -> Result<Person, ServiceError> {
    let side = side(service, caller, merchant_id).await?;
    let person = service.world.store.person(side.merchant_id(), person_id).await?;
    Ok(person.filter(|person| person.side == side).ok_or_else(unknown)?)
}

/// The refusal for a person whom the caller does not know.
pub(crate) fn unknown() -> Refusal {
    Refusal::Unknown { what: "person".to_owned() }
}

/// A terminal's own credential adds nobody.
fn may_write(caller: &Caller) -> Result<(), Refusal> {
    if caller.terminal.is_some() { Err(missing(Permission::PeopleWrite)) } else { caller.must(Permission::PeopleWrite) }
}

async fn side(service: &Service, caller: &Caller, merchant_id: Option<MerchantId>) -> Result<Side, ServiceError> {
    if caller.is_operator() && merchant_id.is_none() {
        return Ok(Side::Operator { mode: caller.mode });
    }
    let merchant = merchants::read(service, caller, caller.merchant_id(merchant_id)?).await?;
    Ok(Side::Merchant { merchant_id: merchant.id })
}

fn may_give(caller: &Caller, side: Side, role: &str) -> Result<(), Refusal> {
    let holder = match side {
        Side::Operator { mode } => Holder::Operator { mode },
        Side::Merchant { merchant_id } => Holder::Merchant { merchant_id },
    };
    let allowed = Role::for_side(role, &side)?.allows();
    may_hand_out(caller, &holder, allowed).map_err(|_| missing(Permission::PeopleWrite))
}
