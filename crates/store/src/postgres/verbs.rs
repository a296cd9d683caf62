use std::path::Path;
use std::sync::Arc;

use futures::FutureExt as _;
use refundry_engine::command::Command;
use refundry_engine::credential::Credential;
use refundry_engine::event::Event;
use refundry_engine::idempotency::{IdempotencyKey, Remembered};
use refundry_engine::merchant::{Merchant, Terminal};
use refundry_engine::notification::{DeliveryAttempt, Notification};
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::refund::Refund;
use refundry_engine::task::Task;
use refundry_engine::verdict::AuditLine;
use refundry_engine::{CredentialId, MerchantId, NotificationId, RefundId, TaskId, TerminalId, Timestamp};
use tokio::sync::oneshot;
use tokio_postgres::Row;

use super::columns::Columns;
use super::lists::{notification_row, refund_row};
use super::singles::body;
use super::{PostgresStore, books, claims, join, lists, nodes, singles, spawn_named};
use crate::rows;
use crate::{
    BalanceRow, BooksReport, Claim, CopyOptions, NodeLease, NodeWish, NotificationFilter, Page, PageRequest, PaymentFilter, Reading,
    RefundFilter, Store, StoreError, TaskFigures, Ticket, copy_to_sqlite,
};

/// Events that one read of a feed gives at most.
const EVENTS_MAX: u32 = 1_000;
/// Tries of a notification that are shown at most, the last ones.
const DELIVERIES_MAX: i64 = 1_000;
/// Steps that a timeline shows at most.
const TIMELINE_MAX: i64 = 10_000;

impl Store for PostgresStore {
    fn transact(&self, command: Command) -> Ticket {
        self.push(command)
    }

