//! The wire, byte for byte: golden files under `tests/golden`, written anew by `BLESS=1 cargo test -p refundry-dialects`, and what must hold
//! for any bytes at all.

#![expect(clippy::unwrap_used, reason = "what fails to unwrap fails the test, also in the functions beside the tests")]

mod bad_inputs;
mod baofoo;
mod cast;
mod client;
mod golden;
mod golden_file;
mod native;
mod oceanpayment;
mod properties;
mod result_codes_page;
