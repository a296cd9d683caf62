//! What this process does on every commit of its own store: wakes waiters, forgets cached callers, hands due tasks to its workers.

use std::sync::Arc;

use refundry_engine::verdict::Changes;
use refundry_store::CommitObserver;
use tokio::sync::Notify;

use crate::inbox::TaskInbox;
use crate::keyring::KeyCache;
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
    clock: Arc<dyn Clock>,
}

impl Observer {
    /// With an inbox of `inbox_length_max` tasks: 0 in a process without workers.
    pub fn new(clock: Arc<dyn Clock>, inbox_length_max: usize) -> Arc<Self> {
        let inbox = Arc::new(TaskInbox::new(inbox_length_max));
        Arc::new(Self { waiting: Arc::default(), inbox, news: Notify::new(), keys: Arc::default(), clock })
    }
}

impl CommitObserver for Observer {
    fn committed(&self, changes: &Changes) {
        self.waiting.committed(changes);
        if !changes.events.is_empty() {
            self.news.notify_waiters();
        }
        if !(changes.credentials.is_empty() && changes.merchants.is_empty() && changes.terminals.is_empty()) {
            self.keys.forget_all();
        }
        if !changes.tasks.is_empty() {
            let now = self.clock.now();
            let due = changes.tasks.values().flatten().filter(|task| task.due_at <= now);
            self.inbox.push_all(due.cloned());
        }
    }
}
