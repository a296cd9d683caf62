//! The services that are written by hand keep the promises that they are compared by: replays, ceilings, and books that add up.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use refundry_bench::by_hand::carry_out::carry_out;
use refundry_bench::by_hand::service::{Service, Way};
use refundry_bench::client::{Answer, call_once};
use refundry_bench::receiver::Receiver;
use refundry_scratch::ScratchDatabase;
use tokio_postgres::{Client, NoTls};

const TOKEN: &str = "rk_test_0a1b2c3d4e5f6071_secret";
/// SHA-256 of the token.
const DIGEST: &str = "5af9899a59d247335433927657cce44dbe274b18c6af98b4519776b368b40538";
/// What each payment captured.
const CAPTURED: i64 = 10;
const PAYMENTS: i64 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_number_makes_one_refund_and_no_payment_gives_more_than_it_has() {
    for way in [Way::Function, Way::Interactive] {
        let stage = Stage::set(way, None).await;
        assert_eq!(stage.ask("n1", "p0", 4).await.status, 201, "{way:?}");
        let again = stage.ask("n1", "p0", 4).await;
        assert_eq!((again.status, body(&again).contains("\"value\":6")), (200, true), "{way:?}: {}", body(&again));
        assert_eq!(stage.ask("n1", "p0", 5).await.status, 409, "{way:?}");
        assert_eq!(stage.ask("n1", "p1", 4).await.status, 409, "{way:?}");
        assert_eq!(stage.ask("n2", "p0", 7).await.status, 422, "{way:?}");
        assert_eq!(stage.ask("n3", "p0", 0).await.status, 422, "{way:?}");
        assert_eq!(stage.ask("n4", "unknown", 1).await.status, 404, "{way:?}");
        assert_eq!(stage.ask("n5", "p0", 6).await.status, 201, "{way:?}");
        stage.books_add_up(2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_at_once_get_no_more_than_there_is() {
    for way in [Way::Function, Way::Interactive] {
        let stage = Arc::new(Stage::set(way, None).await);
        let mut calls = tokio::task::JoinSet::new();
        for call in 0..160_i64 {
            let stage = Arc::clone(&stage);
            // Each number comes twice, and twenty numbers want one unit each of a payment that has ten.
            calls.spawn(async move {
                let (number, payment) = (call / 2, call / 2 % 4);
                stage.ask(&format!("n{number}"), &format!("p{payment}"), 1).await.status
            });
        }
        let answers = calls.join_all().await;
        let made = answers.iter().filter(|status| **status == 201).count();
        assert_eq!(made, 40, "{way:?}: {answers:?}");
        assert!(answers.iter().all(|status| [200, 201, 422].contains(status)), "{way:?}: {answers:?}");
        stage.books_add_up(40).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_are_carried_out_and_told() {
    let receiver = Receiver::start().expect("a receiver");
    let stage = Stage::set(Way::Interactive, Some(&receiver.address)).await;
    for number in 0..20 {
        assert_eq!(stage.ask(&format!("n{number}"), &format!("p{}", number % PAYMENTS), 1).await.status, 201);
    }
    tokio::spawn(carry_out(Arc::clone(&stage.service), 4));
    let done = "SELECT count(*) FROM deliveries JOIN notifications USING (merchant_id, notification_id) WHERE state = 'delivered'";
    let waiting = tokio::time::timeout(Duration::from_secs(60), async {
        while stage.number(done).await < 20 {
            tokio::task::yield_now().await;
        }
    });
    waiting.await.expect("everything is told in a minute");
    assert_eq!(receiver.received(), 20);
    assert_eq!(stage.number("SELECT count(*) FROM refunds WHERE state = 'succeeded' AND event_sequences ~ '^,\\d+,\\d+,\\d+$'").await, 20);
    assert_eq!(stage.number("SELECT count(*) FROM tasks").await, 0);
    stage.books_add_up(20).await;
}

struct Stage {
    service: Arc<Service>,
    address: String,
    client: Client,
    _database: ScratchDatabase,
}

impl Stage {
    async fn set(way: Way, receiver: Option<&str>) -> Self {
        let database = ScratchDatabase::create();
        let (client, connection) = tokio_postgres::connect(&database.url(), NoTls).await.expect("the database answers");
        tokio::spawn(connection);
        for text in migrations() {
            client.batch_execute(&text).await.expect("a migration runs");
        }
        client.batch_execute(&people(receiver)).await.expect("the people are written");
        let service = Arc::new(Service::open(&database.url(), 8, way).await.expect("the service opens"));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let router = Arc::clone(&service).router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { service, address, client, _database: database }
    }

    async fn ask(&self, number: &str, payment: &str, minor: i64) -> Answer {
        let body = format!(r#"{{"payment_reference":"{payment}","amount":{{"value":{minor},"currency":"EUR"}},"reason":"test"}}"#);
        let request = format!(
            "POST /api/v1/refunds HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {TOKEN}\r\nidempotency-key: {number}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        call_once(&self.address, request.as_bytes()).await.expect("an answer")
    }

    async fn number(&self, sql: &str) -> i64 {
        self.client.query_one(sql, &[]).await.expect("the statement runs").get(0)
    }

    async fn books_add_up(&self, refunds: i64) {
        assert_eq!(self.number("SELECT count(*) FROM refunds").await, refunds);
        assert_eq!(self.number("SELECT count(*) FROM remembered JOIN refunds USING (merchant_id, refund_id, number)").await, refunds);
        let wrong_payments = "SELECT count(*) FROM payments WHERE refunded_minor > captured_minor OR refunded_minor <> coalesce((SELECT \
            sum(amount_minor) FROM refunds WHERE refunds.payment_id = payments.payment_id), 0) OR unsettled_left_minor <> captured_minor - \
            refunded_minor OR refund_count <> array_length(string_to_array(refund_ids, ','), 1) - 1";
        assert_eq!(self.number(wrong_payments).await, 0);
        let wrong_balances = "SELECT count(*) FROM balances FULL JOIN (SELECT account, sum(minor)::BIGINT AS folded FROM (SELECT \
            debit_account AS account, -amount_minor AS minor FROM postings UNION ALL SELECT credit_account, amount_minor FROM postings) AS sides \
            GROUP BY account) AS folds USING (account) WHERE balance_minor IS DISTINCT FROM folded";
        assert_eq!(self.number(wrong_balances).await, 0);
        assert_eq!(self.number("SELECT max(sequence) - count(*) FROM events").await, 0);
        assert_eq!(self.number("SELECT value - (SELECT max(sequence) FROM events) FROM counters").await, 0);
    }
}

fn body(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn migrations() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store/migrations/postgres");
    let mut files: Vec<_> = std::fs::read_dir(folder).expect("the folder is there").map(|file| file.expect("a file").path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read_to_string(file).expect("a migration is text")).collect()
}

/// A merchant with a key, a channel, and payments whose money is not settled yet.
fn people(receiver: Option<&str>) -> String {
    let endpoints = receiver.map_or_else(String::new, |address| format!(r#"{{"id":"end_0000000000005","url":"http://{address}/hook"}}"#));
    format!(
        r#"INSERT INTO merchants (merchant_id, mode, body) VALUES (1, 'sandbox', '{{"endpoints":[{endpoints}]}}');
        INSERT INTO terminals (merchant_id, terminal_id, body) VALUES (1, 2, '{{"name":"Till \"1\"","acquirer":"simulated"}}');
        INSERT INTO credentials (credential_id, merchant_id, dialect, lookup, key_version, scheme, body)
            VALUES (3, 1, 'native', 'rk_test_0a1b2c3d4e5f6071', 1, 'api_key', '{{"name":"test","proof":"{DIGEST}"}}');
        INSERT INTO payments (merchant_id, payment_id, mode, status, currency, merchant_reference, payment_reference, terminal_id, method, paid_at,
            authorised_minor, captured_minor, marketing_minor, fee_minor, reserved_minor, details, created_at, settled, charged_back_minor,
            open_chargebacks, open_retrievals, refunded_minor, refunded_marketing_minor, refund_count, fee_given_back_minor, unsettled_left_minor,
            reserve_left_minor, updated_at)
            SELECT 1, 100 + number, 'sandbox', 'captured', 'EUR', 'order', 'p' || number, 2, 'card', 0, {CAPTURED}, {CAPTURED}, 0, 0, 0, '{{}}', 0, 0,
            0, 0, 0, 0, 0, 0, 0, {CAPTURED}, 0, 0 FROM generate_series(0, {PAYMENTS} - 1) AS number;
        INSERT INTO postings (entry_id, merchant_id, line, debit_account, credit_account, amount_minor, currency, cause, payment_id, at)
            SELECT 200 + number, 1, 0, 11, 1, {CAPTURED}, 'EUR', 'capture', 100 + number, 0 FROM generate_series(0, {PAYMENTS} - 1) AS number;
        INSERT INTO balances (merchant_id, currency, account, balance_minor)
            VALUES (1, 'EUR', 1, {CAPTURED} * {PAYMENTS}), (1, 'EUR', 11, -{CAPTURED} * {PAYMENTS});"#
    )
}
