//! Tasks on their way from a commit to the workers of this process, without a detour over the database.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use refundry_engine::event::Event;
use refundry_engine::notification::Notification;
use refundry_engine::refund::Refund;
use refundry_engine::task::{Task, TaskKind};
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

/// Tasks that wait together. Receivers of notifications belong to strangers and may be slow; what they hold up must not be money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Everything that moves single refunds and payouts on.
    Refunds,
    /// Serving queues of refunds that wait for money: few steps, which must not stand behind the refunds that they let go.
    Queues,
    /// Telling merchants.
    Deliveries,
}

impl Work {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Refunds, Self::Queues, Self::Deliveries];

    /// What a kind of task belongs to.
    pub const fn of(kind: TaskKind) -> Self {
        match kind {
            TaskKind::SubmitRefund
            | TaskKind::ResolveRefund
            | TaskKind::ReleaseRefund
            | TaskKind::StartShare
            | TaskKind::FinishShare
            | TaskKind::PreparePayout
            | TaskKind::SettleDue
            | TaskKind::VoidPayment
            | TaskKind::FollowOrder => Self::Refunds,
            TaskKind::ReleaseWaiting => Self::Queues,
            TaskKind::DeliverNotification => Self::Deliveries,
        }
    }

    /// The kinds of task that belong to it.
    pub fn kinds(self) -> Vec<TaskKind> {
        TaskKind::ALL.iter().copied().filter(|kind| Self::of(*kind) == self).collect()
    }
}

/// A queue with an end for each sort of work: what does not fit is found again by polling, when its lease is over.
#[derive(Debug)]
pub struct TaskInbox {
    refunds: Queue,
    queues: Queue,
    deliveries: Queue,
    length_max: usize,
}

#[derive(Debug, Default)]
struct Queue {
    tasks: Mutex<VecDeque<HandedTask>>,
    arrived: Notify,
}

impl TaskInbox {
    /// Holds at most `length_max` tasks of each sort. With 0 it takes none: this process has no workers.
    pub fn new(length_max: usize) -> Self {
        Self { refunds: Queue::default(), queues: Queue::default(), deliveries: Queue::default(), length_max }
    }

    /// Whether this process has workers at all.
    pub const fn takes_any(&self) -> bool {
        self.length_max > 0
    }

    /// Adds what fits.
    pub fn push_all(&self, tasks: impl IntoIterator<Item = HandedTask>) {
        let (mut refunds, mut queues, mut deliveries) = (Vec::new(), Vec::new(), Vec::new());
        for handed in tasks {
            match Work::of(handed.task.kind) {
                Work::Refunds => refunds.push(handed),
                Work::Queues => queues.push(handed),
                Work::Deliveries => deliveries.push(handed),
            }
        }
        self.refunds.push_all(refunds, self.length_max);
        self.queues.push_all(queues, self.length_max);
        self.deliveries.push_all(deliveries, self.length_max);
    }

    /// Waits until there is a task, and takes up to `max`, oldest first.
    pub async fn next_batch(&self, work: Work, max: usize) -> Vec<HandedTask> {
        let queue = self.queue(work);
        loop {
            let batch = queue.take(max);
            if !batch.is_empty() {
                return batch;
            }
            // A permit that was stored between the look and this line ends the wait at once.
            queue.arrived.notified().await;
        }
    }

    /// Takes up to `max`, without waiting.
    pub fn take(&self, work: Work, max: usize) -> Vec<HandedTask> {
        self.queue(work).take(max)
    }

    /// How many are waiting.
    pub fn len(&self) -> usize {
        Work::ALL.into_iter().map(|work| self.queue(work).lock().len()).sum()
    }

    /// Whether none is waiting.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    const fn queue(&self, work: Work) -> &Queue {
        match work {
            Work::Refunds => &self.refunds,
            Work::Queues => &self.queues,
            Work::Deliveries => &self.deliveries,
        }
    }
}

impl Queue {
    fn push_all(&self, tasks: Vec<HandedTask>, length_max: usize) {
        let mut queue = self.lock();
        let before = queue.len();
        let room = length_max.saturating_sub(before);
        queue.extend(tasks.into_iter().take(room));
        let grew = queue.len() > before;
        drop(queue);
        if grew {
            self.arrived.notify_one();
        }
    }

    fn take(&self, max: usize) -> Vec<HandedTask> {
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

    fn lock(&self) -> MutexGuard<'_, VecDeque<HandedTask>> {
        // The queue is whole between any two operations on it, also when a thread ended in between.
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use refundry_engine::{MerchantId, NotificationId, RefundId, Timestamp};

    fn task(number: i64) -> HandedTask {
        Task::of_refund(TaskKind::SubmitRefund, MerchantId::new(1), RefundId::new(number), Timestamp::from_ms(0)).into()
    }

    #[test]
    fn tasks_come_out_in_order_and_what_does_not_fit_is_passed_over() {
        let inbox = TaskInbox::new(3);
        inbox.push_all((1..=5).map(task));
        assert_eq!(inbox.len(), 3);
        assert_eq!(inbox.next_batch(Work::Refunds, 2).now_or_never().unwrap(), [task(1), task(2)]);
        assert_eq!(inbox.next_batch(Work::Refunds, 2).now_or_never().unwrap(), [task(3)]);
        assert!(inbox.next_batch(Work::Refunds, 2).now_or_never().is_none());
    }

    #[test]
    fn notifications_neither_fill_the_queue_of_refunds_nor_come_out_of_it() {
        let told = Task::of_notification(MerchantId::new(1), NotificationId::new(9), Timestamp::from_ms(0));
        let inbox = TaskInbox::new(2);
        inbox.push_all((0..5).map(|_| HandedTask::from(told.clone())));
        inbox.push_all([task(1)]);
        assert_eq!(inbox.take(Work::Refunds, 10), [task(1)]);
        assert_eq!(inbox.take(Work::Deliveries, 10).len(), 2);
        assert!(inbox.is_empty());
    }

    #[test]
    fn a_waiting_worker_is_woken_and_wakes_the_next() {
        let inbox = TaskInbox::new(10);
        let mut first = Box::pin(inbox.next_batch(Work::Refunds, 1));
        let mut second = Box::pin(inbox.next_batch(Work::Refunds, 1));
        assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
        inbox.push_all([task(1), task(2)]);
        let taken = [first.now_or_never(), second.now_or_never()];
        assert_eq!(taken, [Some(vec![task(1)]), Some(vec![task(2)])]);
    }
}
