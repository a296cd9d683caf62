//! The books: each sums to zero, and what must stand on its accounts follows from payments, refunds and payments-in.

use std::collections::BTreeMap;

use refundry_engine::payment::PaymentStatus;
use refundry_engine::refund::RefundState;
use refundry_ledger::Currency;

use super::adjustments::Adjusted;
use super::disputes::ChargedBack;
use super::foreign::CLEARING;
use super::payouts::PaidOut;
use super::shares::Moved;
use super::{Model, Reader, Violation, must};

/// Balances by currency and the name of the account: the auditor does not share the engine's chart of accounts.
type Found = BTreeMap<(Currency, &'static str), i64>;

/// Where payments-in are debited.
const OPERATORS: &str = "operator_cash";

/// Where the merchant's money stands. What is between two currencies has left the one and has come to the other: in each of them nothing is lost.
const OWED: [&str; 5] = ["unsettled", "available", "reserve", "fixed_reserve", CLEARING];

/// What the auditor expects of one book.
#[derive(Debug, Default)]
struct Expected {
    in_flight: i64,
    receivable: i64,
    /// What the merchant is owed in all, wherever it stands, without what was paid in.
    owed: i64,
    fees: i64,
    /// What came to the merchant by shares, less what went.
    moved: i64,
    /// Taken by banks, and not decided.
    charged_back: i64,
    /// What is beyond a capture.
    exposed: i64,
}

impl Model {
    /// Compares every book with what happened.
    pub fn audit_money(&self, reader: &Reader<'_>, moved: &Moved) -> Result<(), Violation> {
        for merchant in 0..self.cast.len() {
            let merchant_id = self.cast[merchant].merchant;
            let mut found: Found = BTreeMap::new();
            let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
            for row in reader.balances(merchant_id)? {
                found.insert((row.currency, row.account.name()), row.minor);
                *sums.entry(row.currency).or_default() += row.minor;
            }
            for (currency, sum) in &sums {
                must(*sum == 0, "books_sum_to_zero", || format!("merchant {merchant} in {} is off by {sum}", currency.code()))?;
            }
            let mut expected = self.expected(merchant, reader)?;
            for currency in sums.keys() {
                let book = expected.entry(*currency).or_default();
                book.moved = moved.get(&(merchant_id, *currency)).copied().unwrap_or(0);
                book.owed += book.moved;
            }
            let (paid_out, adjusted) = (self.paid_out(merchant, reader)?, self.adjusted(merchant, reader)?);
            for (currency, expected) in &expected {
                let balance = |account| found.get(&(*currency, account)).copied().unwrap_or(0);
                let PaidOut { set_aside, paid } = paid_out.get(currency).copied().unwrap_or_default();
                let Adjusted { given, of_fees } = adjusted.get(currency).copied().unwrap_or_default();
                let paid_in = paid - (given - of_fees) - balance(OPERATORS);
                let owed: i64 = OWED.into_iter().map(balance).sum();
                let checks = [
                    ("refunds_in_flight", expected.in_flight, "money_in_flight_is_that_of_open_refunds"),
                    ("acquirer_receivable", expected.receivable, "the_acquirer_owes_captures_less_refunds"),
                    ("fee_income", expected.fees - of_fees, "fees_are_those_of_payments_and_refunds"),
                    ("paid_out", set_aside, "payouts_are_set_aside_until_they_end"),
                    ("chargebacks", expected.charged_back, "open_chargebacks_are_set_aside"),
                    ("shares_due", -expected.moved, "what_is_shared_is_given_and_received"),
                    ("exposure", -expected.exposed, "what_is_beyond_a_capture_is_exposure"),
                ];
                for (account, wanted, rule) in checks {
                    let there = balance(account);
                    must(there == wanted, rule, || {
                        format!("merchant {merchant}, {account} {}: {there}, expected {wanted}", currency.code())
                    })?;
                }
                let wanted = expected.owed + paid_in + given - set_aside - paid;
                must(owed == wanted, "the_merchant_is_owed_captures_less_refunds", || {
                    format!("merchant {merchant} is owed {owed} {}, expected {wanted}: {found:?}", currency.code())
                })?;
                for account in ["unsettled", "reserve", "fixed_reserve"] {
                    let minor = balance(account);
                    must(minor >= 0, "what_is_held_is_never_below_zero", || format!("merchant {merchant}: {account} is {minor}"))?;
                }
            }
            self.audit_top_ups(merchant, &found, (&paid_out, &adjusted))?;
        }
        Ok(())
    }

    fn expected(&self, merchant: usize, reader: &Reader<'_>) -> Result<BTreeMap<Currency, Expected>, Violation> {
        let merchant_id = self.cast[merchant].merchant;
        let mut expected: BTreeMap<Currency, Expected> = BTreeMap::new();
        let (payments, refunds) = (reader.payments(merchant_id)?, reader.refunds(merchant_id)?);
        let clearing = reader.balances(merchant_id)?.into_iter().filter(|row| row.account.name() == CLEARING);
        self.audit_rates(merchant, (&payments, &refunds), &clearing.map(|row| (row.currency, row.minor)).collect())?;
        for (currency, ChargedBack { open, lost, fees, exposed }) in self.charged_back(merchant, reader, (&payments, &refunds))? {
            let book = expected.entry(currency).or_default();
            (book.charged_back, book.exposed) = (open, exposed);
            book.receivable += lost;
            book.owed -= open + lost - exposed + fees;
            book.fees += fees;
        }
        for payment in payments.into_iter().filter(|payment| payment.status == PaymentStatus::Captured) {
            let book = expected.entry(payment.captured.currency()).or_default();
            book.receivable -= payment.captured.minor() - payment.marketing.minor();
            book.owed += payment.captured.minor() - payment.fee.minor();
            book.fees += payment.fee.minor();
        }
        for refund in refunds {
            let book = expected.entry(refund.amount.currency()).or_default();
            let (amount, fee, given_back) = (refund.amount.minor(), refund.refund_fee.minor(), refund.fee_given_back.minor());
            let counts = match refund.state {
                RefundState::Succeeded { .. } => true,
                RefundState::Pending { .. } | RefundState::Submitted { .. } | RefundState::Unresolved { .. } => refund.drawn.is_some(),
                RefundState::Failed { .. } | RefundState::Cancelled { .. } | RefundState::Returned { .. } => false,
            };
            // The refund's own fee was earned when it had succeeded once.
            let is_earned = counts || matches!(refund.state, RefundState::Returned { .. });
            book.owed -= if counts { amount - given_back } else { 0 } + if is_earned { fee } else { 0 };
            book.fees += if is_earned { fee } else { 0 } - if counts { given_back } else { 0 };
            match refund.state {
                RefundState::Pending { .. } | RefundState::Submitted { .. } | RefundState::Unresolved { .. } => {
                    book.in_flight += if refund.drawn.is_some() { refund.amount.minor() } else { 0 };
                }
                RefundState::Succeeded { .. } => book.receivable += refund.amount.minor() - refund.marketing.minor(),
                RefundState::Failed { .. } | RefundState::Cancelled { .. } | RefundState::Returned { .. } => {}
            }
        }
        Ok(expected)
    }

    /// Acknowledged payments-in are booked once; of the others nobody knows yet.
    fn audit_top_ups(
        &self,
        merchant: usize,
        found: &Found,
        (paid_out, adjusted): (&BTreeMap<Currency, PaidOut>, &BTreeMap<Currency, Adjusted>),
    ) -> Result<(), Violation> {
        // What the operator's money was used for beside payments-in.
        let paid = |currency: &Currency| {
            let credits = adjusted.get(currency).map_or(0, |sums| sums.given - sums.of_fees);
            paid_out.get(currency).map_or(0, |sums| sums.paid) - credits
        };
        let mut bounds: BTreeMap<Currency, (i64, i64)> = BTreeMap::new();
        for top_up in self.top_ups.values().filter(|top_up| top_up.merchant == merchant) {
            let (least, most) = bounds.entry(top_up.amount.currency()).or_default();
            *most += top_up.amount.minor();
            *least += if top_up.acknowledged { top_up.amount.minor() } else { 0 };
        }
        for ((currency, account), minor) in found {
            let (least, most) = bounds.get(currency).copied().unwrap_or_default();
            let paid_in = paid(currency) - minor;
            must(*account != OPERATORS || (least..=most).contains(&paid_in), "a_payment_in_is_booked_once", || {
                format!("merchant {merchant}: {paid_in} {} was booked, {least} acknowledged, {most} asked for", currency.code())
            })?;
        }
        for (currency, (least, _)) in bounds {
            let paid_in = paid(&currency) - found.get(&(currency, OPERATORS)).copied().unwrap_or(0);
            must(paid_in >= least, "an_acknowledged_payment_in_is_never_lost", || format!("merchant {merchant}: {paid_in} of {least}"))?;
        }
        Ok(())
    }
}
