//! What of a refund's request is kept beside it, because its notification repeats it.

use serde::{Deserialize, Serialize};

/// Kept as the refund's metadata, in the vendor's names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Kept {
    /// When the merchant says that it asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub txn_time: Option<String>,
    /// The agent that asked for the merchant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_mer_id: Option<String>,
    /// The agent's terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_ter_id: Option<String>,
    /// Reserved by the vendor; shown to people only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
    /// The merchant's own; shown to people, and answered from each request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub req_reserved: Option<String>,
    /// The merchant's name as it was sent; shown to people only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_name: Option<String>,
}

impl Kept {
    /// As a text.
    pub fn render(&self) -> String {
        serde_json::to_string(self).expect("texts are JSON")
    }

    /// Reads what [`render`](Self::render) writes; what was kept otherwise, such as by another dialect, holds nothing of this.
    pub fn parse(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}
