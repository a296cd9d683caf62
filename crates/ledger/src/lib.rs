//! Double-entry accounting in integer minor units.
//!
//! Three ideas and no more: [`Money`] is a whole number of minor units of one currency; a [`Posting`] moves money from a debit
//! account to a credit account, so an [`Entry`] made of postings cannot be unbalanced; a [`Balances`] is the fold of entries.
//! What the accounts mean is not known here, and neither are refunds: the chart of accounts belongs to whoever keeps the books.

mod account;
mod balance;
mod entry;
mod money;

pub use account::{LedgerAccount, Side};
pub use balance::{Balances, BalancesOverflow};
pub use entry::{Entry, EntryError, Posting};
pub use money::{Currency, Money, MoneyError};
