//! The same refund service as a good engineer would write it by hand: one transaction per refund, on the same tables.
//!
//! It is there to be compared with: the same HTTP, the same requests and answers, the same proof of the caller, and the same rows for an accepted
//! refund. What it leaves out makes it cheaper, never dearer: policies, holds, fees, and every dialect but the native one.

pub mod answer;
pub mod carry_out;
pub mod function;
pub mod ids;
pub mod interactive;
pub mod known;
pub mod notify;
pub mod order;
pub mod service;
pub mod statements;
