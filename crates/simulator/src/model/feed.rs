//! The feed of each merchant has no gaps and is never rewritten, and every event has a notification for everybody who must hear of it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use refundry_engine::event::{Event, EventKind};
use refundry_engine::notification::{Notification, NotificationState, Recipient};
use refundry_engine::task::TaskKind;

use super::{Model, Reader, Violation, must};

impl Model {
    /// Reads on in every feed; `wholly` compares everything that was read before, too.
    pub fn audit_feeds(&mut self, reader: &Reader<'_>, wholly: bool) -> Result<(), Violation> {
        for merchant in 0..self.cast.len() {
            let merchant_id = self.cast[merchant].merchant;
            let known = self.feeds.entry(merchant).or_default();
            // One old line is read again, so that a feed that was cut is noticed.
            let from = if wholly { 0 } else { known.len().saturating_sub(1) };
            let events = reader.events_after(merchant_id, i64::try_from(from).unwrap_or(i64::MAX))?;
            must(from + events.len() >= known.len(), "the_feed_is_never_cut", || {
                format!("merchant {merchant} had {} events and has {}", known.len(), from + events.len())
            })?;
            for (place, event) in events.iter().enumerate() {
                let index = from + place;
                must(usize::try_from(event.sequence) == Ok(index + 1), "the_feed_has_no_gaps", || {
                    format!("merchant {merchant}: event {} stands at place {}", event.sequence, index + 1)
                })?;
                let digest = digest(event);
                match known.get(index) {
                    Some(before) => must(*before == digest, "the_feed_is_never_rewritten", || format!("merchant {merchant}: {event:?}"))?,
                    None => known.push(digest),
                }
            }
        }
        Ok(())
    }

    /// Every event has its notifications, each with a task while it is due.
    pub fn audit_notifications(&self, reader: &Reader<'_>) -> Result<(), Violation> {
        for (merchant, ids) in self.cast.iter().enumerate() {
            let mut to_endpoint: BTreeMap<i64, u32> = BTreeMap::new();
            let mut to_dialect: BTreeMap<i64, u32> = BTreeMap::new();
            for notification in reader.notifications(ids.merchant)? {
                let by_event = match notification.recipient {
                    Recipient::Endpoint(_) => &mut to_endpoint,
                    Recipient::Dialect { .. } => &mut to_dialect,
                };
                *by_event.entry(notification.event_sequence).or_default() += 1;
                audit_task(reader, &notification)?;
            }
            for event in reader.events_after(ids.merchant, 0)? {
                let of_endpoint = to_endpoint.get(&event.sequence).copied().unwrap_or(0);
                must(of_endpoint == u32::from(ids.has_endpoint), "every_event_is_announced", || {
                    format!("merchant {merchant}: {} has {of_endpoint} notifications for its endpoint", event.kind.word())
                })?;
                let of_dialect = to_dialect.get(&event.sequence).copied().unwrap_or(0);
                let is_told = is_end(event.kind) && self.is_of_antom(reader, ids.antom, &event)?;
                must(!is_told || of_dialect == 1, "every_end_is_announced", || {
                    format!("merchant {merchant}: {} has {of_dialect} notifications in its dialect", event.kind.word())
                })?;
            }
        }
        Ok(())
    }

    fn is_of_antom(&self, reader: &Reader<'_>, antom: refundry_engine::TerminalId, event: &Event) -> Result<bool, Violation> {
        let Some(refund_id) = event.refund_id else { return Ok(false) };
        let refund = reader.refund(event.merchant_id, refund_id)?;
        Ok(refund.is_some_and(|refund| refund.terminal_id == antom))
    }
}

const fn is_end(kind: EventKind) -> bool {
    matches!(kind, EventKind::RefundSucceeded | EventKind::RefundFailed | EventKind::RefundCancelled)
}

fn audit_task(reader: &Reader<'_>, notification: &Notification) -> Result<(), Violation> {
    let task = reader.task(notification.merchant_id, notification.id.get())?.map(|task| task.kind);
    let expected = match notification.state {
        NotificationState::Due => Some(TaskKind::DeliverNotification),
        NotificationState::Delivered | NotificationState::Parked => None,
    };
    must(task == expected, "a_due_notification_has_a_task", || {
        format!("{} is {}, its task is {task:?}", notification.id, notification.state.word())
    })
}

fn digest(event: &Event) -> u64 {
    // The same in every run of one build: the hasher has fixed keys.
    let mut hasher = DefaultHasher::new();
    format!("{event:?}").hash(&mut hasher);
    hasher.finish()
}
