//! The workers of a process: they take tasks that commits handed over, and look for others now and then.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures::future::{BoxFuture, Either, join3, select};
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use refundry_engine::Timestamp;
use refundry_engine::task::TaskKind;
use refundry_store::{Claim, StoreError};

use super::{
    WorkerSettings, deliver_notifications, follow_orders, prepare_payouts, record_reports, release_refunds, resolve_refunds, settle_due,
    shares, submit_refunds, void_payments,
};
use crate::Service;
use crate::acquirer::Acquirer;
use crate::inbox::{HandedTask, Work};

/// Queues of refunds that wait for money that are served at once: each commits a page after the other.
const QUEUES_AT_ONCE: usize = 8;

/// The workers of a process.
pub struct Crew {
    /// What they work with.
    pub service: Arc<Service>,
    /// Times and numbers.
    pub settings: WorkerSettings,
    refunds_polled_at_ms: AtomicI64,
    queues_polled_at_ms: AtomicI64,
    deliveries_polled_at_ms: AtomicI64,
}

/// What ended a turn of the loop.
enum Turn {
    Stop,
    Taken(Vec<HandedTask>),
    Finished,
}

impl Crew {
    /// Workers for this service.
    pub fn new(service: Arc<Service>, settings: WorkerSettings) -> Self {
        let never = || AtomicI64::new(0);
        Self { service, settings, refunds_polled_at_ms: never(), queues_polled_at_ms: never(), deliveries_polled_at_ms: never() }
    }

