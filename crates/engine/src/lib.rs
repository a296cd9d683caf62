//! The refund engine: payments and refunds, their states, and the decisions about them. Pure: no I/O, no clock, no randomness, no ids of its
//! own. [`decide`] looks at a [`Snapshot`] and a [`Command`] and gives a [`Verdict`]; whoever calls it loads the one and applies the other.

mod actor;
pub mod adjustment;
pub mod asked;
pub mod authorisation;
pub mod booked;
pub mod chart;
pub mod claim;
pub mod command;
pub mod credential;
mod decide;
pub mod delivery;
pub mod dispute;
mod draft;
pub mod event;
mod explain;
pub mod funds;
pub mod idempotency;
pub mod ids;
mod mark_payment;
pub mod merchant;
pub mod money_text;
pub mod notification;
mod notify;
pub mod payment;
pub mod payout;
pub mod people;
pub mod person;
pub mod policy;
pub mod posting_rules;
pub mod rate;
pub mod record_payment;
pub mod refund;
mod refusal;
pub mod review_rule;
mod scope;
pub mod settings;
pub mod settlement;
pub mod share;
pub mod shipment;
mod snapshot;
pub mod task;
mod timestamp;
pub mod verdict;

pub use actor::{Actor, Principal, PrincipalId};
pub use command::{Act, Command, Stamp};
pub use decide::decide;
pub use explain::{Explanation, Language, Text, Who, explain};
pub use ids::{
    AdjustmentId, AuditId, CredentialId, DisputeId, EndpointId, EntryId, IdBlock, MerchantId, NotAnId, NotificationId, PaymentId, PayoutId,
    PersonId, RefundId, ShareId, TaskId, TerminalId,
};
pub use merchant::Mode;
pub use refusal::Refusal;
pub use scope::Scope;
pub use snapshot::Snapshot;
pub use timestamp::Timestamp;
pub use verdict::{Changes, Outcome, Verdict, Write};
