//! The request side as a whole: a real store in memory, a clock that moves by hand, and callers of every kind.

mod antom;
mod credentials;
mod house;
mod notifications;
mod payments;
mod races;
mod rights;
