use std::collections::BTreeMap;

use refundry_engine::payment::Payment;
use refundry_engine::share::{RefundSharing, Sharing};
use refundry_engine::{MerchantId, chart};

use super::findings::{Findings, Step};

/// Which payments may have an exposure: few, so that they are read whole.
pub const MAY_BE_EXPOSED: &str = "charged_back_minor > 0 OR refunded_minor > captured_minor OR settling LIKE '%\"claim\"%'";

/// Money of all merchants stands behind the last of them in the report.
const BEHIND_ALL: i64 = i64::MAX;

/// Folds postings, and compares with them the balances that come afterwards: each is the fold of its postings, the book of a currency sums to
/// zero, and so does what is between the books of givers and receivers over all merchants.
#[derive(Default)]
pub struct Money {
    folded: BTreeMap<(i64, String, i64), i128>,
    books: BTreeMap<(i64, String), i128>,
    shares_due: BTreeMap<String, i128>,
    left: BTreeMap<(i64, String), [i128; 4]>,
}

impl Money {
    /// What was posted from one account to another.
    pub fn posted(&mut self, merchant_id: i64, currency: &str, (debit, credit): (i64, i64), minor: i128) {
        for (account, change) in [(debit, -minor), (credit, minor)] {
            *self.folded.entry((merchant_id, currency.to_owned(), account)).or_default() += change;
        }
    }

    /// What payments say that is left of their unsettled money and of their reserve.
    pub fn left(&mut self, merchant_id: i64, currency: &str, [unsettled, reserve]: [i128; 2]) {
        let left = self.left.entry((merchant_id, currency.to_owned())).or_default();
        left[0] += unsettled;
        left[1] += reserve;
    }

    /// What a payment says that its receivers have unsettled of it, and what its giver advanced for them.
    pub fn shared(&mut self, giver_id: i64, currency: &str, sharing: &Sharing) {
        for (receiver_id, part) in &sharing.receivers {
            self.left(receiver_id.get(), currency, [part.unsettled_minor.into(), 0]);
        }
        // It is owed to the giver, so it stands on the other side.
        self.left.entry((giver_id, currency.to_owned())).or_default()[2] -= i128::from(sharing.advanced_minor);
    }

    /// What a payment says that its merchant owes for it.
    pub fn exposed(&mut self, payment: &Payment) {
        let book = (payment.merchant_id.get(), payment.currency().code().to_owned());
        self.left.entry(book).or_default()[3] -= i128::from(payment.exposure());
    }

    /// A refund that counts and whose money is not drawn yet: its advance is promised and not paid.
    pub fn promised(&mut self, giver_id: i64, currency: &str, of_shares: &RefundSharing) {
        self.left.entry((giver_id, currency.to_owned())).or_default()[2] += i128::from(of_shares.advance_minor);
    }

    /// What payments say is left sums up to what is posted, when all of both was seen.
    pub fn check_left(&mut self, findings: &mut Findings) {
        findings.turn_to(BEHIND_ALL, Step::Balances, 0);
        let rules = [
            ("unsettled_is_sum_of_payments", chart::UNSETTLED),
            ("reserve_is_sum_of_payments", chart::RESERVE),
            ("advances_is_sum_of_payments", chart::ADVANCES),
            ("exposure_is_sum_of_payments", chart::EXPOSURE),
        ];
        let posted = self.folded.keys().map(|(merchant_id, currency, _)| (*merchant_id, currency.clone()));
        let books: std::collections::BTreeSet<(i64, String)> = posted.chain(self.left.keys().cloned()).collect();
        for (merchant_id, currency) in books {
            let left = self.left.get(&(merchant_id, currency.clone())).copied().unwrap_or_default();
            for ((rule, account), left) in rules.into_iter().zip(left) {
                let account = i64::from(account.code());
                let posted = self.folded.get(&(merchant_id, currency.clone(), account)).copied().unwrap_or(0);
                findings.expect_number(rule, || name(merchant_id, &currency, account), left, posted);
            }
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