    /// Works until `stop` resolves, and then finishes what is under way. Several may run side by side. Deliveries have places of their own,
    /// half as many: receivers that answer slowly or never hold up other deliveries, but no refund. So have queues of refunds that wait for money.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) {
        let stop = stop.shared();
        let refunds = self.carry_out(Work::Refunds, self.settings.concurrency, stop.clone());
        let queues = self.carry_out(Work::Queues, self.settings.concurrency.min(QUEUES_AT_ONCE), stop.clone());
        let deliveries = self.carry_out(Work::Deliveries, (self.settings.concurrency / 2).max(1), stop);
        join3(refunds, queues, deliveries).await;
    }

    async fn carry_out(&self, work: Work, places: usize, stop: impl Future<Output = ()> + Clone + Send) {
        let mut under_way = FuturesUnordered::new();
        // Kept from turn to turn: a claim that was begun and dropped would leave its tasks to the end of their leases.
        let mut taking: Option<BoxFuture<'_, Vec<HandedTask>>> = None;
        loop {
            let room = places.saturating_sub(under_way.len());
            if taking.is_none() && room > 0 {
                taking = Some(self.next(work, room, stop.clone()).boxed());
            }
            let turn = {
                let taken = pin!(poll_or_wait(&mut taking));
                let finished = pin!(async {
                    if under_way.next().await.is_none() {
                        futures::future::pending::<()>().await;
                    }
                });
                match select(pin!(stop.clone()), select(taken, finished)).await {
                    Either::Left(_) => Turn::Stop,
                    Either::Right((Either::Left((tasks, _)), _)) => Turn::Taken(tasks),
                    Either::Right((Either::Right(_), _)) => Turn::Finished,
                }
            };
            match turn {
                Turn::Stop => break,
                Turn::Finished => {}
                Turn::Taken(tasks) => {
                    taking = None;
                    under_way.extend(tasks.into_iter().map(|task| self.perform(task)));
                }
            }
        }
        if let Some(taking) = taking {
            self.give_back(taking.await).await;
        }
        while under_way.next().await.is_some() {}
    }

    /// One task, whatever its kind. What goes wrong is logged; the task comes back when its lease is over.
    pub async fn perform(&self, handed: HandedTask) {
        let HandedTask { task, news } = handed;
        let world = &self.service.world;
        if news.is_some() && task.due_at.plus_ms(self.settings.lease_ms) <= world.now() {
            // It waited longer than its lease, so whoever looks finds it and tells it: nobody should hear the same twice for that.
            return;
        }
        let done = match task.kind {
            TaskKind::SubmitRefund => submit_refunds::run_one(world, &self.settings, &task).await,
            TaskKind::ResolveRefund => resolve_refunds::run_one(world, &self.settings, &task).await,
            TaskKind::ReleaseRefund => release_refunds::run_one(world, &task).await,
            TaskKind::ReleaseWaiting => release_refunds::run_waiting(world, &task).await,
            TaskKind::StartShare => shares::start(world, &task).await,
            TaskKind::FinishShare => shares::finish(world, &task).await,
            TaskKind::PreparePayout => prepare_payouts::run_one(world, &task).await,
            TaskKind::SettleDue => settle_due::run_one(world, &task).await,
            TaskKind::VoidPayment => void_payments::run_one(world, &task).await,
            TaskKind::FollowOrder => follow_orders::run_one(world, &task).await,
            TaskKind::DeliverNotification => deliver_notifications::run_one(&self.service, &self.settings, &task, news).await,
        };
        match done {
            Ok(()) => {}
            Err(error @ (StoreError::Closed | StoreError::Overloaded | StoreError::Unnumbered)) => {
                tracing::debug!(task = task.kind.word(), id = %task.id, "{error}")
            }
            Err(error) => {
                tracing::error!(task = task.kind.word(), id = %task.id, cause = &error as &dyn std::error::Error, "a task failed")
            }
        }
    }

    /// Tasks that are due and that nobody has: found ones when it is time to look, else handed over ones. Looking goes first, or a process
    /// that is always handed something would never come back to what it put off.
    async fn next(&self, work: Work, room: usize, stop: impl Future<Output = ()>) -> Vec<HandedTask> {
        let world = &self.service.world;
        let mut stop = pin!(stop);
        loop {
            let now = world.now();
            // A clock that went back must not put the next look off.
            let polled_at = Timestamp::from_ms(self.polled_at_ms(work).load(Ordering::Relaxed)).min(now);
            let poll_at = polled_at.plus_ms(self.settings.poll_ms);
            let handed = pin!(self.service.observer.inbox.next_batch(work, room));
            match select(&mut stop, select(world.clock.sleep_until(poll_at), handed)).await {
                Either::Left(_) => return Vec::new(),
                Either::Right((Either::Left(_), _)) => {}
                Either::Right((Either::Right((tasks, _)), _)) => return tasks,
            }
            // What is claimed now is given back when it is time to stop, so this is not given up halfway.
            let tasks = self.claim(work, room).await;
            if !tasks.is_empty() {
                return tasks;
            }
        }
    }

    /// Lets others have what was handed over to this process and not begun. To be called when nothing is carried out any more: else the leases of
    /// these tasks run out first.
    pub async fn leave(&self) {
        let now = self.service.world.now();
        for work in Work::ALL {
            let mut handed = self.service.observer.inbox.take(work, usize::MAX);
            // They were leased when they became due; what waited longer may be somebody else's by now.
            handed.retain(|handed| now < handed.task.due_at.plus_ms(self.settings.lease_ms));
            self.give_back(handed).await;
        }
    }

    async fn give_back(&self, tasks: Vec<HandedTask>) {
        if tasks.is_empty() {
            return;
        }
        let (now, count) = (self.service.world.now(), tasks.len());
        let given_back = tasks.into_iter().map(|handed| handed.task).collect();
        let claim = Claim { now, lease_until: now, kinds: Vec::new(), limit: 0, given_back };
        match self.service.world.store.claim(claim).await {
            Ok(_) => tracing::info!(count, "tasks that were not begun are free for others"),
            Err(error) => {
                tracing::warn!(count, cause = &error as &dyn std::error::Error, "tasks were not given back; their leases run out");
            }
        }
    }

    const fn polled_at_ms(&self, work: Work) -> &AtomicI64 {
        match work {
            Work::Refunds => &self.refunds_polled_at_ms,
            Work::Queues => &self.queues_polled_at_ms,
            Work::Deliveries => &self.deliveries_polled_at_ms,
        }
    }

    /// Looks for tasks that are due: those of a process that ended, and those whose time has come.
    pub async fn claim(&self, work: Work, room: usize) -> Vec<HandedTask> {
        let now = self.service.world.now();
        self.polled_at_ms(work).store(now.ms(), Ordering::Relaxed);
        let claim = Claim {
            now,
            lease_until: now.plus_ms(self.settings.lease_ms),
            kinds: work.kinds(),
            limit: u32::try_from(room).unwrap_or(u32::MAX),
            given_back: Vec::new(),
        };
        match self.service.world.store.claim(claim).await {
            Ok(tasks) => tasks.into_iter().map(HandedTask::from).collect(),
            Err(error) => {
                tracing::warn!(cause = &error as &dyn std::error::Error, "tasks could not be claimed");
                Vec::new()
            }
        }
    }

    /// Takes what an acquirer says on its own, until `stop` resolves.
    pub async fn listen(&self, acquirer: &dyn Acquirer, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            match select(&mut stop, acquirer.next_report()).await {
                Either::Left(_) => return,
                Either::Right((report, _)) => {
                    if let Err(error) = record_reports::record(&self.service.world, &self.settings, report).await {
                        tracing::error!(
                            cause = &error as &dyn std::error::Error,
                            "an acquirer's report was not recorded; asking finds it again"
                        );
                    }
                }
            }
        }
    }
}

/// The future that is there, or one that never resolves.
async fn poll_or_wait<T>(future: &mut Option<BoxFuture<'_, T>>) -> T {
    match future {
        Some(future) => future.await,
        None => futures::future::pending().await,
    }
}
