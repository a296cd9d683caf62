use std::fmt;
use std::str::FromStr;

/// Who did something. Kept with every step of a timeline and every line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The merchant, by the name of the credential or person.
    Merchant(String),
    /// The operator, by the name of the credential or person.
    Operator(String),
    /// Refundry itself.
    System,
    /// The acquirer.
    Acquirer,
    /// The card network or the issuer behind it.
    Network,
}

/// A stored text that names no actor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no actor")]
pub struct NotAnActor(String);

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Merchant(name) => write!(f, "merchant:{name}"),
            Self::Operator(name) => write!(f, "operator:{name}"),
            Self::System => f.write_str("system"),
            Self::Acquirer => f.write_str("acquirer"),
            Self::Network => f.write_str("network"),
        }
    }
}

impl FromStr for Actor {
    type Err = NotAnActor;

    fn from_str(text: &str) -> Result<Self, NotAnActor> {
        match text.split_once(':') {
            Some(("merchant", name)) => Ok(Self::Merchant(name.to_owned())),
            Some(("operator", name)) => Ok(Self::Operator(name.to_owned())),
            _ => match text {
                "system" => Ok(Self::System),
                "acquirer" => Ok(Self::Acquirer),
                "network" => Ok(Self::Network),
                other => Err(NotAnActor(other.chars().take(40).collect())),
            },
        }
    }
}

impl serde::Serialize for Actor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Actor {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
