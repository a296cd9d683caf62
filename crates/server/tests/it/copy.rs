//! Moving to PostgreSQL: what was answered before is answered again, and what was under way goes on.

use axum::body::Bytes;
use refundry_engine::Mode;
use refundry_engine::policy::{PolicyPatch, ReviewRule};
use refundry_scratch::ScratchDatabase;
use refundry_store::{CopyError, CopyOptions, PostgresOptions, copy_to_postgres};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::antom::{Client, refund_body, result};
use crate::app::{Actor, Shop, TestApp, euros};
use crate::database::Database;
use crate::program::{Demo, done, failed, prepared, refundry, said, text};

/// Amounts for which the simulated acquirer has an end of its own each, and one that it approves at once.
const CENTS: [i64; 7] = [1_000, 9_001, 9_004, 9_005, 9_006, 9_007, 9_011];
const INQUIRE: &str = "/ams/sandbox/api/v1/payments/inquiryRefund";

/// People who had refunds in every state when their data moved.
struct Callers {
    native: Shop,
    reviewed: Shop,
    antom: Client,
}

impl Callers {
    /// The same people in front of another server.
    fn before(self, app: &TestApp, client: Client) -> Self {
        let moved = |shop: Shop| Shop { key: Actor { wire: app.stranger().wire, ..shop.key }, ..shop };
        Self { native: moved(self.native), reviewed: moved(self.reviewed), antom: client }
    }

