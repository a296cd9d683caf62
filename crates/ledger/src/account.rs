use std::cmp::Ordering;

/// Which side of a book an account normally stands on; it decides the sign a reader expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What is owned or claimed: grows by debits.
    Debit,
    /// What is owed or earned: grows by credits.
    Credit,
}

/// A place money can be in a book. The chart of accounts is made of constants by whoever keeps the books.
///
/// Two accounts are equal when their codes are. Codes are stored, so a code is never reused for another meaning.
#[derive(Clone, Copy, Debug)]
pub struct LedgerAccount {
    code: u8,
    name: &'static str,
    side: Side,
}

impl LedgerAccount {
    /// An account of the chart: `code` is what is stored, `name` what people read.
    pub const fn new(code: u8, name: &'static str, side: Side) -> Self {
        Self { code, name, side }
    }

    /// The stored code, unique in its chart.
    pub const fn code(self) -> u8 {
        self.code
    }

    /// The name people read, in snake case.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The side on which the account normally has its balance.
    pub const fn side(self) -> Side {
        self.side
    }
}

impl PartialEq for LedgerAccount {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Eq for LedgerAccount {}

impl PartialOrd for LedgerAccount {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for LedgerAccount {
    fn cmp(&self, other: &Self) -> Ordering {
        self.code.cmp(&other.code)
    }
}
