//! An acquirer of play money: every outcome on demand, by the amount. It keeps nothing, so a restarted server finds it as it was: what became
//! of a submission follows from the submission alone. `docs/operating/acquirers.md` shows the table to people.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{BoxFuture, Either, select};
use refundry_engine::refund::{AcquirerAnswer, Arn};
use refundry_engine::{RefundId, Timestamp};
use tokio::sync::Notify;

use crate::acquirer::{Acquirer, AcquirerReport, Asked, SubmittedRefund};
use crate::world::Clock;

/// Milliseconds that a slow approval takes.
pub const SLOW_MS: i64 = 5_000;
/// Milliseconds after which what comes later comes: reports, numbers, bounces.
pub const LATER_MS: i64 = 2_000;
/// Reports that wait at most; more are dropped, and asking finds the same.
pub const REPORTS_MAX: usize = 100_000;

/// What the last four digits of an amount in minor units make happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Any other amount: approved at once, without a number.
    Approve,
    /// 9001: declined with code 05.
    Decline,
    /// 9002: declined with code 14, no such card.
    DeclineNoCard,
    /// 9003: approved after five seconds.
    Slow,
    /// 9004: no answer; asked, it had approved.
    UnclearThenApproved,
    /// 9005: no answer; asked, it had declined.
    UnclearThenDeclined,
    /// 9006: the first two attempts never arrive, the third is approved.
    NeverSentTwice,
    /// 9007: approved, the number comes two seconds later.
    ArnLater,
    /// 9008: approved with its number.
    ArnAtOnce,
    /// 9009: approved, bounces two seconds later.
    Bounce,
    /// 9010: taken; approved two seconds later, said twice.
    ReportedTwice,
    /// 9011: taken; approved two seconds later, but only if asked.
    OnlyWhenAsked,
    /// 9012: taken; declined two seconds later.
    DeclinedLater,
    /// 9013: taken; approved two seconds later, and the number comes two seconds after that.
    ApprovedThenArn,
}

/// The rules with their digits, as the documentation lists them.
pub const RULES: &[(i64, Rule)] = &[
    (9001, Rule::Decline),
    (9002, Rule::DeclineNoCard),
    (9003, Rule::Slow),
    (9004, Rule::UnclearThenApproved),
    (9005, Rule::UnclearThenDeclined),
    (9006, Rule::NeverSentTwice),
    (9007, Rule::ArnLater),
    (9008, Rule::ArnAtOnce),
    (9009, Rule::Bounce),
    (9010, Rule::ReportedTwice),
    (9011, Rule::OnlyWhenAsked),
    (9012, Rule::DeclinedLater),
    (9013, Rule::ApprovedThenArn),
];

/// The rule for an amount.
pub fn rule_for(amount_minor: i64) -> Rule {
    let digits = amount_minor.rem_euclid(10_000);
    RULES.iter().find_map(|(known, rule)| (*known == digits).then_some(*rule)).unwrap_or(Rule::Approve)
}

/// What the last four digits of what a shopper is to pay make happen with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRule {
    /// Any other amount: paid at once.
    Pay,
    /// 9101: the payment fails.
    Fail,
    /// 9102: nobody pays; it waits until it is closed or its time is over.
    StayWaiting,
    /// 9103: paid two seconds later.
    PayLater,
}

/// The rules of orders with their digits, as the documentation lists them.
pub const ORDER_RULES: &[(i64, OrderRule)] = &[(9101, OrderRule::Fail), (9102, OrderRule::StayWaiting), (9103, OrderRule::PayLater)];

/// The rule for what a shopper is to pay.
pub fn order_rule_for(amount_minor: i64) -> OrderRule {
    let digits = amount_minor.rem_euclid(10_000);
    ORDER_RULES.iter().find_map(|(known, rule)| (*known == digits).then_some(*rule)).unwrap_or(OrderRule::Pay)
}

/// What the end of a share's number makes happen with it in the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareRule {
    /// Any other number: the receivers get their money.
    Succeed,
    /// `_RUNNING`: it runs until somebody ends it by hand.
    StayRunning,
    /// `_FAIL`: it fails.
    Fail,
}

/// The rules of shares with the ends of their numbers, as the documentation lists them.
pub const SHARE_RULES: &[(&str, ShareRule)] = &[("_RUNNING", ShareRule::StayRunning), ("_FAIL", ShareRule::Fail)];

