//! Why a well-formed request is declined. The order of the variants is the order of the rules: the first broken rule is the answer.

#[cfg(test)]
mod tests;
mod text;

use refundry_ledger::{Currency, Money, MoneyError};
use serde::{Deserialize, Serialize};

use crate::adjustment::AdjustmentState;
use crate::dispute::DisputeState;
use crate::money_text;
use crate::payment::{PaymentStatus, currency_text};
use crate::payout::PayoutStateName;
use crate::refund::{IllegalTransition, RefundStateName};
use crate::share::ShareStateName;
use crate::{PayoutId, Timestamp};

/// Why a request is declined, with the facts that explain it. Domain rule: section 4, decision order. A remembered refusal is stored as
/// JSON, so variants and fields are added, never renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "refusal")]
pub enum Refusal {
    /// No such merchant for this caller.
    UnknownMerchant,
    /// An agent asks for a merchant that is not linked to it, or that does not exist: it is not told which.
    AgentNotLinked,
    /// The merchant may not act.
    MerchantSuspended,
    /// No such terminal of this merchant.
    UnknownTerminal,
    /// The terminal may not act.
    TerminalSuspended,
    /// The caller may not do this.
    NotAllowed {
        /// The missing permission, such as `refunds:write`.
        permission: String,
    },
    /// The number was used before with other content.
    RepeatInconsistent {
        /// The field that differs, in the dialect's spelling.
        field: String,
        /// What was sent first.
        first: String,
        /// What was sent now.
        now: String,
    },
    /// No such payment of this merchant in this mode.
    UnknownPayment,
    /// The payment was voided.
    PaymentCancelled,
    /// The payment was closed without being paid.
    PaymentClosed,
    /// The payment has no captured money.
    PaymentNotCaptured {
        /// Where it stands.
        status: PaymentStatus,
    },
    /// The currency is not the payment's.
    CurrencyMismatch {
        /// The payment's currency.
        #[serde(with = "currency_text")]
        expected: Currency,
    },
    /// Zero or less.
    AmountNotPositive,
    /// A receiver stands in two lines.
    ReceiverTwice {
        /// Its account number.
        account: String,
    },
    /// The payment's own merchant stands in a line.
    ReceiverIsGiver,
    /// Too late.
    RefundWindowExceeded {
        /// Last instant at which it was possible.
        until: Timestamp,
    },
    /// Too late to share it.
    ShareWindowExceeded {
        /// Last instant at which it was possible.
        until: Timestamp,
    },
    /// The method forbids refunds of a part.
    PartialNotAllowed {
        /// What can be refunded.
        #[serde(with = "money_text")]
        refundable: Money,
    },
    /// The contract forbids a second refund, or one more than so many.
    TooManyRefunds {
        /// How many are allowed.
        allowed: u32,
    },
    /// The acquirer has not confirmed the payment yet.
    PaymentUnreconciled,
    /// The payment is in a payout that is being made.
    PayoutInPreparation,
    /// The payment's reserve is being paid out.
    ReserveInSettlement,
    /// An open retrieval freezes the payment.
    RetrievalOpen,
    /// An open chargeback blocks refunds.
    ChargebackOpen,
    /// A share of the payment is being carried out.
    ShareRunning,
    /// A refund of the payment is not final, so nothing of it can be shared or recovered.
    RefundOpen,
    /// The caller believed in another rest.
    ExpectedRemainingStale {
        /// What is really left.
        #[serde(with = "money_text")]
        refundable: Money,
    },
    /// More than was taken in all, said to callers that say whether they want the whole or a part.
    ExceedsPayment {
        /// What was taken.
        #[serde(with = "money_text")]
        captured: Money,
    },
    /// Called the whole and less than that, or called a part and the whole.
    ExtentMismatch {
        /// What was taken.
        #[serde(with = "money_text")]
        captured: Money,
    },
    /// More than is left.
    ExceedsRefundable {
        /// What is left.
        #[serde(with = "money_text")]
        refundable: Money,
    },
    /// More than was authorised.
    ExceedsAuthorised {
        /// What was.
        #[serde(with = "money_text")]
        authorised: Money,
    },
    /// More marketing money than is left.
    ExceedsMarketing {
        /// What is left of it.
        #[serde(with = "money_text")]
        refundable: Money,
    },
    /// Nobody of this mode has the account number.
    UnknownReceiver {
        /// The account number.
        account: String,
    },
    /// More than a receiver got of the payment and has not given back.
    ExceedsReceiver {
        /// Its account number.
        account: String,
        /// What it can give back.
        #[serde(with = "money_text")]
        highest: Money,
    },
    /// Lines and advance are more than all receivers have left.
    ExceedsReturned {
        /// What they have left, all together.
        #[serde(with = "money_text")]
        highest: Money,
    },
    /// Lines, advance, fee and marketing part are more than the refund.
    LinesExceedAmount {
        /// By so much.
        #[serde(with = "money_text")]
        over: Money,
    },
    /// What lines and advance leave over is more than what was never shared.
    ExceedsUnshared {
        /// What they leave over.
        #[serde(with = "money_text")]
        needed: Money,
        /// What was never shared.
        #[serde(with = "money_text")]
        unshared: Money,
    },
    /// More than what of the payment can still be shared.
    ExceedsPool {
        /// What can.
        #[serde(with = "money_text")]
        highest: Money,
    },
    /// More than what was advanced in the receiver's place.
    ExceedsAdvanced {
        /// What was, and was not paid back.
        #[serde(with = "money_text")]
        highest: Money,
    },
    /// The money is not there, and the terminal's policy does not wait.
    NotEnoughFunds {
        /// What is missing.
        #[serde(with = "money_text")]
        missing: Money,
    },
    /// A receiver has not the money that it is to give back or pay.
    ReceiverNotEnoughFunds {
        /// Its account number.
        account: String,
        /// What it has.
        #[serde(with = "money_text")]
        highest: Money,
    },
    /// No such share of this merchant in this mode.
    UnknownShare,
    /// The share stands where this cannot be done.
    ShareStateForbids {
        /// Where it stands.
        state: ShareStateName,
        /// What was tried.
        verb: String,
    },
    /// No such refund of this merchant in this mode.
    UnknownRefund,
    /// The refund stands where this cannot be done any more.
    RefundStateForbids {
        /// Where it stands.
        state: RefundStateName,
        /// What was tried.
        verb: String,
    },
    /// The dispute stands where this cannot be done.
    DisputeStateForbids {
        /// Where it stands.
        state: DisputeState,
        /// What was tried.
        verb: String,
    },
    /// The applicant may not review.
    ReviewerIsApplicant,
    /// A second person is needed, and the key names nobody.
    ReviewerIsNoPerson,
    /// Two people must approve, and this one has.
    ReviewerApprovedAlready,
    /// What is being approved is not what was applied for.
    ReviewedContentChanged,
    /// The refund has another ARN; an ARN never changes.
    ArnIsSet {
        /// The one that it has.
        arn: String,
    },
    /// The payment is known with another amount, currency or time.
    PaymentInconsistent {
        /// The field that differs.
        field: String,
    },
    /// A captured payment cannot become anything else.
    PaymentStatusForbids {
        /// Where it stands.
        status: PaymentStatus,
    },
    /// The merchant is not paid out for now.
    PayoutsOnHold,
    /// A payout of that kind and currency is prepared and not sent.
    PayoutIsPrepared {
        /// Which.
        payout_id: PayoutId,
    },
    /// Refunds wait for money; what comes in is theirs first.
    RefundsWaitForMoney {
        /// How many.
        waiting: i64,
    },
    /// There is not so much that could be paid out.
    NothingToPayOut {
        /// What could; may be below zero.
        #[serde(with = "money_text")]
        due: Money,
    },
    /// What is due does not reach the minimum of the terms.
    BelowPayoutMinimum {
        /// What is due.
        #[serde(with = "money_text")]
        due: Money,
        /// The minimum.
        #[serde(with = "money_text")]
        minimum: Money,
    },
    /// The payout stands where this cannot be done.
    PayoutStateForbids {
        /// Where it stands.
        state: PayoutStateName,
        /// What was tried.
        verb: String,
    },
    /// The adjustment was booked or rejected before.
    AdjustmentIsDecided {
        /// How it ended.
        state: AdjustmentState,
    },
    /// Whoever asked for it may not carry it out.
    SecondPersonNeeded,
    /// Names, references, addresses: longer or other than allowed.
    FieldInvalid {
        /// The field.
        field: String,
        /// The limit and the cure.
        rule: String,
    },
    /// A number that must be unique is taken.
    AlreadyExists {
        /// The field.
        field: String,
    },
    /// One more than the limit.
    LimitReached {
        /// What there are too many of.
        what: String,
        /// The limit.
        limit: u32,
    },
    /// No such notification, endpoint or credential of this merchant.
    Unknown {
        /// What was looked for.
        what: String,
    },
    /// Sums left the range of 64 bits.
    OutOfRange,
}

impl From<MoneyError> for Refusal {
    /// Amounts are of one currency when they are combined, so what is left to go wrong is their size.
    fn from(_: MoneyError) -> Self {
        Self::OutOfRange
    }
}

impl From<IllegalTransition> for Refusal {
    fn from(illegal: IllegalTransition) -> Self {
        Self::RefundStateForbids { state: illegal.from, verb: illegal.verb.to_owned() }
    }
}
