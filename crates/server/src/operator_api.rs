//! What the operator keeps: merchants, terminals and their rules, and the log of who did what.

pub mod audit;
pub mod merchants;
pub mod policy_view;
pub mod rates;
pub mod terminals;
pub mod wire_view;
