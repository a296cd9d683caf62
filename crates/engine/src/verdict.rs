//! What a decision says: the answer, and every row that it writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use refundry_ledger::{Currency, Entry};

use crate::adjustment::Adjustment;
use crate::credential::Credential;
use crate::dispute::Dispute;
use crate::event::Event;
use crate::idempotency::{IdempotencyKey, Remembered};
use crate::merchant::{Merchant, Terminal};
use crate::notification::{DeliveryAttempt, Notification};
use crate::payment::Payment;
use crate::payout::{FIRST_PERIOD, Payout, Pots};
use crate::person::{Person, PersonKey};
use crate::rate::DailyRate;
use crate::refund::Refund;
use crate::share::Share;
use crate::task::Task;
use crate::{
    Actor, AdjustmentId, AuditId, CredentialId, DisputeId, EntryId, MerchantId, NotificationId, PaymentId, PayoutId, RefundId, Refusal,
    ShareId, TaskId, TerminalId, Timestamp,
};

/// The answer and the changes, to be applied in one commit or not at all.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What the caller is told.
    pub outcome: Outcome,
    /// What is written. Empty for refusals that are not remembered, replays and dry runs.
    pub changes: Changes,
}

impl Verdict {
    /// A refusal that writes nothing.
    pub fn refused(refusal: Refusal) -> Self {
        Self { outcome: Outcome::Refused { refusal, replayed: false }, changes: Changes::default() }
    }

    /// An answer that writes nothing.
    pub fn unchanged(outcome: Outcome) -> Self {
        Self { outcome, changes: Changes::default() }
    }
}

/// What the caller is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The refund as it stands now.
    Refund {
        /// The refund.
        refund: Box<Refund>,
        /// Whether the key had been used for it before.
        replayed: bool,
        /// What is left of the payment.
        refundable: refundry_ledger::Money,
        /// The merchant's order number of the payment, which some protocols answer with.
        order_number: String,
    },
    /// Declined.
    Refused {
        /// Why.
        refusal: Refusal,
        /// Whether it was remembered from an earlier request.
        replayed: bool,
    },
    /// The payment as it stands now.
    Payment {
        /// The payment.
        payment: Box<Payment>,
        /// Whether it was new.
        created: bool,
    },
    /// The dispute as it stands now.
    Dispute {
        /// The dispute.
        dispute: Box<Dispute>,
        /// Whether it was new.
        created: bool,
    },
    /// An attempt is committed: call the acquirer now.
    CallAcquirer {
        /// What to submit.
        refund: Box<Refund>,
        /// Number of the attempt.
        attempt: u32,
    },
    /// The payout as it stands now.
    Payout {
        /// The payout.
        payout: Box<Payout>,
    },
    /// The adjustment as it stands now.
    Adjustment {
        /// The adjustment.
        adjustment: Box<Adjustment>,
    },
    /// The key had proposed this one before.
    AdjustmentIsKnown {
        /// Which.
        adjustment_id: AdjustmentId,
    },
    /// The share as it stands now.
    Share {
        /// The share.
        share: Box<Share>,
        /// Whether the key had been used for it before.
        replayed: bool,
    },
    /// Done, or nothing was to be done.
    Done,
    /// The id that the shell proposed is taken by another payment: propose another.
    IdTaken,
    /// So many ids are needed, more than the stamp has: nothing was written; ask again with so many.
    MoreIds {
        /// How many.
        wanted: u16,
    },
    /// Somebody else changed the row since it was read: read it again.
    Stale,
}

/// Rows to write. Maps hold the last version of a row, lists are appended.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each field holds what it is named after")]
pub struct Changes {
    pub merchants: BTreeMap<MerchantId, Arc<Merchant>>,
    pub terminals: BTreeMap<(MerchantId, TerminalId), Arc<Terminal>>,
    pub credentials: BTreeMap<CredentialId, Credential>,
    pub people: BTreeMap<PersonKey, Person>,
    pub payments: BTreeMap<(MerchantId, PaymentId), Write<Payment>>,
    pub refunds: BTreeMap<(MerchantId, RefundId), Write<Refund>>,
    pub payouts: BTreeMap<(MerchantId, PayoutId), Write<Payout>>,
    pub adjustments: BTreeMap<(MerchantId, AdjustmentId), Write<Adjustment>>,
    /// What the pots of available money are once the entries are in them, where a payout changed them otherwise.
    pub pots: BTreeMap<(MerchantId, Currency), Pots>,
    pub shares: BTreeMap<(MerchantId, ShareId), Write<Share>>,
    pub disputes: BTreeMap<(MerchantId, DisputeId), Write<Dispute>>,
    /// Rates of days, which take the place of those of the same day and currencies.
    pub rates: Vec<DailyRate>,
    /// Those of the refunds whose content was edited: what is otherwise never written again is written too.
    pub edited: BTreeSet<(MerchantId, RefundId)>,
    pub notifications: BTreeMap<(MerchantId, NotificationId), Write<Notification>>,
    pub deliveries: Vec<(MerchantId, DeliveryAttempt)>,
    /// Keys whose time is over, forgotten before what is remembered is written.
    pub forgotten: Vec<IdempotencyKey>,
    pub remembered: Vec<Remembered>,
    pub entries: Vec<BookedEntry>,
    pub events: Vec<Event>,
    pub audit: Vec<AuditLine>,
    /// Tasks to put (`Some`) or to remove (`None`).
    pub tasks: BTreeMap<(MerchantId, TaskId), Option<Task>>,
    pub waiting: BTreeMap<(MerchantId, Currency), i64>,
}

