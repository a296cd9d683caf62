//! The line between the service and its store, on which commands and answers get lost. Whoever is told so asks the same again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use refundry_engine::adjustment::Adjustment;
use refundry_engine::command::Command;
use refundry_engine::credential::Credential;
use refundry_engine::dispute::{Dispute, DisputeKey};
use refundry_engine::event::Event;
use refundry_engine::funds::queue::WaitingRefund;
use refundry_engine::idempotency::{IdempotencyKey, Remembered};
use refundry_engine::merchant::{Merchant, Mode, Terminal};
use refundry_engine::notification::{DeliveryAttempt, Notification};
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::payout::{Payout, Pots};
use refundry_engine::person::Person;
use refundry_engine::rate::DailyRate;
use refundry_engine::refund::Refund;
use refundry_engine::share::{Share, ShareKey};
use refundry_engine::task::Task;
use refundry_engine::verdict::AuditLine;
use refundry_engine::{
    AdjustmentId, CredentialId, MerchantId, NotificationId, PaymentId, PayoutId, PersonId, RefundId, TaskId, TerminalId, Timestamp,
};
use refundry_ledger::Currency;
use refundry_store::{
    AdjustmentFilter, BalanceRow, BooksReport, Claim, ComingSettlement, DisputeFilter, DisputeReads, LateBefore, LateFigures, NodeLease,
    NodeWish, NotificationFilter, OpenDisputes, Page, PageRequest, PaidOut, PaymentFilter, PayoutFilter, PayoutLine, PayoutReads,
    PeopleReads, Queues, RateFilter, Reading, RefundFilter, ReviewFilter, ReviewReads, SettlementReads, ShareFilter, ShareReads, Store,
    StoreError, TaskFigures, Ticket, WaitingCount, WaitingRefunds,
};

use crate::ground::SteppedStore;

/// What happens to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// It never gets to the store, and its sender is told so.
    NotTaken,
    /// It is carried out, and nobody learns of it.
    AnswerLost,
}

/// Mishaps that are still to come, for all lines of a run.
#[derive(Debug, Default)]
pub struct Mishaps(Mutex<VecDeque<Option<Mishap>>>);

impl Mishaps {
    /// After so many more commands so many in a row have the mishap.
    pub fn plan(&self, after: usize, count: usize, how: Mishap) {
        let mut queue = self.lock();
        let length = queue.len().max(after + count);
        queue.resize(length, None);
        queue.iter_mut().skip(after).take(count).for_each(|place| *place = Some(how));
    }

    /// Nothing goes wrong any more.
    pub fn end(&self) {
        self.lock().clear();
    }

