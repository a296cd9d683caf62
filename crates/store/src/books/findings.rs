use std::collections::BTreeMap;

use crate::{BookFault, BooksReport};

/// Faults that are named one by one; a database with more of them needs another cure than a list.
const FAULTS_MAX: usize = 1_000;

/// What is looked at, in the order in which it is reported of each merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Whether the database itself is sound.
    Soundness,
    /// Each payment with its refunds.
    Payments,
    /// Each payment with its disputes.
    Disputed,
    /// What each payment remembers of its shares, and of what went through its rate.
    Sharing,
    /// Whether payments name all refunds.
    RefundsNamed,
    /// Each refund with what belongs to it.
    Refunds,
    /// Whether refunds name all events.
    EventsNamed,
    /// Each counter of refunds that wait for money.
    Waiting,
    /// Refunds that wait and that nothing counts.
    WaitingUncounted,
    /// Each key with its refund.
    Keys,
    /// Each refund with its key.
    KeysOfRefunds,
    /// Each share with what belongs to it.
    Shares,
    /// Each key with its share.
    KeysOfShares,
    /// Each task with its subject.
    Tasks,
    /// Each event of the feed.
    Events,
    /// The end of the feed.
    LastSequence,
    /// Each notification with its event and its task.
    Notifications,
    /// Each balance.
    Balances,
    /// Balances that are missing.
    BalancesMissing,
    /// The book of each currency.
    Books,
    /// Each payout.
    Payouts,
    /// What is added up for the next payouts.
    Pots,
    /// What is between the books.
    SharesDue,
}

/// Where a fault stands in the report: merchant, step, row, and the order in which it was found. Whoever reads rows in another order reports the same.
type Place = (i64, Step, i64, usize);

/// What was looked at and found so far.
pub struct Findings {
    /// Counts what was looked at.
    pub report: BooksReport,
    faults: BTreeMap<Place, BookFault>,
    count: usize,
    at: (i64, Step, i64),
}

impl Findings {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { report: BooksReport::default(), faults: BTreeMap::new(), count: 0, at: (i64::MIN, Step::Soundness, 0) }
    }

    /// Turns to a row of a merchant; a number of rows that are looked at in the order of the report may share 0.
    pub const fn turn_to(&mut self, merchant_id: i64, step: Step, row: i64) {
        self.at = (merchant_id, step, row);
    }

    /// Names a row where what is found is not what it should be.
    pub fn expect(&mut self, rule: &'static str, row: impl ToString, found: impl ToString, expected: impl ToString) {
        let (found, expected) = (found.to_string(), expected.to_string());
        if found == expected {
            return;
        }
        self.count += 1;
        let (merchant_id, step, number) = self.at;
        self.faults.insert((merchant_id, step, number, self.count), BookFault { rule, row: row.to_string(), found, expected });
        if self.faults.len() > FAULTS_MAX {
            self.faults.pop_last();
        }
    }

    /// The same for a number that stands in a row; cheap when it is right.
    pub fn expect_number(&mut self, rule: &'static str, row: impl Fn() -> String, found: impl Into<i128>, expected: impl Into<i128>) {
        let (found, expected) = (found.into(), expected.into());
        if found != expected {
            self.expect(rule, row(), found, expected);
        }
    }

    /// The report, the faults in their order.
    pub fn into_report(self) -> BooksReport {
        let mut faults: Vec<BookFault> = self.faults.into_values().collect();
        if self.count > FAULTS_MAX {
            let (found, expected) = (format!("more than {FAULTS_MAX}"), "none".to_owned());
            faults.push(BookFault { rule: "faults_are_few", row: "report".to_owned(), found, expected });
        }
        BooksReport { faults, ..self.report }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_finding_does_not_matter_and_the_first_thousand_are_named() {
        let found_in = |rows: &mut dyn Iterator<Item = i64>| {
            let mut findings = Findings::new();
            for row in rows {
                findings.turn_to(row % 2, Step::Payments, row);
                findings.expect_number("is_seven", || row.to_string(), row, 7);
            }
            findings.into_report()
        };
        let few = found_in(&mut (0..10));
        assert_eq!(few.faults.iter().map(|fault| fault.row.as_str()).collect::<Vec<_>>(), ["0", "2", "4", "6", "8", "1", "3", "5", "9"]);
        assert_eq!(few, found_in(&mut (0..10).rev()));
        let many = found_in(&mut (0..5_000));
        assert_eq!((many.faults.len(), many.faults[999].row.as_str(), many.faults[1_000].rule), (1_001, "1998", "faults_are_few"));
        assert_eq!(many, found_in(&mut (0..5_000).rev()));
    }
}
