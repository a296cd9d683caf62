//! What happened, in the past tense: the merchant's feed, a refund's timeline, and what notifications are made from.

use serde::{Deserialize, Serialize};

use crate::{Actor, MerchantId, PaymentId, RefundId, Timestamp};

/// One line of a merchant's gap-free feed. Append-only; numbered per merchant in the commit that caused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whose feed.
    pub merchant_id: MerchantId,
    /// Its number in that feed, from 1, without gaps.
    pub sequence: i64,
    /// When.
    pub at: Timestamp,
    /// Who caused it.
    pub actor: Actor,
    /// The payment that it is about.
    pub payment_id: Option<PaymentId>,
    /// The refund that it is about.
    pub refund_id: Option<RefundId>,
    /// What.
    pub kind: EventKind,
    /// What it says, as JSON of strings; frozen, so that a notification that is sent again is the same.
    pub facts: EventFacts,
}

/// Facts of an event by name, in a fixed order. Amounts as `"12.30 EUR"`.
pub type EventFacts = Vec<(String, String)>;

macro_rules! event_kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// What can happen.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum EventKind {
            $($(#[$doc])* #[serde(rename = $word)] $name,)*
        }

        impl EventKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name in feeds and notifications.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            /// Reads the name.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.word() == word)
            }
        }
    };
}

event_kinds! {
    /// A payment was recorded.
    PaymentRecorded = "payment.recorded";
    /// A payment changed.
    PaymentUpdated = "payment.updated";
    /// An authorised payment, or a part of it, was captured.
    PaymentCaptured = "payment.captured";
    /// An authorised payment was voided: nothing was taken.
    PaymentVoided = "payment.voided";
    /// A payment's money became available.
    PaymentSettled = "payment.settled";
    /// Somebody of the operator looked at a payment, so that it can be settled.
    PaymentReviewed = "payment.reviewed";
    /// A payment was found in the bank's own list.
    PaymentReconciled = "payment.reconciled";
    /// What was left of a payment's rolling reserve became available.
    ReserveReleased = "payment.reserve_released";
    /// The merchant told the tracking numbers of a payment's parcels.
    TrackingRecorded = "payment.tracking_recorded";
    /// A payment's parcels arrived, or went astray.
    ShipmentChanged = "payment.shipment_changed";
    /// A part of the fixed reserve became available.
    FixedReserveReleased = "funds.fixed_reserve_released";
    /// Money was paid in by the merchant.
    ToppedUp = "funds.topped_up";
    /// Money was set aside for a payout.
    PayoutPrepared = "payout.prepared";
    /// The bank has a payout.
    PayoutSent = "payout.sent";
    /// A payout arrived.
    PayoutPaid = "payout.paid";
    /// The bank did not carry a payout out; its money is available again.
    PayoutFailed = "payout.failed";
    /// A payout came back after it had arrived; its money is available again.
    PayoutReturned = "payout.returned";
    /// A payout was taken back before it was sent.
    PayoutCancelled = "payout.cancelled";
    /// The operator took something or gave something.
    FundsAdjusted = "funds.adjusted";
    /// A refund was accepted.
    RefundAccepted = "refund.accepted";
    /// A reviewer let it pass.
    RefundApproved = "refund.approved";
    /// What it asks for was changed while it was in review.
    RefundEdited = "refund.edited";
    /// Its undo window was ended before its time, and something else still holds it.
    RefundUndoEnded = "refund.undo_ended";
    /// Nothing holds it any more; its money is reserved.
    RefundReleased = "refund.released";
    /// An attempt was committed.
    RefundSubmitted = "refund.submitted";
    /// The acquirer's answer is missing; it is being asked.
    RefundUnresolved = "refund.unresolved";
    /// Paid out.
    RefundSucceeded = "refund.succeeded";
    /// Will not be paid out.
    RefundFailed = "refund.failed";
    /// Taken back in time.
    RefundCancelled = "refund.cancelled";
    /// The network's number came.
    RefundArnRecorded = "refund.arn_recorded";
    /// The money came back.
    RefundReturned = "refund.returned";
    /// A payment's money is to be shared at a time.
    SharePlanned = "share.planned";
    /// A payment's money is being shared.
    ShareAccepted = "share.accepted";
    /// The receivers have their parts.
    ShareSucceeded = "share.succeeded";
    /// A planned share will not be carried out.
    ShareCancelled = "share.cancelled";
    /// A share was not carried out.
    ShareFailed = "share.failed";
    /// The merchant got a part of somebody's payment.
    ShareReceived = "share.received";
    /// The merchant gave a part back.
    ShareReturned = "share.returned";
    /// A part that the merchant had given back is its own again: the refund did not come about.
    ShareRestored = "share.restored";
    /// A receiver paid back what had been advanced in its place.
    AdvanceRecovered = "advance.recovered";
    /// The issuer took a payment's money back.
    ChargebackOpened = "chargeback.opened";
    /// The merchant's answer to it is with the issuer.
    ChargebackRepresented = "chargeback.represented";
    /// The merchant agrees with it.
    ChargebackAccepted = "chargeback.accepted";
    /// The merchant was right: the money is back.
    ChargebackWon = "chargeback.won";
    /// The merchant was wrong: the money stays away.
    ChargebackLost = "chargeback.lost";
    /// The issuer took it back: the money is back.
    ChargebackWithdrawn = "chargeback.withdrawn";
    /// The shopper complains to the method's provider.
    DisputeOpened = "dispute.opened";
    /// The merchant's answer to it is with the provider.
    DisputeRepresented = "dispute.represented";
    /// The merchant accepted it with a refund.
    DisputeAccepted = "dispute.accepted";
    /// The merchant was right.
    DisputeWon = "dispute.won";
    /// The merchant was wrong.
    DisputeLost = "dispute.lost";
    /// The shopper took it back.
    DisputeWithdrawn = "dispute.withdrawn";
    /// Nothing is to be done any more.
    DisputeClosed = "dispute.closed";
    /// The issuer wants documents; refunds are frozen.
    RetrievalOpened = "retrieval.opened";
    /// The documents are with the issuer.
    RetrievalAnswered = "retrieval.answered";
    /// The merchant accepted it with a refund.
    RetrievalAccepted = "retrieval.accepted";
    /// The issuer took it back.
    RetrievalReversed = "retrieval.reversed";
    /// Nothing is to be done any more.
    RetrievalClosed = "retrieval.closed";
    /// The issuer calls a payment fraudulent.
    FraudReported = "fraud.reported";
    /// The merchant accepted the report with a refund.
    FraudAccepted = "fraud.accepted";
    /// Nothing is to be done about the report any more.
    FraudClosed = "fraud.closed";
}
