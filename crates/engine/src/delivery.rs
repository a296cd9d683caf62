//! How a try to deliver a notification ended, and sending one again by hand.

use crate::command::{RecordDelivery, ReplayNotification};
use crate::notification::{Notification, NotificationState};
use crate::task::Task;
use crate::verdict::{AuditLine, Changes};
use crate::{Actor, AuditId, Outcome, Refusal, Snapshot, Stamp, TaskId, Verdict, Write};

/// Letters of a receiver's answer that are kept.
const ANSWER_LENGTH_MAX: usize = 256;

/// Writes the try down. Acknowledged ends it; otherwise the next try is due at `next_at`, and without one the notification is parked.
pub fn record(snapshot: &Snapshot, _stamp: &Stamp, act: &RecordDelivery) -> Verdict {
    let key = (act.merchant_id, act.attempt.notification_id);
    let Some(before) = snapshot.notifications.get(&key) else {
        return Verdict::refused(Refusal::Unknown { what: "notification".to_owned() });
    };
    let mut attempt = act.attempt.clone();
    attempt.answer = attempt.answer.chars().take(ANSWER_LENGTH_MAX).collect();
    let state = match (attempt.acknowledged, act.next_at) {
        (true, _) => NotificationState::Delivered,
        (false, Some(_)) => NotificationState::Due,
        (false, None) => NotificationState::Parked,
    };
    // A worker whose lease ran out may report late: what was acknowledged stays acknowledged.
    let settled = before.state == NotificationState::Delivered;
    let after = Notification {
        state: if settled { NotificationState::Delivered } else { state },
        tries: before.tries.saturating_add(1),
        tried_at: Some(attempt.at),
        ..before.clone()
    };
    let mut changes = Changes::default();
    let task = match (after.state, act.next_at) {
        (NotificationState::Due, Some(due_at)) => {
            Some(Task { tries: after.tries, ..Task::of_notification(act.merchant_id, before.id, due_at) })
        }
        (NotificationState::Due | NotificationState::Delivered | NotificationState::Parked, _) => None,
    };
    changes.tasks.insert((act.merchant_id, TaskId::new(before.id.get())), task);
    changes.notifications.insert(key, Write::Update(after));
    changes.deliveries.push((act.merchant_id, attempt));
    Verdict { outcome: Outcome::Done, changes }
}

/// Starts the schedule anew, whatever became of the notification.
pub fn replay(snapshot: &Snapshot, stamp: &Stamp, act: &ReplayNotification) -> Verdict {
    let key = (act.merchant_id, act.notification_id);
    let in_mode = snapshot.merchants.get(&act.merchant_id).is_some_and(|merchant| merchant.mode == act.mode);
    let Some(before) = snapshot.notifications.get(&key).filter(|_| in_mode) else {
        return Verdict::refused(Refusal::Unknown { what: "notification".to_owned() });
    };
    let mut ids = stamp.ids.clone();
    let mut changes = Changes::default();
    changes.notifications.insert(key, Write::Update(Notification { state: NotificationState::Due, tries: 0, ..before.clone() }));
    changes
        .tasks
        .insert((act.merchant_id, TaskId::new(before.id.get())), Some(Task::of_notification(act.merchant_id, before.id, stamp.now)));
    if matches!(stamp.actor, Actor::Merchant(_) | Actor::Operator(_)) {
        changes.audit.push(AuditLine {
            id: AuditId::new(ids.take()),
            merchant_id: Some(act.merchant_id),
            at: stamp.now,
            actor: stamp.actor.clone(),
            action: "notification.replay",
            subject: before.id.to_string(),
            facts: Vec::new(),
        });
    }
    Verdict { outcome: Outcome::Done, changes }
}
