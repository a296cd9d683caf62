use std::borrow::Cow;

use refundry_ledger::{Currency, Money};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// An amount as it is sent to us: minor units and the currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// Minor units as an integer: cents, or whole yen for JPY.
    #[schema(example = 1230)]
    pub value: i64,
    /// ISO 4217.
    pub currency: CurrencyCode,
}

impl From<Amount> for Money {
    fn from(amount: Amount) -> Self {
        Self::new(amount.value, amount.currency.0)
    }
}

/// An amount as we say it: also in a form for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AmountView {
    /// Minor units as an integer: cents, or whole yen for JPY.
    #[schema(example = 1230)]
    pub value: i64,
    /// ISO 4217.
    #[schema(example = "EUR")]
    pub currency: &'static str,
    /// Major units and the currency, for people.
    #[schema(example = "12.30 EUR")]
    pub text: String,
}

impl From<Money> for AmountView {
    fn from(money: Money) -> Self {
        Self { value: money.minor(), currency: money.currency().code(), text: money.to_string() }
    }
}

/// A currency by its three letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrencyCode(pub Currency);

impl<'de> Deserialize<'de> for CurrencyCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = <Cow<'de, str>>::deserialize(deserializer)?;
        code.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl PartialSchema for CurrencyCode {
    fn schema() -> RefOr<Schema> {
        let letters = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[A-Z]{3}$"));
        letters.description(Some("ISO 4217, three capital letters")).examples([serde_json::json!("EUR")]).into()
    }
}

impl ToSchema for CurrencyCode {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Currency")
    }
}
