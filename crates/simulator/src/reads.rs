//! Everything that a store can be asked, as text: what two engines that hold the same must answer alike, page by page and filter by filter.

mod treasury;

use std::collections::BTreeMap;
use std::fmt::Debug;

use futures::FutureExt as _;
use refundry_engine::idempotency::IdempotencyKey;
use refundry_engine::notification::NotificationState;
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::refund::{Refund, RefundStateName};
use refundry_engine::share::ShareKey;
use refundry_engine::{MerchantId, TaskId, Timestamp};
use refundry_store::{NotificationFilter, Page, PageRequest, PaymentFilter, Reading, RefundFilter, ShareFilter, Store, StoreError};

use crate::cast::{Cast, CastMerchant, client_id};

/// Small, so that there are several pages.
const PAGE: u32 = 3;
const FEED: u32 = 100_000;

/// What a store answered.
pub struct Reads<'a> {
    store: &'a dyn Store,
    lines: Vec<String>,
}

/// Asks everything about everybody.
pub fn everything(store: &dyn Store, cast: &Cast, rows: &[String], now: Timestamp) -> Result<Vec<String>, StoreError> {
    let mut reads = Reads { store, lines: Vec::new() };
    for (number, one) in cast.merchants.iter().enumerate() {
        reads.settings(number, one)?;
        reads.payments(one.merchant.id)?;
        reads.refunds(one.merchant.id)?;
        reads.shares(one.merchant.id)?;
        reads.notifications(one.merchant.id)?;
        reads.books(one.merchant.id)?;
        reads.treasury(one.merchant.id, now)?;
    }
    for key in rows.iter().filter_map(|row| remembered_key(row)) {
        reads.note("remembered", store.remembered(&key))?;
    }
    reads.pages("merchants", |page| store.merchants(page))?;
    reads.pages("credentials", |page| store.credentials(None, page))?;
    reads.pages("audit", |page| store.audit(None, page))?;
    reads.installation(now)?;
    reads.note("tasks", store.task_figures(now))?;
    reads.note("books", store.check_books())?;
    Ok(reads.lines)
}