/// Whether a row is new: storage can then write it in the cheaper way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write<T> {
    /// Not there before.
    Insert(T),
    /// There before.
    Update(T),
}

impl<T> Write<T> {
    /// The row.
    pub const fn row(&self) -> &T {
        match self {
            Self::Insert(row) | Self::Update(row) => row,
        }
    }

    fn then(self, later: Self) -> Self {
        match (self, later) {
            (Self::Insert(_), Self::Insert(row) | Self::Update(row)) => Self::Insert(row),
            (Self::Update(_), Self::Insert(row) | Self::Update(row)) => Self::Update(row),
        }
    }
}

/// An entry with its place in the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookedEntry {
    /// Ours.
    pub id: EntryId,
    /// When it was booked.
    pub at: Timestamp,
    /// The event of business, as one word, such as `refund_released`.
    pub cause: &'static str,
    /// The payment that it is about.
    pub payment_id: Option<PaymentId>,
    /// The refund that it is about.
    pub refund_id: Option<RefundId>,
    /// The period of payouts that each currency was in, where that is not the one before the first payout.
    pub periods: Vec<(Currency, i64)>,
    /// What is moved.
    pub entry: Entry<MerchantId>,
}

impl BookedEntry {
    /// The period of payouts that its postings in a currency belong to.
    pub fn period(&self, currency: Currency) -> i64 {
        self.periods.iter().find(|(of, _)| *of == currency).map_or(FIRST_PERIOD, |(_, period)| *period)
    }
}

/// A line of the audit log: what a person or a credential did. Append-only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    /// Ours.
    pub id: AuditId,
    /// Whose, when it is about one merchant.
    pub merchant_id: Option<MerchantId>,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What, such as `refund.cancel`.
    pub action: &'static str,
    /// On what, as an id.
    pub subject: String,
    /// What was said, without secrets.
    pub facts: Vec<(String, String)>,
}

impl Changes {
    /// Nothing is written.
    pub fn is_empty(&self) -> bool {
        self.merchants.is_empty()
            && self.terminals.is_empty()
            && self.credentials.is_empty()
            && self.people.is_empty()
            && self.payments.is_empty()
            && self.refunds.is_empty()
            && self.payouts.is_empty()
            && self.adjustments.is_empty()
            && self.pots.is_empty()
            && self.shares.is_empty()
            && self.disputes.is_empty()
            && self.rates.is_empty()
            && self.notifications.is_empty()
            && self.deliveries.is_empty()
            && self.forgotten.is_empty()
            && self.remembered.is_empty()
            && self.entries.is_empty()
            && self.events.is_empty()
            && self.audit.is_empty()
            && self.tasks.is_empty()
            && self.waiting.is_empty()
    }

    /// Adds what a later command of the batch writes.
    pub fn merge(&mut self, later: Self) {
        self.merchants.extend(later.merchants);
        self.terminals.extend(later.terminals);
        self.credentials.extend(later.credentials);
        self.people.extend(later.people);
        merge_writes(&mut self.payments, later.payments);
        merge_writes(&mut self.refunds, later.refunds);
        merge_writes(&mut self.payouts, later.payouts);
        merge_writes(&mut self.adjustments, later.adjustments);
        self.pots.extend(later.pots);
        merge_writes(&mut self.shares, later.shares);
        merge_writes(&mut self.disputes, later.disputes);
        self.rates.extend(later.rates);
        self.edited.extend(later.edited);
        merge_writes(&mut self.notifications, later.notifications);
        self.deliveries.extend(later.deliveries);
        self.forgotten.extend(later.forgotten);
        self.remembered.extend(later.remembered);
        self.entries.extend(later.entries);
        self.events.extend(later.events);
        self.audit.extend(later.audit);
        self.tasks.extend(later.tasks);
        self.waiting.extend(later.waiting);
    }
}

fn merge_writes<K: Ord, T>(into: &mut BTreeMap<K, Write<T>>, later: BTreeMap<K, Write<T>>) {
    for (key, write) in later {
        let merged = match into.remove(&key) {
            Some(earlier) => earlier.then(write),
            None => write,
        };
        into.insert(key, merged);
    }
}
