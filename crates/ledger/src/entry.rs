use thiserror::Error;

use crate::{LedgerAccount, Money};

/// One amount from a debit account to a credit account, in the book of `Book`. It is both sides at once, so it always balances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting<Book> {
    /// Whose book: each book balances by itself.
    pub book: Book,
    /// The account that is debited.
    pub debit: LedgerAccount,
    /// The account that is credited.
    pub credit: LedgerAccount,
    /// How much; above zero.
    pub amount: Money,
}

/// Why an entry cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EntryError {
    /// A posting of nothing, or of less.
    #[error("a posting of {0} moves nothing forward; reverse the accounts instead")]
    NotPositive(Money),
    /// A posting from an account to itself.
    #[error("{0} is both debit and credit")]
    SameAccount(&'static str),
    /// An entry says something, or it is not made.
    #[error("an entry needs at least one posting")]
    Empty,
}

/// The postings of one business event. Immutable: a mistake is corrected by another entry, usually [`Entry::reversed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<Book> {
    postings: Vec<Posting<Book>>,
}

impl<Book: Copy> Entry<Book> {
    /// Makes an entry; every posting must move a positive amount between two accounts.
    pub fn new(postings: Vec<Posting<Book>>) -> Result<Self, EntryError> {
        if postings.is_empty() {
            return Err(EntryError::Empty);
        }
        for posting in &postings {
            if !posting.amount.is_positive() {
                return Err(EntryError::NotPositive(posting.amount));
            }
            if posting.debit == posting.credit {
                return Err(EntryError::SameAccount(posting.debit.name()));
            }
        }
        Ok(Self { postings })
    }

    /// What is moved, in the order in which it was said.
    pub fn postings(&self) -> &[Posting<Book>] {
        &self.postings
    }

    /// The entry that takes this one back.
    pub fn reversed(&self) -> Self {
        let reverse = |posting: &Posting<Book>| Posting { debit: posting.credit, credit: posting.debit, ..*posting };
        Self { postings: self.postings.iter().map(reverse).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Balances, Side};

    const CASH: LedgerAccount = LedgerAccount::new(1, "cash", Side::Debit);
    const OWED: LedgerAccount = LedgerAccount::new(2, "owed", Side::Credit);

    fn posting(minor: i64) -> Posting<u8> {
        Posting { book: 7, debit: CASH, credit: OWED, amount: Money::new(minor, "EUR".parse().unwrap()) }
    }

    #[test]
    fn only_entries_that_move_something_exist() {
        assert_eq!(Entry::<u8>::new(vec![]), Err(EntryError::Empty));
        assert!(matches!(Entry::new(vec![posting(0)]), Err(EntryError::NotPositive(_))));
        assert!(matches!(Entry::new(vec![posting(-1)]), Err(EntryError::NotPositive(_))));
        assert!(matches!(Entry::new(vec![Posting { credit: CASH, ..posting(1) }]), Err(EntryError::SameAccount("cash"))));
    }

    #[test]
    fn an_entry_and_its_reverse_leave_nothing() {
        let entry = Entry::new(vec![posting(5), posting(9)]).unwrap();
        let mut balances = Balances::default();
        balances.post(&entry).unwrap();
        assert_eq!(balances.of(7, OWED, "EUR".parse().unwrap()), 14);
        assert_eq!(balances.of(7, CASH, "EUR".parse().unwrap()), -14);
        balances.post(&entry.reversed()).unwrap();
        assert!(balances.iter().all(|(_, minor)| minor == 0));
    }
}
