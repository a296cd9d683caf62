//! The server around the service: configuration, sockets, routes and commands.

pub mod acquirer_reports;
pub mod app;
pub mod call;
mod caller_address;
pub mod commands;
pub mod config;
pub mod database;
mod docs_page;
pub mod endpoint;
pub mod endpoints;
mod health;
mod html;
pub mod installation;
mod json_body;
pub mod language;
pub mod listen;
pub mod master_key;
pub mod merchant_api;
pub mod openapi;
pub mod operator_api;
pub mod outgoing_http;
pub mod problem;
pub mod router;
pub mod system_clock;
pub mod telemetry;
pub mod views;
mod wire;
