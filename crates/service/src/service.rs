//! The request side of the shell: a [`World`] with what requests share beside it. Every function of the nouns (`refunds`, `payments`,
//! `merchants` …) takes it and a [`Caller`](crate::caller::Caller), and checks permissions itself, so that HTTP handlers stay dull.

use std::sync::Arc;

use refundry_engine::{Act, Command, Outcome};

use crate::caller::Caller;
use crate::cpu_pool::CpuPool;
use crate::error::{Fault, ServiceError};
use crate::keyring::Keyring;
use crate::observer::Observer;
use crate::refunds::STAND_IN_SECONDS;
use crate::seal::MasterKeys;
use crate::world::World;

/// Times that a row is read, changed and put back before the caller is told that others are at it.
const EDITS_MAX: u32 = 50;

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
    /// Seconds in which what was sent without a number is not done again.
    pub stand_in_seconds: u32,
}

impl Service {
    /// `observer` is the one that the store of `world` was opened with.
    pub fn new(world: World, observer: Arc<Observer>, master_keys: Arc<MasterKeys>, cpu: Arc<CpuPool>) -> Self {
        let keyring = Keyring::new(world.store.clone(), master_keys.clone(), observer.keys.clone());
        Self { world, observer, master_keys, cpu, keyring, stand_in_seconds: STAND_IN_SECONDS }
    }

    /// Has an act decided and committed, in the caller's name. A refusal is an error here.
    pub(crate) async fn transact(&self, caller: &Caller, act: Act) -> Result<Outcome, ServiceError> {
        let stamp = self.world.stamp(caller.actor())?;
        match self.world.commit(Command { stamp, act }).await? {
            Outcome::Refused { refusal, .. } => Err(refusal.into()),
            outcome => Ok(outcome),
        }
    }
}

/// Counts how often a row was read, changed and put back in vain.
#[derive(Default)]
pub(crate) struct Edits(u32);

impl Edits {
    /// Puts a changed row back. False when somebody else, on this node or another, changed it since it was read: read it again.
    pub(crate) async fn put(&mut self, service: &Service, caller: &Caller, act: Act) -> Result<bool, ServiceError> {
        let stale = service.transact(caller, act).await? == Outcome::Stale;
        if stale {
            self.again()?;
        }
        Ok(!stale)
    }

    /// Once more, unless it was often enough.
    pub(crate) fn again(&mut self) -> Result<(), ServiceError> {
        self.0 += 1;
        if self.0 < EDITS_MAX { Ok(()) } else { Err(Fault::Busy.into()) }
    }
}
