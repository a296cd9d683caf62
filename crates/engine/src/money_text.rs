//! Money as `"12.30 EUR"`, for JSON that is stored.

use refundry_ledger::Money;
use serde::{Deserialize, Deserializer, Serializer};

/// Writes major units and the code.
pub fn serialize<S: Serializer>(money: &Money, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(money)
}

/// Reads major units and the code.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
    let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
    let (amount, code) = text.split_once(' ').ok_or_else(|| serde::de::Error::custom("an amount and a currency"))?;
    let currency = code.parse().map_err(serde::de::Error::custom)?;
    Money::parse_major(amount, currency).map_err(serde::de::Error::custom)
}