    /// Every request of before once more, and what is answered to it.
    async fn replay(&self) -> Vec<(String, u16, Bytes)> {
        let mut answers = Vec::new();
        for (number, cents) in numbered() {
            let seen = self.native.key.refund(&number, euros("p1", cents)).await;
            assert_eq!(seen.header("idempotency-replayed"), Some("true"), "{number}");
            answers.push((number, seen.status, seen.bytes));
        }
        let waiting = self.native.key.refund("waiting", euros("p1", 100)).await;
        answers.push(("waiting".to_owned(), waiting.status, waiting.bytes));
        for number in ["in review", "cancelled"] {
            let seen = self.reviewed.key.refund(number, euros("p2", 1_000)).await;
            answers.push((number.to_owned(), seen.status, seen.bytes));
        }
        for (number, cents) in [("a1", 1_000), ("a2", 9_001), ("a3", 1_000_000)] {
            let seen = self.antom.refund(number, "p3", cents).await;
            answers.push((number.to_owned(), seen.status, seen.bytes));
            let asked = self.antom.call(INQUIRE, &format!(r#"{{"refundRequestId":"{number}"}}"#)).await;
            answers.push((format!("inquiry of {number}"), asked.status, asked.bytes));
        }
        for path in ["/api/v1/refunds?limit=50", "/api/v1/payments?limit=50", "/api/v1/events?limit=100", "/api/v1/funds"] {
            let seen = self.native.key.get(path).await;
            answers.push((path.to_owned(), seen.status, seen.bytes));
        }
        answers
    }
}

fn numbered() -> impl Iterator<Item = (String, i64)> {
    CENTS.into_iter().map(|cents| (format!("r{cents}"), cents))
}

#[tokio::test]
async fn replayed_requests_are_answered_as_before_and_open_tasks_are_carried_on() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("refundry.db");
    let app = TestApp::start_on(Database::File(folder)).await;
    let native = app.shop(Mode::Sandbox, "native").await;
    let policy = PolicyPatch { review: Some(ReviewRule::All), ..PolicyPatch::default() };
    let reviewed = app.shop_with(Mode::Sandbox, "native", policy).await;
    let at_once = PolicyPatch { synchronous_wait_ms: Some(0), ..PolicyPatch::default() };
    let antom = app.shop_with(Mode::Sandbox, "antom", at_once).await;
    for (shop, reference) in [(&native, "p1"), (&reviewed, "p2"), (&antom, "p3")] {
        app.paid(shop, reference, "5000.00 EUR").await;
    }
    let keys = app.antom_keys(&antom).await;
    let callers = Callers { antom: Client::new(&app, &keys), native, reviewed };
    for (number, cents) in numbered() {
        assert_eq!(callers.native.key.refund(&number, euros("p1", cents)).await.status, 201);
    }
    for number in ["in review", "cancelled"] {
        let seen = callers.reviewed.key.refund(number, euros("p2", 1_000)).await;
        assert_eq!(seen.status, 201);
        if number == "cancelled" {
            let path = format!("/api/v1/refunds/{}/cancel", seen.text("/refund_id"));
            assert_eq!(callers.reviewed.key.post(&path, Value::Null).await.status, 200);
        }
    }
    for (number, cents) in [("a1", 1_000), ("a2", 9_001), ("a3", 1_000_000)] {
        callers.antom.refund(number, "p3", cents).await;
    }
    app.work().await;
    assert_eq!(callers.native.key.refund("waiting", euros("p1", 100)).await.status, 201);
    let states = states(&callers.native.key).await;
    for state in ["pending", "submitted", "succeeded", "failed"] {
        assert!(states.contains(&state.to_owned()), "{state} is missing: {states:?}");
    }
    let before = callers.replay().await;
    app.close().await;

    let database = ScratchDatabase::create();
    let target = PostgresOptions::url(database.url());
    let mut interrupted = 0;
    let options = CopyOptions { batch_rows: 4, batches_max: Some(9), threads: 2, ..CopyOptions::new("sqlite", "postgres") };
    let report = loop {
        match copy_to_postgres(&file, &target, &options) {
            Ok(report) => break report.unwrap(),
            Err(CopyError::Ended(_)) => interrupted += 1,
            Err(other) => panic!("{other:?}"),
        }
    };
    assert!(interrupted >= 2 && report.rows_before > 0, "{interrupted}");

    let moved = app.moved_to(Database::Server(database)).await;
    let client = Client::new(&moved, &keys);
    let callers = callers.before(&moved, client);
    for (after, before) in callers.replay().await.iter().zip(&before) {
        assert_eq!(after, before);
    }
    carries_on(&moved, &callers).await;
}

async fn states(key: &Actor) -> Vec<String> {
    let seen = key.get("/api/v1/refunds?limit=50").await;
    seen.json()["items"].as_array().unwrap().iter().map(|item| item["state"].as_str().unwrap().to_owned()).collect()
}

async fn carries_on(app: &TestApp, callers: &Callers) {
    let reviewer = app.operator(Mode::Sandbox).await;
    let waiting = callers.reviewed.key.refund("in review", euros("p2", 1_000)).await.text("/refund_id");
    let path = format!("/api/v1/refunds/{waiting}/review?merchant_id={}", callers.reviewed.merchant.id);
    let seen = callers.reviewed.key.get(&format!("/api/v1/refunds/{waiting}")).await.text("/content_hash");
    let approved = json!({"approve": true, "note": "fine", "content_hash": seen});
    assert_eq!(reviewer.post(&path, approved).await.status, 200);
    for _ in 0..20 {
        app.work().await;
        app.clock.advance(60_000);
    }
    let mut ends = states(&callers.native.key).await;
    ends.sort_unstable();
    ends.dedup();
    assert_eq!(ends, ["failed", "succeeded"], "nothing is left on its way");
    assert_eq!(states(&callers.reviewed.key).await, ["cancelled", "succeeded"]);
    assert_eq!(callers.native.key.refund("r1000", euros("p1", 999)).await.brief(), "409 repeat_inconsistent amount");
    assert_eq!(callers.native.key.refund("new", euros("p1", 5)).await.status, 201);
    let other = callers.antom.call(crate::antom::REFUND, &refund_body("a1", "p3", 999)).await;
    assert_eq!(result(&other), "F REPEAT_REQ_INCONSISTENT");
    app.work().await;
}

#[test]
fn a_demo_moves_by_the_command_line() {
    let folder = prepared();
    let (database, config) = (ScratchDatabase::create(), folder.path().join("refundry.toml"));
    let (config, url) = (text(&config), database.url());
    let from = format!("sqlite://{}", text(&folder.path().join("refundry.db")));
    let copy = ["copy", "--config", config, "--from", &from, "--to", &url];
    let serve = |database: &str| failed(&["serve", "--config", config, "--database", database]);

    let some = failed(&[&copy[..], &["--batches-max", "5"]].concat());
    assert!(some.contains("the same command goes on") && some.contains("再次执行同一命令"), "{some}");
    for place in [&from, &url] {
        let refused = serve(place);
        assert!(refused.contains("is not served") && refused.contains("refundry copy"), "{refused}");
        assert!(refused.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter)), "{refused}");
    }
    let all = done(&copy);
    assert!(all.contains("verified:") && all.contains("已核对") && all.contains("postings") && all.contains("rows/s"), "{all}");
    assert!(all.contains("payments.captured_minor USD 200000"), "twice ten payments of 100.00: {all}");
    assert!(done(&copy).contains("completed and verified before"));
    assert!(serve(&from).contains("--although-moved"));

    let mut doctor = refundry(&["doctor", "books", "--config", config]);
    let checked = doctor.env("REFUNDRY_DATABASE_URL", &url).output().unwrap();
    assert!(said(&checked).contains("the books are clean"), "{}", said(&checked));
    let back = format!("sqlite://{}", text(&folder.path().join("back.db")));
    assert!(done(&["copy", "--from", &url, "--to", &back]).contains("verified:"));
    assert!(failed(&["copy", "--give-up", "--from", &from]).contains("--although-moved"));
    assert!(done(&["copy", "--give-up", "--although-moved", "--from", &from]).contains("served again"));
    let demo = Demo::serve(folder);
    let in_use = failed(&["copy", "--from", &from, "--to", &url]);
    assert!(in_use.contains("has") && in_use.contains("open"), "{in_use}");
    demo.stop();
}
