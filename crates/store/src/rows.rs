//! How rows are stored, whatever the database: the order of their columns, and what their texts mean.

mod columns;
pub mod dispute;
pub mod money;
mod names;
pub mod other;
pub mod payment;
pub mod recent;
pub mod refund;
pub mod reviews;
pub mod share;
pub mod waiting;

pub use columns::{ReadColumns, json_text, minor_of};
pub use names::{Names, merchant_of, merchant_or_none};
