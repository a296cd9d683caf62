//! The whole service on a virtual clock, with crashes, a lying acquirer, deaf merchants and an auditor. One seed is one run, byte for byte.
//! `docs/concepts/simulation.md` says what is simulated and what is promised.

pub mod acquirer;
pub mod cast;
pub mod clock;
pub mod dice;
pub mod differential;
pub mod disk;
pub mod executor;
pub mod ground;
pub mod life;
pub mod line;
pub mod lost_connections;
pub mod merchants;
pub mod model;
pub mod plan;
pub mod reads;
pub mod run;
pub mod seeds;
pub mod server;
pub mod shrink;
pub mod stage;
pub mod tables;
pub mod trace;
pub mod vfs;
pub mod wishes;
