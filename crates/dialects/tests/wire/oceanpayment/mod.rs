//! Oceanpayment on the wire.

mod cast;
mod golden;
mod result_codes_page;
mod vectors;
