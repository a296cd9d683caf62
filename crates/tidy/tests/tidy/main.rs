//! The house rules as tests. Each test is one rule; its message says what to do.

mod budgets;
mod documents;
mod edges;
mod ledger_accounts;
mod migrations;
mod names;
mod planted;
mod purity;
mod rules_in_chinese;
mod silencers;
mod texts;
mod traits;
mod walk;
