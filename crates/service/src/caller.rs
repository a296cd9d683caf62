//! Who calls, once that is proved: for whom it may act, in which mode, with which permissions.

use std::sync::Arc;

use refundry_engine::credential::{Credential, Holder};
use refundry_engine::merchant::{Merchant, Standing, Terminal};
use refundry_engine::person::Person;
use refundry_engine::{Actor, CredentialId, MerchantId, Mode, PersonId, Principal, PrincipalId, Refusal};

use crate::permissions::{Permission, Permissions, missing};
use crate::roles::allowed_by;

/// A proved caller. Made once per credential and kept; requests share it.
#[derive(Clone, Debug)]
pub struct Caller {
    /// For whom it may act.
    pub holder: Holder,
    /// Sandbox or live; it never sees the other.
    pub mode: Mode,
    /// What it may do.
    pub permissions: Permissions,
    /// Who people see in timelines.
    pub name: String,
    /// The credential; `None` for whoever sits at the machine.
    pub credential_id: Option<CredentialId>,
    /// The person whose credential it is.
    pub person: Option<Arc<Person>>,
    /// The person who issued the credential, if one did.
    pub issued_by: Option<PersonId>,
    /// The dialect's name for it.
    pub lookup: String,
    /// How it proved itself.
    pub scheme: String,
    /// Its terminal, for credentials of a terminal.
    pub terminal: Option<Arc<Terminal>>,
    /// Its merchant, for credentials of a merchant or terminal.
    pub merchant: Option<Arc<Merchant>>,
}

impl Caller {
    /// The caller that a credential stands for. `None` when its merchant or terminal is gone, or its person gone or suspended.
    pub fn of(
        credential: &Credential,
        merchant: Option<Arc<Merchant>>,
        terminal: Option<Arc<Terminal>>,
        person: Option<Arc<Person>>,
    ) -> Option<Self> {
        let person = match credential.person_id {
            Some(id) => Some(person.filter(|person| person.id == id && person.standing == Standing::Active)?),
            None => None,
        };
        let granted = Permissions::from_words(credential.permissions.iter().map(String::as_str));
        let mode = match &credential.holder {
            Holder::Operator { mode } | Holder::Platform { mode, .. } => *mode,
            Holder::Merchant { .. } => merchant.as_ref()?.mode,
            Holder::Terminal { .. } => {
                merchant.as_ref()?;
                terminal.as_ref()?.mode
            }
        };
        Some(Self {
            holder: credential.holder.clone(),
            mode,
            permissions: person.as_ref().map_or(granted, |person| granted.and(allowed_by(&person.role))),
            name: person.as_ref().map_or_else(|| credential.name.clone(), |person| person.name.clone()),
            credential_id: Some(credential.id),
            person,
            issued_by: credential.issued_by,
            lookup: credential.lookup.clone(),
            scheme: credential.scheme.clone(),
            terminal,
            merchant,
        })
    }

    /// The operator itself, at the command line of the machine: everything in one mode.
    pub fn operator(name: &str, mode: Mode) -> Self {
        Self {
            holder: Holder::Operator { mode },
            mode,
            permissions: Permissions::of(Permission::ALL.iter().copied()),
            name: name.to_owned(),
            credential_id: None,
            person: None,
            issued_by: None,
            lookup: String::new(),
            scheme: String::new(),
            terminal: None,
            merchant: None,
        }
    }

    /// Who it is in timelines and the audit log.
    pub fn actor(&self) -> Actor {
        let person = self.person.as_ref().map(|person| PrincipalId::Person(person.id));
        let id = person.or(self.credential_id.map(PrincipalId::Credential));
        let principal = Principal { name: self.name.clone(), id };
        match self.holder {
            Holder::Operator { .. } => Actor::Operator(principal),
            Holder::Platform { .. } | Holder::Merchant { .. } | Holder::Terminal { .. } => Actor::Merchant(principal),
        }
    }

    /// The person behind it: whose the credential is, or who had it in hand first.
    pub fn person_behind(&self) -> Option<PersonId> {
        self.person.as_ref().map(|person| person.id).or(self.issued_by)
    }

    /// Whether it is the operator.
    pub const fn is_operator(&self) -> bool {
        matches!(self.holder, Holder::Operator { .. })
    }

    /// Refuses when the permission is missing.
    pub fn must(&self, permission: Permission) -> Result<(), Refusal> {
        if self.permissions.contains(permission) { Ok(()) } else { Err(missing(permission)) }
    }

    /// The merchant that is meant: the one named, or the caller's own. A merchant that is not the caller's is unknown to it. That a named
    /// merchant is of the caller's mode is checked where its row is read.
    pub fn merchant_id(&self, named: Option<MerchantId>) -> Result<MerchantId, Refusal> {
        let own = match &self.holder {
            Holder::Merchant { merchant_id } | Holder::Terminal { merchant_id, .. } => *merchant_id,
            Holder::Operator { .. } => return named.ok_or_else(merchant_wanted),
            Holder::Platform { merchant_ids, .. } => {
                let named = named.ok_or_else(merchant_wanted)?;
                return if merchant_ids.contains(&named) { Ok(named) } else { Err(Refusal::UnknownMerchant) };
            }
        };
        if named.is_none_or(|named| named == own) { Ok(own) } else { Err(Refusal::UnknownMerchant) }
    }

    /// The merchants that it may act for; none are named for the operator, who may act for all of its mode.
    pub fn merchant_ids(&self) -> Vec<MerchantId> {
        match &self.holder {
            Holder::Operator { .. } => Vec::new(),
            Holder::Merchant { merchant_id } | Holder::Terminal { merchant_id, .. } => vec![*merchant_id],
            Holder::Platform { merchant_ids, .. } => merchant_ids.clone(),
        }
    }

    /// The merchant that a list is about: as [`merchant_id`](Self::merchant_id), but the operator may ask for all of its mode.
    pub fn merchant_of_list(&self, named: Option<MerchantId>) -> Result<Option<MerchantId>, Refusal> {
        if self.is_operator() && named.is_none() { Ok(None) } else { self.merchant_id(named).map(Some) }
    }
}

fn merchant_wanted() -> Refusal {
    Refusal::FieldInvalid { field: "merchant_id".to_owned(), rule: "name the merchant: this key acts for more than one".to_owned() }
}
