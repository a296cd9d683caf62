//! An acquirer that lies as real ones do: it times out before or after it paid, answers late, twice or never, and sends numbers and bounces out
//! of order. Its own book survives our crashes, and the auditor compares it with ours. One variant recognises a refund id that comes again;
//! the other pays again.

mod book;

use std::sync::Arc;

use futures::future::BoxFuture;
use refundry_engine::refund::{AcquirerAnswer, Arn};
use refundry_engine::{RefundId, Timestamp};
use refundry_service::acquirer::{Acquirer, AcquirerReport, Asked, SubmittedRefund};
use refundry_service::world::Clock as _;

use crate::clock::VirtualClock;
use crate::dice::Dice;
use crate::trace::Trace;

pub use book::{AcquirerBook, Fate, Received};

/// Milliseconds after which nothing that was sent can still arrive.
pub const UNKNOWN_IS_FINAL_AFTER_MS: i64 = 90_000;
/// The longest that a submission is on its way.
const ON_ITS_WAY_MS_MAX: i64 = 45_000;

/// One acquirer of the installation.
pub struct LyingAcquirer {
    /// How it is configured.
    pub name: &'static str,
    /// Whether it pays a refund id only once.
    pub recognises_duplicates: bool,
    /// What it did; shared with the auditor.
    pub book: Arc<AcquirerBook>,
    /// The time.
    pub clock: VirtualClock,
    /// Where it writes what it does.
    pub trace: Trace,
    /// The seed of the run.
    pub seed: u64,
}

/// What happens to one submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conduct {
    /// Done and answered.
    Prompt,
    /// Done, answered after some time, perhaps too late.
    Slow,
    /// It never arrives, and we learn that.
    NeverArrives,
    /// It never arrives, and we do not learn that.
    LostOnTheWay,
    /// It arrives later than we wait.
    Straggles,
    /// Done, and the answer is lost.
    AnswerLost,
    /// Taken; the result comes as a report, perhaps twice, perhaps only when asked.
    Reported,
}

impl LyingAcquirer {
    /// Chosen by the merchant's number, so that a plan that is cut down meets the same conduct.
    fn dice(&self, submission: &SubmittedRefund, purpose: &str) -> Dice {
        Dice::new(self.seed, &format!("{purpose} {} {} {}", self.name, submission.number, submission.attempt))
    }

    fn conduct(&self, dice: &mut Dice) -> Conduct {
        if self.book.is_honest() {
            return Conduct::Prompt;
        }
        match dice.below(100) {
            0..40 => Conduct::Prompt,
            40..52 => Conduct::Slow,
            52..60 => Conduct::NeverArrives,
            60..68 => Conduct::LostOnTheWay,
            68..76 => Conduct::Straggles,
            76..88 => Conduct::AnswerLost,
            _ => Conduct::Reported,
        }
    }

    async fn take(&self, submission: &SubmittedRefund) -> AcquirerAnswer {
        let mut dice = self.dice(submission, "conduct");
        let conduct = self.conduct(&mut dice);
        let now = self.clock.now();
        self.trace.line(&format!("{} <- {} attempt {}: {conduct:?}", self.name, submission.refund_id, submission.attempt));
        self.book.note_submission(submission, !matches!(conduct, Conduct::NeverArrives | Conduct::LostOnTheWay), now);
        match conduct {
            Conduct::Prompt => self.execute(submission),
            Conduct::Slow => {
                let answer = self.execute(submission);
                self.clock.sleep_until(now.plus_ms(dice.between(1, 30_000))).await;
                answer
            }
            Conduct::NeverArrives => AcquirerAnswer::NeverSent,
            Conduct::LostOnTheWay => AcquirerAnswer::Unclear,
            Conduct::Straggles => {
                self.book.on_its_way(now.plus_ms(dice.between(1, ON_ITS_WAY_MS_MAX)), self.name, submission.clone());
                AcquirerAnswer::Unclear
            }
            Conduct::AnswerLost => {
                self.execute(submission);
                self.clock.sleep_until(now.plus_ms(dice.between(0, 20_000))).await;
                AcquirerAnswer::Unclear
            }
            Conduct::Reported => {
                let answer = self.execute(submission);
                for _ in 0..dice.below(3) {
                    self.book.report_at(now.plus_ms(dice.between(0, 120_000)), self.name, result(submission, answer.clone()));
                }
                AcquirerAnswer::Acknowledged { reference: reference(submission) }
            }
        }
    }