    fn next(&self) -> Option<Mishap> {
        self.lock().pop_front().flatten()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Option<Mishap>>> {
        // The queue is whole between any two operations on it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A store at the other end of a line.
pub struct Line {
    store: Arc<dyn SteppedStore>,
    mishaps: Arc<Mishaps>,
}

impl Line {
    /// To this store.
    pub fn new(store: Arc<dyn SteppedStore>, mishaps: Arc<Mishaps>) -> Self {
        Self { store, mishaps }
    }
}

fn lost() -> Arc<std::io::Error> {
    Arc::new(std::io::ErrorKind::ConnectionReset.into())
}

fn answered(error: StoreError) -> Ticket {
    let (answer, ticket) = Ticket::new();
    drop(answer.send(Err(error)));
    ticket
}

/// Verbs that go through as they are.
macro_rules! pass_on {
    ($life:lifetime; $($verb:ident($($name:ident: $kind:ty),*) -> $given:ty;)*) => {
        $(fn $verb<$life>(&$life self, $($name: $kind),*) -> Reading<$life, $given> {
            self.store.$verb($($name),*)
        })*
    };
}

impl Queues for Line {
    pass_on! { 'a;
        waiting_refunds(wanted: WaitingRefunds) -> Vec<WaitingRefund>;
        waiting_counts(merchant_id: MerchantId) -> Vec<WaitingCount>;
    }
}

impl DisputeReads for Line {
    pass_on! { 'a;
        dispute(merchant_id: MerchantId, key: &'a DisputeKey) -> Option<Dispute>;
        disputes(filter: &'a DisputeFilter, page: PageRequest) -> Page<Dispute>;
        open_disputes(merchant_id: MerchantId) -> Vec<OpenDisputes>;
        rates(filter: RateFilter) -> Vec<DailyRate>;
    }
}

impl ShareReads for Line {
    pass_on! { 'a;
        share(merchant_id: MerchantId, key: &'a ShareKey) -> Option<Share>;
        shares(filter: &'a ShareFilter, page: PageRequest) -> Page<Share>;
        advances(merchant_id: MerchantId, page: PageRequest) -> Page<Payment>;
        merchant_by_account(mode: Mode, account: &'a str) -> Option<Merchant>;
    }
}

impl SettlementReads for Line {
    pass_on! { 'a;
        due_payments(merchant_id: MerchantId, at: Timestamp, limit: u32) -> Vec<PaymentId>;
        pots(merchant_id: MerchantId) -> Vec<(Currency, Pots)>;
        coming_settlements(merchant_id: MerchantId, currency: Currency, until: Timestamp) -> Vec<ComingSettlement>;
    }
}

impl PayoutReads for Line {
    pass_on! { 'a;
        payout(merchant_id: MerchantId, id: PayoutId) -> Option<Payout>;
        payouts(filter: &'a PayoutFilter, page: PageRequest) -> Page<Payout>;
        payout_lines(payout: &'a Payout, page: PageRequest) -> Page<PayoutLine>;
        paid_out(merchant_id: MerchantId) -> Vec<PaidOut>;
        adjustment(merchant_id: MerchantId, id: AdjustmentId) -> Option<Adjustment>;
        adjustments(filter: &'a AdjustmentFilter, page: PageRequest) -> Page<Adjustment>;
    }
}

impl PeopleReads for Line {
    pass_on! { 'a;
        person(merchant_id: Option<MerchantId>, id: PersonId) -> Option<Person>;
        people(merchant_id: Option<MerchantId>, page: PageRequest) -> Page<Person>;
    }
}

impl ReviewReads for Line {
    pass_on! { 'a;
        reviews(filter: ReviewFilter, page: PageRequest) -> Page<Refund>;
        late(before: LateBefore) -> LateFigures;
    }
}

impl Store for Line {
    fn transact(&self, command: Command) -> Ticket {
        match self.mishaps.next() {
            None => self.store.transact(command),
            Some(Mishap::NotTaken) => answered(StoreError::TryAgain(lost())),
            Some(Mishap::AnswerLost) => {
                drop(self.store.transact(command));
                answered(StoreError::Unsure(lost()))
            }
        }
    }

    pass_on! { 'a;
        claim(claim: Claim) -> Vec<Task>;
        lease_node(wish: NodeWish) -> Option<NodeLease>;
        merchant(id: MerchantId) -> Option<Merchant>;
        merchants(page: PageRequest) -> Page<Merchant>;
        terminal(merchant_id: MerchantId, id: TerminalId) -> Option<Terminal>;
        terminals(merchant_id: MerchantId) -> Vec<Terminal>;
        credentials_by_lookup(dialect: &'a str, lookup: &'a str) -> Vec<Credential>;
        credential(id: CredentialId) -> Option<Credential>;
        credentials(merchant_id: Option<MerchantId>, page: PageRequest) -> Page<Credential>;
        payment(merchant_id: MerchantId, key: &'a PaymentKey) -> Option<Payment>;
        payments(filter: &'a PaymentFilter, page: PageRequest) -> Page<Payment>;
        refund(merchant_id: MerchantId, id: RefundId) -> Option<Refund>;
        refunds(filter: &'a RefundFilter, page: PageRequest) -> Page<Refund>;
        remembered(key: &'a IdempotencyKey) -> Option<Remembered>;
        timeline(merchant_id: MerchantId, refund_id: RefundId) -> Vec<Event>;
        events_after(merchant_id: MerchantId, after: i64, limit: u32) -> Vec<Event>;
        notification(merchant_id: MerchantId, id: NotificationId) -> Option<Notification>;
        notifications(filter: &'a NotificationFilter, page: PageRequest) -> Page<Notification>;
        deliveries(merchant_id: MerchantId, id: NotificationId) -> Vec<DeliveryAttempt>;
        task(merchant_id: MerchantId, id: TaskId) -> Option<Task>;
        task_figures(now: Timestamp) -> TaskFigures;
        balances(merchant_id: MerchantId) -> Vec<BalanceRow>;
        audit(merchant_id: Option<MerchantId>, page: PageRequest) -> Page<AuditLine>;
        check_books() -> BooksReport;
        backup(file: &'a std::path::Path) -> ();
        ping() -> ();
        close() -> ();
    }
}
