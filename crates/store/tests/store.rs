//! What a store promises, in one test binary.

#[cfg(test)]
mod books;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod copy;
#[cfg(test)]
mod disputes;
#[cfg(test)]
mod distributed;
#[cfg(test)]
mod encrypted;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod payouts;
#[cfg(test)]
mod queue_races;
#[cfg(test)]
mod races;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod reviews;
#[cfg(test)]
mod shares;
#[cfg(test)]
mod silences;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod whole_copy;
