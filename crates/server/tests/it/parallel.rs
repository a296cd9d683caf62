//! Many at once.

use futures::future::join_all;
use refundry_engine::Mode;
use refundry_engine::policy::PolicyPatch;

use crate::antom::{Client, result};
use crate::app::{Actor, Served, TestApp, euros};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn never_more_than_was_captured() {
    let app = TestApp::start().await;
    let served = vec![app.serve()];
    two_hundred_refunds_of_one_payment(app, served).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn never_more_than_was_captured_by_two_nodes() {
    let app = TestApp::start().await;
    let served = vec![app.serve(), app.serve_second_node()];
    two_hundred_refunds_of_one_payment(app, served).await;
}

/// Refunds of 1.00 on a payment of 100.00, through two dialects, from 64 connections: exactly one hundred pass.
async fn two_hundred_refunds_of_one_payment(app: TestApp, served: Vec<Served>) {
    let at_once = PolicyPatch { synchronous_wait_ms: Some(0), ..PolicyPatch::default() };
    let acme = app.shop_with(Mode::Sandbox, "antom", at_once).await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    let client = Client::new(&app, &app.antom_keys(&acme).await);
    let connections = (0..64).map(|connection: usize| {
        // Every node is asked through both dialects.
        let node = &served[connection / 2 % served.len()];
        let (client, key) = (client.over(node), acme.key.over(node));
        tokio::spawn(async move {
            let mut outcomes = Vec::new();
            for number in (0..200).filter(|number| number % 64 == connection) {
                outcomes.push(ask(&client, &key, number).await);
            }
            outcomes
        })
    });
    let outcomes: Vec<String> = join_all(connections).await.into_iter().flat_map(Result::unwrap).collect();
    let count = |word: &str| outcomes.iter().filter(|outcome| *outcome == word).count();
    for node in served {
        node.end().await;
    }
    assert_eq!((outcomes.len(), count("passed"), count("exceeded")), (200, 100, 100), "{outcomes:?}");
    app.work().await;
    let payment = acme.key.get("/api/v1/payments?payment_reference=p1").await;
    assert_eq!(payment.text("/items/0/refundable/text"), "0.00 EUR");
    assert_eq!(payment.text("/items/0/refund_count"), "100");
}

async fn ask(client: &Client, key: &Actor, number: usize) -> String {
    let name = format!("r{number}");
    if number.is_multiple_of(2) {
        return match result(&client.refund(&name, "p1", 100).await).as_str() {
            "S SUCCESS" | "U REFUND_IN_PROCESS" => "passed".to_owned(),
            "F REFUND_AMOUNT_EXCEED" => "exceeded".to_owned(),
            other => other.to_owned(),
        };
    }
    let seen = key.refund(&name, euros("p1", 100)).await;
    match (seen.status, seen.text("/code").as_str()) {
        (201, _) => "passed".to_owned(),
        (422, "exceeds_refundable") => "exceeded".to_owned(),
        (status, code) => format!("{status} {code}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn equal_requests_at_once_make_one_refund() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    app.paid(&acme, "p1", "100.00 EUR").await;
    let askers = (0..32).map(|_| {
        let key = acme.key.clone();
        tokio::spawn(async move {
            let seen = key.refund("same", euros("p1", 1_000)).await;
            (seen.status, seen.text("/refund_id"))
        })
    });
    let answers: Vec<(u16, String)> = join_all(askers).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|(status, _)| *status == 201).count(), 1);
    assert!(answers.iter().all(|(status, id)| [200, 201].contains(status) && *id == answers[0].1));
}

/// The feed has no gaps and no repeats, also while many write.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_feed_is_gap_free_under_parallel_writers() {
    let app = TestApp::start().await;
    let acme = app.shop(Mode::Sandbox, "native").await;
    app.paid(&acme, "p1", "1000.00 EUR").await;
    let writers = (0..16).map(|writer| {
        let key = acme.key.clone();
        tokio::spawn(async move {
            for number in 0..10 {
                assert_eq!(key.refund(&format!("w{writer}-{number}"), euros("p1", 10)).await.status, 201);
            }
        })
    });
    let reader = {
        let key = acme.key.clone();
        tokio::spawn(async move {
            let (mut after, mut accepted) = (0, 0);
            while accepted < 160 {
                let seen = key.get(&format!("/api/v1/events?after={after}&limit=7&wait_seconds=30")).await;
                for event in seen.json()["items"].as_array().unwrap() {
                    after += 1;
                    assert_eq!(event["sequence"], after, "a gap or a repeat");
                    accepted += usize::from(event["type"] == "refund.accepted");
                }
                assert_eq!(seen.json()["after"], after);
            }
        })
    };
    join_all(writers).await.into_iter().for_each(Result::unwrap);
    reader.await.unwrap();
}
