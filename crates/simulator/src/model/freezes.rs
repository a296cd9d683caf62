//! What is quarrelled about is not refunded: no refund is accepted while a chargeback or a retrieval of its payment is open.

use std::collections::BTreeMap;

use refundry_engine::PaymentId;
use refundry_engine::event::{Event, EventKind};

use super::{Model, Reader, Violation, must};

/// Kinds that freeze, and states in which they do.
const FREEZING: [&str; 2] = ["chargeback", "retrieval"];
const OPEN: [&str; 2] = ["open", "represented"];

impl Model {
    /// Follows the feed of each merchant.
    pub fn audit_freezes(&self, reader: &Reader<'_>) -> Result<(), Violation> {
        for ids in &self.cast {
            let mut open: BTreeMap<String, Option<PaymentId>> = BTreeMap::new();
            for event in reader.events_after(ids.merchant, 0)? {
                if let (Some(dispute_id), Some(kind), Some(state)) =
                    (fact(&event, "dispute_id"), fact(&event, "kind"), fact(&event, "state"))
                {
                    let freezes = FREEZING.contains(&kind) && OPEN.contains(&state);
                    match freezes {
                        true => drop(open.insert(dispute_id.to_owned(), event.payment_id)),
                        false => drop(open.remove(dispute_id)),
                    }
                }
                let frozen = event.kind == EventKind::RefundAccepted && open.values().any(|payment_id| *payment_id == event.payment_id);
                must(!frozen, "nothing_is_refunded_while_it_is_disputed", || format!("{event:?} while {open:?}"))?;
            }
        }
        Ok(())
    }
}

fn fact<'a>(event: &'a Event, name: &str) -> Option<&'a str> {
    event.facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}
