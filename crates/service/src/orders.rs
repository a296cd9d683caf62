//! Orders as merchants' systems ask about them in their dialect: by number, or in a period, page by page. Only those of the caller's own terminal.

use refundry_dialects::orders::{
    Exception, ExceptionFound, ExceptionTime, ORDER_AGE_DAYS_MAX, OrderFound, OrdersFound, OrdersPage, OrdersQuestion, Period,
};
use refundry_engine::dispute::{Dispute, DisputeCategory, DisputeKind};
use refundry_engine::payment::{Payment, PaymentKey, PaymentStatus};
use refundry_engine::refund::{Refund, RefundState};
use refundry_engine::{MerchantId, PaymentId, Refusal, TerminalId, Timestamp};
use refundry_store::{DisputeFilter, PAGE_LIMIT_MAX, Page, PageRequest, PaymentFilter, RefundFilter};

use crate::Service;
use crate::caller::Caller;
use crate::dispute_notes;
use crate::error::ServiceError;
use crate::permissions::Permission;
use crate::texts::check_kept;

/// Rows of all pages of one question, at most: a longer list is asked for in parts.
pub const LISTED_MAX: usize = 10_000;
/// Days that a refund may lie between its application and its decision to be listed by the latter: the longest usual wait for money, twice.
pub const DECIDED_WITHIN_DAYS: i64 = 62;

/// Whose orders.
#[derive(Clone, Copy)]
struct Shop<'a> {
    service: &'a Service,
    caller: &'a Caller,
    merchant_id: MerchantId,
    terminal_id: TerminalId,
}

/// What there is.
pub async fn answer(service: &Service, caller: &Caller, question: &OrdersQuestion) -> Result<OrdersFound, ServiceError> {
    caller.must(Permission::PaymentsRead)?;
    caller.must(Permission::RefundsRead)?;
    let terminal = caller.terminal.as_ref().ok_or(Refusal::UnknownTerminal)?;
    let shop = Shop { service, caller, merchant_id: caller.merchant_id(None)?, terminal_id: terminal.id };
    match question {
        OrdersQuestion::ByNumber { numbers } => shop.by_number(numbers).await,
        OrdersQuestion::Paid { period, page } => shop.paid(*period, *page).await,
        OrdersQuestion::Exceptions { period, page, dated } => shop.exceptions(*period, *page, *dated).await,
        OrdersQuestion::Disputes { period, page, in_grace } => shop.own_disputes(*period, *page, *in_grace).await,
    }
}

