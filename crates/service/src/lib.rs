//! The imperative shell around the engine: effects, credentials, requests, workers.
//!
//! Requests go through a [`Service`], workers through a [`World`](world::World). The nouns (`refunds`, `payments`, `merchants`, `terminals`,
//! `credentials`, `endpoints`, `notifications`, `events`, `funds`, `audit`) are plain functions `(&Service, &Caller, …) -> Result<_, ServiceError>`.

pub mod acquirer;
pub mod acquirers;
pub mod adjustments;
pub mod agents;
pub mod audit;
pub mod authenticate;
pub mod authorisations;
pub mod batches;
pub mod caller;
pub mod cpu_pool;
pub mod credentials;
mod dispute_notes;
pub mod disputes;
pub mod endpoints;
pub mod error;
pub mod events;
pub mod front_door;
pub mod funds;
pub mod ids;
pub mod inbox;
pub mod install;
pub mod keyring;
pub mod known_endpoints;
pub mod master_rotation;
pub mod merchants;
pub mod node_number;
pub mod notifications;
pub mod observer;
mod ordering;
pub mod orders;
pub mod outgoing;
pub mod payments;
pub mod payouts;
pub mod people;
pub mod permissions;
pub mod queues;
pub mod random;
pub mod rates;
pub mod receivers;
pub mod refunds;
pub mod reviews;
pub mod roles;
pub mod seal;
mod service;
pub mod settlement;
pub mod shares;
pub mod shipments;
pub mod signatures;
pub mod synchronous;
pub mod terminals;
mod texts;
pub mod tokens;
pub mod waiting;
pub mod workers;
pub mod world;

pub use caller::Caller;
pub use error::ServiceError;
pub use inbox::{HandedTask, TaskInbox, Work};
pub use install::install;
pub use observer::Observer;
pub use service::Service;
