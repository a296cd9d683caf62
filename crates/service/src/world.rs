//! The only list of effects. Whoever holds a [`World`] can be simulated: nothing else reads a clock, makes an id or talks to anybody.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use refundry_engine::{Actor, Command, Outcome, Stamp, Timestamp};
use refundry_store::{Store, StoreError};

use crate::acquirer::Acquirer;
use crate::ids::Ids;
use crate::outgoing::Notifier;
use crate::random::Random;

/// Every effect there is.
#[derive(Clone)]
pub struct World {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// What time it is, and waiting.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<Ids>,
    /// Random bytes, for secrets and jitter.
    pub random: Arc<dyn Random>,
    /// Who carries refunds out, by name.
    pub acquirers: Arc<BTreeMap<String, Arc<dyn Acquirer>>>,
    /// Posts to merchants.
    pub notifier: Arc<dyn Notifier>,
}

/// Time as an effect.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Resolves at `at`, or at once when that is past.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()>;
}

impl World {
    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Has a command decided and committed. A verdict that needs more ids than the command brought, because a payment has many receivers, is decided
    /// again with enough of them.
    pub async fn commit(&self, mut command: Command) -> Result<Outcome, StoreError> {
        loop {
            match self.store.transact(command.clone()).await? {
                Outcome::MoreIds { wanted } => command.stamp.ids = self.ids.block_of(command.stamp.now, wanted)?,
                outcome => return Ok(outcome),
            }
        }
    }

    /// Who, when, with which ids. Nothing can be stamped while this process has no node number.
    pub fn stamp(&self, actor: Actor) -> Result<Stamp, StoreError> {
        let now = self.now();
        Ok(Stamp { now, ids: self.ids.block(now)?, actor })
    }
}
