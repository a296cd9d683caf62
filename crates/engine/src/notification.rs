//! One message to one address, tried until it is acknowledged or its schedule ends.

use crate::{EndpointId, MerchantId, NotificationId, RefundId, TerminalId, Timestamp};

/// To whom a notification goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// The address that the request, the payment or the terminal named, in the terminal's dialect.
    Dialect {
        /// Whose dialect and keys.
        terminal_id: TerminalId,
        /// Where to post.
        url: String,
    },
    /// A native endpoint of the merchant, with Standard Webhooks headers.
    Endpoint(EndpointId),
}

/// Where a notification stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotificationState {
    /// To be sent, or sent again.
    Due,
    /// Acknowledged.
    Delivered,
    /// The schedule ended without acknowledgement; replayed by hand.
    Parked,
}

impl NotificationState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Due, Self::Delivered, Self::Parked];

    /// The stored word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Delivered => "delivered",
            Self::Parked => "parked",
        }
    }
}

/// One message to one address. Its id is stable over all attempts; what it says is the event, which never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Ours, and the receiver's means to see repeats.
    pub id: NotificationId,
    /// Whose.
    pub merchant_id: MerchantId,
    /// To whom.
    pub recipient: Recipient,
    /// The event that it announces, by its number in the merchant's feed.
    pub event_sequence: i64,
    /// The refund that it is about.
    pub refund_id: Option<RefundId>,
    /// Where it stands.
    pub state: NotificationState,
    /// Sends so far in this run of the schedule; a replay starts again at 0.
    pub tries: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was tried last.
    pub tried_at: Option<Timestamp>,
}

/// One try to deliver, kept for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryAttempt {
    /// Of which notification.
    pub notification_id: NotificationId,
    /// When.
    pub at: Timestamp,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// The beginning of the answer, or why there was none.
    pub answer: String,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
    /// Whether it was acknowledged.
    pub acknowledged: bool,
}
