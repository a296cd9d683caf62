//! Reads the store at once: without threads a read is over when it is asked for.

use futures::FutureExt as _;
use refundry_engine::adjustment::Adjustment;
use refundry_engine::dispute::Dispute;
use refundry_engine::event::Event;
use refundry_engine::notification::{DeliveryAttempt, Notification};
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::payout::Payout;
use refundry_engine::refund::Refund;
use refundry_engine::share::Share;
use refundry_engine::task::Task;
use refundry_engine::{MerchantId, NotificationId, PaymentId, RefundId, TaskId};
use refundry_store::{
    AdjustmentFilter, BalanceRow, BooksReport, DisputeFilter, NotificationFilter, PAGE_LIMIT_MAX, Page, PageRequest, PaymentFilter,
    PayoutFilter, PayoutLine, Reading, RefundFilter, ShareFilter, Store, StoreError,
};

use super::{Violation, violation};

const EVENTS_OF_A_PAGE: u32 = 1_000;

/// The store as the auditor sees it.
pub struct Reader<'a>(pub &'a dyn Store);

impl Reader<'_> {
    /// All refunds of a merchant.
    pub fn refunds(&self, merchant_id: MerchantId) -> Result<Vec<Refund>, Violation> {
        let filter = RefundFilter { merchant_id: Some(merchant_id), ..RefundFilter::default() };
        all(|page| self.0.refunds(&filter, page))
    }

    /// One refund.
    pub fn refund(&self, merchant_id: MerchantId, refund_id: RefundId) -> Result<Option<Refund>, Violation> {
        now(self.0.refund(merchant_id, refund_id))
    }

    /// All payments of a merchant.
    pub fn payments(&self, merchant_id: MerchantId) -> Result<Vec<Payment>, Violation> {
        let filter = PaymentFilter { merchant_id: Some(merchant_id), ..PaymentFilter::default() };
        all(|page| self.0.payments(&filter, page))
    }

    /// One payment.
    pub fn payment(&self, merchant_id: MerchantId, payment_id: PaymentId) -> Result<Option<Payment>, Violation> {
        now(self.0.payment(merchant_id, &PaymentKey::Id(payment_id)))
    }

    /// All notifications of a merchant.
    pub fn notifications(&self, merchant_id: MerchantId) -> Result<Vec<Notification>, Violation> {
        let filter = NotificationFilter { merchant_id: Some(merchant_id), ..NotificationFilter::default() };
        all(|page| self.0.notifications(&filter, page))
    }

    /// The tries of one notification.
    pub fn deliveries(&self, merchant_id: MerchantId, id: NotificationId) -> Result<Vec<DeliveryAttempt>, Violation> {
        now(self.0.deliveries(merchant_id, id))
    }

    /// The open task of a subject.
    pub fn task(&self, merchant_id: MerchantId, id: i64) -> Result<Option<Task>, Violation> {
        now(self.0.task(merchant_id, TaskId::new(id)))
    }

    /// The book of a merchant.
    pub fn balances(&self, merchant_id: MerchantId) -> Result<Vec<BalanceRow>, Violation> {
        now(self.0.balances(merchant_id))
    }

    /// The feed of a merchant behind a number.
    pub fn events_after(&self, merchant_id: MerchantId, after: i64) -> Result<Vec<Event>, Violation> {
        let mut events: Vec<Event> = Vec::new();
        loop {
            let after = events.last().map_or(after, |event| event.sequence);
            let page = now(self.0.events_after(merchant_id, after, EVENTS_OF_A_PAGE))?;
            if page.is_empty() {
                return Ok(events);
            }
            events.extend(page);
        }
    }

    /// All disputes of a merchant.
    pub fn disputes(&self, merchant_id: MerchantId) -> Result<Vec<Dispute>, Violation> {
        let filter = DisputeFilter { merchant_id: Some(merchant_id), ..DisputeFilter::default() };
        all(|page| self.0.disputes(&filter, page))
    }

    /// All shares of a merchant's payments.
    pub fn shares(&self, merchant_id: MerchantId) -> Result<Vec<Share>, Violation> {
        let filter = ShareFilter { merchant_id, payment_id: None, state: None };
        all(|page| self.0.shares(&filter, page))
    }

    /// All adjustments of a merchant.
    pub fn adjustments(&self, merchant_id: MerchantId) -> Result<Vec<Adjustment>, Violation> {
        let filter = AdjustmentFilter { merchant_id: Some(merchant_id), ..AdjustmentFilter::default() };
        all(|page| self.0.adjustments(&filter, page))
    }

    /// All payouts of a merchant.
    pub fn payouts(&self, merchant_id: MerchantId) -> Result<Vec<Payout>, Violation> {
        let filter = PayoutFilter { merchant_id: Some(merchant_id), ..PayoutFilter::default() };
        all(|page| self.0.payouts(&filter, page))
    }

    /// All lines of a payout's statement.
    pub fn payout_lines(&self, payout: &Payout) -> Result<Vec<PayoutLine>, Violation> {
        all(|page| self.0.payout_lines(payout, page))
    }

    /// What the books say of themselves.
    pub fn books(&self) -> Result<BooksReport, Violation> {
        now(self.0.check_books())
    }
}

fn now<T>(reading: Reading<'_, T>) -> Result<T, Violation> {
    let read = reading.now_or_never().ok_or_else(|| violation("reads_end_at_once", "a read without threads did not".to_owned()))?;
    read.map_err(|error| violation("the_database_can_be_read", describe(&error)))
}

fn all<'a, T>(read: impl Fn(PageRequest) -> Reading<'a, Page<T>>) -> Result<Vec<T>, Violation> {
    let mut rows = Vec::new();
    let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
    loop {
        let Page { rows: found, next } = now(read(page))?;
        rows.extend(found);
        match next {
            Some(after) => page.after = Some(after),
            None => return Ok(rows),
        }
    }
}

fn describe(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
