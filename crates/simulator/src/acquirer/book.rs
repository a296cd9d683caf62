//! What an acquirer really received, decided and paid.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use refundry_engine::{RefundId, Timestamp};
use refundry_ledger::Money;
use refundry_service::acquirer::{AcquirerReport, SubmittedRefund};

/// How a refund ended at the acquirer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The shopper has the money.
    Paid,
    /// The shopper never gets it.
    Declined,
}

/// One submission as the acquirer saw it.
#[derive(Clone, Debug)]
pub struct Received {
    /// What was sent.
    pub submission: SubmittedRefund,
    /// Whether it arrives, now or later.
    pub arrives: bool,
    /// When it was sent.
    pub at: Timestamp,
}

/// The records of all acquirers of a run. They survive every crash of ours.
#[derive(Default)]
pub struct AcquirerBook(Mutex<State>);

#[derive(Default)]
struct State {
    honest: bool,
    patient: bool,
    submissions: Vec<Received>,
    unseen: usize,
    fates: BTreeMap<RefundId, Fate>,
    payments: BTreeMap<RefundId, Vec<Money>>,
    questions: BTreeMap<RefundId, u32>,
    bounces: std::collections::BTreeSet<RefundId>,
    on_their_way: BTreeMap<(Timestamp, u64), (&'static str, SubmittedRefund)>,
    reports: BTreeMap<(&'static str, Timestamp, u64), AcquirerReport>,
    last: u64,
}

impl AcquirerBook {
    /// From now on acquirers answer at once and tell the truth.
    pub fn become_honest(&self) {
        self.lock().honest = true;
    }

    /// Whether they do.
    pub fn is_honest(&self) -> bool {
        self.lock().honest
    }

    /// Days pass: reports are looked for less often.
    pub fn become_patient(&self) {
        self.lock().patient = true;
    }

    /// Whether days pass.
    pub fn is_patient(&self) -> bool {
        let book = self.lock();
        book.honest || book.patient
    }

    /// Writes down that a submission was sent.
    pub fn note_submission(&self, submission: &SubmittedRefund, arrives: bool, at: Timestamp) {
        self.lock().submissions.push(Received { submission: submission.clone(), arrives, at });
    }

    /// Submissions since the last look, each with those of the same refund before it.
    pub fn unseen_submissions(&self) -> Vec<(Received, Vec<Received>)> {
        let mut state = self.lock();
        let from = state.unseen;
        state.unseen = state.submissions.len();
        let earlier = |index: usize, refund_id| {
            state.submissions[..index].iter().filter(|received| received.submission.refund_id == refund_id).cloned().collect()
        };
        let seen = state.submissions.iter().enumerate().skip(from);
        seen.map(|(index, received)| (received.clone(), earlier(index, received.submission.refund_id))).collect()
    }

    /// Whether it was decided before.
    pub fn is_decided(&self, refund_id: RefundId) -> bool {
        self.lock().fates.contains_key(&refund_id)
    }

    /// How it ended.
    pub fn fate(&self, refund_id: RefundId) -> Option<Fate> {
        self.lock().fates.get(&refund_id).copied()
    }

    /// Ends a refund, or pays it once more.
    pub fn decide(&self, submission: &SubmittedRefund, fate: Fate) {
        let mut state = self.lock();
        state.fates.insert(submission.refund_id, fate);
        if fate == Fate::Paid {
            state.payments.entry(submission.refund_id).or_default().push(submission.amount);
        }
    }

    /// Everything that was paid.
    pub fn payments(&self) -> BTreeMap<RefundId, Vec<Money>> {
        self.lock().payments.clone()
    }

    /// Writes down that the money will come back.
    pub fn note_bounce(&self, refund_id: RefundId) {
        self.lock().bounces.insert(refund_id);
    }

    /// Whether the money comes back.
    pub fn bounces(&self, refund_id: RefundId) -> bool {
        self.lock().bounces.contains(&refund_id)
    }

    /// How often it was asked about, this time not counted.
    pub fn count_question(&self, refund_id: RefundId) -> u32 {
        let mut state = self.lock();
        let asked = state.questions.entry(refund_id).or_default();
        *asked += 1;
        *asked - 1
    }

    /// A submission that arrives later, whatever becomes of us.
    pub fn on_its_way(&self, at: Timestamp, acquirer: &'static str, submission: SubmittedRefund) {
        let mut state = self.lock();
        state.last += 1;
        let number = state.last;
        state.on_their_way.insert((at, number), (acquirer, submission));
    }

    /// A submission that arrives now.
    pub fn take_arrival(&self, now: Timestamp) -> Option<(&'static str, SubmittedRefund)> {
        let mut state = self.lock();
        let ((at, _), _) = state.on_their_way.first_key_value()?;
        if *at > now {
            return None;
        }
        state.on_their_way.pop_first().map(|(_, arrival)| arrival)
    }

    /// When the next submission arrives.
    pub fn next_arrival_at(&self) -> Option<Timestamp> {
        self.lock().on_their_way.keys().next().map(|(at, _)| *at)
    }

    /// A report to be given out later.
    pub fn report_at(&self, at: Timestamp, acquirer: &'static str, report: AcquirerReport) {
        let mut state = self.lock();
        state.last += 1;
        let number = state.last;
        state.reports.insert((acquirer, at, number), report);
    }

    /// When this acquirer's next report is due.
    pub fn next_report_at(&self, acquirer: &'static str) -> Option<Timestamp> {
        let state = self.lock();
        let first = (acquirer, Timestamp::from_us(i64::MIN), 0);
        state.reports.range(first..).next().filter(|((name, ..), _)| *name == acquirer).map(|((_, at, _), _)| *at)
    }

    /// Gives out a report that is due. It is lost if we crash before we wrote it down.
    pub fn take_report(&self, acquirer: &'static str, now: Timestamp) -> Option<AcquirerReport> {
        let mut state = self.lock();
        let first = (acquirer, Timestamp::from_us(i64::MIN), 0);
        let (key, _) = state.reports.range(first..).next().filter(|((name, at, _), _)| *name == acquirer && *at <= now)?;
        let key = *key;
        state.reports.remove(&key)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The book is whole between any two operations on it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
