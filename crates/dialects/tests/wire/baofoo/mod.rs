//! Baofoo on the wire.

mod bad_inputs;
mod cast;
mod checklist;
mod client;
mod golden;
mod properties;
mod result_codes_page;
mod vectors;
