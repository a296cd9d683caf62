//! The server around the service: configuration, sockets, routes and commands.

pub mod config;
pub mod listen;
pub mod master_key;
pub mod outgoing_http;
pub mod telemetry;
