//! Where everything is kept. Writes go through [`Store::transact`] alone: a command is queued on a lane, which loads a snapshot, lets the
//! engine decide, applies the verdicts of the whole batch in one commit, and answers everybody. Reads have connections of their own and
//! never wait for the writer.

mod books;
mod copy;
mod dispute_reads;
mod error;
mod lane;
mod nodes;
mod payout_reads;
mod people;
mod postgres;
mod queues;
mod reads;
mod reviews;
mod rows;
mod settlement_reads;
mod share_reads;
mod sqlite;
mod words;

use futures::future::BoxFuture;
use refundry_engine::command::Command;
use refundry_engine::credential::Credential;
use refundry_engine::event::Event;
use refundry_engine::idempotency::{IdempotencyKey, Remembered};
use refundry_engine::merchant::{Merchant, Terminal};
use refundry_engine::notification::{DeliveryAttempt, Notification};
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::refund::Refund;
use refundry_engine::task::Task;
use refundry_engine::verdict::{AuditLine, Changes};
use refundry_engine::{CredentialId, MerchantId, NotificationId, Outcome, RefundId, TaskId, TerminalId};

pub use copy::{CopyError, CopyOptions, CopyPhase, CopyProgress, CopyReport, Difference, Tally, copy_to_postgres, copy_to_sqlite, give_up};
pub use dispute_reads::{DisputeFilter, DisputeReads, OpenDisputes, RATES_MAX, RateFilter};
pub use error::StoreError;
pub use nodes::{NodeLease, NodeWish};
pub use payout_reads::{AdjustmentFilter, LINES_SCAN_MAX, PaidOut, PayoutFilter, PayoutLine, PayoutReads};
pub use people::PeopleReads;
pub use queues::{QUEUE_SCAN_MAX, Queues, WaitingCount, WaitingRefunds};
pub use reads::{
    BalanceRow, BookFault, BooksReport, Claim, Cursor, NotificationFilter, PAGE_LIMIT, PAGE_LIMIT_MAX, PAGE_SCAN_MAX, Page, PageRequest,
    PaymentFilter, RefundFilter, TaskFigures,
};
pub use reviews::{LATE_MAX, LateBefore, LateFigures, ReviewFilter, ReviewReads};

pub use settlement_reads::{COMING_RATES_MAX, ComingSettlement, SettlementReads};
pub use share_reads::{ShareFilter, ShareReads};

pub use postgres::{
    ConnectionFaults, DistributeError, DistributeStep, DistributeWish, Moment, PostgresOptions, PostgresStore, SentStatement,
    StatementObserver, distribute,
};
pub use sqlite::{Location, SqliteOptions, SqliteStore, SyncMode};

/// What a read gives.
pub type Reading<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// A place in the queue of a lane; resolves when the batch that holds the command is committed, or has failed as a whole.
#[derive(Debug)]
pub struct Ticket(tokio::sync::oneshot::Receiver<Result<Outcome, StoreError>>);

impl Ticket {
    /// The ticket, and the sender that answers it.
    pub fn new() -> (tokio::sync::oneshot::Sender<Result<Outcome, StoreError>>, Self) {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        (sender, Self(receiver))
    }
}

impl Future for Ticket {
    type Output = Result<Outcome, StoreError>;

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0).poll(context).map(|received| received.unwrap_or(Err(StoreError::Closed)))
    }
}

/// Hears of every commit, on the lane, after it is durable: hands tasks that are due now to the workers of this process, wakes those who wait for a
/// refund's end, empties caches. It must be quick and must not fail; what it misses is found again by polling. Several lanes call it at once,
/// each from its own thread, where `begins`, `commits` and `committed` of one batch follow one another.
pub trait CommitObserver: Send + Sync {
    /// A lane begins to load and decide a batch. Only figures need it.
    fn begins(&self) {}
    /// Everything that so many commands write is written, and the disk is waited for. Only figures need it.
    fn commits(&self, _commands: usize) {}
    /// The changes of one batch.
    fn committed(&self, changes: &Changes);
}

