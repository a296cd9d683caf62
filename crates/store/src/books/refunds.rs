use std::collections::BTreeMap;

use refundry_engine::payment::Payment;
use refundry_engine::refund::{Refund, RefundState, RefundStateName};
use refundry_engine::{MerchantId, RefundId};
use refundry_ledger::Currency;

use super::findings::{Findings, Step};

/// What the refunds that a payment names sum up to.
#[derive(Default)]
pub struct Sums {
    /// How many of the refunds that it names are there and its own; those that do not count too.
    pub named: i128,
    /// Amounts of those that count.
    pub refunded: i128,
    /// Their marketing parts.
    pub marketing: i128,
    /// Their number.
    pub count: i128,
    /// The fees that they gave back.
    pub fee_given_back: i128,
}

impl Sums {
    /// A payment names its refunds, its running sums are theirs, and they stay within what was captured.
    pub fn check(&self, findings: &mut Findings, payment: &Payment, refund_ids: &str) {
        findings.report.payments += 1;
        findings.turn_to(payment.merchant_id.get(), Step::Payments, payment.id.get());
        let row = || payment.id.to_string();
        findings.expect_number("payment_names_its_refunds", row, refund_ids.matches(',').count() as i128, self.named);
        findings.expect_number("payment_refunded_is_sum_of_refunds", row, payment.refunded.minor(), self.refunded);
        findings.expect_number("payment_marketing_is_sum_of_refunds", row, payment.refunded_marketing.minor(), self.marketing);
        findings.expect_number("payment_refund_count_is_count_of_refunds", row, payment.refund_count, self.count);
        findings.expect_number("payment_fee_given_back_is_sum_of_refunds", row, payment.fee_given_back.minor(), self.fee_given_back);
        if self.refunded > i128::from(payment.captured.minor()) {
            findings.expect("refunds_are_within_captured", row(), self.refunded, format!("at most {}", payment.captured.minor()));
        }
        if self.marketing > i128::from(payment.marketing.minor()) {
            findings.expect("refunds_are_within_marketing", row(), self.marketing, format!("at most {}", payment.marketing.minor()));
        }
    }
}

/// Whether a refund in this state counts against its payment.
pub const fn counts(state: RefundStateName) -> bool {
    match state {
        RefundStateName::Pending | RefundStateName::Submitted | RefundStateName::Unresolved | RefundStateName::Succeeded => true,
        RefundStateName::Failed | RefundStateName::Cancelled | RefundStateName::Returned => false,
    }
}

/// The payments of a merchant name all its refunds.
pub fn refunds_named(findings: &mut Findings, merchant_id: i64, named: i128, refunds: i64) {
    findings.turn_to(merchant_id, Step::RefundsNamed, 0);
    findings.expect_number("payments_name_all_refunds", || MerchantId::new(merchant_id).to_string(), named, refunds);
}

/// How many rows there are beside a refund.
pub struct RefundBeside {
    /// Tasks that are its next step.
    pub steps: i64,
    /// Payments that are its own.
    pub payments: i64,
    /// Events of those that it names that are there and about it.
    pub events: i64,
    /// Events that it names.
    pub named: i64,
}

/// A refund that could be read has a payment, and a next step unless it is over or a person has to decide.
pub fn refund(findings: &mut Findings, refund: &Refund, beside: &RefundBeside, waiting: &mut Waiting) {
    findings.report.refunds += 1;
    findings.turn_to(refund.merchant_id.get(), Step::Refunds, refund.id.get());
    let (in_review, waits) = match &refund.state {
        RefundState::Pending { holds } => (holds.review.is_some(), holds.funds.is_some()),
        RefundState::Submitted { .. }
        | RefundState::Unresolved { .. }
        | RefundState::Succeeded { .. }
        | RefundState::Failed { .. }
        | RefundState::Cancelled { .. }
        | RefundState::Returned { .. } => (false, false),
    };
    if waits {
        *waiting.0.entry((refund.merchant_id.get(), refund.funding_currency())).or_default() += 1;
    }
    let row = || refund.id.to_string();
    if !in_review || beside.steps > 1 {
        findings.expect_number("refund_has_one_next_step", row, beside.steps, i64::from(!refund.state.is_final()));
    }
    findings.expect_number("refund_has_its_payment", row, beside.payments, 1);
    findings.expect_number("refund_names_its_events", row, beside.named, beside.events);
}

/// The refunds of a merchant name all events that are about refunds.
pub fn events_named(findings: &mut Findings, merchant_id: i64, named: i128, events: i64) {
    findings.turn_to(merchant_id, Step::EventsNamed, 0);
    findings.expect_number("refunds_name_all_events", || MerchantId::new(merchant_id).to_string(), named, events);
}

/// Refunds that wait for money, by merchant and currency, and not compared yet.
#[derive(Default)]
pub struct Waiting(BTreeMap<(i64, Currency), i128>);

impl Waiting {
    /// Refunds that wait are as many as is counted. Counters come in the order of their names.
    pub fn counter(&mut self, findings: &mut Findings, (merchant_id, currency): (i64, Currency), counted: i64) {
        let expected = self.0.remove(&(merchant_id, currency)).unwrap_or(0);
        findings.turn_to(merchant_id, Step::Waiting, 0);
        findings.expect_number("waiting_is_count_of_refunds", || format!("{} {currency}", MerchantId::new(merchant_id)), counted, expected);
    }

    /// Those for which there was no counter.
    pub fn finish(self, findings: &mut Findings) {
        for ((merchant_id, currency), expected) in self.0 {
            findings.turn_to(merchant_id, Step::WaitingUncounted, 0);
            findings.expect_number("waiting_is_count_of_refunds", || format!("{} {currency}", MerchantId::new(merchant_id)), 0, expected);
        }
    }
}

/// What was accepted for a key is not there.
pub fn key_without_refund(findings: &mut Findings, merchant_id: i64, number: &str, refund_id: i64) {
    findings.turn_to(merchant_id, Step::Keys, 0);
    let row = format!("{} {number}", MerchantId::new(merchant_id));
    findings.expect("remembered_key_has_its_refund", row, "no refund", RefundId::new(refund_id));
}

/// No key leads to a refund.
pub fn refund_without_key(findings: &mut Findings, merchant_id: i64, refund_id: i64) {
    findings.turn_to(merchant_id, Step::KeysOfRefunds, refund_id);
    findings.expect("refund_has_its_key", RefundId::new(refund_id), "no key", "a key");
}
