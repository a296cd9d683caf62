//! The whole service on a virtual clock, with crashes, a lying acquirer, deaf merchants and an auditor. One seed is one run, byte for byte.

pub mod clock;
pub mod dice;
pub mod disk;
pub mod executor;
pub mod vfs;
