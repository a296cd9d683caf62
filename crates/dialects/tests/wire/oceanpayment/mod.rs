//! Oceanpayment on the wire.

mod bad_inputs;
mod cast;
mod client;
mod golden;
mod properties;
mod result_codes_page;
mod vectors;
