use std::collections::BTreeMap;

use refundry_engine::{MerchantId, chart};

use super::findings::{Findings, Step};

/// Money of all merchants stands behind the last of them in the report.
const BEHIND_ALL: i64 = i64::MAX;

/// Folds postings, and compares with them the balances that come afterwards: each is the fold of its postings, the book of a currency sums to
/// zero, and so does what is between the books of givers and receivers over all merchants.
#[derive(Default)]
pub struct Money {
    folded: BTreeMap<(i64, String, i64), i128>,
    books: BTreeMap<(i64, String), i128>,
    shares_due: BTreeMap<String, i128>,
}

impl Money {
    /// What was posted from one account to another.
    pub fn posted(&mut self, merchant_id: i64, currency: &str, (debit, credit): (i64, i64), minor: i128) {
        for (account, change) in [(debit, -minor), (credit, minor)] {
            *self.folded.entry((merchant_id, currency.to_owned(), account)).or_default() += change;
        }
    }

    /// A balance, when all postings are folded; balances come in the order of their key.
    pub fn balance(&mut self, findings: &mut Findings, (merchant_id, currency, account): (i64, &str, i64), minor: i64) {
        *self.books.entry((merchant_id, currency.to_owned())).or_default() += i128::from(minor);
        if account == i64::from(chart::SHARES_DUE.code()) {
            *self.shares_due.entry(currency.to_owned()).or_default() += i128::from(minor);
        }
        let expected = self.folded.remove(&(merchant_id, currency.to_owned(), account)).unwrap_or(0);
        findings.turn_to(BEHIND_ALL, Step::Balances, 0);
        findings.expect_number("balance_is_fold_of_postings", || name(merchant_id, currency, account), minor, expected);
    }

    /// What can only be said when all balances were seen.
    pub fn finish(self, findings: &mut Findings) {
        findings.turn_to(BEHIND_ALL, Step::BalancesMissing, 0);
        for ((merchant_id, currency, account), expected) in self.folded {
            findings.expect_number("balance_is_fold_of_postings", || name(merchant_id, &currency, account), 0, expected);
        }
        findings.turn_to(BEHIND_ALL, Step::Books, 0);
        for ((merchant_id, currency), sum) in self.books {
            findings.expect_number("book_sums_to_zero", || format!("{} {currency}", MerchantId::new(merchant_id)), sum, 0);
        }
        findings.turn_to(BEHIND_ALL, Step::SharesDue, 0);
        for (currency, sum) in self.shares_due {
            findings.expect_number("shares_due_sum_to_zero", || format!("all merchants {currency}"), sum, 0);
        }
    }
}

fn name(merchant_id: i64, currency: &str, account: i64) -> String {
    let known = u8::try_from(account).ok().and_then(chart::by_code);
    let account = known.map_or_else(|| account.to_string(), |account| account.name().to_owned());
    format!("{} {account} {currency}", MerchantId::new(merchant_id))
}
