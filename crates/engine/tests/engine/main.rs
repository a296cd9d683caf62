//! The engine from outside: sentences of the domain with what must come of them, and whatever else a merchant may think of.

#[cfg(test)]
mod booked;
#[cfg(test)]
mod desk;
mod figures;
#[cfg(test)]
mod foreign_queue;
#[cfg(test)]
mod payout_properties;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod sentences;
#[cfg(test)]
mod share_properties;
#[cfg(test)]
mod shared_queue;
#[cfg(test)]
mod worked_examples;
