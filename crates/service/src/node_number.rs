//! The number under which this process makes ids: leased from the database, renewed in time, given back at the end.

use futures::future::{Either, select};
use refundry_engine::Timestamp;
use refundry_store::{NodeLease, NodeWish, StoreError};

use crate::world::World;

/// Milliseconds until a lease that was not to be had is asked for again.
const RETRY_MS: i64 = 1_000;
/// Times that a process asks at its start.
const FIRST_TRIES_MAX: usize = 20;

/// Keeps a number for the [`Ids`](crate::ids::Ids) of a world.
pub struct NodeNumber {
    world: World,
    holder: String,
    lease_ms: i64,
}

impl NodeNumber {
    /// For a process that has none yet.
    pub fn new(world: World, lease_ms: i64) -> Self {
        let mut bytes = [0_u8; 16];
        world.random.fill(&mut bytes);
        let holder = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { world, holder, lease_ms }
    }

    /// Asks until there is a number, or says why there is none.
    pub async fn take_first(&self) -> Result<(), StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.take().await {
                Err(error) if error.is_passing() && tries < FIRST_TRIES_MAX => {
                    self.world.clock.sleep_until(self.world.now().plus_ms(RETRY_MS)).await;
                }
                taken => return taken,
            }
        }
    }

    /// Asks for more time with the number, or for another when somebody else has it by now.
    pub async fn take(&self) -> Result<(), StoreError> {
        let ids = &self.world.ids;
        let now = ids.come_to(self.world.now());
        let lease = self.lease(now, self.lease_ms).await?.ok_or(StoreError::Unnumbered)?;
        if ids.node() != Some(lease.node) {
            tracing::info!(node = lease.node, "ids are made under this number");
        }
        ids.number(lease, now.plus_ms(self.lease_ms));
        Ok(())
    }

    /// Renews for ever. While it cannot, ids are made until the lease ends, and then none.
    pub async fn keep(&self) {
        let mut wait_ms = self.lease_ms / 3;
        loop {
            self.world.clock.sleep_until(self.world.now().plus_ms(wait_ms)).await;
            wait_ms = match self.take().await {
                Ok(()) => self.lease_ms / 3,
                Err(error) => {
                    tracing::warn!(cause = &error as &dyn std::error::Error, "the lease of the node number was not renewed");
                    RETRY_MS.min(self.lease_ms / 3)
                }
            };
        }
    }

    /// Makes no more ids, and lets somebody else have the number. If that cannot be said, the lease runs out.
    pub async fn give_back(&self) {
        let ids = &self.world.ids;
        ids.stop();
        if let Err(error) = self.lease(ids.come_to(self.world.now()), 0).await {
            tracing::warn!(cause = &error as &dyn std::error::Error, "the node number was not given back; its lease runs out");
        }
    }

    /// One question to the database. One that is silent is asked again in time: an answer that nobody waits for any more does no harm.
    async fn lease(&self, now: Timestamp, lease_ms: i64) -> Result<Option<NodeLease>, StoreError> {
        let clock = &self.world.clock;
        let wish = NodeWish { holder: self.holder.clone(), now, lease_ms };
        let patience = clock.sleep_until(clock.now().plus_ms(self.lease_ms / 4));
        match select(self.world.store.lease_node(wish), patience).await {
            Either::Left((leased, _)) => leased,
            Either::Right(_) => Err(StoreError::Unnumbered),
        }
    }
}
