//! What the other parties remember, held against one another.

use std::collections::BTreeMap;

/// How it ended.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Refunds that callers were told of.
    pub acknowledged: usize,
    /// Acknowledged refunds that nobody paid.
    pub lost: Vec<String>,
    /// Refunds that were paid more than once.
    pub doubled: Vec<String>,
    /// Acknowledged refunds whose end was not announced.
    pub unannounced: Vec<String>,
    /// Paid refunds that no caller was told of.
    pub unasked: Vec<String>,
}

impl Verdict {
    /// Acknowledged by number, paid and announced by refund id.
    pub fn of(acknowledged: &BTreeMap<String, String>, paid: &BTreeMap<String, u64>, heard: &BTreeMap<String, u64>) -> Self {
        let ids = acknowledged.values();
        let known: std::collections::BTreeSet<&String> = ids.clone().collect();
        Self {
            acknowledged: acknowledged.len(),
            lost: ids.clone().filter(|id| !paid.contains_key(*id)).cloned().collect(),
            doubled: paid.iter().filter(|(_, times)| **times > 1).map(|(id, _)| id.clone()).collect(),
            unannounced: ids.filter(|id| !heard.contains_key(*id)).cloned().collect(),
            unasked: paid.keys().filter(|id| !known.contains(id)).cloned().collect(),
        }
    }

    /// Nothing lost, nothing doubled, everything announced, nothing paid that nobody asked for.
    pub fn is_clean(&self) -> bool {
        self.lost.is_empty() && self.doubled.is_empty() && self.unannounced.is_empty() && self.unasked.is_empty()
    }
}
