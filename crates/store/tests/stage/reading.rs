//! Everything that a store answers about somebody, as text, so that two stores can be compared.

use std::fmt::Debug;

use futures::executor::block_on;
use refundry_engine::merchant::Mode;
use refundry_engine::{MerchantId, TaskId, Timestamp};
use refundry_store::{
    AdjustmentFilter, DisputeFilter, LateBefore, NotificationFilter, Page, PageRequest, PaymentFilter, PayoutFilter, RateFilter, Reading,
    RefundFilter, ReviewFilter, ShareFilter, Store, WaitingRefunds,
};

use super::euro;

/// All pages of a list, a few rows at a time.
fn paged<'a, T: Debug>(read: impl Fn(PageRequest) -> Reading<'a, Page<T>>) -> Vec<T> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = block_on(read(PageRequest { after, limit: 3 })).expect("a list is answered");
        rows.extend(page.rows);
        after = page.next;
        if after.is_none() {
            return rows;
        }
    }
}

fn each<T: Debug>(found: &mut Vec<String>, rows: impl IntoIterator<Item = T>) {
    found.extend(rows.into_iter().map(|row| format!("{row:?}")));
}

/// What every read gives of these merchants and of the installation.
pub fn everything_of(store: &dyn Store, merchants: &[MerchantId], now: Timestamp) -> Vec<String> {
    let mut found = Vec::new();
    each(&mut found, paged(|page| store.merchants(page)));
    each(&mut found, paged(|page| store.credentials(None, page)));
    each(&mut found, paged(|page| store.people(None, page)));
    each(&mut found, paged(|page| store.audit(None, page)));
    each(&mut found, block_on(store.rates(RateFilter { limit: 100, ..RateFilter::default() })).unwrap());
    each(&mut found, paged(|page| store.reviews(ReviewFilter { merchant_id: None, mode: Mode::Live }, page)));
    let late = LateBefore { hand_over: now, review: now };
    each(&mut found, [block_on(store.late(late)).unwrap()]);
    each(&mut found, [block_on(store.task_figures(now)).unwrap()]);
    for id in merchants {
        settings_of(&mut found, store, *id);
        trade_of(&mut found, store, *id);
        later_life_of(&mut found, store, *id);
        money_of(&mut found, store, *id, now);
    }
    found
}

fn settings_of(found: &mut Vec<String>, store: &dyn Store, id: MerchantId) {
    let merchant = block_on(store.merchant(id)).unwrap();
    if let Some(account) = merchant.as_ref().and_then(|merchant| merchant.account.as_ref()) {
        each(found, block_on(store.merchant_by_account(Mode::Live, account)).unwrap());
    }
    each(found, merchant);
    each(found, block_on(store.terminals(id)).unwrap());
    each(found, paged(|page| store.credentials(Some(id), page)));
    each(found, paged(|page| store.people(Some(id), page)));
    each(found, paged(|page| store.audit(Some(id), page)));
}

fn trade_of(found: &mut Vec<String>, store: &dyn Store, id: MerchantId) {
    let payments = PaymentFilter { merchant_id: Some(id), ..PaymentFilter::default() };
    each(found, paged(|page| store.payments(&payments, page)));
    let refunds = RefundFilter { merchant_id: Some(id), ..RefundFilter::default() };
    for refund in paged(|page| store.refunds(&refunds, page)) {
        let key = refundry_engine::idempotency::IdempotencyKey {
            merchant_id: id,
            dialect: refund.dialect.clone(),
            scope: String::new(),
            number: refund.number.clone(),
        };
        each(found, block_on(store.remembered(&key)).unwrap());
        each(found, block_on(store.timeline(id, refund.id)).unwrap());
        each(found, block_on(store.task(id, TaskId::new(refund.id.get()))).unwrap());
        each(found, [refund]);
    }
    each(found, block_on(store.events_after(id, 0, 1_000)).unwrap());
    let told = NotificationFilter { merchant_id: Some(id), ..NotificationFilter::default() };
    for notification in paged(|page| store.notifications(&told, page)) {
        each(found, block_on(store.deliveries(id, notification.id)).unwrap());
        each(found, [notification]);
    }
}

fn later_life_of(found: &mut Vec<String>, store: &dyn Store, id: MerchantId) {
    let disputes = DisputeFilter { merchant_id: Some(id), ..DisputeFilter::default() };
    each(found, paged(|page| store.disputes(&disputes, page)));
    each(found, block_on(store.open_disputes(id)).unwrap());
    let shares = ShareFilter { merchant_id: id, payment_id: None, state: None };
    each(found, paged(|page| store.shares(&shares, page)));
    each(found, paged(|page| store.advances(id, page)));
    let reviews = ReviewFilter { merchant_id: Some(id), mode: Mode::Live };
    each(found, paged(|page| store.reviews(reviews, page)));
}

fn money_of(found: &mut Vec<String>, store: &dyn Store, id: MerchantId, now: Timestamp) {
    let euros = euro(0).currency();
    each(found, block_on(store.balances(id)).unwrap());
    each(found, block_on(store.pots(id)).unwrap());
    each(found, block_on(store.paid_out(id)).unwrap());
    each(found, block_on(store.due_payments(id, now.plus_days(30), 100)).unwrap());
    each(found, block_on(store.coming_settlements(id, euros, now.plus_days(30))).unwrap());
    each(found, block_on(store.waiting_counts(id)).unwrap());
    each(found, block_on(store.waiting_refunds(WaitingRefunds { merchant_id: id, currency: euros, after: None, limit: 100 })).unwrap());
    let payouts = PayoutFilter { merchant_id: Some(id), ..PayoutFilter::default() };
    for payout in paged(|page| store.payouts(&payouts, page)) {
        each(found, paged(|page| store.payout_lines(&payout, page)));
        each(found, [payout]);
    }
    let adjustments = AdjustmentFilter { merchant_id: Some(id), ..AdjustmentFilter::default() };
    each(found, paged(|page| store.adjustments(&adjustments, page)));
}
