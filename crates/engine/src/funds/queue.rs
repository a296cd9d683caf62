//! The refunds that wait for money, as far as the question goes what they need.

use std::collections::BTreeMap;

use refundry_ledger::Money;

use crate::payment::{Converted, SettlementQuote};
use crate::policy::{FundsCheck, FundsOrder, Policy};
use crate::share::FeeMode;
use crate::{PaymentId, RefundId, TerminalId, Timestamp};

/// A refund that waits for money, and what its payment has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingRefund {
    /// Which.
    pub refund_id: RefundId,
    /// The channel that asked: with the method it says which rules hold.
    pub terminal_id: TerminalId,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// How the payment was made.
    pub method: String,
    /// What was captured of the payment.
    pub captured: Money,
    /// The rate at which the payment settles in another currency.
    pub quote: Option<SettlementQuote>,
    /// What of the payment went through that rate so far.
    pub converted: Converted,
    /// How much in all.
    pub amount: Money,
    /// What of it receivers give back, in minor units: nobody waits for their money, so none of it comes out of the queue's.
    pub returned_minor: i64,
    /// What of it the merchant advances in their place, in minor units: always available money.
    pub advance_minor: i64,
    /// Who the payment's fee was taken from: it goes back there.
    pub fee_mode: FeeMode,
    /// Fee for this refund.
    pub refund_fee: Money,
    /// The part of the payment's fee that it gives back.
    pub fee_given_back: Money,
    /// Whether the payment's unsettled money has become available.
    pub settled: bool,
    /// What of the payment's money is still unsettled.
    pub unsettled_left: Money,
    /// When that is settled, if it is known.
    pub settle_at: Option<Timestamp>,
    /// What of the payment's money is still in the reserve.
    pub reserve_left: Money,
    /// When that is released, if it is known.
    pub reserve_release_at: Option<Timestamp>,
}

impl WaitingRefund {
    /// The rate at which its money crosses into another currency.
    fn foreign(&self) -> Option<&SettlementQuote> {
        self.quote.as_ref().filter(|quote| quote.settlement_currency != self.amount.currency())
    }

    /// An amount in the currency of the queue, each for itself.
    pub fn in_queue(&self, amount: Money) -> i64 {
        self.foreign().map_or(amount.minor(), |quote| quote.convert(amount).map_or(0, Money::minor))
    }
}

/// A place in the queue: what the refund there needs of the merchant's available money, and what it does to those behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Who has it.
    pub refund_id: RefundId,
    /// What it needs of the available money, in minor units.
    pub needs_minor: i64,
    /// What it takes of its own payment's money, and when that would become available otherwise.
    pub own: Vec<(Timestamp, i64)>,
    /// Whether it holds up those behind it.
    pub order: FundsOrder,
    /// When it is looked at.
    pub check: FundsCheck,
}

/// The queue as those see it who look ahead: each refund takes what its payment has left first, and refunds of one payment share that.
pub fn places(waiting: &[WaitingRefund], policy_of: impl Fn(&WaitingRefund) -> Policy) -> Vec<Place> {
    let mut left: BTreeMap<PaymentId, (i64, i64, Converted)> = BTreeMap::new();
    let place = |refund: &WaitingRefund| {
        let policy = policy_of(refund);
        let given_back = refund.fee_given_back.minor();
        let home = left.entry(refund.payment_id).or_insert((refund.unsettled_left.minor(), refund.reserve_left.minor(), refund.converted));
        let fee_becomes_available = refund.settled || refund.fee_mode == FeeMode::FromAccount;
        if !fee_becomes_available {
            home.0 = home.0.saturating_add(given_back);
        }
        let own = refund.amount.minor().saturating_sub(refund.returned_minor).saturating_sub(refund.advance_minor);
        let unsettled = if policy.draw_unsettled { own.min(home.0.max(0)) } else { 0 };
        let reserve = if policy.draw_reserve { own.saturating_sub(unsettled).min(home.1.max(0)) } else { 0 };
        (home.0, home.1) = (home.0.saturating_sub(unsettled), home.1.saturating_sub(reserve));
        let available = own.saturating_sub(unsettled).saturating_sub(reserve).saturating_add(refund.advance_minor);
        let drawn = match refund.foreign() {
            Some(quote) => {
                let became = home.2.would_become(quote, refund.captured, -available);
                home.2.cross_as(-available, became);
                became.saturating_neg()
            }
            None => available,
        };
        let rest = drawn.saturating_add(refund.in_queue(refund.refund_fee));
        let back = if fee_becomes_available { refund.in_queue(refund.fee_given_back) } else { 0 };
        let needs_minor = rest.saturating_sub(back).max(0);
        let in_queue = |minor| refund.in_queue(Money::new(minor, refund.amount.currency()));
        let own = [(refund.settle_at, unsettled), (refund.reserve_release_at, reserve)];
        let own = own.into_iter().filter_map(|(at, minor)| Some((at?, in_queue(minor)))).filter(|(_, minor)| *minor > 0).collect();
        Place { refund_id: refund.refund_id, needs_minor, own, order: policy.funds_order, check: policy.funds_check }
    };
    waiting.iter().map(place).collect()
}
