//! What is due: an effect or a step that a commit wrote down and a worker carries out later.

use refundry_ledger::Currency;

use crate::payout::PayoutKind;
use crate::{MerchantId, NotificationId, PaymentId, RefundId, ShareId, TaskId, Timestamp};

/// The three letters of a currency's code make one of so many numbers.
const CURRENCY_NUMBERS: i64 = 32 * 32 * 32;
/// Where the numbers of looks at full hours begin: above those of payouts, below those of settlement days.
const AT_HOURS: i64 = 500_000_000;
const US_PER_MINUTE: i64 = 60_000_000;
const MINUTES_OF_TWO_DAYS: i64 = 2 * 24 * 60;

macro_rules! task_kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// What is to be done, in the imperative.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum TaskKind {
            $($(#[$doc])* $name,)*
        }

        impl TaskKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stored word.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            /// Reads the stored word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.word() == word)
            }
        }
    };
}

task_kinds! {
    /// Give a released refund to its acquirer.
    SubmitRefund = "submit_refund";
    /// Ask the acquirer what became of an attempt.
    ResolveRefund = "resolve_refund";
    /// Look at a held refund again: the undo window ended, or its time to wait for money did.
    ReleaseRefund = "release_refund";
    /// Serve the refunds of one merchant and currency that wait for money, a page at a time.
    ReleaseWaiting = "release_waiting";
    /// Begin a planned share: its time has come.
    StartShare = "start_share";
    /// Carry a running share out.
    FinishShare = "finish_share";
    /// Prepare the payout of one merchant and currency, on its day.
    PreparePayout = "prepare_payout";
    /// Settle what is due of one merchant's payments, and release what is due of their reserves, a page at a time.
    SettleDue = "settle_due";
    /// Void an authorised payment that nobody captured in time.
    VoidPayment = "void_payment";
    /// Ask the acquirer what became of an order that is not paid yet.
    FollowOrder = "follow_order";
    /// Send a notification.
    DeliverNotification = "deliver_notification";
}

/// Something due. A refund has at most one task, because a task about a refund has the refund's number as its own; the same for
/// notifications. Putting a task replaces the one of the same id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The subject's number.
    pub id: TaskId,
    /// Whose.
    pub merchant_id: MerchantId,
    /// What.
    pub kind: TaskKind,
    /// When it is to be done; leases move the time at which others may take it, not this.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub tries: u32,
    /// What the kind needs beyond its subject, such as a currency code; usually empty.
    pub note: String,
}

impl Task {
    /// The next step of a refund.
    pub fn of_refund(kind: TaskKind, merchant_id: MerchantId, refund_id: RefundId, due_at: Timestamp) -> Self {
        Self { id: TaskId::new(refund_id.get()), merchant_id, kind, due_at, tries: 0, note: String::new() }
    }

    /// The next step of a share.
    pub fn of_share(kind: TaskKind, merchant_id: MerchantId, share_id: ShareId, due_at: Timestamp) -> Self {
        Self { id: TaskId::new(share_id.get()), merchant_id, kind, due_at, tries: 0, note: String::new() }
    }

    /// The delivery of a notification.
    pub fn of_notification(merchant_id: MerchantId, notification_id: NotificationId, due_at: Timestamp) -> Self {
        Self {
            id: TaskId::new(notification_id.get()),
            merchant_id,
            kind: TaskKind::DeliverNotification,
            due_at,
            tries: 0,
            note: String::new(),
        }
    }

    /// Serves who waits for money in one currency: one task per merchant and currency. A task's id is unique within its merchant, and the
    /// currency's letters make a number far below every id that carries a time.
    pub fn release_waiting(merchant_id: MerchantId, currency: Currency, due_at: Timestamp) -> Self {
        Self {
            id: TaskId::new(number_of(currency)),
            merchant_id,
            kind: TaskKind::ReleaseWaiting,
            due_at,
            tries: 0,
            note: currency.code().to_owned(),
        }
    }

    /// Prepares the payout of one merchant, currency and kind: one task for each, with a number of its own as above.
    pub fn prepare_payout(merchant_id: MerchantId, currency: Currency, kind: PayoutKind, due_at: Timestamp) -> Self {
        let place = match kind {
            PayoutKind::Trade => PREPARE_TRADE,
            PayoutKind::Reserve => PREPARE_RESERVE,
        };
        let id = TaskId::new(place + number_of(currency));
        let note = format!("{} {currency}", kind.word());
        Self { id, merchant_id, kind: TaskKind::PreparePayout, due_at, tries: 0, note }
    }

