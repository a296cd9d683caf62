use std::path::Path;

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

use super::load::{FIND_CREDENTIAL, FIND_TERMINAL, body, find};
use super::readers::spawn_named;
use super::{SqliteStore, backup, books, lists, nodes, other_rows, refund_row, singles};
use crate::rows;
use crate::{
    BalanceRow, BooksReport, Claim, NodeLease, NodeWish, NotificationFilter, Page, PageRequest, PaymentFilter, Reading, RefundFilter,
    Store, StoreError, TaskFigures, Ticket,
};

/// Events that one read of a feed gives at most.
const EVENTS_MAX: u32 = 1_000;
/// Tries of a notification that are shown at most, the last ones.
const DELIVERIES_MAX: u32 = 1_000;
/// Steps that a timeline shows at most.
const TIMELINE_MAX: u32 = 10_000;

impl Store for SqliteStore {
    fn transact(&self, command: Command) -> Ticket {
        self.push(command)
    }

    fn claim(&self, claim: Claim) -> Reading<'_, Vec<Task>> {
        self.queue.push_claim(claim).map(|received| received.unwrap_or(Err(StoreError::Closed))).boxed()
    }

    fn lease_node(&self, wish: NodeWish) -> Reading<'_, Option<NodeLease>> {
        self.readers.write(move |connection| nodes::lease(connection, &wish))
    }

    fn merchant(&self, id: MerchantId) -> Reading<'_, Option<Merchant>> {
        self.readers.read(move |connection| singles::merchant(connection, id))
    }

    fn merchants(&self, page: PageRequest) -> Reading<'_, Page<Merchant>> {
        self.readers.read(move |connection| singles::merchants(connection, page))
    }

    fn terminal(&self, merchant_id: MerchantId, id: TerminalId) -> Reading<'_, Option<Terminal>> {
        self.readers.read(move |connection| find(connection, FIND_TERMINAL, (merchant_id.get(), id.get()), body))
    }

    fn terminals(&self, merchant_id: MerchantId) -> Reading<'_, Vec<Terminal>> {
        self.readers.read(move |connection| singles::terminals(connection, merchant_id))
    }

    fn credentials_by_lookup<'a>(&'a self, dialect: &'a str, lookup: &'a str) -> Reading<'a, Vec<Credential>> {
        let (dialect, lookup) = (dialect.to_owned(), lookup.to_owned());
        self.readers.read(move |connection| singles::credentials_by_lookup(connection, &dialect, &lookup))
    }

    fn credential(&self, id: CredentialId) -> Reading<'_, Option<Credential>> {
        self.readers.read(move |connection| find(connection, FIND_CREDENTIAL, [id.get()], body))
    }

    fn credentials(&self, merchant_id: Option<MerchantId>, page: PageRequest) -> Reading<'_, Page<Credential>> {
        self.readers.read(move |connection| singles::credentials(connection, merchant_id, page))
    }

    fn payment<'a>(&'a self, merchant_id: MerchantId, key: &'a PaymentKey) -> Reading<'a, Option<Payment>> {
        let key = key.clone();
        self.readers.read(move |connection| singles::payment(connection, merchant_id, &key))
    }

    fn payments<'a>(&'a self, filter: &'a PaymentFilter, page: PageRequest) -> Reading<'a, Page<Payment>> {
        let filter = filter.clone();
        self.readers.read(move |connection| lists::payments(connection, &filter, page))
    }

    fn refund(&self, merchant_id: MerchantId, id: RefundId) -> Reading<'_, Option<Refund>> {
        let sql = format!("SELECT {} FROM refunds WHERE merchant_id = ?1 AND refund_id = ?2", rows::refund::COLUMNS);
        self.readers.read(move |connection| find(connection, &sql, (merchant_id.get(), id.get()), refund_row::read))
    }

    fn refunds<'a>(&'a self, filter: &'a RefundFilter, page: PageRequest) -> Reading<'a, Page<Refund>> {
        let filter = filter.clone();
        self.readers.read(move |connection| lists::refunds(connection, &filter, page))
    }

    fn remembered<'a>(&'a self, key: &'a IdempotencyKey) -> Reading<'a, Option<Remembered>> {
        let key = key.clone();
        let columns = rows::other::REMEMBERED_COLUMNS;
        let sql = format!("SELECT {columns} FROM remembered WHERE merchant_id = ?1 AND number = ?2 AND dialect = ?3 AND scope = ?4");
        self.readers.read(move |connection| {
            find(connection, &sql, (key.merchant_id.get(), &key.number, &key.dialect, &key.scope), other_rows::remembered)
        })
    }

    fn timeline(&self, merchant_id: MerchantId, refund_id: RefundId) -> Reading<'_, Vec<Event>> {
        let columns = rows::other::EVENT_COLUMNS;
        let named = "SELECT '[' || substr(event_sequences, 2) || ']' FROM refunds WHERE merchant_id = ?1 AND refund_id = ?2";
        let sql = format!(
            "SELECT {columns} FROM (SELECT value AS one_sequence FROM json_each(({named}))) CROSS JOIN events \
            ON sequence = one_sequence WHERE merchant_id = ?1 ORDER BY sequence LIMIT ?3"
        );
        let params = (merchant_id.get(), refund_id.get(), TIMELINE_MAX);
        self.readers.read(move |connection| singles::all(connection, &sql, params, other_rows::event))
    }

    fn events_after(&self, merchant_id: MerchantId, after: i64, limit: u32) -> Reading<'_, Vec<Event>> {
        let columns = rows::other::EVENT_COLUMNS;
        let sql = format!("SELECT {columns} FROM events WHERE merchant_id = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3");
        let params = (merchant_id.get(), after, limit.min(EVENTS_MAX));
        self.readers.read(move |connection| singles::all(connection, &sql, params, other_rows::event))
    }

    fn notification(&self, merchant_id: MerchantId, id: NotificationId) -> Reading<'_, Option<Notification>> {
        let columns = rows::other::NOTIFICATION_COLUMNS;
        let sql = format!("SELECT {columns} FROM notifications WHERE merchant_id = ?1 AND notification_id = ?2");
        self.readers.read(move |connection| find(connection, &sql, (merchant_id.get(), id.get()), other_rows::notification))
    }

    fn notifications<'a>(&'a self, filter: &'a NotificationFilter, page: PageRequest) -> Reading<'a, Page<Notification>> {
        let filter = filter.clone();
        self.readers.read(move |connection| lists::notifications(connection, &filter, page))
    }

    fn deliveries(&self, merchant_id: MerchantId, id: NotificationId) -> Reading<'_, Vec<DeliveryAttempt>> {
        let columns = rows::other::DELIVERY_COLUMNS;
        let sql = format!("SELECT {columns} FROM deliveries WHERE merchant_id = ?1 AND notification_id = ?2 ORDER BY line DESC LIMIT ?3");
        let params = (merchant_id.get(), id.get(), DELIVERIES_MAX);
        self.readers.read(move |connection| {
            let mut last = singles::all(connection, &sql, params, other_rows::delivery)?;
            last.reverse();
            Ok(last)
        })
    }

    fn task(&self, merchant_id: MerchantId, id: TaskId) -> Reading<'_, Option<Task>> {
        let sql = format!("SELECT {} FROM tasks WHERE merchant_id = ?1 AND task_id = ?2", rows::other::TASK_COLUMNS);
        self.readers.read(move |connection| find(connection, &sql, (merchant_id.get(), id.get()), other_rows::task))
    }

    fn task_figures(&self, now: Timestamp) -> Reading<'_, TaskFigures> {
        self.readers.read(move |connection| singles::task_figures(connection, now))
    }

    fn balances(&self, merchant_id: MerchantId) -> Reading<'_, Vec<BalanceRow>> {
        self.readers.read(move |connection| singles::balances(connection, merchant_id))
    }

    fn audit(&self, merchant_id: Option<MerchantId>, page: PageRequest) -> Reading<'_, Page<AuditLine>> {
        self.readers.read(move |connection| lists::audit(connection, merchant_id, page))
    }

    fn check_books(&self) -> Reading<'_, BooksReport> {
        self.readers.read_long(books::check)
    }

    fn backup<'a>(&'a self, file: &'a Path) -> Reading<'a, ()> {
        let file = file.to_owned();
        self.readers.read_long(move |connection| backup::backup(connection, &file))
    }

    fn ping(&self) -> Reading<'_, ()> {
        self.readers.read(|connection| find(connection, "SELECT 1 FROM meta LIMIT 1", [], |_| Ok(())).map(drop))
    }

    fn close(&self) -> Reading<'_, ()> {
        self.queue.close();
        while self.step() {}
        let ending = self.wind_up();
        let (answer, receiver) = oneshot::channel();
        if let Err(error) = spawn_named("closing", move || {
            ending.join();
            // Nobody may wait any more.
            answer.send(()).unwrap_or_default();
        }) {
            return futures::future::ready(Err(error)).boxed();
        }
        receiver.map(|received| received.map_err(|_| StoreError::Closed)).boxed()
    }
}
