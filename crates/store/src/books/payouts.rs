use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use refundry_engine::MerchantId;
use refundry_engine::payout::{Payout, PayoutKind, Pots, Statement, Sums, cause_of_preparing, pot_of};

use super::findings::{Findings, Step};

/// Payouts stand behind all merchants in the report, beside the money.
const BEHIND_ALL: i64 = i64::MAX;

/// A merchant and a currency.
type Book = (i64, String);

/// Folds what was posted on the available money by period and cause, and compares with it every statement, and what has been added up for the next.
/// Its memory grows with the number of payouts, not with that of postings.
#[derive(Default)]
pub struct Payouts {
    folded: BTreeMap<Book, BTreeMap<(i64, String), Folded>>,
    /// What the last payout of each pot left in it, and its last period.
    left: BTreeMap<(Book, PayoutKind), (i64, i64)>,
}

/// What one cause moved in one period.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Folded {
    debit_minor: i128,
    debit_count: i128,
    credit_minor: i128,
    credit_count: i128,
}

impl Folded {
    fn add(&mut self, other: Self) {
        self.debit_minor += other.debit_minor;
        self.debit_count += other.debit_count;
        self.credit_minor += other.credit_minor;
        self.credit_count += other.credit_count;
    }

    fn text(self) -> String {
        format!("-{} in {}, +{} in {}", self.debit_minor, self.debit_count, self.credit_minor, self.credit_count)
    }
}

impl From<Sums> for Folded {
    fn from(sums: Sums) -> Self {
        Self {
            debit_minor: sums.debit_minor.into(),
            debit_count: sums.debit_count.into(),
            credit_minor: sums.credit_minor.into(),
            credit_count: sums.credit_count.into(),
        }
    }
}

impl Payouts {
    /// What was posted on the available money: out by debits, in by credits.
    pub fn posted(
        &mut self,
        (merchant_id, currency): (i64, &str),
        (period, cause): (i64, &str),
        is_debit: bool,
        (minor, count): (i128, i128),
    ) {
        let folded = if is_debit {
            Folded { debit_minor: minor, debit_count: count, ..Folded::default() }
        } else {
            Folded { credit_minor: minor, credit_count: count, ..Folded::default() }
        };
        let book = self.folded.entry((merchant_id, currency.to_owned())).or_default();
        book.entry((period, cause.to_owned())).or_default().add(folded);
    }

    /// A payout, when all postings are folded; payouts come in the order of their ids.
    pub fn payout(&mut self, findings: &mut Findings, payout: &Payout) {
        findings.turn_to(BEHIND_ALL, Step::Payouts, 0);
        let book = (payout.merchant_id.get(), payout.amount.currency().code().to_owned());
        let Payout { statement, kind, .. } = payout;
        let preparing = cause_of_preparing(*kind);
        let first = statement.covers.iter().map(|part| part.first_period).min().unwrap_or(0);
        let mut movements = self.moved(&book, first..=statement.last_period(), |cause, period| statement.is_line(cause, period));
        let set_aside = movements.remove(preparing).unwrap_or_default();
        self.expect_movements(findings, "payout_statement_is_fold_of_postings", &payout.id.to_string(), (&statement.movements, movements));
        let row = || payout.id.to_string();
        findings.expect_number("payout_is_its_posting", row, payout.amount.minor(), set_aside.debit_minor - set_aside.credit_minor);
        let net: i128 = statement.movements.values().map(|sums| i128::from(sums.credit_minor) - i128::from(sums.debit_minor)).sum();
        findings.expect_number("payout_statement_adds_up", row, statement.closing_minor, i128::from(statement.opening_minor) + net);
        self.follow(findings, payout, &book);
    }

    /// What was added up for the next payouts, and the balance that it stands beside.
    pub fn pots(&mut self, findings: &mut Findings, (merchant_id, currency): (i64, &str), balance_minor: i64, pots: &Pots) {
        findings.turn_to(BEHIND_ALL, Step::Pots, 0);
        let book = (merchant_id, currency.to_owned());
        let row = format!("{} available {currency}", MerchantId::new(merchant_id));
        for kind in PayoutKind::ALL {
            let pot = pots.pot(kind);
            let movements = self.moved(&book, pot.first_period..=pots.period, |cause, _| pot_of(cause) == kind);
            self.expect_movements(findings, "turnover_is_fold_of_postings", &row, (&pot.movements, movements));
        }
        let sum = i128::from(pots.trade.balance_minor()) + i128::from(pots.reserve.balance_minor());
        findings.expect_number("turnovers_are_the_balance", || row.clone(), sum, balance_minor);
    }

    fn moved(&self, book: &Book, periods: RangeInclusive<i64>, is_wanted: impl Fn(&str, i64) -> bool) -> BTreeMap<String, Folded> {
        let mut moved: BTreeMap<String, Folded> = BTreeMap::new();
        let range = (*periods.start(), String::new())..(periods.end().saturating_add(1), String::new());
        for ((period, cause), folded) in self.folded.get(book).into_iter().flat_map(|book| book.range(range.clone())) {
            if is_wanted(cause, *period) {
                moved.entry(cause.clone()).or_default().add(*folded);
            }
        }
        moved
    }

    fn expect_movements(
        &self,
        findings: &mut Findings,
        rule: &'static str,
        row: &str,
        (found, mut expected): (&BTreeMap<String, Sums>, BTreeMap<String, Folded>),
    ) {
        for (cause, sums) in found {
            let expected = expected.remove(cause).unwrap_or_default();
            let found = Folded::from(*sums);
            if found != expected {
                findings.expect(rule, format!("{row} {cause}"), found.text(), expected.text());
            }
        }
        for (cause, expected) in expected {
            findings.expect(rule, format!("{row} {cause}"), "nothing", expected.text());
        }
    }

    /// A statement begins with what the one before it left.
    fn follow(&mut self, findings: &mut Findings, payout: &Payout, book: &Book) {
        let Statement { opening_minor, closing_minor, covers, .. } = &payout.statement;
        let mut before = Some(0);
        for part in covers {
            let known = self.left.get(&(book.clone(), part.pot)).copied();
            match known {
                Some((left, last_period)) => {
                    before = before.map(|before| before + i128::from(left));
                    let row = || format!("{} {}", payout.id, part.pot.word());
                    findings.expect_number("payout_periods_have_no_gap", row, part.first_period, last_period + 1);
                }
                // The account may have stood anywhere before statements were kept.
                None if part.pot == PayoutKind::Trade => before = None,
                None => {}
            }
            let left = if part.pot == payout.kind { closing_minor.saturating_sub(payout.amount.minor()) } else { 0 };
            self.left.insert((book.clone(), part.pot), (left, part.last_period));
        }
        if let Some(before) = before {
            findings.expect_number("payout_begins_where_the_one_before_ended", || payout.id.to_string(), *opening_minor, before);
        }
    }
}
