//! The acquirers that can be configured: one file each.

pub mod http;
pub mod simulated;