/// The rule for a share's number.
pub fn share_rule_for(number: &str) -> ShareRule {
    SHARE_RULES.iter().find_map(|(end, rule)| number.ends_with(end).then_some(*rule)).unwrap_or(ShareRule::Succeed)
}

/// An acquirer of play money.
pub struct Simulated {
    clock: Arc<dyn Clock>,
    later: Mutex<BTreeMap<(Timestamp, RefundId, u8), AcquirerReport>>,
    added: Notify,
}

impl Simulated {
    /// On this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, later: Mutex::default(), added: Notify::new() }
    }

    fn report_later(&self, reports: Vec<AcquirerReport>) {
        self.report_in(LATER_MS, reports);
    }

    fn report_in(&self, ms: i64, reports: Vec<AcquirerReport>) {
        let at = self.clock.now().plus_ms(ms);
        let mut later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, report) in reports.into_iter().enumerate() {
            if later.len() < REPORTS_MAX {
                later.insert((at, refund_of(&report), u8::try_from(place).unwrap_or(u8::MAX)), report);
            }
        }
        drop(later);
        self.added.notify_one();
    }

    fn take_due(&self) -> Result<AcquirerReport, Option<Timestamp>> {
        let mut later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(((at, ..), _)) = later.first_key_value() else { return Err(None) };
        if *at > self.clock.now() {
            return Err(Some(*at));
        }
        later.pop_first().map(|(_, report)| report).ok_or(None)
    }
}

impl Acquirer for Simulated {
    fn submit<'a>(&'a self, submission: &'a SubmittedRefund) -> BoxFuture<'a, AcquirerAnswer> {
        Box::pin(async move {
            match rule_for(submission.amount.minor()) {
                Rule::Approve => approved(submission, None),
                Rule::Decline => declined("05", "Do not honour"),
                Rule::DeclineNoCard => declined("14", "No such card"),
                Rule::Slow => {
                    self.clock.sleep_until(self.clock.now().plus_ms(SLOW_MS)).await;
                    approved(submission, None)
                }
                Rule::UnclearThenApproved | Rule::UnclearThenDeclined => AcquirerAnswer::Unclear,
                Rule::NeverSentTwice if submission.attempt <= 2 => AcquirerAnswer::NeverSent,
                Rule::NeverSentTwice => approved(submission, None),
                Rule::ArnLater => {
                    self.report_later(vec![arn_report(submission)]);
                    approved(submission, None)
                }
                Rule::ArnAtOnce => approved(submission, Some(arn_of(submission.refund_id))),
                Rule::Bounce => {
                    self.report_later(vec![bounce_report(submission)]);
                    approved(submission, None)
                }
                Rule::ReportedTwice => {
                    let report = result_report(submission, approved(submission, None));
                    self.report_later(vec![report.clone(), report]);
                    acknowledged(submission)
                }
                Rule::OnlyWhenAsked => acknowledged(submission),
                Rule::ApprovedThenArn => {
                    self.report_later(vec![result_report(submission, approved(submission, None))]);
                    self.report_in(2 * LATER_MS, vec![arn_report(submission)]);
                    acknowledged(submission)
                }
                Rule::DeclinedLater => {
                    self.report_later(vec![result_report(submission, declined("61", "Above the limit"))]);
                    acknowledged(submission)
                }
            }
        })
    }

    fn ask<'a>(&'a self, submission: &'a SubmittedRefund) -> BoxFuture<'a, Asked> {
        let ripe = self.clock.now() >= submission.submitted_at.plus_ms(LATER_MS);
        let answer = match rule_for(submission.amount.minor()) {
            Rule::Approve | Rule::Slow | Rule::UnclearThenApproved | Rule::NeverSentTwice | Rule::ArnLater | Rule::Bounce => {
                approved(submission, None)
            }
            Rule::ArnAtOnce => approved(submission, Some(arn_of(submission.refund_id))),
            Rule::Decline => declined("05", "Do not honour"),
            Rule::DeclineNoCard => declined("14", "No such card"),
            Rule::UnclearThenDeclined => declined("05", "Do not honour"),
            Rule::ReportedTwice | Rule::OnlyWhenAsked | Rule::ApprovedThenArn if ripe => approved(submission, None),
            Rule::DeclinedLater if ripe => declined("61", "Above the limit"),
            Rule::ReportedTwice | Rule::OnlyWhenAsked | Rule::ApprovedThenArn | Rule::DeclinedLater => acknowledged(submission),
        };
        Box::pin(async move { Asked::Answer(answer) })
    }

