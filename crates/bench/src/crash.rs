//! Kills a server again and again under load, and holds what everybody else remembers against what it says afterwards.

pub mod acquirer;
pub mod callers;
pub mod database;
pub mod inbox;
pub mod nodes;
pub mod outages;
pub mod stage;
pub mod timeline;
pub mod verdict;
