use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Timestamp;

/// The network's tracing number of a refund. Text, 1 to 40 letters and digits; card networks use 23 digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Arn(String);

/// A text that is no ARN.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is no acquirer reference number; it has 1 to 40 letters and digits")]
pub struct NotAnArn(String);

impl FromStr for Arn {
    type Err = NotAnArn;

    fn from_str(text: &str) -> Result<Self, NotAnArn> {
        if (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(Self(text.to_owned()));
        }
        Err(NotAnArn(text.chars().take(60).collect()))
    }
}

impl TryFrom<String> for Arn {
    type Error = NotAnArn;

    fn try_from(text: String) -> Result<Self, NotAnArn> {
        text.parse()
    }
}

impl From<Arn> for String {
    fn from(arn: Arn) -> Self {
        arn.0
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether the network's number is there. It never changes once it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "arn_state")]
pub enum ArnState {
    /// It comes days later, and only for some cards.
    Awaited,
    /// It is there.
    Known {
        /// The number.
        arn: Arn,
        /// When it came.
        at: Timestamp,
    },
}
