//! With which payout a line came: the first one of the trade that was prepared after its money became available and was not undone.

use refundry_engine::payout::{Payout, PayoutKind, PayoutStateName};
use refundry_engine::{MerchantId, Timestamp};
use refundry_store::{PAGE_LIMIT_MAX, PageRequest, PayoutFilter};

use super::line::{PaidWith, TradeKind, TradeLine};
use crate::Service;
use crate::error::ServiceError;

/// Payouts of a merchant, the newest first, read as far back as lines need.
pub(super) struct PayoutsOfLines<'a> {
    service: &'a Service,
    merchant_id: MerchantId,
    known: Vec<Payout>,
    /// Where to read on; `None` once all are known.
    next: Option<PageRequest>,
}

impl<'a> PayoutsOfLines<'a> {
    pub(super) const fn of(service: &'a Service, merchant_id: MerchantId) -> Self {
        let next = Some(PageRequest { after: None, limit: PAGE_LIMIT_MAX });
        Self { service, merchant_id, known: Vec::new(), next }
    }

    /// The payout of a line, if its money is in one.
    pub(super) async fn find(&mut self, line: &TradeLine) -> Result<Option<PaidWith>, ServiceError> {
        let Some(available_at) = available_at(line) else { return Ok(None) };
        self.read_back_to(available_at).await?;
        let currency = line.payment.home_currency();
        let after = self.known.iter().take_while(|payout| payout.prepared_at >= available_at);
        let carried = |payout: &&Payout| {
            let arrives = match payout.state.name() {
                PayoutStateName::Prepared | PayoutStateName::Sent | PayoutStateName::Paid => true,
                PayoutStateName::Failed | PayoutStateName::Returned | PayoutStateName::Cancelled => false,
            };
            arrives && payout.kind == PayoutKind::Trade && payout.amount.currency() == currency
        };
        let first = after.filter(carried).last();
        Ok(first.map(|payout| PaidWith { payout_id: payout.id, state: payout.state.name(), paid_at: payout.state.paid_at() }))
    }

    async fn read_back_to(&mut self, at: Timestamp) -> Result<(), ServiceError> {
        while let Some(page) = self.next.filter(|_| self.known.last().is_none_or(|oldest| oldest.prepared_at >= at)) {
            let filter = PayoutFilter { merchant_id: Some(self.merchant_id), ..PayoutFilter::default() };
            let found = self.service.world.store.payouts(&filter, page).await?;
            self.next = found.next.map(|after| PageRequest { after: Some(after), ..page });
            self.known.extend(found.rows);
        }
        Ok(())
    }
}

/// When the money of a line was taken from what is available, or came to it: a refund out of its payment's unsettled money goes with the payment.
fn available_at(line: &TradeLine) -> Option<Timestamp> {
    let settled_at = line.payment.settling.settled_at;
    match line.kind {
        TradeKind::Success => settled_at,
        TradeKind::Refund => match line.refund.as_ref().and_then(|refund| Some((refund.drawn?, refund.created_at))) {
            Some((draw, created_at)) if draw.available_minor > 0 => Some(draw.at.unwrap_or(created_at)),
            Some(_) | None => settled_at,
        },
        TradeKind::RefundReturned | TradeKind::Chargeback | TradeKind::ChargebackWon | TradeKind::ChargebackWithdrawn => Some(line.at),
        TradeKind::Failed | TradeKind::Retrieval | TradeKind::RetrievalReversed => None,
    }
}
