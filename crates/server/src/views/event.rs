use std::collections::BTreeMap;

use refundry_engine::event::Event;
use serde::Serialize;
use utoipa::ToSchema;

use super::Rfc3339;

/// Something that happened: a line of the feed, or of a refund's timeline.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventView {
    /// Its number in the merchant's feed, from 1, without gaps.
    pub sequence: i64,
    /// When.
    pub at: Rfc3339,
    /// What, such as `refund.succeeded`.
    #[serde(rename = "type")]
    #[schema(example = "refund.succeeded")]
    pub kind: &'static str,
    /// Who caused it, such as `merchant:shop key` or `acquirer`.
    pub actor: String,
    /// Whose.
    #[schema(example = "mer_0d3m4t2ykw000")]
    pub merchant_id: String,
    /// The payment that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// The refund that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<String>,
    /// What it says; frozen, the same for ever.
    pub facts: BTreeMap<String, String>,
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        Self {
            sequence: event.sequence,
            at: event.at.into(),
            kind: event.kind.word(),
            actor: event.actor.to_string(),
            merchant_id: event.merchant_id.to_string(),
            payment_id: event.payment_id.map(|id| id.to_string()),
            refund_id: event.refund_id.map(|id| id.to_string()),
            facts: event.facts.into_iter().collect(),
        }
    }
}
