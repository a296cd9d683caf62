//! One line of the list of trade, and the event that it is made from.

use std::collections::BTreeMap;

use refundry_engine::booked::Booked;
use refundry_engine::dispute::{Dispute, DisputeKey};
use refundry_engine::event::{Event, EventKind};
use refundry_engine::payment::{Payment, PaymentKey, PaymentStatus};
use refundry_engine::payout::PayoutStateName;
use refundry_engine::refund::Refund;
use refundry_engine::{DisputeId, PaymentId, PayoutId, Timestamp};
use refundry_ledger::Money;

use crate::Service;
use crate::error::ServiceError;

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TradeKind {
    /// A payment whose money was taken (成功).
    Success,
    /// A payment that was declined (失败).
    Failed,
    /// A refund that was paid out (退款).
    Refund,
    /// A refund whose money came back.
    RefundReturned,
    /// A chargeback (拒付).
    Chargeback,
    /// A chargeback that was won (申诉成功).
    ChargebackWon,
    /// A chargeback that the issuer took back (拒付撤销).
    ChargebackWithdrawn,
    /// A request for documents (调单); no money moves.
    Retrieval,
    /// Such a request that was taken back (调单取消).
    RetrievalReversed,
}

/// A line.
#[derive(Clone, Debug)]
pub struct TradeLine {
    /// Its place in the merchant's feed.
    pub sequence: i64,
    /// When it was booked.
    pub at: Timestamp,
    /// What it is about.
    pub kind: TradeKind,
    /// The payment, as it stands now.
    pub payment: Payment,
    /// The refund, as it stands now.
    pub refund: Option<Refund>,
    /// The dispute, as it stands now.
    pub dispute: Option<Dispute>,
    /// What came, below zero for what went.
    pub amount: Money,
    /// What that is in the currency that it is booked in.
    pub booked: Option<Booked>,
    /// The payout that it came with.
    pub paid_with: Option<PaidWith>,
}

/// The payout that a line came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaidWith {
    /// Which.
    pub payout_id: PayoutId,
    /// Where it stands.
    pub state: PayoutStateName,
    /// When it arrived.
    pub paid_at: Option<Timestamp>,
}

impl TradeKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Success,
        Self::Failed,
        Self::Refund,
        Self::RefundReturned,
        Self::Chargeback,
        Self::ChargebackWon,
        Self::ChargebackWithdrawn,
        Self::Retrieval,
        Self::RetrievalReversed,
    ];

    /// Its name in answers and files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Refund => "refund",
            Self::RefundReturned => "refund_returned",
            Self::Chargeback => "chargeback",
            Self::ChargebackWon => "chargeback_won",
            Self::ChargebackWithdrawn => "chargeback_withdrawn",
            Self::Retrieval => "retrieval",
            Self::RetrievalReversed => "retrieval_reversed",
        }
    }

    /// Whether money comes (1), goes (-1), or neither (0).
    const fn sign(self) -> i64 {
        match self {
            Self::Success | Self::RefundReturned | Self::ChargebackWon | Self::ChargebackWithdrawn => 1,
            Self::Refund | Self::Chargeback => -1,
            Self::Failed | Self::Retrieval | Self::RetrievalReversed => 0,
        }
    }

    /// The kind of line that an event makes, if it makes one.
    fn of(event: &Event) -> Option<Self> {
        if ![EventKind::PaymentRecorded, EventKind::PaymentUpdated].contains(&event.kind) {
            return MADE_FROM.into_iter().find(|(kind, _)| *kind == event.kind).map(|(_, made)| made);
        }
        let (_, status) = event.facts.iter().find(|(name, _)| name == "status")?;
        let statuses = [(PaymentStatus::Captured, Self::Success), (PaymentStatus::Failed, Self::Failed)];
        statuses.into_iter().find(|(known, _)| known.word() == status).map(|(_, made)| made)
    }
}

