//! HTTP as a whole: the real router over a real store, with a clock that moves by hand and the simulated acquirer.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod access;
mod antom;
mod app;
mod bad_input;
mod baofoo;
mod baofoo_examples;
mod baofoo_stories;
mod booked;
mod clock;
mod copy;
mod database;
mod desk;
mod disputes;
mod distribute;
mod documented_commands;
mod example_acquirer;
mod first_hour;
mod four_eyes;
mod funds;
mod keys;
mod notifications;
mod oceanpayment;
mod open_api;
mod pages;
mod parallel;
mod payments;
mod payouts;
mod platform;
mod program;
mod refunds;
mod rolling_restart;
mod shares;
mod waiting_for_money;
