use std::collections::BTreeMap;

use thiserror::Error;

use crate::{Currency, Entry, LedgerAccount};

/// A balance left the range of 64 bits. Nothing was posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a balance would leave the range of 64-bit minor units")]
pub struct BalancesOverflow;

/// What stands on each account of each book: credits less debits, in minor units. So what we owe is positive, what we own negative,
/// and a book of one currency sums to zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balances<Book: Ord> {
    minor: BTreeMap<(Book, Currency, LedgerAccount), i64>,
}

impl<Book: Ord> Default for Balances<Book> {
    fn default() -> Self {
        Self { minor: BTreeMap::new() }
    }
}

impl<Book: Ord + Copy> Balances<Book> {
    /// The balance of one account, zero when it was never used.
    pub fn of(&self, book: Book, account: LedgerAccount, currency: Currency) -> i64 {
        self.minor.get(&(book, currency, account)).copied().unwrap_or(0)
    }

    /// Sets a balance that was read from storage.
    pub fn set(&mut self, book: Book, account: LedgerAccount, currency: Currency, minor: i64) {
        self.minor.insert((book, currency, account), minor);
    }

    /// Adds an entry, wholly or not at all.
    pub fn post(&mut self, entry: &Entry<Book>) -> Result<(), BalancesOverflow> {
        let touched = self.after(entry).ok_or(BalancesOverflow)?;
        self.minor.extend(touched);
        Ok(())
    }

    /// Whether an entry can be posted without overflow.
    pub fn fits(&self, entry: &Entry<Book>) -> bool {
        self.after(entry).is_some()
    }

    fn after(&self, entry: &Entry<Book>) -> Option<BTreeMap<(Book, Currency, LedgerAccount), i64>> {
        let mut touched = BTreeMap::new();
        for posting in entry.postings() {
            for (account, sign) in [(posting.debit, -1), (posting.credit, 1)] {
                let key = (posting.book, posting.amount.currency(), account);
                let before = touched.get(&key).copied().unwrap_or_else(|| self.minor.get(&key).copied().unwrap_or(0));
                touched.insert(key, before.checked_add(sign * posting.amount.minor())?);
            }
        }
        Some(touched)
    }

    /// Every balance that was set or posted, in the order of book, currency, account.
    pub fn iter(&self) -> impl Iterator<Item = ((Book, Currency, LedgerAccount), i64)> + '_ {
        self.minor.iter().map(|(key, minor)| (*key, *minor))
    }
}
