//! The request side of the shell: a [`World`] with what requests share beside it. Every function of the nouns (`refunds`, `payments`,
//! `merchants` …) takes it and a [`Caller`](crate::caller::Caller), and checks permissions itself, so that HTTP handlers stay dull.

use std::sync::Arc;

use refundry_engine::{Act, Command, Outcome};
use tokio::sync::Mutex;

use crate::caller::Caller;
use crate::cpu_pool::CpuPool;
use crate::error::ServiceError;
use crate::keyring::Keyring;
use crate::observer::Observer;
use crate::seal::MasterKeys;
use crate::world::World;

/// What requests need.
pub struct Service {
    /// Every effect.
    pub world: World,
    /// Wakes waiters and holds the workers' inbox.
    pub observer: Arc<Observer>,
    /// Opens and seals secrets.
    pub master_keys: Arc<MasterKeys>,
    /// Makes signatures off the threads that serve connections.
    pub cpu: Arc<CpuPool>,
    /// Credentials, parsed.
    pub keyring: Keyring,
    /// Held while a row is read, changed and put back by hand of the operator or merchant: rare, and two at once must not undo each other.
    pub(crate) editing: Mutex<()>,
}

impl Service {
    /// `observer` is the one that the store of `world` was opened with.
    pub fn new(world: World, observer: Arc<Observer>, master_keys: Arc<MasterKeys>, cpu: Arc<CpuPool>) -> Self {
        let keyring = Keyring::new(world.store.clone(), master_keys.clone(), observer.keys.clone());
        Self { world, observer, master_keys, cpu, keyring, editing: Mutex::new(()) }
    }

    /// Has an act decided and committed, in the caller's name. A refusal is an error here.
    pub(crate) async fn transact(&self, caller: &Caller, act: Act) -> Result<Outcome, ServiceError> {
        let stamp = self.world.stamp(caller.actor())?;
        match self.world.store.transact(Command { stamp, act }).await? {
            Outcome::Refused { refusal, .. } => Err(refusal.into()),
            outcome => Ok(outcome),
        }
    }
}
