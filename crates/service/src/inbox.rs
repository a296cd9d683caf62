//! Tasks on their way from a commit to the workers of this process, without a detour over the database.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use refundry_engine::event::Event;
use refundry_engine::notification::Notification;
use refundry_engine::refund::Refund;
use refundry_engine::task::Task;
use tokio::sync::Notify;

/// A task for a worker, with what its step would otherwise read.
#[derive(Clone, Debug, PartialEq)]
pub struct HandedTask {
    /// What is to be done.
    pub task: Task,
    /// What is to be told, when the commit that wrote the task also wrote that.
    pub news: Option<Box<News>>,
}

/// A new notification with what it tells.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// To whom.
    pub notification: Notification,
    /// What happened.
    pub event: Event,
    /// The refund right after it, where a dialect tells of it.
    pub refund: Option<Refund>,
}

impl From<Task> for HandedTask {
    fn from(task: Task) -> Self {
        Self { task, news: None }
    }
}

/// A queue with an end: what does not fit is found again by polling, when its lease is over.
#[derive(Debug)]
pub struct TaskInbox {
    tasks: Mutex<VecDeque<HandedTask>>,
    length_max: usize,
    arrived: Notify,
}

impl TaskInbox {
    /// Holds at most `length_max` tasks. With 0 it takes none: this process has no workers.
    pub fn new(length_max: usize) -> Self {
        Self { tasks: Mutex::default(), length_max, arrived: Notify::new() }
    }

    /// Whether this process has workers at all.
    pub const fn takes_any(&self) -> bool {
        self.length_max > 0
    }

    /// Adds a task, or passes over it when there is no room.
    pub fn push(&self, task: HandedTask) {
        self.push_all([task]);
    }

    /// Adds what fits.
    pub fn push_all(&self, tasks: impl IntoIterator<Item = HandedTask>) {
        let mut queue = self.lock();
        let before = queue.len();
        let room = self.length_max.saturating_sub(before);
        queue.extend(tasks.into_iter().take(room));
        let grew = queue.len() > before;
        drop(queue);
        if grew {
            self.arrived.notify_one();
        }
    }

    /// Waits until there is a task, and takes up to `max`, oldest first.
    pub async fn next_batch(&self, max: usize) -> Vec<HandedTask> {
        loop {
            let batch = self.take(max);
            if !batch.is_empty() {
                return batch;
            }
            // A permit that was stored between the look and this line ends the wait at once.
            self.arrived.notified().await;
        }
    }

    /// Takes up to `max`, without waiting.
    pub fn take(&self, max: usize) -> Vec<HandedTask> {
        let mut queue = self.lock();
        let count = queue.len().min(max);
        let batch = queue.drain(..count).collect();
        let more = !queue.is_empty();
        drop(queue);
        if more {
            self.arrived.notify_one();
        }
        batch
    }

    /// How many are waiting.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether none is waiting.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<HandedTask>> {
        // The queue is whole between any two operations on it, also when a thread ended in between.
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use refundry_engine::task::TaskKind;
    use refundry_engine::{MerchantId, RefundId, Timestamp};

    fn task(number: i64) -> HandedTask {
        Task::of_refund(TaskKind::SubmitRefund, MerchantId::new(1), RefundId::new(number), Timestamp::from_ms(0)).into()
    }

    #[test]
    fn tasks_come_out_in_order_and_what_does_not_fit_is_passed_over() {
        let inbox = TaskInbox::new(3);
        inbox.push_all((1..=5).map(task));
        assert_eq!(inbox.len(), 3);
        assert_eq!(inbox.next_batch(2).now_or_never().unwrap(), [task(1), task(2)]);
        assert_eq!(inbox.next_batch(2).now_or_never().unwrap(), [task(3)]);
        assert!(inbox.next_batch(2).now_or_never().is_none());
    }

    #[test]
    fn a_waiting_worker_is_woken_and_wakes_the_next() {
        let inbox = TaskInbox::new(10);
        let mut first = Box::pin(inbox.next_batch(1));
        let mut second = Box::pin(inbox.next_batch(1));
        assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
        inbox.push_all([task(1), task(2)]);
        let taken = [first.now_or_never(), second.now_or_never()];
        assert_eq!(taken, [Some(vec![task(1)]), Some(vec![task(2)])]);
    }
}