/// Events that make a line whatever they say.
const MADE_FROM: [(EventKind, TradeKind); 8] = [
    (EventKind::PaymentCaptured, TradeKind::Success),
    (EventKind::RefundSucceeded, TradeKind::Refund),
    (EventKind::RefundReturned, TradeKind::RefundReturned),
    (EventKind::ChargebackOpened, TradeKind::Chargeback),
    (EventKind::ChargebackWon, TradeKind::ChargebackWon),
    (EventKind::ChargebackWithdrawn, TradeKind::ChargebackWithdrawn),
    (EventKind::RetrievalOpened, TradeKind::Retrieval),
    (EventKind::RetrievalReversed, TradeKind::RetrievalReversed),
];

impl TradeLine {
    /// A booked amount with the sign of the line.
    pub(super) fn signed(&self, booked: Booked) -> Booked {
        let sign = self.kind.sign();
        Booked { amount: booked.amount.map(|amount| Money::new(amount.minor().saturating_mul(sign), amount.currency())), ..booked }
    }

    /// What the operator takes for it, less what it gives back, in the payment's currency.
    pub fn fees(&self) -> Money {
        let currency = self.payment.currency();
        let of_refund = |fee: fn(&Refund) -> i64| self.refund.as_ref().map_or(0, fee);
        let minor = match self.kind {
            TradeKind::Success => self.payment.fee.minor(),
            TradeKind::Refund => of_refund(|refund| refund.refund_fee.minor().saturating_sub(refund.fee_given_back.minor())),
            TradeKind::RefundReturned => of_refund(|refund| refund.fee_given_back.minor()),
            TradeKind::Chargeback => self.dispute.as_ref().map_or(0, |dispute| dispute.body.fee_minor),
            TradeKind::Failed
            | TradeKind::ChargebackWon
            | TradeKind::ChargebackWithdrawn
            | TradeKind::Retrieval
            | TradeKind::RetrievalReversed => 0,
        };
        Money::new(minor, currency)
    }

    /// What is kept of it as rolling reserve.
    pub fn reserved(&self) -> Money {
        if self.kind == TradeKind::Success { self.payment.reserved } else { Money::zero(self.payment.currency()) }
    }
}

/// The line that an event makes, with what it is about; payments that were read before are kept in `known`.
pub(super) async fn of_event(
    service: &Service,
    event: &Event,
    known: &mut BTreeMap<PaymentId, Payment>,
) -> Result<Option<TradeLine>, ServiceError> {
    let (Some(kind), Some(payment_id)) = (TradeKind::of(event), event.payment_id) else { return Ok(None) };
    let store = &service.world.store;
    if !known.contains_key(&payment_id) {
        let found = store.payment(event.merchant_id, &PaymentKey::Id(payment_id)).await?;
        known.extend(found.map(|payment| (payment_id, payment)));
    }
    let Some(payment) = known.get(&payment_id).cloned() else { return Ok(None) };
    let refund = match event.refund_id {
        Some(id) => store.refund(event.merchant_id, id).await?,
        None => None,
    };
    let dispute_id = event.facts.iter().find(|(name, _)| name == "dispute_id").and_then(|(_, id)| id.parse::<DisputeId>().ok());
    let dispute = match dispute_id {
        Some(id) => store.dispute(event.merchant_id, &DisputeKey::Id(id)).await?,
        None => None,
    };
    let whole = match (kind, &refund, &dispute) {
        (TradeKind::Failed, ..) => payment.authorised,
        (_, Some(refund), _) => refund.amount,
        (_, None, Some(dispute)) => dispute.charged(),
        (_, None, None) => payment.captured,
    };
    let minor = match kind {
        TradeKind::Failed => whole.minor(),
        moved => whole.minor().saturating_mul(moved.sign()),
    };
    let amount = Money::new(minor, whole.currency());
    Ok(Some(TradeLine { sequence: event.sequence, at: event.at, kind, payment, refund, dispute, amount, booked: None, paid_with: None }))
}
