use std::borrow::Cow;
use std::fmt;

use refundry_engine::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

/// An instant as RFC 3339: said in UTC, read with any offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rfc3339(pub Timestamp);

impl From<Timestamp> for Rfc3339 {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0.us()) {
            Ok(instant) => fmt::Display::fmt(&instant, f),
            // Beyond the year 9999 there is no RFC 3339; such an instant means "never".
            Err(_) => f.write_str("9999-12-31T23:59:59Z"),
        }
    }
}

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rfc3339 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let wrong = || serde::de::Error::custom("a time of RFC 3339 such as 2026-01-31T09:30:00Z is wanted");
        let instant: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
        Ok(Self(Timestamp::from_us(instant.as_microsecond())))
    }
}

impl PartialSchema for Rfc3339 {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
        text.description(Some("RFC 3339; answers are in UTC")).examples([serde_json::json!("2026-01-31T09:30:00Z")]).into()
    }
}

impl ToSchema for Rfc3339 {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Instant")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_utc_and_read_with_any_offset() {
        for (text, expected) in
            [("\"2026-01-31T09:30:00Z\"", "2026-01-31T09:30:00Z"), ("\"2026-01-31T17:30:00.25+08:00\"", "2026-01-31T09:30:00.25Z")]
        {
            let read: Rfc3339 = serde_json::from_str(text).unwrap();
            assert_eq!(read.to_string(), expected);
        }
        assert!(serde_json::from_str::<Rfc3339>("\"yesterday\"").is_err());
        assert_eq!(Rfc3339(Timestamp::from_us(i64::MAX)).to_string(), "9999-12-31T23:59:59Z");
    }
}
