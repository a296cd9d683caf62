//! The list of trade (交易明细): what was sold, what went back, and what was disputed, one line for each, newest first, with what it is booked as and the payout
//! that it came with.

mod line;
mod payouts_of_lines;
mod totals;

use std::collections::BTreeMap;

use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::settlement::ShipmentState;
use refundry_engine::{MerchantId, PaymentId, PayoutId, TerminalId, Timestamp};
use refundry_ledger::Currency;
use refundry_store::{PAGE_LIMIT_MAX, Page, PageRequest};

use crate::caller::Caller;
use crate::error::ServiceError;
use crate::feed_walk::FeedWalk;
use crate::permissions::Permission;
use crate::texts::check_kept;
use crate::{Service, booked, merchants};

pub use line::{PaidWith, TradeKind, TradeLine};
pub use totals::{TOTAL_LINES_MAX, TradeSum, TradeTotals, totals};

use payouts_of_lines::PayoutsOfLines;

/// Which lines.
#[derive(Clone, Debug, Default)]
pub struct TradeFilter {
    /// Whose.
    pub merchant_id: Option<MerchantId>,
    /// Booked at or after.
    pub from: Option<Timestamp>,
    /// Booked before.
    pub to: Option<Timestamp>,
    /// Of this payment, by our id.
    pub payment_id: Option<PaymentId>,
    /// Of the payment of this number.
    pub payment_reference: Option<String>,
    /// Of payments of this order number.
    pub merchant_reference: Option<String>,
    /// Of this kind.
    pub kind: Option<TradeKind>,
    /// In this currency.
    pub currency: Option<Currency>,
    /// Booked in this currency.
    pub booked_currency: Option<Currency>,
    /// Of this card scheme.
    pub card_scheme: Option<String>,
    /// Of this method.
    pub method: Option<String>,
    /// Taken by this terminal.
    pub terminal_id: Option<TerminalId>,
    /// Whether a tracking number is there.
    pub tracking: Option<bool>,
    /// Where the goods are.
    pub shipment: Option<ShipmentState>,
    /// Paid out with this payout.
    pub payout_id: Option<PayoutId>,
    /// Whether it is in a payout.
    pub paid_out: Option<bool>,
}

/// A page of lines, newest first. It looks at a limited number of events: a filter that fits rarely gives a short page with a cursor.
pub async fn list(service: &Service, caller: &Caller, filter: &TradeFilter, page: PageRequest) -> Result<Page<TradeLine>, ServiceError> {
    caller.must(Permission::FundsRead)?;
    let merchant = merchants::read(service, caller, caller.merchant_id(filter.merchant_id)?).await?;
    for text in [&filter.payment_reference, &filter.merchant_reference, &filter.card_scheme, &filter.method].into_iter().flatten() {
        check_kept("filter", text)?;
    }
    let only = named_payment(service, merchant.id, filter).await?;
    let Some(from) = only.as_ref().map_or(Some(filter.from), |only| earliest(filter, only.as_ref())) else {
        return Ok(Page { rows: Vec::new(), next: None });
    };
    let mut walk = FeedWalk::begin(service, merchant.id, (from, filter.to), page.after).await?;
    let limit = page.limit.clamp(1, PAGE_LIMIT_MAX) as usize;
    let (mut rows, mut known) = (Vec::new(), BTreeMap::new());
    let mut payouts = PayoutsOfLines::of(service, merchant.id);
    while rows.len() < limit {
        let Some(event) = walk.next().await? else { break };
        let Some(mut line) = line::of_event(service, &event, &mut known).await? else { continue };
        if !filter.fits(&line) {
            continue;
        }
        line.paid_with = payouts.find(&line).await?;
        if filter.fits_payout(&line) {
            rows.push(line);
        }
    }
    book(service, &mut rows).await?;
    Ok(Page { rows, next: walk.cursor() })
}

/// The payment that the filter names: `None` when it names none, `Some(None)` when there is none of that name.
async fn named_payment(service: &Service, merchant_id: MerchantId, filter: &TradeFilter) -> Result<Option<Option<Payment>>, ServiceError> {
    let key = match (filter.payment_id, &filter.payment_reference) {
        (Some(id), _) => PaymentKey::Id(id),
        (None, Some(reference)) => PaymentKey::Reference(reference.clone()),
        (None, None) => return Ok(None),
    };
    Ok(Some(service.world.store.payment(merchant_id, &key).await?))
}

/// Nothing of a payment is older than what we know of it.
fn earliest(filter: &TradeFilter, payment: Option<&Payment>) -> Option<Option<Timestamp>> {
    payment.map(|payment| Some(filter.from.map_or(payment.created_at, |from| from.max(payment.created_at))))
}

/// Looks up what the lines are booked as.
async fn book(service: &Service, lines: &mut [TradeLine]) -> Result<(), ServiceError> {
    let refunds: Vec<_> = lines.iter().filter_map(|line| line.refund.clone()).collect();
    let disputes: Vec<_> = lines.iter().filter_map(|line| line.dispute.clone()).collect();
    let payments: Vec<_> = lines.iter().filter(|line| line.kind == TradeKind::Success).map(|line| line.payment.clone()).collect();
    let mut refunds = booked::of_refunds(service, &refunds).await?.into_iter();
    let mut disputes = booked::of_disputes(service, &disputes).await?.into_iter();
    let mut payments = booked::of_payments(service, &payments).await?.into_iter();
    for line in lines {
        let found = match (&line.refund, &line.dispute) {
            (Some(_), _) => refunds.next(),
            (None, Some(_)) => disputes.next(),
            (None, None) if line.kind == TradeKind::Success => payments.next(),
            (None, None) => None,
        };
        line.booked = found.flatten().map(|booked| line.signed(booked));
    }
    Ok(())
}

impl TradeFilter {
    fn fits(&self, line: &TradeLine) -> bool {
        let payment = &line.payment;
        let is = |wanted: &Option<String>, there: &str| wanted.as_deref().is_none_or(|wanted| wanted == there);
        self.from.is_none_or(|from| line.at >= from)
            && self.to.is_none_or(|to| line.at < to)
            && self.kind.is_none_or(|kind| line.kind == kind)
            && self.payment_id.is_none_or(|id| payment.id == id)
            && is(&self.payment_reference, &payment.payment_reference)
            && is(&self.merchant_reference, &payment.merchant_reference)
            && is(&self.method, &payment.method)
            && is(&self.card_scheme, payment.details.card_scheme.as_deref().unwrap_or_default())
            && self.currency.is_none_or(|currency| payment.currency() == currency)
            && self.booked_currency.is_none_or(|currency| payment.booked_currency() == currency)
            && self.terminal_id.is_none_or(|id| payment.terminal_id == id)
            && self.tracking.is_none_or(|there| payment.settling.shipment.is_some() == there)
            && self.shipment.is_none_or(|state| payment.settling.shipment_state == state)
    }

    fn fits_payout(&self, line: &TradeLine) -> bool {
        let payout_id = line.paid_with.as_ref().map(|paid| paid.payout_id);
        self.payout_id.is_none_or(|id| payout_id == Some(id)) && self.paid_out.is_none_or(|is| payout_id.is_some() == is)
    }
}
