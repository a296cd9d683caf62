//! What is done later, because a commit wrote a task: each kind has a file, each file one step that may be run twice.
//!
//! A step never relies on its lease: the engine decides by the state of the refund what is still to be done.

pub mod crew;
pub mod deliver_notifications;
pub mod follow_orders;
pub mod prepare_payouts;
pub mod record_reports;
pub mod release_refunds;
pub mod resolve_refunds;
pub mod settle_due;
pub mod shares;
pub mod submit_refunds;
pub mod void_payments;

use refundry_engine::command::{Act, Command};
use refundry_engine::refund::Refund;
use refundry_engine::{Actor, Outcome, Timestamp};
use refundry_store::StoreError;

use crate::acquirer::SubmittedRefund;
use crate::world::World;

/// Times and numbers of the workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerSettings {
    /// Milliseconds for which a task is taken.
    pub lease_ms: i64,
    /// Milliseconds that an acquirer is given to answer a submission or a question.
    pub acquirer_timeout_ms: i64,
    /// Shortest wait before something is tried again, in milliseconds.
    pub retry_delay_ms_min: i64,
    /// Longest wait before something is tried again, in milliseconds.
    pub retry_delay_ms_max: i64,
    /// Steps of refunds under way at once; half as many deliveries besides.
    pub concurrency: usize,
    /// Milliseconds between looks for tasks that nobody handed over.
    pub poll_ms: i64,
    /// Milliseconds that a receiver of a notification is given.
    pub delivery_timeout_ms: u64,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            lease_ms: 60_000,
            acquirer_timeout_ms: 15_000,
            retry_delay_ms_min: 2_000,
            retry_delay_ms_max: 3_600_000,
            concurrency: 256,
            poll_ms: 250,
            delivery_timeout_ms: 15_000,
        }
    }
}

impl WorkerSettings {
    /// When something that began at `since` is tried again: after half of the time that has passed, within the limits, a fifth more or less
    /// so that what failed together does not come back together.
    pub fn next_try(&self, world: &World, since: Timestamp) -> Timestamp {
        let now = world.now();
        let half = now.ms().saturating_sub(since.ms()) / 2;
        let delay = half.clamp(self.retry_delay_ms_min, self.retry_delay_ms_max);
        now.plus_ms(jittered(world, delay))
    }
}

/// A delay with up to a fifth added or taken.
pub fn jittered(world: &World, delay_ms: i64) -> i64 {
    let mut byte = [0_u8; 1];
    world.random.fill(&mut byte);
    let fifth = delay_ms / 5;
    delay_ms - fifth + fifth.saturating_mul(2).saturating_mul(i64::from(byte[0])) / 255
}

pub(crate) async fn transact(world: &World, actor: Actor, act: Act) -> Result<Outcome, StoreError> {
    world.commit(Command { stamp: world.stamp(actor)?, act }).await
}

pub(crate) fn submission_of(refund: &Refund, attempt: u32, submitted_at: Timestamp) -> SubmittedRefund {
    SubmittedRefund {
        refund_id: refund.id,
        merchant_id: refund.merchant_id,
        mode: refund.mode,
        attempt,
        submitted_at,
        payment_reference: refund.payment_reference.clone(),
        number: refund.number.clone(),
        amount: refund.user_part(),
        quote: refund.quote.clone(),
        reason: refund.reason.clone(),
        acquirer_reference: refund.acquirer_reference.clone(),
    }
}
