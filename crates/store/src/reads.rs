//! What can be asked of the reads, and what they give.

use refundry_engine::merchant::Mode;
use refundry_engine::notification::NotificationState;
use refundry_engine::payment::PaymentStatus;
use refundry_engine::refund::RefundStateName;
use refundry_engine::task::{Task, TaskKind};
use refundry_engine::{MerchantId, PaymentId, RefundId, Timestamp};
use refundry_ledger::{Currency, LedgerAccount};

/// Rows of a page when nothing is said.
pub const PAGE_LIMIT: u32 = 50;
/// Rows of a page at most.
pub const PAGE_LIMIT_MAX: u32 = 200;
/// Rows that one page looks at, at most; a filter that fits rarely gives a short page with a cursor.
pub const PAGE_SCAN_MAX: u32 = 5_000;

/// Where a page begins: the id of the last row that was looked at.
pub type Cursor = i64;

/// Which page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// After this row, in the order of the list.
    pub after: Option<Cursor>,
    /// At most so many rows, 1 to [`PAGE_LIMIT_MAX`].
    pub limit: u32,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { after: None, limit: PAGE_LIMIT }
    }
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
}

/// Which payments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentFilter {
    /// Of this merchant; `None` (operator only) for all of a mode.
    pub merchant_id: Option<MerchantId>,
    /// Sandbox or live.
    pub mode: Option<Mode>,
    /// Paid at or after.
    pub from: Option<Timestamp>,
    /// Paid before.
    pub to: Option<Timestamp>,
    /// In this status.
    pub status: Option<PaymentStatus>,
    /// In this currency.
    pub currency: Option<Currency>,
    /// With exactly this merchant reference.
    pub merchant_reference: Option<String>,
    /// Only those for which the merchant owes something.
    pub exposed: bool,
}

/// Which refunds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefundFilter {
    /// Of this merchant; `None` (operator only) for all of a mode.
    pub merchant_id: Option<MerchantId>,
    /// Sandbox or live.
    pub mode: Option<Mode>,
    /// Applied for at or after.
    pub from: Option<Timestamp>,
    /// Applied for before.
    pub to: Option<Timestamp>,
    /// In this state.
    pub state: Option<RefundStateName>,
    /// Of this payment.
    pub payment_id: Option<PaymentId>,
    /// In this currency.
    pub currency: Option<Currency>,
    /// At least so many minor units.
    pub amount_minor_min: Option<i64>,
    /// At most so many minor units.
    pub amount_minor_max: Option<i64>,
    /// With exactly this number.
    pub number: Option<String>,
    /// Of exactly this batch.
    pub batch: Option<String>,
}

/// Which notifications.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotificationFilter {
    /// Of this merchant; `None` (operator only) for all of a mode.
    pub merchant_id: Option<MerchantId>,
    /// Sandbox or live.
    pub mode: Option<Mode>,
    /// In this state.
    pub state: Option<NotificationState>,
    /// About this refund.
    pub refund_id: Option<RefundId>,
}

/// A wish for tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Now.
    pub now: Timestamp,
    /// Until when they are taken.
    pub lease_until: Timestamp,
    /// Of which kinds.
    pub kinds: Vec<TaskKind>,
    /// At most so many.
    pub limit: u32,
    /// Tasks that were leased and not begun: somebody else may have them at once.
    pub given_back: Vec<Task>,
}

/// How much is due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskFigures {
    /// Open tasks by kind.
    pub open: Vec<(TaskKind, i64)>,
    /// When the oldest overdue task was due.
    pub oldest_due_at: Option<Timestamp>,
    /// Notifications that are parked.
    pub parked_notifications: i64,
}

/// One balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceRow {
    /// The account.
    pub account: LedgerAccount,
    /// The currency.
    pub currency: Currency,
    /// Credits less debits, in minor units.
    pub minor: i64,
}

/// What a check of the books found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BooksReport {
    /// Rows looked at.
    pub merchants: i64,
    /// Rows looked at.
    pub payments: i64,
    /// Rows looked at.
    pub refunds: i64,
    /// Rows looked at.
    pub postings: i64,
    /// Whatever is off; empty when the books are clean.
    pub faults: Vec<BookFault>,
}

/// A row that is off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookFault {
    /// The rule that is broken, such as `balance_is_fold_of_postings`.
    pub rule: &'static str,
    /// The row, by its ids.
    pub row: String,
    /// What stands there.
    pub found: String,
    /// What should stand there.
    pub expected: String,
}
