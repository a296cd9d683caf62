//! What the other parties remember, held against one another.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::crash::acquirer::RecordingAcquirer;
use crate::crash::callers::Callers;
use crate::crash::inbox::Inbox;

/// How long everything that was acknowledged may take to be paid and announced after the last kill.
const SETTLE_SECONDS_MAX: u64 = 180;

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

    /// Waits until everything that was acknowledged is paid and announced, or for as long as that may take.
    pub fn awaited(callers: &Callers, acquirer: &RecordingAcquirer, inbox: &Inbox) -> Self {
        let begin = Instant::now();
        loop {
            let verdict = Self::of(&callers.acknowledged(), &acquirer.paid(), &inbox.heard());
            if verdict.is_clean() || begin.elapsed() > Duration::from_secs(SETTLE_SECONDS_MAX) {
                return verdict;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Nothing lost, nothing doubled, everything announced, nothing paid that nobody asked for.
    pub fn is_clean(&self) -> bool {
        self.lost.is_empty() && self.doubled.is_empty() && self.unannounced.is_empty() && self.unasked.is_empty()
    }
}