    fn recognises_duplicates(&self) -> bool {
        true
    }

    fn unknown_is_final_after_ms(&self) -> i64 {
        SLOW_MS
    }

    fn next_report(&self) -> BoxFuture<'_, AcquirerReport> {
        Box::pin(async move {
            loop {
                match self.take_due() {
                    Ok(report) => return report,
                    Err(None) => self.added.notified().await,
                    Err(Some(at)) => {
                        // A report that is due earlier may be added while this one is waited for.
                        let added = std::pin::pin!(self.added.notified());
                        match select(self.clock.sleep_until(at), added).await {
                            Either::Left(_) | Either::Right(_) => {}
                        }
                    }
                }
            }
        })
    }
}

const fn refund_of(report: &AcquirerReport) -> RefundId {
    match report {
        AcquirerReport::Result { refund_id, .. } | AcquirerReport::Arn { refund_id, .. } | AcquirerReport::Returned { refund_id, .. } => {
            *refund_id
        }
    }
}

fn approved(submission: &SubmittedRefund, arn: Option<Arn>) -> AcquirerAnswer {
    AcquirerAnswer::Approved { reference: Some(reference_of(submission)), arn }
}

fn acknowledged(submission: &SubmittedRefund) -> AcquirerAnswer {
    AcquirerAnswer::Acknowledged { reference: Some(reference_of(submission)) }
}

fn declined(code: &str, text: &str) -> AcquirerAnswer {
    AcquirerAnswer::Declined { code: code.to_owned(), text: text.to_owned() }
}

fn reference_of(submission: &SubmittedRefund) -> String {
    format!("sim-{}", submission.refund_id)
}

/// 23 digits that follow from the refund's id.
fn arn_of(refund_id: RefundId) -> Arn {
    format!("7{:022}", refund_id.get()).parse().expect("23 digits are an ARN")
}

fn arn_report(submission: &SubmittedRefund) -> AcquirerReport {
    AcquirerReport::Arn { merchant_id: submission.merchant_id, refund_id: submission.refund_id, arn: arn_of(submission.refund_id) }
}

fn bounce_report(submission: &SubmittedRefund) -> AcquirerReport {
    let reason = "the receiving account is closed".to_owned();
    AcquirerReport::Returned { merchant_id: submission.merchant_id, refund_id: submission.refund_id, reason }
}

fn result_report(submission: &SubmittedRefund, answer: AcquirerAnswer) -> AcquirerReport {
    let (merchant_id, refund_id, attempt) = (submission.merchant_id, submission.refund_id, submission.attempt);
    AcquirerReport::Result { merchant_id, refund_id, attempt, answer }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_in_the_documents_and_nothing_else() {
        for page in [include_str!("../../../../docs/operating/acquirers.md"), include_str!("../../../../docs/operating/acquirers.zh.md")] {
            let rows = page.lines().filter_map(|line| line.strip_prefix("| ")).filter_map(|row| row.split(' ').next());
            let shown: Vec<i64> = rows.filter_map(|digits| digits.parse().ok()).collect();
            let rules: Vec<i64> = RULES.iter().map(|(digits, _)| *digits).collect();
            assert_eq!(shown, rules);
            let orders = page.lines().filter_map(|line| line.strip_prefix("| …")).filter_map(|row| row.split(' ').next());
            let shown: Vec<i64> = orders.filter_map(|digits| digits.parse().ok()).collect();
            assert_eq!(shown, ORDER_RULES.iter().map(|(digits, _)| *digits).collect::<Vec<_>>());
            let shares: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("| `…")?.split('`').next()).collect();
            assert_eq!(shares, SHARE_RULES.iter().map(|(end, _)| *end).collect::<Vec<_>>());
        }
        for (digits, rule) in RULES {
            assert_eq!((rule_for(*digits), rule_for(120_000 + digits)), (*rule, *rule));
        }
        assert_eq!((rule_for(1_000), rule_for(90_010)), (Rule::Approve, Rule::Approve));
    }
}