    fn claim(&self, claim: Claim) -> Reading<'_, Vec<Task>> {
        if self.placement.is_distributed() {
            return self.readers.read(move |reader| claims::claim(reader, claim));
        }
        self.lane_for_claim().queue.push_claim(claim).map(|received| received.unwrap_or(Err(StoreError::Closed))).boxed()
    }

    fn lease_node(&self, wish: NodeWish) -> Reading<'_, Option<NodeLease>> {
        let lease = move |limit, client| async move {
            let leased = tokio::time::timeout(limit, nodes::lease(client, wish)).await;
            // Whether it was leased or not does not matter: the process asks again.
            leased.unwrap_or_else(|elapsed| Err(StoreError::TryAgain(Arc::new(elapsed))))
        };
        let limit = self.readers.wait_max();
        self.readers.read_long(move |client| lease(limit, client))
    }

    fn merchant(&self, id: MerchantId) -> Reading<'_, Option<Merchant>> {
        let sql = "SELECT body FROM merchants WHERE merchant_id = $1";
        self.readers.read(move |reader| async move { reader.first(sql, &[&id.get()], body).await })
    }

    fn merchants(&self, page: PageRequest) -> Reading<'_, Page<Merchant>> {
        self.readers.read(move |reader| singles::merchants(reader, page))
    }

    fn terminal(&self, merchant_id: MerchantId, id: TerminalId) -> Reading<'_, Option<Terminal>> {
        let sql = "SELECT body FROM terminals WHERE merchant_id = $1 AND terminal_id = $2";
        self.readers.read(move |reader| async move { reader.first(sql, &[&merchant_id.get(), &id.get()], body).await })
    }

    fn terminals(&self, merchant_id: MerchantId) -> Reading<'_, Vec<Terminal>> {
        let sql = "SELECT body FROM terminals WHERE merchant_id = $1 ORDER BY terminal_id";
        self.readers.read(move |reader| async move { reader.all(sql, &[&merchant_id.get()], body).await })
    }

    fn credentials_by_lookup<'a>(&'a self, dialect: &'a str, lookup: &'a str) -> Reading<'a, Vec<Credential>> {
        let (dialect, lookup) = (dialect.to_owned(), lookup.to_owned());
        let sql = "SELECT body FROM credentials WHERE dialect = $1 AND lookup = $2 ORDER BY key_version, scheme";
        self.readers.read(move |reader| async move { reader.all(sql, &[&dialect, &lookup], body).await })
    }

    fn credential(&self, id: CredentialId) -> Reading<'_, Option<Credential>> {
        let sql = "SELECT body FROM credentials WHERE credential_id = $1";
        self.readers.read(move |reader| async move { reader.first(sql, &[&id.get()], body).await })
    }

    fn credentials(&self, merchant_id: Option<MerchantId>, page: PageRequest) -> Reading<'_, Page<Credential>> {
        self.readers.read(move |reader| singles::credentials(reader, merchant_id, page))
    }

    fn payment<'a>(&'a self, merchant_id: MerchantId, key: &'a PaymentKey) -> Reading<'a, Option<Payment>> {
        let key = key.clone();
        self.readers.read(move |reader| singles::payment(reader, merchant_id, key))
    }

    fn payments<'a>(&'a self, filter: &'a PaymentFilter, page: PageRequest) -> Reading<'a, Page<Payment>> {
        let filter = filter.clone();
        self.readers.read(move |reader| lists::payments(reader, filter, page))
    }

    fn refund(&self, merchant_id: MerchantId, id: RefundId) -> Reading<'_, Option<Refund>> {
        let sql = format!("SELECT {} FROM refunds WHERE merchant_id = $1 AND refund_id = $2", rows::refund::COLUMNS);
        self.readers.read(move |reader| async move { reader.first(&sql, &[&merchant_id.get(), &id.get()], refund_row).await })
    }

    fn refunds<'a>(&'a self, filter: &'a RefundFilter, page: PageRequest) -> Reading<'a, Page<Refund>> {
        let filter = filter.clone();
        self.readers.read(move |reader| lists::refunds(reader, filter, page))
    }

    fn remembered<'a>(&'a self, key: &'a IdempotencyKey) -> Reading<'a, Option<Remembered>> {
        let key = key.clone();
        let columns = rows::other::REMEMBERED_COLUMNS;
        let sql = format!("SELECT {columns} FROM remembered WHERE merchant_id = $1 AND number = $2 AND dialect = $3 AND scope = $4");
        let read = |row: &Row| rows::other::remembered(&mut Columns::new(row, "remembered key"));
        self.readers.read(move |reader| async move {
            reader.first(&sql, &[&key.merchant_id.get(), &key.number, &key.dialect, &key.scope], read).await
        })
    }

    fn timeline(&self, merchant_id: MerchantId, refund_id: RefundId) -> Reading<'_, Vec<Event>> {
        let columns = rows::other::EVENT_COLUMNS;
        let named = "SELECT UNNEST(string_to_array(substr(event_sequences, 2), ',')::int8[]) FROM refunds WHERE merchant_id = $1 AND refund_id = $2";
        let sql = format!("SELECT {columns} FROM events WHERE merchant_id = $1 AND sequence IN ({named}) ORDER BY sequence LIMIT $3");
        self.readers
            .read(move |reader| async move { reader.all(&sql, &[&merchant_id.get(), &refund_id.get(), &TIMELINE_MAX], event_row).await })
    }

    fn events_after(&self, merchant_id: MerchantId, after: i64, limit: u32) -> Reading<'_, Vec<Event>> {
        let columns = rows::other::EVENT_COLUMNS;
        let sql = format!("SELECT {columns} FROM events WHERE merchant_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3");
        let limit = i64::from(limit.min(EVENTS_MAX));
        self.readers.read(move |reader| async move { reader.all(&sql, &[&merchant_id.get(), &after, &limit], event_row).await })
    }

    fn notification(&self, merchant_id: MerchantId, id: NotificationId) -> Reading<'_, Option<Notification>> {
        let columns = rows::other::NOTIFICATION_COLUMNS;
        let sql = format!("SELECT {columns} FROM notifications WHERE merchant_id = $1 AND notification_id = $2");
        self.readers.read(move |reader| async move { reader.first(&sql, &[&merchant_id.get(), &id.get()], notification_row).await })
    }

    fn notifications<'a>(&'a self, filter: &'a NotificationFilter, page: PageRequest) -> Reading<'a, Page<Notification>> {
        let filter = filter.clone();
        self.readers.read(move |reader| lists::notifications(reader, filter, page))
    }

    fn deliveries(&self, merchant_id: MerchantId, id: NotificationId) -> Reading<'_, Vec<DeliveryAttempt>> {
        let columns = rows::other::DELIVERY_COLUMNS;
        let sql = format!("SELECT {columns} FROM deliveries WHERE merchant_id = $1 AND notification_id = $2 ORDER BY line DESC LIMIT $3");
        let read = |row: &Row| rows::other::delivery(&mut Columns::new(row, "delivery"));
        self.readers.read(move |reader| async move {
            let mut last = reader.all(&sql, &[&merchant_id.get(), &id.get(), &DELIVERIES_MAX], read).await?;
            last.reverse();
            Ok(last)
        })
    }

    fn task(&self, merchant_id: MerchantId, id: TaskId) -> Reading<'_, Option<Task>> {
        let sql = format!("SELECT {} FROM tasks WHERE merchant_id = $1 AND task_id = $2", rows::other::TASK_COLUMNS);
        let read = |row: &Row| rows::other::task(&mut Columns::new(row, "task"));
        self.readers.read(move |reader| async move { reader.first(&sql, &[&merchant_id.get(), &id.get()], read).await })
    }

    fn task_figures(&self, now: Timestamp) -> Reading<'_, TaskFigures> {
        self.readers.read_at_once(move |reader| singles::task_figures(reader, now))
    }

    fn balances(&self, merchant_id: MerchantId) -> Reading<'_, Vec<BalanceRow>> {
        self.readers.read(move |reader| singles::balances(reader, merchant_id))
    }

    fn audit(&self, merchant_id: Option<MerchantId>, page: PageRequest) -> Reading<'_, Page<AuditLine>> {
        self.readers.read(move |reader| lists::audit(reader, merchant_id, page))
    }

    fn check_books(&self) -> Reading<'_, BooksReport> {
        let placement = Arc::clone(&self.placement);
        self.readers.read_long(move |client| async move { books::check(client, &placement).await })
    }

    fn backup<'a>(&'a self, file: &'a Path) -> Reading<'a, ()> {
        let (options, file) = (self.readers.options().clone(), file.to_owned());
        let (answer, receiver) = oneshot::channel();
        let copy = move || {
            let copied = copy_to_sqlite(&options, &file, &CopyOptions::new("postgres", "sqlite"));
            // Whoever asked may have gone away meanwhile.
            answer.send(copied.map(drop).map_err(StoreError::from)).unwrap_or_default();
        };
        match spawn_named("backup", copy) {
            Ok(_) => receiver.map(|received| received.unwrap_or(Err(StoreError::Closed))).boxed(),
            Err(error) => futures::future::ready(Err(error)).boxed(),
        }
    }

    fn ping(&self) -> Reading<'_, ()> {
        self.readers.read_at_once(|reader| async move { reader.first("SELECT 1 FROM meta LIMIT 1", &[], |_| Ok(())).await.map(drop) })
    }

    fn close(&self) -> Reading<'_, ()> {
        self.lanes.iter().for_each(|lane| lane.queue.close());
        while self.step() {}
        let threads = self.wind_up();
        let readers = self.readers.ending();
        let (answer, receiver) = oneshot::channel();
        if let Err(error) = spawn_named("closing", move || {
            join(threads);
            readers.close();
            // Nobody may wait any more.
            answer.send(()).unwrap_or_default();
        }) {
            return futures::future::ready(Err(error)).boxed();
        }
        receiver.map(|received| received.map_err(|_| StoreError::Closed)).boxed()
    }
}

fn event_row(row: &Row) -> Result<Event, StoreError> {
    rows::other::event(&mut Columns::new(row, "event"))
}
