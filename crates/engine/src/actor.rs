use std::fmt;
use std::str::FromStr;

use crate::{CredentialId, PersonId};

/// Who did something. Kept with every step of a timeline and every line of the audit log. Shown, it is a side and a name; stored
/// ([`Actor::stored`]), it names the person or credential too, because two people may have one name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The merchant's side.
    Merchant(Principal),
    /// The operator's side.
    Operator(Principal),
    /// Refundry itself.
    System,
    /// The acquirer.
    Acquirer,
    /// The card network or the issuer behind it.
    Network,
}

/// In whose name something is done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Principal {
    /// The name of the person or of the credential.
    pub name: String,
    /// Which person or credential; `None` for whoever sits at the machine, and in what was stored before these were kept.
    pub id: Option<PrincipalId>,
}

/// What tells principals of one name apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrincipalId {
    /// A person, whichever of their keys was used.
    Person(PersonId),
    /// A credential that belongs to no person.
    Credential(CredentialId),
}

/// A stored text that names no actor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no actor")]
pub struct NotAnActor(String);

impl Actor {
    /// The merchant's side under a name alone.
    pub fn merchant(name: &str) -> Self {
        Self::Merchant(name.into())
    }

    /// The operator's side under a name alone.
    pub fn operator(name: &str) -> Self {
        Self::Operator(name.into())
    }

    /// Whether this is certainly another person than `first`. Operator and merchant are; on one side only a named person is, because whoever
    /// may issue keys can hold several that name nobody. A person may decide about what a machine asked for.
    pub fn is_second_person_to(&self, first: &Self) -> bool {
        match (self, first) {
            (Self::Merchant(second), Self::Merchant(first)) | (Self::Operator(second), Self::Operator(first)) => second.is_not(first),
            (Self::Merchant(_), _) | (Self::Operator(_), _) => true,
            (Self::System | Self::Acquirer | Self::Network, _) => false,
        }
    }

    /// Who it is, when the side is known.
    pub const fn principal(&self) -> Option<&Principal> {
        match self {
            Self::Merchant(principal) | Self::Operator(principal) => Some(principal),
            Self::System | Self::Acquirer | Self::Network => None,
        }
    }

    /// The text that is stored: as shown, with the id behind the side.
    pub fn stored(&self) -> String {
        let id = self.principal().and_then(|principal| principal.id);
        match (self, id) {
            (Self::Merchant(principal), Some(id)) => format!("merchant#{id}:{}", principal.name),
            (Self::Operator(principal), Some(id)) => format!("operator#{id}:{}", principal.name),
            (Self::Merchant(_) | Self::Operator(_) | Self::System | Self::Acquirer | Self::Network, _) => self.to_string(),
        }
    }
}

impl Principal {
    /// The person, if one is named.
    pub const fn person(&self) -> Option<PersonId> {
        match self.id {
            Some(PrincipalId::Person(id)) => Some(id),
            Some(PrincipalId::Credential(_)) | None => None,
        }
    }

    fn is_not(&self, first: &Self) -> bool {
        match (self.person(), first.id) {
            (Some(second), Some(PrincipalId::Person(first))) => second != first,
            (Some(_), Some(PrincipalId::Credential(_))) => true,
            // Stored before ids were: only the name is left to go by.
            (Some(_), None) => self.name != first.name,
            (None, _) => false,
        }
    }
}

impl From<&str> for Principal {
    fn from(name: &str) -> Self {
        Self { name: name.to_owned(), id: None }
    }
}

impl From<String> for Principal {
    fn from(name: String) -> Self {
        Self { name, id: None }
    }
}

impl fmt::Display for PrincipalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => id.fmt(f),
            Self::Credential(id) => id.fmt(f),
        }
    }
}

impl FromStr for PrincipalId {
    type Err = crate::NotAnId;

    fn from_str(text: &str) -> Result<Self, crate::NotAnId> {
        text.parse().map(Self::Person).or_else(|_| text.parse().map(Self::Credential))
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Merchant(principal) => write!(f, "merchant:{}", principal.name),
            Self::Operator(principal) => write!(f, "operator:{}", principal.name),
            Self::System => f.write_str("system"),
            Self::Acquirer => f.write_str("acquirer"),
            Self::Network => f.write_str("network"),
        }
    }
}

impl FromStr for Actor {
    type Err = NotAnActor;

    fn from_str(text: &str) -> Result<Self, NotAnActor> {
        let wrong = || NotAnActor(text.chars().take(40).collect());
        let Some((side, name)) = text.split_once(':') else {
            return match text {
                "system" => Ok(Self::System),
                "acquirer" => Ok(Self::Acquirer),
                "network" => Ok(Self::Network),
                _ => Err(wrong()),
            };
        };
        let (side, id) = match side.split_once('#') {
            Some((side, id)) => (side, Some(id.parse().map_err(|_| wrong())?)),
            None => (side, None),
        };
        let principal = Principal { name: name.to_owned(), id };
        match side {
            "merchant" => Ok(Self::Merchant(principal)),
            "operator" => Ok(Self::Operator(principal)),
            _ => Err(wrong()),
        }
    }
}

impl serde::Serialize for Actor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.stored())
    }
}

impl<'de> serde::Deserialize<'de> for Actor {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str, id: i64) -> Principal {
        Principal { name: name.to_owned(), id: Some(PrincipalId::Person(PersonId::new(id))) }
    }

    fn key(name: &str, id: i64) -> Principal {
        Principal { name: name.to_owned(), id: Some(PrincipalId::Credential(CredentialId::new(id))) }
    }

    #[test]
    fn what_is_stored_reads_back_also_what_was_stored_before_ids_were() {
        for actor in [
            Actor::merchant("till: 3#1"),
            Actor::Merchant(person("Ann: #per", 7)),
            Actor::Operator(key("desk", 8)),
            Actor::System,
            Actor::Acquirer,
            Actor::Network,
        ] {
            assert_eq!(actor.stored().parse(), Ok(actor.clone()));
            assert!(!actor.to_string().contains("per_"), "what people read names no ids: {actor}");
        }
        assert_eq!("merchant:till".parse(), Ok(Actor::merchant("till")));
        for wrong in ["", "merchant", "merchant#:x", "merchant#ref_0000000000001:x", "nobody:x"] {
            assert!(wrong.parse::<Actor>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_second_person_is_certainly_another_one() {
        use Actor::{Merchant, Operator};
        for (second, first, is_second) in [
            (Merchant(person("Ann", 1)), Merchant(person("Bob", 2)), true),
            (Merchant(person("Ann", 1)), Merchant(person("Ann", 2)), true),
            (Merchant(person("Ann", 1)), Merchant(person("Ann Lee", 1)), false),
            (Merchant(person("Ann", 1)), Merchant(key("till", 2)), true),
            (Merchant(key("till", 2)), Merchant(person("Ann", 1)), false),
            (Merchant(key("desk", 3)), Merchant(key("till", 2)), false),
            (Merchant(person("Ann", 1)), Actor::merchant("Ann"), false),
            (Merchant(person("Ann", 1)), Actor::merchant("Bob"), true),
            (Operator(key("desk", 3)), Merchant(person("Ann", 1)), true),
            (Operator(key("desk", 3)), Operator(key("other", 4)), false),
            (Operator(person("Eve", 5)), Operator(key("other", 4)), true),
            (Actor::System, Merchant(person("Ann", 1)), false),
        ] {
            assert_eq!(second.is_second_person_to(&first), is_second, "{second:?} to {first:?}");
        }
    }
}