    /// The kind and the currency of the payout that it prepares.
    pub fn payout(&self) -> Option<(PayoutKind, Currency)> {
        let (kind, currency) = self.note.split_once(' ')?;
        Some((PayoutKind::from_word(kind)?, currency.parse().ok()?))
    }

    /// Settles a merchant's payments that are due at an instant: one task per merchant and instant, whatever the number of payments. Settlement days
    /// begin on a full minute, whose number stands far above those of currencies and far below every id that carries a time.
    pub fn settle_due(merchant_id: MerchantId, due_at: Timestamp) -> Self {
        const MINUTE_US: i64 = 60_000_000;
        const FIRST_NUMBER: i64 = 1_000_000_000;
        let number = FIRST_NUMBER.saturating_add(due_at.us().div_euclid(MINUTE_US));
        Self { id: TaskId::new(number), merchant_id, kind: TaskKind::SettleDue, due_at, tries: 0, note: String::new() }
    }

    /// Serves who waits for money by the clock, at one of its full hours. It has the hour in its number, so that a credit at the same time does not
    /// take its place, and so that today's and tomorrow's hour stand beside each other.
    pub fn release_waiting_at(merchant_id: MerchantId, currency: Currency, hour: Timestamp) -> Self {
        let on_credit = Self::release_waiting(merchant_id, currency, hour);
        let minute = (hour.us() / US_PER_MINUTE).rem_euclid(MINUTES_OF_TWO_DAYS);
        Self { id: TaskId::new(AT_HOURS + minute * CURRENCY_NUMBERS + on_credit.id.get()), ..on_credit }
    }
    /// The full hour for which it looks at who waits for money; none when money is the cause.
    pub(crate) fn hour(&self) -> Option<Timestamp> {
        (self.id.get() >= AT_HOURS).then_some(self.due_at)
    }
    /// The same, to go on behind a page: `after` is the refund that was passed over last, if any was.
    pub(crate) fn next_page(&self, after: Option<RefundId>, now: Timestamp) -> Self {
        let currency = self.note.split(' ').next().unwrap_or_default();
        let note = format!("{currency} {}", after.map_or(0, RefundId::get));
        Self { due_at: self.hour().unwrap_or(now), note, ..self.clone() }
    }
    /// For a task that serves who waits for money: the currency, and behind which refund the page begins. A first look has no place: it needs to see a
    /// few only, since mostly the first of them does not fit.
    pub fn waiting_page(&self) -> Option<(Currency, Option<RefundId>)> {
        let (currency, after) = match self.note.split_once(' ') {
            Some((currency, after)) => (currency, Some(RefundId::new(after.parse().ok()?))),
            None => (self.note.as_str(), None),
        };
        Some((currency.parse().ok()?, after))
    }

    /// The end of an authorisation. Its number is the payment's, turned negative, because payments carry their own time and could have the number of
    /// a refund that is made at that time.
    pub fn void_payment(merchant_id: MerchantId, payment_id: PaymentId, due_at: Timestamp) -> Self {
        Self { id: TaskId::new(-payment_id.get()), merchant_id, kind: TaskKind::VoidPayment, due_at, tries: 0, note: String::new() }
    }

    /// The next look at an order that is not paid yet. A payment has one task at most, so the number is made as above.
    pub fn follow_order(merchant_id: MerchantId, payment_id: PaymentId, due_at: Timestamp) -> Self {
        Self { kind: TaskKind::FollowOrder, ..Self::void_payment(merchant_id, payment_id, due_at) }
    }

    /// The payment that it is about, for the kinds that are about one.
    pub fn payment_id(&self) -> PaymentId {
        PaymentId::new(-self.id.get())
    }

    /// The refund that it is about, for the kinds that are about one.
    pub fn refund_id(&self) -> RefundId {
        RefundId::new(self.id.get())
    }

    /// The share that it is about, for the kinds that are about one.
    pub fn share_id(&self) -> ShareId {
        ShareId::new(self.id.get())
    }

    /// The notification that it is about, for the kind that is about one.
    pub fn notification_id(&self) -> NotificationId {
        NotificationId::new(self.id.get())
    }
}

/// Below the numbers of tasks that prepare payouts out of the trade's pot.
const PREPARE_TRADE: i64 = 7 << 20;
/// Below those out of the reserve's pot.
const PREPARE_RESERVE: i64 = 8 << 20;

/// The letters of a currency as a number below 32,768.
fn number_of(currency: Currency) -> i64 {
    currency.code().bytes().fold(0, |number, letter| number * 32 + i64::from(letter & 31))
}