impl Shop<'_> {
    async fn by_number(self, numbers: &[String]) -> Result<OrdersFound, ServiceError> {
        let from = self.service.world.now().plus_days(-ORDER_AGE_DAYS_MAX);
        let mut rows = Vec::new();
        for number in numbers {
            check_kept("order_number", number)?;
            let filter = PaymentFilter { merchant_reference: Some(number.clone()), from: Some(from), ..self.payments() };
            for payment in self.all_payments(&filter).await? {
                rows.push(self.with_what_befell(payment).await?);
            }
        }
        let total = rows.len() as u64;
        Ok(OrdersFound::Orders { rows, total })
    }

    async fn paid(self, period: Period, page: OrdersPage) -> Result<OrdersFound, ServiceError> {
        let status = Some(PaymentStatus::Captured);
        let filter = PaymentFilter { from: Some(period.from), to: Some(period.until), status, ..self.payments() };
        let all = self.all_payments(&filter).await?;
        let total = all.len() as u64;
        let mut rows = Vec::new();
        for payment in on_page(all, page) {
            rows.push(self.with_what_befell(payment).await?);
        }
        Ok(OrdersFound::Orders { rows, total })
    }

    async fn exceptions(self, period: Period, page: OrdersPage, dated: ExceptionTime) -> Result<OrdersFound, ServiceError> {
        let holds = |at: Timestamp| period.from <= at && at < period.until;
        let (from, to) = match dated {
            ExceptionTime::Befell => (period.from, Some(period.until)),
            ExceptionTime::Reviewed => (period.from.plus_days(-DECIDED_WITHIN_DAYS), Some(period.until)),
            ExceptionTime::Paid => (period.from, None),
        };
        let refunds = self.refunds(RefundFilter { from: Some(from), to, ..RefundFilter::default() }, |refund| match dated {
            ExceptionTime::Befell => holds(refund.created_at),
            ExceptionTime::Reviewed => decided_at(refund).is_some_and(holds),
            // A payment's id carries the payment's own time.
            ExceptionTime::Paid => holds(refund.payment_id.instant()),
        });
        let mut all: Vec<Befallen> = refunds.await?.into_iter().map(|refund| Befallen::Refund(Box::new(refund))).collect();
        let disputes = self.disputes(DisputeFilter { from: Some(from), to, ..DisputeFilter::default() }, |dispute| match dated {
            ExceptionTime::Befell => holds(dispute.opened_at),
            ExceptionTime::Reviewed => dispute.body.ended_at.or(dispute.body.represented_at).is_some_and(holds),
            ExceptionTime::Paid => holds(dispute.payment_id.instant()),
        });
        all.extend(disputes.await?.into_iter().map(|dispute| Befallen::Dispute(Box::new(dispute))));
        all.sort_by_key(|befallen| std::cmp::Reverse(befallen.at()));
        self.page_of(all, page).await
    }

    /// Disputes of methods that have disputes of their own.
    async fn own_disputes(self, period: Period, page: OrdersPage, in_grace: bool) -> Result<OrdersFound, ServiceError> {
        let kind = Some(DisputeKind::Dispute);
        let filter = DisputeFilter { from: Some(period.from), to: Some(period.until), kind, ..DisputeFilter::default() };
        let wanted = |dispute: &Dispute| (dispute.body.category == DisputeCategory::GracePeriod) == in_grace;
        let all = self.disputes(filter, wanted).await?.into_iter().map(|dispute| Befallen::Dispute(Box::new(dispute)));
        self.page_of(all.collect(), page).await
    }

    async fn page_of(self, all: Vec<Befallen>, page: OrdersPage) -> Result<OrdersFound, ServiceError> {
        check_length(all.len())?;
        let total = all.len() as u64;
        let mut rows = Vec::new();
        for befallen in on_page(all, page) {
            let payment = self.payment(befallen.payment_id()).await?;
            let exception = match befallen {
                Befallen::Refund(refund) => Exception::Refund(refund),
                Befallen::Dispute(dispute) => Exception::Dispute(dispute_notes::note(&dispute)),
            };
            rows.push(ExceptionFound { payment, exception });
        }
        Ok(OrdersFound::Exceptions { rows, total })
    }

    async fn disputes(self, filter: DisputeFilter, wanted: impl Fn(&Dispute) -> bool) -> Result<Vec<Dispute>, ServiceError> {
        let filter = DisputeFilter { merchant_id: Some(self.merchant_id), mode: Some(self.caller.mode), ..filter };
        let mut all = Vec::new();
        let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
        loop {
            let read: Page<Dispute> = self.service.world.store.disputes(&filter, page).await?;
            all.extend(read.rows.into_iter().filter(|dispute| dispute.body.terminal_id == self.terminal_id && wanted(dispute)));
            check_length(all.len())?;
            let Some(next) = read.next else { return Ok(all) };
            page.after = Some(next);
        }
    }

    fn payments(self) -> PaymentFilter {
        PaymentFilter { merchant_id: Some(self.merchant_id), mode: Some(self.caller.mode), ..PaymentFilter::default() }
    }

    async fn all_payments(self, filter: &PaymentFilter) -> Result<Vec<Payment>, ServiceError> {
        let mut all = Vec::new();
        let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
        loop {
            let read: Page<Payment> = self.service.world.store.payments(filter, page).await?;
            all.extend(read.rows.into_iter().filter(|payment| payment.terminal_id == self.terminal_id));
            check_length(all.len())?;
            let Some(next) = read.next else { return Ok(all) };
            page.after = Some(next);
        }
    }

    async fn refunds(self, filter: RefundFilter, wanted: impl Fn(&Refund) -> bool) -> Result<Vec<Refund>, ServiceError> {
        let filter = RefundFilter { merchant_id: Some(self.merchant_id), mode: Some(self.caller.mode), ..filter };
        let mut all = Vec::new();
        let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
        loop {
            let read: Page<Refund> = self.service.world.store.refunds(&filter, page).await?;
            for refund in read.rows.into_iter().filter(&wanted) {
                // What was asked for elsewhere is still about this terminal's order.
                if refund.terminal_id == self.terminal_id || self.payment_of(&refund).await?.terminal_id == self.terminal_id {
                    all.push(refund);
                }
            }
            check_length(all.len())?;
            let Some(next) = read.next else { return Ok(all) };
            page.after = Some(next);
        }
    }

    async fn with_what_befell(self, payment: Payment) -> Result<OrderFound, ServiceError> {
        let filter = RefundFilter { merchant_id: Some(self.merchant_id), payment_id: Some(payment.id), ..RefundFilter::default() };
        let page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
        let mut refunds = self.service.world.store.refunds(&filter, page).await?.rows;
        refunds.reverse();
        let filter = DisputeFilter { payment_id: Some(payment.id), ..DisputeFilter::default() };
        let mut disputes: Vec<_> = self.disputes(filter, |_| true).await?.iter().map(dispute_notes::note).collect();
        disputes.reverse();
        Ok(OrderFound { payment, refunds, disputes })
    }

    async fn payment_of(self, refund: &Refund) -> Result<Payment, ServiceError> {
        self.payment(refund.payment_id).await
    }

    async fn payment(self, payment_id: PaymentId) -> Result<Payment, ServiceError> {
        let key = PaymentKey::Id(payment_id);
        Ok(self.service.world.store.payment(self.merchant_id, &key).await?.ok_or(Refusal::UnknownPayment)?)
    }
}

