//! The server around the service: configuration, sockets, routes and commands.

pub mod config;
