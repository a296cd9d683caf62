use refundry_engine::MerchantId;
use refundry_engine::notification::{Notification, NotificationState};
use refundry_engine::payment::Payment;
use refundry_engine::refund::{Refund, RefundStateName};
use refundry_engine::verdict::AuditLine;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::columns::Columns;
use super::pages::{ALL_IDS, Listing, id_range, merchants, of_merchant};
use super::readers::Reader;
use super::singles::payment_row;
use crate::rows;
use crate::{NotificationFilter, Page, PageRequest, PaymentFilter, RefundFilter, StoreError};

/// Reads a refund.
pub fn refund_row(row: &Row) -> Result<Refund, StoreError> {
    rows::refund::read(&mut Columns::new(row, "refund"))
}

/// Reads a notification.
pub fn notification_row(row: &Row) -> Result<Notification, StoreError> {
    rows::other::notification(&mut Columns::new(row, "notification"))
}

/// A page of payments.
pub async fn payments(reader: Reader, filter: PaymentFilter, page: PageRequest) -> Result<Page<Payment>, StoreError> {
    let of = merchants(&reader, filter.merchant_id, filter.mode).await?;
    let (from, to) = id_range(filter.from, filter.to);
    let by_reference = if filter.merchant_reference.is_some() { "AND merchant_reference = $5" } else { "" };
    let listing = Listing {
        columns: rows::payment::COLUMNS,
        source: format!("FROM payments WHERE {} {by_reference}", of_merchant("payments")),
        id: "payment_id",
        extra: filter.merchant_reference.clone().map(|reference| Box::new(reference) as Box<dyn ToSql + Sync + Send>),
        from,
        to,
        fits: Box::new(move |payment: &Payment| {
            filter.mode.is_none_or(|mode| payment.mode == mode)
                && filter.status.is_none_or(|status| payment.status == status)
                && filter.currency.is_none_or(|currency| payment.currency() == currency)
                && filter.from.is_none_or(|from| payment.paid_at >= from)
                && filter.to.is_none_or(|to| payment.paid_at < to)
                && (!filter.exposed || payment.exposure() > 0)
        }),
        read: payment_row,
    };
    listing.page(&reader, &of, page).await
}

/// A page of refunds.
pub async fn refunds(reader: Reader, filter: RefundFilter, page: PageRequest) -> Result<Page<Refund>, StoreError> {
    let of = merchants(&reader, filter.merchant_id, filter.mode).await?;
    let (from, to) = id_range(filter.from, filter.to);
    let (source, extra) = refund_source(&filter);
    let listing = Listing {
        columns: rows::refund::COLUMNS,
        source,
        id: "refund_id",
        extra,
        from,
        to,
        fits: Box::new(move |refund: &Refund| {
            filter.mode.is_none_or(|mode| refund.mode == mode)
                && filter.state.is_none_or(|state| refund.state.name() == state)
                && filter.currency.is_none_or(|currency| refund.amount.currency() == currency)
                && filter.amount_minor_min.is_none_or(|least| refund.amount.minor() >= least)
                && filter.amount_minor_max.is_none_or(|most| refund.amount.minor() <= most)
                && filter.payment_id.is_none_or(|payment_id| refund.payment_id == payment_id)
                && filter.number.as_ref().is_none_or(|number| refund.number == *number)
                && filter.batch.as_ref().is_none_or(|batch| refund.batch.as_ref() == Some(batch))
                && filter.from.is_none_or(|from| refund.created_at >= from)
                && filter.to.is_none_or(|to| refund.created_at < to)
        }),
        read: refund_row,
    };
    listing.page(&reader, &of, page).await
}

/// A page of notifications.
pub async fn notifications(reader: Reader, filter: NotificationFilter, page: PageRequest) -> Result<Page<Notification>, StoreError> {
    let of = merchants(&reader, filter.merchant_id, filter.mode).await?;
    let condition = match (filter.refund_id, filter.state) {
        (Some(_), _) => "AND refund_id = $5",
        // The word stands in the text so that the index of parked ones is used.
        (None, Some(NotificationState::Parked)) => "AND state = 'parked'",
        (None, Some(NotificationState::Due | NotificationState::Delivered) | None) => "",
    };
    let listing = Listing {
        columns: rows::other::NOTIFICATION_COLUMNS,
        source: format!("FROM notifications WHERE {} {condition}", of_merchant("notifications")),
        id: "notification_id",
        extra: filter.refund_id.map(|id| Box::new(id.get()) as Box<dyn ToSql + Sync + Send>),
        from: ALL_IDS.0,
        to: ALL_IDS.1,
        fits: Box::new(move |notification: &Notification| filter.state.is_none_or(|state| notification.state == state)),
        read: notification_row,
    };
    listing.page(&reader, &of, page).await
}

/// A page of the audit log.
pub async fn audit(reader: Reader, merchant_id: Option<MerchantId>, page: PageRequest) -> Result<Page<AuditLine>, StoreError> {
    let mut of = merchants(&reader, merchant_id, None).await?;
    if merchant_id.is_none() {
        of.push(0);
    }
    let listing = Listing {
        columns: rows::other::AUDIT_COLUMNS,
        source: format!("FROM audit WHERE {}", of_merchant("audit")),
        id: "audit_id",
        extra: None,
        from: ALL_IDS.0,
        to: ALL_IDS.1,
        fits: Box::new(|_: &AuditLine| true),
        read: |row| rows::other::audit_line(&mut Columns::new(row, "audit line")),
    };
    listing.page(&reader, &of, page).await
}

/// Where the refunds of a filter are found. Refunds that are open are few and found by their tasks, because each has one unless a person
/// has to decide.
fn refund_source(filter: &RefundFilter) -> (String, Option<Box<dyn ToSql + Sync + Send>>) {
    let refunds = of_merchant("refunds");
    let plain = |condition: &str| format!("FROM refunds WHERE {refunds} {condition}");
    let among = |ids: &str| format!("FROM ({ids}) AS one (one_id) JOIN refunds ON refund_id = one_id WHERE {refunds}");
    if let Some(payment_id) = filter.payment_id {
        let ids = "SELECT UNNEST(string_to_array(substr(refund_ids, 2), ',')::int8[]) FROM payments WHERE payments.payment_id = $5 AND";
        return (among(&format!("{ids} {}", of_merchant("payments"))), Some(Box::new(payment_id.get())));
    }
    if let Some(number) = &filter.number {
        let ids = "SELECT remembered.refund_id FROM remembered WHERE remembered.number = $5 AND remembered.refund_id IS NOT NULL AND";
        return (among(&format!("{ids} {}", of_merchant("remembered"))), Some(Box::new(number.clone())));
    }
    match filter.state {
        Some(RefundStateName::Unresolved) => (plain("AND waits_for = 'answer'"), None),
        Some(RefundStateName::Pending | RefundStateName::Submitted) => {
            let (tasks, waiting) = (of_merchant("tasks"), of_merchant("waiting"));
            let ids = format!(
                "SELECT task_id FROM tasks WHERE {tasks} AND task_id < $2 AND task_id >= $3 UNION SELECT waiting.refund_id \
                FROM refunds AS waiting WHERE {waiting} AND waiting.waits_for = 'review' AND waiting.refund_id < $2 AND waiting.refund_id >= $3"
            );
            (among(&ids), None)
        }
        Some(RefundStateName::Succeeded | RefundStateName::Failed | RefundStateName::Cancelled | RefundStateName::Returned) | None => {
            (plain(""), None)
        }
    }
}
