//! What this process does on every commit of its own store: wakes waiters, forgets cached callers, hands due tasks to its workers.

use std::sync::Arc;

use refundry_engine::event::Event;
use refundry_engine::notification::{Notification, Recipient};
use refundry_engine::refund::Refund;
use refundry_engine::task::{Task, TaskKind};
use refundry_engine::verdict::{Changes, Write};
use refundry_store::CommitObserver;
use tokio::sync::Notify;

use crate::inbox::{HandedTask, News, TaskInbox};
use crate::keyring::KeyCache;
use crate::known_endpoints::EndpointCache;
use crate::waiting::Waiting;
use crate::world::Clock;

/// Made before the store is opened, because the store calls it; shared with the [`Service`](crate::Service) afterwards.
pub struct Observer {
    /// Who waits for a refund's end.
    pub waiting: Arc<Waiting>,
    /// Due tasks for the workers of this process.
    pub inbox: Arc<TaskInbox>,
    /// Wakes those who wait for events, whosever they are: they look again themselves.
    pub news: Notify,
    pub(crate) keys: Arc<KeyCache>,
    pub(crate) endpoints: EndpointCache,
    clock: Arc<dyn Clock>,
}

impl Observer {
    /// With an inbox of `inbox_length_max` tasks: 0 in a process without workers.
    pub fn new(clock: Arc<dyn Clock>, inbox_length_max: usize) -> Arc<Self> {
        let inbox = Arc::new(TaskInbox::new(inbox_length_max));
        Arc::new(Self {
            waiting: Arc::default(),
            inbox,
            news: Notify::new(),
            keys: Arc::default(),
            endpoints: EndpointCache::default(),
            clock,
        })
    }
}

impl CommitObserver for Observer {
    fn committed(&self, changes: &Changes) {
        self.waiting.committed(changes);
        if !changes.events.is_empty() {
            self.news.notify_waiters();
        }
        if !(changes.credentials.is_empty() && changes.people.is_empty() && changes.merchants.is_empty() && changes.terminals.is_empty()) {
            self.keys.forget_all();
            self.endpoints.forget_all();
        }
        if self.inbox.takes_any() && !changes.tasks.is_empty() {
            let now = self.clock.now();
            let due = changes.tasks.values().flatten().filter(|task| task.due_at <= now);
            self.inbox.push_all(due.map(|task| HandedTask { task: task.clone(), news: news(changes, task).map(Box::new) }));
        }
    }
}

/// What a task of this commit tells, when this commit wrote that too: its worker then reads nothing.
fn news(changes: &Changes, task: &Task) -> Option<News> {
    if task.kind != TaskKind::DeliverNotification {
        return None;
    }
    let Write::Insert(notification) = changes.notifications.get(&(task.merchant_id, task.notification_id()))? else { return None };
    let is_told = |event: &&Event| event.sequence == notification.event_sequence && event.merchant_id == notification.merchant_id;
    let event = changes.events.iter().find(is_told)?.clone();
    Some(News { notification: notification.clone(), event, refund: told_refund(changes, notification) })
}

fn told_refund(changes: &Changes, notification: &Notification) -> Option<Refund> {
    match notification.recipient {
        Recipient::Dialect { .. } => {
            changes.refunds.get(&(notification.merchant_id, notification.refund_id?)).map(|write| write.row().clone())
        }
        Recipient::Endpoint(_) => None,
    }
}
