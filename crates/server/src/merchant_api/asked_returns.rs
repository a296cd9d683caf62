//! What a request for a refund says that receivers give back: a list of lines, or the word `pro_rata`.

use std::borrow::Cow;
use std::fmt;

use refundry_dialects::sharing::{AskedPart, AskedReturns};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::share_view::LineRequest;
use super::shares::compared_lines;

/// The word for everybody in proportion.
const PRO_RATA: &str = "pro_rata";

/// What receivers give back.
#[derive(Debug)]
pub enum ReturnsRequest {
    /// Everybody in proportion to what they have left.
    ProRata,
    /// So much each.
    Lines(Vec<LineRequest>),
}

impl ReturnsRequest {
    /// As it is compared when a number comes again.
    pub fn compared(&self) -> Vec<(String, String)> {
        match self {
            Self::ProRata => vec![("shares".to_owned(), PRO_RATA.to_owned())],
            Self::Lines(lines) => compared_lines("shares", lines),
        }
    }
}

impl From<ReturnsRequest> for AskedReturns {
    fn from(request: ReturnsRequest) -> Self {
        match request {
            ReturnsRequest::ProRata => Self::ProRata,
            ReturnsRequest::Lines(lines) => {
                Self::Named(lines.into_iter().map(|line| AskedPart { account: line.receiver, amount: line.amount.into() }).collect())
            }
        }
    }
}

impl<'de> Deserialize<'de> for ReturnsRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either)
    }
}

struct Either;

impl<'de> Visitor<'de> for Either {
    type Value = ReturnsRequest;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a list of lines or `{PRO_RATA}`")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Self::Value, E> {
        if word == PRO_RATA { Ok(ReturnsRequest::ProRata) } else { Err(E::unknown_variant(word, &[PRO_RATA])) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, lines: A) -> Result<Self::Value, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(lines)).map(ReturnsRequest::Lines)
    }
}

impl PartialSchema for ReturnsRequest {
    fn schema() -> RefOr<Schema> {
        let word = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([PRO_RATA]));
        let lines = ArrayBuilder::new().items(Ref::from_schema_name(LineRequest::name()));
        OneOfBuilder::new().item(lines).item(word).description(Some("A list of lines, or the word for everybody in proportion")).into()
    }
}

impl ToSchema for ReturnsRequest {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("ReturnsRequest")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((LineRequest::name().into_owned(), LineRequest::schema()));
        LineRequest::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_or_a_list_and_nothing_else() {
        let read = |text: &str| serde_json::from_str::<ReturnsRequest>(text);
        assert!(matches!(read(r#""pro_rata""#), Ok(ReturnsRequest::ProRata)));
        let lines = read(r#"[{"receiver":"100001","amount":{"value":1,"currency":"CNY"}}]"#);
        assert!(matches!(lines, Ok(ReturnsRequest::Lines(lines)) if lines.len() == 1));
        assert!(matches!(read("[]"), Ok(ReturnsRequest::Lines(lines)) if lines.is_empty()));
        for text in [r#""half""#, "1", "null", "{}", r#"[{"receiver":"100001"}]"#, r#"["pro_rata"]"#] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