impl Reads<'_> {
    fn settings(&mut self, number: usize, one: &CastMerchant) -> Result<(), StoreError> {
        let (store, merchant_id) = (self.store, one.merchant.id);
        self.note("merchant", store.merchant(merchant_id))?;
        self.note("terminals", store.terminals(merchant_id))?;
        self.note("terminal", store.terminal(merchant_id, one.antom.id))?;
        self.note("by lookup", store.credentials_by_lookup("antom", &client_id(number)))?;
        self.pages("credentials", |page| store.credentials(Some(merchant_id), page)).map(drop)
    }

    fn payments(&mut self, merchant_id: MerchantId) -> Result<(), StoreError> {
        let store = self.store;
        let filter = PaymentFilter { merchant_id: Some(merchant_id), ..PaymentFilter::default() };
        let payments: Vec<Payment> = self.pages("payments", |page| store.payments(&filter, page))?;
        for payment in payments {
            self.note("payment", store.payment(merchant_id, &PaymentKey::Id(payment.id)))?;
            self.note("payment", store.payment(merchant_id, &PaymentKey::Reference(payment.payment_reference)))?;
            let by_order = PaymentFilter { merchant_reference: Some(payment.merchant_reference), ..filter.clone() };
            self.pages("payments of an order", |page| store.payments(&by_order, page))?;
            let of_payment = RefundFilter { merchant_id: Some(merchant_id), payment_id: Some(payment.id), ..RefundFilter::default() };
            self.pages("refunds of a payment", |page| store.refunds(&of_payment, page))?;
        }
        Ok(())
    }

    fn refunds(&mut self, merchant_id: MerchantId) -> Result<(), StoreError> {
        let store = self.store;
        let filter = RefundFilter { merchant_id: Some(merchant_id), ..RefundFilter::default() };
        let refunds: Vec<Refund> = self.pages("refunds", |page| store.refunds(&filter, page))?;
        for state in RefundStateName::ALL {
            let in_state = RefundFilter { state: Some(state), ..filter.clone() };
            self.pages(state.word(), |page| store.refunds(&in_state, page))?;
        }
        for refund in refunds {
            self.note("refund", store.refund(merchant_id, refund.id))?;
            self.note("timeline", store.timeline(merchant_id, refund.id))?;
            self.note("task", store.task(merchant_id, TaskId::new(refund.id.get())))?;
            let by_number = RefundFilter { number: Some(refund.number), ..filter.clone() };
            self.pages("refunds by number", |page| store.refunds(&by_number, page))?;
            let about = NotificationFilter { merchant_id: Some(merchant_id), refund_id: Some(refund.id), ..NotificationFilter::default() };
            self.pages("notifications of a refund", |page| store.notifications(&about, page))?;
        }
        Ok(())
    }

    fn shares(&mut self, merchant_id: MerchantId) -> Result<(), StoreError> {
        let store = self.store;
        let filter = ShareFilter { merchant_id, payment_id: None, state: None };
        for share in self.pages("shares", |page| store.shares(&filter, page))? {
            self.note("share", store.share(merchant_id, &ShareKey::Id(share.id)))?;
            let (dialect, number) = (share.dialect, share.number);
            self.note("share", store.share(merchant_id, &ShareKey::Number { dialect, number }))?;
            let of_payment = ShareFilter { payment_id: Some(share.payment_id), ..filter.clone() };
            self.pages("shares of a payment", |page| store.shares(&of_payment, page))?;
        }
        self.pages("advances", |page| store.advances(merchant_id, page)).map(drop)
    }

    fn notifications(&mut self, merchant_id: MerchantId) -> Result<(), StoreError> {
        let store = self.store;
        let filter = NotificationFilter { merchant_id: Some(merchant_id), ..NotificationFilter::default() };
        for notification in self.pages("notifications", |page| store.notifications(&filter, page))? {
            self.note("notification", store.notification(merchant_id, notification.id))?;
            self.note("deliveries", store.deliveries(merchant_id, notification.id))?;
            self.note("task", store.task(merchant_id, TaskId::new(notification.id.get())))?;
        }
        for state in NotificationState::ALL {
            let in_state = NotificationFilter { state: Some(state), ..filter.clone() };
            self.pages(state.word(), |page| store.notifications(&in_state, page))?;
        }
        Ok(())
    }

    fn books(&mut self, merchant_id: MerchantId) -> Result<(), StoreError> {
        let store = self.store;
        self.note("feed", store.events_after(merchant_id, 0, FEED))?;
        self.note("feed", store.events_after(merchant_id, 5, PAGE))?;
        self.note("balances", store.balances(merchant_id))?;
        self.pages("audit", |page| store.audit(Some(merchant_id), page)).map(drop)
    }

    fn note<T: Debug>(&mut self, what: &str, reading: Reading<'_, T>) -> Result<(), StoreError> {
        self.asked(what, reading).map(drop)
    }

    fn asked<T: Debug>(&mut self, what: &str, reading: Reading<'_, T>) -> Result<T, StoreError> {
        let read = now(reading)?;
        self.lines.push(format!("{what}: {read:?}"));
        Ok(read)
    }

    fn pages<'a, T: Debug>(&mut self, what: &str, read: impl Fn(PageRequest) -> Reading<'a, Page<T>>) -> Result<Vec<T>, StoreError> {
        let mut all = Vec::new();
        let mut page = PageRequest { after: None, limit: PAGE };
        loop {
            let Page { rows, next } = now(read(page))?;
            self.lines.push(format!("{what}: {rows:?}, then {next:?}"));
            all.extend(rows);
            match next {
                Some(after) => page.after = Some(after),
                None => return Ok(all),
            }
        }
    }
}

/// Without threads a read is over when it is asked for.
fn now<T>(reading: Reading<'_, T>) -> Result<T, StoreError> {
    reading.now_or_never().unwrap_or(Err(StoreError::Closed))
}

/// The key that a row of the table stands for.
fn remembered_key(row: &str) -> Option<IdempotencyKey> {
    let fields: BTreeMap<&str, &str> = row.strip_prefix("remembered: ")?.split(" | ").filter_map(|field| field.split_once('=')).collect();
    let text = |name: &str| fields.get(name).map(|value| (*value).to_owned());
    Some(IdempotencyKey {
        merchant_id: MerchantId::new(text("merchant_id")?.parse().ok()?),
        dialect: text("dialect")?,
        scope: text("scope")?,
        number: text("number")?,
    })
}
