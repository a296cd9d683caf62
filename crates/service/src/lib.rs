//! The imperative shell around the engine: effects, credentials, workers.

pub mod acquirer;
pub mod acquirers;
pub mod cpu_pool;
pub mod outgoing;
pub mod random;
pub mod seal;
pub mod signatures;
pub mod tokens;
pub mod workers;
pub mod world;
