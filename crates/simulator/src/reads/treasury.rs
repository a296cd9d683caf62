//! What is read of queues, disputes, payouts, adjustments, settlements, reviews, people and rates.

use refundry_engine::adjustment::AdjustmentState;
use refundry_engine::dispute::{DisputeKey, DisputeKind, DisputeState};
use refundry_engine::payout::{PayoutKind, PayoutStateName};
use refundry_engine::{MerchantId, Mode, Timestamp};
use refundry_ledger::Currency;
use refundry_store::{
    AdjustmentFilter, DisputeFilter, LateBefore, PayoutFilter, QUEUE_SCAN_MAX, RATES_MAX, RateFilter, ReviewFilter, StoreError,
    WaitingRefunds,
};

use super::{PAGE, Reads};
use crate::cast::CURRENCIES;

/// Days that the forecast of settlements looks ahead.
const COMING_DAYS: i64 = 30;
/// Hours after which something counts as late.
const LATE_HOURS: i64 = 2;

impl Reads<'_> {
    /// Everything of one merchant that has to do with its money and with what waits.
    pub(super) fn treasury(&mut self, merchant_id: MerchantId, now: Timestamp) -> Result<(), StoreError> {
        for currency in currencies() {
            self.queue(merchant_id, currency)?;
            let until = now.plus_days(COMING_DAYS);
            self.note("coming settlements", self.store.coming_settlements(merchant_id, currency, until))?;
        }
        self.note("waiting", self.store.waiting_counts(merchant_id))?;
        self.note("due payments", self.store.due_payments(merchant_id, now, PAGE))?;
        self.note("pots", self.store.pots(merchant_id))?;
        self.note("paid out", self.store.paid_out(merchant_id))?;
        self.payouts(merchant_id)?;
        self.adjustments(merchant_id)?;
        self.disputes(merchant_id)?;
        let store = self.store;
        let filter = ReviewFilter { merchant_id: Some(merchant_id), mode: Mode::Live };
        self.pages("reviews", |page| store.reviews(filter, page))?;
        self.pages("people", |page| store.people(Some(merchant_id), page)).map(drop)
    }

    /// What is read of all merchants together, and of the installation.
    pub(super) fn installation(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let store = self.store;
        self.pages("people of the operator", |page| store.people(None, page))?;
        for mode in [Mode::Live, Mode::Sandbox] {
            self.pages("reviews of all", |page| store.reviews(ReviewFilter { merchant_id: None, mode }, page))?;
            let payouts = PayoutFilter { mode: Some(mode), ..PayoutFilter::default() };
            self.pages("payouts of all", |page| store.payouts(&payouts, page))?;
            let disputes = DisputeFilter { mode: Some(mode), ..DisputeFilter::default() };
            self.pages("disputes of all", |page| store.disputes(&disputes, page))?;
            let adjustments = AdjustmentFilter { mode: Some(mode), ..AdjustmentFilter::default() };
            self.pages("adjustments of all", |page| store.adjustments(&adjustments, page))?;
        }
        let before = now.plus_seconds(-LATE_HOURS * 3_600);
        self.note("late", store.late(LateBefore { hand_over: before, review: before }))?;
        self.note("late", store.late(LateBefore { hand_over: now, review: now }))?;
        self.note("rates", store.rates(RateFilter { limit: RATES_MAX, ..RateFilter::default() }))?;
        let of_one = RateFilter { base: currencies().next(), limit: PAGE, ..RateFilter::default() };
        self.note("rates of one", store.rates(of_one))
    }

    /// The queue from its head, page by page, and in one piece.
    fn queue(&mut self, merchant_id: MerchantId, currency: Currency) -> Result<(), StoreError> {
        let whole = WaitingRefunds { merchant_id, currency, after: None, limit: QUEUE_SCAN_MAX };
        self.note("waiting in all", self.store.waiting_refunds(whole))?;
        let mut after = None;
        loop {
            let waiting = self.asked("waiting", self.store.waiting_refunds(WaitingRefunds { after, limit: PAGE, ..whole }))?;
            match waiting.last() {
                Some(last) => after = Some(last.refund_id),
                None => return Ok(()),
            }
        }
    }

    fn payouts(&mut self, merchant_id: MerchantId) -> Result<(), StoreError> {
        let store = self.store;
        let filter = PayoutFilter { merchant_id: Some(merchant_id), ..PayoutFilter::default() };
        for payout in self.pages("payouts", |page| store.payouts(&filter, page))? {
            self.note("payout", store.payout(merchant_id, payout.id))?;
            self.pages("lines", |page| store.payout_lines(&payout, page))?;
            let since = PayoutFilter { from: Some(payout.prepared_at), ..filter.clone() };
            self.pages("payouts since", |page| store.payouts(&since, page))?;
            let paid = PayoutFilter { paid_to: Some(payout.prepared_at), ..filter.clone() };
            self.pages("payouts paid before", |page| store.payouts(&paid, page))?;
        }
        for state in PayoutStateName::ALL {
            let in_state = PayoutFilter { state: Some(state), ..filter.clone() };
            self.pages(state.word(), |page| store.payouts(&in_state, page))?;
        }
        for (kind, currency) in PayoutKind::ALL.into_iter().flat_map(|kind| currencies().map(move |of| (kind, of))) {
            let of_kind = PayoutFilter { kind: Some(kind), currency: Some(currency), ..filter.clone() };
            self.pages(kind.word(), |page| store.payouts(&of_kind, page))?;
        }
        Ok(())
    }

    fn adjustments(&mut self, merchant_id: MerchantId) -> Result<(), StoreError> {
        let store = self.store;
        let filter = AdjustmentFilter { merchant_id: Some(merchant_id), ..AdjustmentFilter::default() };
        for adjustment in self.pages("adjustments", |page| store.adjustments(&filter, page))? {
            self.note("adjustment", store.adjustment(merchant_id, adjustment.id))?;
        }
        for state in AdjustmentState::ALL {
            let in_state = AdjustmentFilter { state: Some(state), currency: currencies().next(), ..filter.clone() };
            self.pages(state.word(), |page| store.adjustments(&in_state, page))?;
        }
        Ok(())
    }

    fn disputes(&mut self, merchant_id: MerchantId) -> Result<(), StoreError> {
        let store = self.store;
        let filter = DisputeFilter { merchant_id: Some(merchant_id), ..DisputeFilter::default() };
        for dispute in self.pages("disputes", |page| store.disputes(&filter, page))? {
            self.note("dispute", store.dispute(merchant_id, &DisputeKey::Id(dispute.id)))?;
            self.note("dispute", store.dispute(merchant_id, &DisputeKey::NetworkReference(dispute.network_reference)))?;
            let of_payment = DisputeFilter { payment_id: Some(dispute.payment_id), ..filter.clone() };
            self.pages("disputes of a payment", |page| store.disputes(&of_payment, page))?;
        }
        for kind in DisputeKind::ALL.iter().copied() {
            let of_kind = DisputeFilter { kind: Some(kind), ..filter.clone() };
            self.pages(kind.word(), |page| store.disputes(&of_kind, page))?;
        }
        for state in DisputeState::ALL.iter().copied() {
            let in_state = DisputeFilter { state: Some(state), ..filter.clone() };
            self.pages(state.word(), |page| store.disputes(&in_state, page))?;
        }
        let open = DisputeFilter { open: true, ..filter };
        self.pages("open disputes", |page| store.disputes(&open, page))?;
        self.note("open disputes", store.open_disputes(merchant_id))
    }
}

fn currencies() -> impl Iterator<Item = Currency> {
    CURRENCIES.iter().filter_map(|code| code.parse().ok())
}
