//! The request side as a whole: a real store, a clock that moves by hand, and callers of every kind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]
mod antom;
mod credentials;
mod house;
mod late_commits;
mod node_numbers;
mod notifications;
mod payments;
mod races;
mod rights;
mod settlement;
mod slow_receivers;
mod texts;
mod two_nodes;
