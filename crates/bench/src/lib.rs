//! Drives a release server over loopback and measures what a refund costs it.
//!
//! The requests are written and signed before the clock starts and sent over kept-alive connections, so that the client takes as little of
//! the machine as it can. What the server spends is read from the kernel, by the names of its threads.

pub mod baselines;
pub mod by_hand;
pub mod client;
pub mod cluster;
pub mod copied;
pub mod cpu;
pub mod crash;
pub mod ground;
pub mod http_service;
pub mod load;
pub mod manifest;
pub mod measured;
pub mod pgbench;
pub mod receiver;
pub mod report;
pub mod requests;
pub mod server_process;