    /// Decides once per refund, and pays: once, or as often as it is told when it does not know duplicates.
    pub fn execute(&self, submission: &SubmittedRefund) -> AcquirerAnswer {
        // The fate of a refund does not depend on the attempt that brings it.
        let mut dice = Dice::new(self.seed, &format!("fate {} {}", self.name, submission.number));
        let declines = dice.percent(15);
        let again = self.book.is_decided(submission.refund_id);
        if declines {
            self.book.decide(submission, Fate::Declined);
            return AcquirerAnswer::Declined { code: "05".to_owned(), text: "Do not honour".to_owned() };
        }
        if !(again && self.recognises_duplicates) {
            self.book.decide(submission, Fate::Paid);
            self.trace.line(&format!("{} pays {} {}", self.name, submission.refund_id, submission.amount));
        }
        let arn = arn_of(submission.refund_id);
        let arn_at_once = dice.percent(30).then(|| arn.clone());
        if !again && !self.book.is_honest() {
            self.promise_later_news(submission, arn, &mut dice);
        }
        AcquirerAnswer::Approved { reference: reference(submission), arn: arn_at_once }
    }

    /// The network's number and a bounce, each said several times and at any time, also before we know of the success.
    fn promise_later_news(&self, submission: &SubmittedRefund, arn: Arn, dice: &mut Dice) {
        let now = self.clock.now();
        let (merchant_id, refund_id) = (submission.merchant_id, submission.refund_id);
        for _ in 0..dice.below(4) {
            let report = AcquirerReport::Arn { merchant_id, refund_id, arn: arn.clone() };
            self.book.report_at(now.plus_ms(dice.between(0, 600_000)), self.name, report);
        }
        if dice.percent(12) {
            self.book.note_bounce(refund_id);
            for _ in 0..3 {
                let report = AcquirerReport::Returned { merchant_id, refund_id, reason: "account closed".to_owned() };
                self.book.report_at(now.plus_ms(dice.between(0, 900_000)), self.name, report);
            }
        }
    }

    fn reply(&self, submission: &SubmittedRefund) -> Asked {
        let mut dice = self.dice(submission, &format!("reply {}", self.book.count_question(submission.refund_id)));
        if !self.book.is_honest() && dice.percent(25) {
            return Asked::Answer(AcquirerAnswer::Unclear);
        }
        match self.book.fate(submission.refund_id) {
            Some(Fate::Paid) => {
                let arn = dice.percent(50).then(|| arn_of(submission.refund_id));
                Asked::Answer(AcquirerAnswer::Approved { reference: reference(submission), arn })
            }
            Some(Fate::Declined) => Asked::Answer(AcquirerAnswer::Declined { code: "05".to_owned(), text: "Do not honour".to_owned() }),
            None => Asked::Unknown,
        }
    }
}

impl Acquirer for LyingAcquirer {
    fn submit<'a>(&'a self, submission: &'a SubmittedRefund) -> BoxFuture<'a, AcquirerAnswer> {
        Box::pin(self.take(submission))
    }

    fn ask<'a>(&'a self, submission: &'a SubmittedRefund) -> BoxFuture<'a, Asked> {
        Box::pin(async move {
            let mut dice = self.dice(submission, "question");
            if !self.book.is_honest() && dice.percent(20) {
                self.clock.sleep_until(self.clock.now().plus_ms(dice.between(1, 20_000))).await;
            }
            let asked = self.reply(submission);
            self.trace.line(&format!("{} asked about {}: {asked:?}", self.name, submission.refund_id));
            asked
        })
    }

    fn recognises_duplicates(&self) -> bool {
        self.recognises_duplicates
    }

    fn unknown_is_final_after_ms(&self) -> i64 {
        UNKNOWN_IS_FINAL_AFTER_MS
    }

    fn next_report(&self) -> BoxFuture<'_, AcquirerReport> {
        Box::pin(async move {
            loop {
                if let Some(report) = self.book.take_report(self.name, self.clock.now()) {
                    return report;
                }
                // Reports are rare, and a report that waits a little is nothing new for an acquirer.
                let next = self.book.next_report_at(self.name).unwrap_or(Timestamp::from_us(i64::MAX));
                let look_again = self.clock.now().plus_ms(if self.book.is_patient() { 3_600_000 } else { 20_000 });
                self.clock.sleep_until(next.min(look_again)).await;
            }
        })
    }
}

fn arn_of(refund_id: RefundId) -> Arn {
    format!("7{:022}", refund_id.get()).parse().expect("23 digits are an ARN")
}

fn reference(submission: &SubmittedRefund) -> Option<String> {
    Some(format!("acq-{}", submission.refund_id))
}

fn result(submission: &SubmittedRefund, answer: AcquirerAnswer) -> AcquirerReport {
    let SubmittedRefund { merchant_id, refund_id, attempt, .. } = *submission;
    AcquirerReport::Result { merchant_id, refund_id, attempt, answer }
}
