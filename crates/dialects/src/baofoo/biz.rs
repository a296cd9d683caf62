//! The members of `bizContent`, read by the vendor's types. An empty text is an absent one; numbers may come as texts of digits and texts of
//! digits as numbers, because merchants' clients send both.

use std::collections::BTreeSet;

use refundry_engine::Timestamp;
use refundry_ledger::{Currency, Money};
use serde_json::{Map, Value};

use super::envelope::wrong;
use crate::sharing::AskedPart;
use crate::time_text::parse_digits;
use crate::{Flaw, WireError};

/// The largest number of the vendor's type I.
const NUMBER_MAX: i64 = 1_000_000_000;
/// Receivers in one list.
const PARTS_MAX: usize = 50;
/// Letters of a receiver's number.
const ACCOUNT_LENGTH_MAX: usize = 64;

/// The business parameters of one request.
#[derive(Debug)]
pub struct Biz {
    content: Map<String, Value>,
}

impl Biz {
    pub const fn new(content: Map<String, Value>) -> Self {
        Self { content }
    }

    /// Whether a member was sent with a value.
    pub fn has(&self, name: &str) -> bool {
        self.content.get(name).is_some_and(|value| !is_nothing(value))
    }

    /// A text of at most so many characters, without control characters.
    pub fn text(&self, name: &str, length_max: usize) -> Result<Option<String>, WireError> {
        text(&self.content, name, length_max)
    }

    /// As [`text`](Self::text), and it must be there.
    pub fn needed(&self, name: &str, length_max: usize) -> Result<String, WireError> {
        self.text(name, length_max)?.ok_or_else(|| missing(name))
    }

    /// A number that the merchant gives: letters, digits and underscores.
    pub fn number(&self, name: &str, length_max: usize) -> Result<String, WireError> {
        let text = self.needed(name, length_max)?;
        check_number(name, &text).map(|()| text)
    }

    /// A time as it was sent, `yyyyMMddHHmmss`.
    pub fn time(&self, name: &str) -> Result<String, WireError> {
        let text = self.needed(name, 14)?;
        parse_digits(&text).map(|_| text).ok_or_else(|| malformed(name, "must be yyyyMMddHHmmss"))
    }

    /// An amount in fen from zero.
    pub fn amount(&self, name: &str) -> Result<Option<Money>, WireError> {
        amount(&self.content, name)
    }

    /// An amount in fen above zero that must be there.
    pub fn positive(&self, name: &str) -> Result<Money, WireError> {
        positive(&self.content, name)
    }

    /// A whole number from 1 to `most`.
    pub fn count(&self, name: &str, most: i64) -> Result<Option<i64>, WireError> {
        let Some(money) = self.amount(name)? else { return Ok(None) };
        let in_range = (1..=most).contains(&money.minor());
        if in_range { Ok(Some(money.minor())) } else { Err(malformed(name, &format!("must be 1 to {most}"))) }
    }

    /// An object, or a text that holds one.
    pub fn object(&self, name: &str) -> Result<Option<Biz>, WireError> {
        match composite(&self.content, name)? {
            None => Ok(None),
            Some(Value::Object(content)) if content.is_empty() => Ok(None),
            Some(Value::Object(content)) => Ok(Some(Biz { content })),
            Some(_) => Err(malformed(name, "must be a JSON object")),
        }
    }

    /// A list of receivers with amounts, or a text that holds one; nobody in it twice.
    pub fn parts(&self, name: &str) -> Result<Vec<AskedPart>, WireError> {
        let parts = match composite(&self.content, name)? {
            None => return Ok(Vec::new()),
            Some(Value::Array(parts)) if parts.len() <= PARTS_MAX => parts,
            Some(_) => return Err(malformed(name, &format!("must be a JSON array of at most {PARTS_MAX} receivers"))),
        };
        let mut known = BTreeSet::new();
        parts.into_iter().map(|part| one_part(name, &part, &mut known)).collect()
    }
}

fn one_part(list: &str, part: &Value, known: &mut BTreeSet<String>) -> Result<AskedPart, WireError> {
    let part = part.as_object().ok_or_else(|| malformed(list, "must hold objects with sharingMerId and sharingAmt"))?;
    let account = text(part, "sharingMerId", ACCOUNT_LENGTH_MAX)?.ok_or_else(|| missing("sharingMerId"))?;
    let amount = positive(part, "sharingAmt")?;
    if !known.insert(account.clone()) {
        return Err(malformed("sharingMerId", &format!("names {account} twice")));
    }
    Ok(AskedPart { account, amount })
}

/// The text of a member for looking at it before anything is checked: what is no text is not there.
pub fn text_of(content: &Map<String, Value>, name: &str) -> Option<String> {
    match content.get(name)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Money in fen.
pub fn fen(minor: i64) -> Money {
    Money::new(minor, cny())
}

/// The currency of all amounts.
pub fn cny() -> Currency {
    "CNY".parse().expect("ISO 4217 knows the yuan")
}

/// A time of `yyyyMMddHHmmss` that [`Biz::time`] has found to be one.
pub fn instant(text: &str) -> Timestamp {
    parse_digits(text).unwrap_or(Timestamp::from_us(0))
}

/// Letters, digits and underscores.
pub fn check_number(name: &str, text: &str) -> Result<(), WireError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain { Ok(()) } else { Err(malformed(name, "must be letters, digits and underscores")) }
}

pub fn malformed(name: &str, rule: &str) -> WireError {
    wrong(name, Flaw::Malformed, rule)
}

pub fn missing(name: &str) -> WireError {
    wrong(name, Flaw::Missing, "must be sent")
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

fn text(content: &Map<String, Value>, name: &str, length_max: usize) -> Result<Option<String>, WireError> {
    let text = match content.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if number.is_u64() => number.to_string(),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => return Err(malformed(name, "must be a text")),
    };
    if text.chars().nth(length_max).is_some() {
        return Err(wrong(name, Flaw::TooLong, &format!("is longer than {length_max} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(malformed(name, "must not contain control characters"));
    }
    Ok(Some(text))
}

fn amount(content: &Map<String, Value>, name: &str) -> Result<Option<Money>, WireError> {
    let number = match content.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Value::String(text)) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => None,
    };
    match number.filter(|number| (0..=NUMBER_MAX).contains(number)) {
        Some(number) => Ok(Some(fen(number))),
        None => Err(malformed(name, "must be a whole number from 0 to 1000000000")),
    }
}

fn positive(content: &Map<String, Value>, name: &str) -> Result<Money, WireError> {
    let amount = amount(content, name)?.ok_or_else(|| missing(name))?;
    if amount.is_positive() { Ok(amount) } else { Err(malformed(name, "must be above 0")) }
}

fn composite(content: &Map<String, Value>, name: &str) -> Result<Option<Value>, WireError> {
    match content.get(name) {
        None => Ok(None),
        Some(value) if is_nothing(value) => Ok(None),
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(Value::Null) => Ok(None),
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(malformed(name, "must be JSON, or a text that holds JSON")),
        },
        Some(value) => Ok(Some(value.clone())),
    }
}
