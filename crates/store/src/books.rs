//! The rules of the check of the books, whatever the database: what is compared with what, and how a row that is off is called. How rows are read,
//! each database knows itself.

mod disputes;
mod feeds;
mod findings;
mod money;
mod payouts;
mod refunds;
mod sharing;

pub use disputes::{Disputed, FIGURES};
pub use feeds::{event, last_sequence, notification, task_of_nothing};
pub use findings::{Findings, Step};
pub use money::{MAY_BE_EXPOSED, Money};
pub use payouts::Payouts;
pub use refunds::{RefundBeside, Sums, Waiting, counts, events_named, key_without_refund, refund, refund_without_key, refunds_named};
pub use sharing::{ShareBeside, key_without_share, needs_each_refund, share, sharing};