/// What befell an order.
enum Befallen {
    Refund(Box<Refund>),
    Dispute(Box<Dispute>),
}

impl Befallen {
    fn at(&self) -> Timestamp {
        match self {
            Self::Refund(refund) => refund.created_at,
            Self::Dispute(dispute) => dispute.opened_at,
        }
    }

    fn payment_id(&self) -> PaymentId {
        match self {
            Self::Refund(refund) => refund.payment_id,
            Self::Dispute(dispute) => dispute.payment_id,
        }
    }
}

/// When a refund was let pass or ended; `None` while nobody has decided.
fn decided_at(refund: &Refund) -> Option<Timestamp> {
    match &refund.state {
        RefundState::Pending { .. } => None,
        RefundState::Submitted { at, .. } => Some(*at),
        RefundState::Unresolved { submitted_at, .. } => Some(*submitted_at),
        RefundState::Succeeded { at, .. } | RefundState::Failed { at, .. } | RefundState::Cancelled { at, .. } => Some(*at),
        RefundState::Returned { succeeded_at, .. } => Some(*succeeded_at),
    }
}

fn on_page<T>(all: Vec<T>, page: OrdersPage) -> impl Iterator<Item = T> {
    let rows = page.rows as usize;
    let before = (page.number.max(1) as usize - 1).saturating_mul(rows);
    all.into_iter().skip(before).take(rows)
}

fn check_length(rows: usize) -> Result<(), Refusal> {
    if rows <= LISTED_MAX {
        return Ok(());
    }
    Err(Refusal::FieldInvalid {
        field: "period".to_owned(),
        rule: format!("with at most {LISTED_MAX} orders in it; ask for a shorter one"),
    })
}