/// Everything that can be asked of storage.
pub trait Store: Queues + PayoutReads + SettlementReads + ShareReads + DisputeReads + PeopleReads + ReviewReads + Send + Sync {
    /// Queues a command; the only way to write.
    fn transact(&self, command: Command) -> Ticket;
    /// Takes tasks that are due and free, and leases them; before that, gives tasks back that the claimer did not begin.
    fn claim(&self, claim: Claim) -> Reading<'_, Vec<Task>>;
    /// Gives the process its number for ids, or more time with it, or takes it back. `None` when it was given back, or all are taken.
    fn lease_node(&self, wish: NodeWish) -> Reading<'_, Option<NodeLease>>;

    /// One merchant.
    fn merchant(&self, id: MerchantId) -> Reading<'_, Option<Merchant>>;
    /// Merchants by id.
    fn merchants(&self, page: PageRequest) -> Reading<'_, Page<Merchant>>;
    /// One terminal.
    fn terminal(&self, merchant_id: MerchantId, id: TerminalId) -> Reading<'_, Option<Terminal>>;
    /// All terminals of a merchant.
    fn terminals(&self, merchant_id: MerchantId) -> Reading<'_, Vec<Terminal>>;
    /// The credentials that a dialect's name for a caller stands for; several while a rotation overlaps. Revoked ones too: the caller judges.
    fn credentials_by_lookup<'a>(&'a self, dialect: &'a str, lookup: &'a str) -> Reading<'a, Vec<Credential>>;
    /// One credential.
    fn credential(&self, id: CredentialId) -> Reading<'_, Option<Credential>>;
    /// Credentials by id; of one merchant (held by it, its terminals) or of all.
    fn credentials(&self, merchant_id: Option<MerchantId>, page: PageRequest) -> Reading<'_, Page<Credential>>;

    /// One payment.
    fn payment<'a>(&'a self, merchant_id: MerchantId, key: &'a PaymentKey) -> Reading<'a, Option<Payment>>;
    /// Payments, newest first.
    fn payments<'a>(&'a self, filter: &'a PaymentFilter, page: PageRequest) -> Reading<'a, Page<Payment>>;
    /// One refund.
    fn refund(&self, merchant_id: MerchantId, id: RefundId) -> Reading<'_, Option<Refund>>;
    /// Refunds, newest first.
    fn refunds<'a>(&'a self, filter: &'a RefundFilter, page: PageRequest) -> Reading<'a, Page<Refund>>;
    /// What is remembered of a key.
    fn remembered<'a>(&'a self, key: &'a IdempotencyKey) -> Reading<'a, Option<Remembered>>;

    /// The events of one refund, oldest first.
    fn timeline(&self, merchant_id: MerchantId, refund_id: RefundId) -> Reading<'_, Vec<Event>>;
    /// The feed of a merchant behind a number, oldest first, at most `limit`.
    fn events_after(&self, merchant_id: MerchantId, after: i64, limit: u32) -> Reading<'_, Vec<Event>>;
    /// One notification.
    fn notification(&self, merchant_id: MerchantId, id: NotificationId) -> Reading<'_, Option<Notification>>;
    /// Notifications, newest first.
    fn notifications<'a>(&'a self, filter: &'a NotificationFilter, page: PageRequest) -> Reading<'a, Page<Notification>>;
    /// The last thousand tries to deliver one notification, oldest first.
    fn deliveries(&self, merchant_id: MerchantId, id: NotificationId) -> Reading<'_, Vec<DeliveryAttempt>>;

    /// The open task of a subject.
    fn task(&self, merchant_id: MerchantId, id: TaskId) -> Reading<'_, Option<Task>>;
    /// How much is due, and since when.
    fn task_figures(&self, now: refundry_engine::Timestamp) -> Reading<'_, TaskFigures>;
    /// The books of a merchant: every balance that is not zero.
    fn balances(&self, merchant_id: MerchantId) -> Reading<'_, Vec<BalanceRow>>;
    /// The audit log, newest first; of one merchant or of all.
    fn audit(&self, merchant_id: Option<MerchantId>, page: PageRequest) -> Reading<'_, Page<AuditLine>>;

    /// Recomputes every balance from the postings and every running sum from the refunds, and names each row that is off.
    fn check_books(&self) -> Reading<'_, BooksReport>;
    /// Makes a consistent copy in a new file while serving.
    fn backup<'a>(&'a self, file: &'a std::path::Path) -> Reading<'a, ()>;
    /// Whether it answers.
    fn ping(&self) -> Reading<'_, ()>;
    /// Stops taking commands, finishes those that are queued, and closes.
    fn close(&self) -> Reading<'_, ()>;
}
