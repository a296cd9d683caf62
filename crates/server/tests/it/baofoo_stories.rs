//! Baofoo over HTTP: orders and how they end, notifications, agents, who may not call, and many at once.

use futures::future::join_all;
use refundry_engine::Mode;
use refundry_engine::credential::Holder;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::baofoo::{Client, Own, Seller, brief, issue, letters, receiver, receivers_say_ok, result, seller};

const HOOK: &str = "https://shop.example/baofoo";

#[tokio::test]
async fn a_shared_payment_is_refunded_and_everybody_is_told_with_either_algorithm() {
    for own in [Own::rsa(), Own::sm2()] {
        let app = TestApp::start().await;
        receivers_say_ok(&app);
        let Seller { client, .. } = seller(&app, Mode::Sandbox, ("100000", "200000"), &own).await;
        receiver(&app, Mode::Sandbox, "100001").await;
        let mut order = client.order_of("O1", 10_000, 0);
        order["notifyUrl"] = json!(HOOK);
        let ordered = client.call("unified_order", order).await;
        let trade_no = ordered["tradeNo"].as_str().unwrap().to_owned();
        app.work().await;
        let paid = told(&app, &client);
        assert_eq!(paid.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), ["PAYMENT"]);
        assert_eq!(
            (&paid[0].1["txnState"], &paid[0].1["tradeNo"], &paid[0].1["outTradeNo"]),
            (&json!("SUCCESS"), &json!(trade_no), &json!("O1"))
        );

        let mut share = json!({"originTradeNo": trade_no, "outTradeNo": "S1", "txnTime": client.time(0), "notifyUrl": HOOK});
        share["sharingDetails"] = json!([{"sharingMerId": "100001", "sharingAmt": 3_000}]);
        assert_eq!(brief(&client.call("share_after_pay", share).await, "txnState"), "PROCESSING");
        app.work().await;
        assert_eq!(client.share_state("S1").await, "SUCCESS");
        let shared = told(&app, &client);
        assert_eq!(
            (shared[0].0.as_str(), &shared[0].1["txnState"], &shared[0].1["succAmt"]),
            ("SHARING", &json!("SUCCESS"), &json!(3_000))
        );

        let mut refund = client.refund_of("O1", "R1", 4_000, &[("100001", 1_200)]);
        refund["notifyUrl"] = json!(HOOK);
        refund["reqReserved"] = json!("r & s");
        let accepted = client.refund(refund).await;
        assert_eq!(
            (result(&accepted).as_str(), &accepted["refundState"], &accepted["reqReserved"]),
            ("SUCCESS", &json!("REFUND"), &json!("r & s"))
        );
        let balance = client.balance("O1").await;
        let seen =
            ["orderTotalAmt", "shareBalanceAmt", "refundSuccessAmt", "refundProcessingAmt"].map(|name| balance[name].as_i64().unwrap());
        assert_eq!(seen, [10_000, 4_200, 0, 4_000]);
        app.work().await;
        assert_eq!(client.refund_state("R1").await, "SUCCESS");
        let refunded = told(&app, &client);
        let (kind, said) = &refunded[0];
        assert_eq!((kind.as_str(), &said["refundState"], &said["tradeNo"]), ("REFUND", &json!("SUCCESS"), &accepted["tradeNo"]));
        let balance = client.balance("O1").await;
        assert_eq!((&balance["refundSuccessAmt"], &balance["refundProcessingAmt"]), (&json!(4_000), &json!(0)));
        assert_eq!(client.call("order_query", json!({"outTradeNo": "O1"})).await["txnState"], "SUCCESS", "partly refunded");
        client.refund(client.refund_of("O1", "R2", 6_000, &[("100001", 1_800)])).await;
        app.work().await;
        assert_eq!(client.call("order_query", json!({"tradeNo": trade_no})).await["txnState"], "REFUND", "wholly refunded");
    }
}

/// What the program was told since it looked last, every signature checked.
fn told(app: &TestApp, client: &Client) -> Vec<(String, Value)> {
    letters(app).iter().map(|letter| client.checked(letter)).collect()
}

fn more_marketing(order: &mut Value) {
    order["txnAmt"] = json!(order["txnAmt"].as_i64().unwrap() - 1);
    order["mktInfo"]["mktAmt"] = json!(101);
}

fn another_share(order: &mut Value) {
    order["sharingInfo"]["sharingDetails"][0]["sharingAmt"] = json!(51);
}

#[tokio::test]
async fn orders_are_paid_late_fail_wait_or_are_closed_as_their_amount_says() {
    let app = TestApp::start().await;
    receivers_say_ok(&app);
    let Seller { client, .. } = seller(&app, Mode::Sandbox, ("100000", "200000"), &Own::rsa()).await;
    receiver(&app, Mode::Sandbox, "100001").await;
    let state = async |client: &Client, number: &str| client.call("order_query", json!({"outTradeNo": number})).await["txnState"].clone();
    for (number, fen) in [("fails", 9_101), ("waits", 9_102), ("closed", 9_102), ("late", 9_103)] {
        let mut order = client.order_of(number, fen, 100);
        order["notifyUrl"] = json!(HOOK);
        order["sharingInfo"] = json!({"sharingDetails": [{"sharingMerId": "100001", "sharingAmt": 50}], "sharingTime": client.time(600), "sharingOutTradeNo": format!("S{number}")});
        let ordered = client.call("unified_order", order.clone()).await;
        assert_eq!(result(&ordered), "SUCCESS", "{ordered}");
        assert_eq!(client.call("unified_order", order.clone()).await["tradeNo"], ordered["tradeNo"], "the same number is the same order");
        assert_eq!(ordered["tradeNo"].as_str().unwrap()[..6], client.time(0)[2..8], "the number begins with its day");
        for edit in [more_marketing, another_share] {
            let mut other = order.clone();
            edit(&mut other);
            let answer = result(&client.call("unified_order", other).await);
            assert_eq!(
                answer,
                if number == "fails" { "SUCCESS" } else { "FAIL ORDER_EXIST" },
                "nothing of an order that failed is kept but its amount"
            );
        }
        order["totalAmt"] = json!(fen);
        order.as_object_mut().unwrap().remove("mktInfo");
        assert_eq!(result(&client.call("unified_order", order).await), "FAIL ORDER_EXIST");
    }
    app.work().await;
    assert_eq!((state(&client, "fails").await, state(&client, "late").await), (json!("PAY_ERROR"), json!("WAIT_PAYING")));
    let early = client.refund(client.refund_of("waits", "R0", 100, &[])).await;
    assert_eq!(result(&early), "FAIL ORDER_NOT_SUPPORT_REFUNDS");
    assert_eq!(result(&client.call("order_close", json!({"outTradeNo": "closed"})).await), "SUCCESS");
    assert!(result(&client.call("order_close", json!({"outTradeNo": "closed"})).await).starts_with("FAIL"), "closed already");
    app.clock.advance(2_000);
    app.work().await;
    assert_eq!((state(&client, "late").await, state(&client, "waits").await), (json!("SUCCESS"), json!("WAIT_PAYING")));
    app.clock.advance(598_000);
    app.work().await;
    let client = client.at(&app);
    assert_eq!(client.share_state("Slate").await, "SUCCESS", "what was planned with the order came with its payment");
    app.clock.advance(30 * 60_000);
    app.work().await;
    let client = client.at(&app);
    assert_eq!(state(&client, "waits").await, json!("CLOSED"), "its time is over");
    let states: Vec<(String, String)> = told(&app, &client)
        .iter()
        .filter(|(kind, _)| kind == "PAYMENT")
        .map(|(_, said)| (said["outTradeNo"].as_str().unwrap().to_owned(), said["txnState"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [("fails", "PAY_ERROR"), ("closed", "CLOSED"), ("late", "SUCCESS"), ("waits", "CLOSED")];
    assert_eq!(states, expected.map(|(number, state)| (number.to_owned(), state.to_owned())));
}

#[tokio::test]
async fn a_share_that_fails_leaves_its_money_unshared() {
    let app = TestApp::start().await;
    let Seller { client, .. } = seller(&app, Mode::Sandbox, ("100000", "200000"), &Own::rsa()).await;
    receiver(&app, Mode::Sandbox, "100001").await;
    client.order("O1", 10_000).await;
    client.share("O1", "S1_FAIL", &[("100001", 3_000)]).await;
    app.work().await;
    assert_ne!(client.share_state("S1_FAIL").await, "SUCCESS");
    assert_eq!(client.balance("O1").await["shareBalanceAmt"], 10_000);
    assert_eq!(result(&client.share("O1", "S2", &[("100001", 10_001)]).await), "FAIL SHARE_INFO_NOT_CORRECT");
    assert_eq!(result(&client.share("O1", "S2", &[("999999", 1)]).await), "FAIL SHARE_INFO_NOT_CORRECT");
    assert_eq!(brief(&client.call("share_query", json!({"outTradeNo": "none"})).await, "txnState"), "ABNORMAL");
    assert_eq!(brief(&client.call("refund_query", json!({"outTradeNo": "none"})).await, "refundState"), "ABNORMAL");
}

/// Every method, asked by those who may not ask.
#[tokio::test]
async fn nobody_reaches_what_is_anothers_by_any_method() {
    let app = TestApp::start().await;
    let own = Own::rsa();
    let Seller { client, shop } = seller(&app, Mode::Sandbox, ("100000", "200000"), &own).await;
    receiver(&app, Mode::Sandbox, "100001").await;
    client.order("O1", 10_000).await;
    client.share("O1", "S1", &[("100001", 3_000)]).await;
    app.work().await;
    client.refund(client.refund_of("O1", "R1", 1_000, &[])).await;
    app.work().await;
    let before = app.service.world.store.events_after(shop.merchant.id, 0, 1_000).await.unwrap();

    let other = seller(&app, Mode::Sandbox, ("300000", "400000"), &Own::rsa()).await.client;
    let live = seller(&app, Mode::Live, ("500000", "600000"), &Own::rsa()).await.client;
    // Signed with a key that is not the terminal's; with another merchant's numbers in what is signed.
    let forger = Client { key: other.key.clone(), ..client.clone() };
    for (method, biz) in every_method(&client) {
        assert_eq!(forger.failure(method, biz.clone()).await, "验签失败", "{method}");
        let nobody = Client { mer_id: "700000".to_owned(), ..client.clone() };
        assert_eq!(nobody.failure(method, biz.clone()).await, "商户号不存在", "{method}");
        let mut of_other = biz.clone();
        of_other["merId"] = json!("100000");
        of_other["terId"] = json!("200000");
        let crossed = other.send(method, of_other).await;
        assert!(crossed.to_string().contains("MERID_TERID_NOT_MATCH"), "{method}: {crossed}");
        for thief in [&other, &live] {
            if method == "unified_order" {
                continue;
            }
            let seen = thief.call(method, biz.clone()).await;
            let refused = seen["resultCode"] == "FAIL" || [&seen["refundState"], &seen["txnState"]].contains(&&json!("ABNORMAL"));
            assert!(refused, "{method}: {seen}");
        }
    }
    assert_eq!(
        result(&live.call("unified_order", live.order_of("O1", 1_000, 0)).await),
        "FAIL UNOPENED_PRODUCT",
        "real money is not paid here"
    );
    let after = app.service.world.store.events_after(shop.merchant.id, 0, 1_000).await.unwrap();
    assert_eq!(after, before, "something was changed");
}

/// A request of every method, well formed.
fn every_method(client: &Client) -> Vec<(&'static str, Value)> {
    let share = json!([{"sharingMerId": "100001", "sharingAmt": 1}]);
    vec![
        ("order_refund", client.refund_of("O1", "R9", 100, &[])),
        ("refund_query", json!({"outTradeNo": "R1"})),
        ("order_query", json!({"outTradeNo": "O1"})),
        ("order_balance_query", json!({"originOutTradeNo": "O1"})),
        ("share_after_pay", json!({"originOutTradeNo": "O1", "outTradeNo": "S9", "txnTime": client.time(0), "sharingDetails": share})),
        ("share_query", json!({"outTradeNo": "S1"})),
        ("unified_order", client.order_of("O9", 1_000, 0)),
        ("order_close", json!({"outTradeNo": "O1"})),
    ]
}

#[tokio::test]
async fn an_agent_acts_for_merchants_that_are_linked_to_it_and_for_nobody_else() {
    let app = TestApp::start().await;
    let own = Own::rsa();
    let linked = seller(&app, Mode::Sandbox, ("100000", "200000"), &own).await;
    let outside = seller(&app, Mode::Sandbox, ("300000", "400000"), &Own::rsa()).await;
    let live = seller(&app, Mode::Live, ("500000", "600000"), &Own::rsa()).await;
    let holder = Holder::Platform { mode: Mode::Sandbox, merchant_ids: vec![linked.shop.merchant.id] };
    let agents = Own::rsa();
    let issued = issue(&app.service, Mode::Sandbox, holder, ("800000", "900000"), &agents).await;
    let agent = Client::new(&app, ("800000", "900000"), &agents, &issued);
    for seller in [&linked, &outside] {
        seller.client.order("O1", 10_000).await;
    }
    let ask = async |client: &Client, of: &Client, number: &str| {
        let mut biz = client.refund_of("O1", number, 100, &[]);
        biz["agentMerId"] = json!("800000");
        biz["agentTerId"] = json!("900000");
        biz["merId"] = json!(of.mer_id);
        biz["terId"] = json!(of.ter_id);
        client.refund(biz).await
    };
    assert_eq!(result(&ask(&agent, &linked.client, "R1").await), "SUCCESS");
    // The form may name the merchant, which signs then, and its agent beside it.
    assert_eq!(result(&ask(&linked.client, &linked.client, "R2").await), "SUCCESS");
    assert_eq!(result(&ask(&outside.client, &outside.client, "R2").await), "FAIL AGENT_RELATION_NOT_EXISTS");
    for stranger in [&outside.client, &live.client] {
        assert_eq!(result(&ask(&agent, stranger, "R3").await), "FAIL AGENT_RELATION_NOT_EXISTS", "{}", stranger.mer_id);
    }
    let nobody = Client { mer_id: "700000".to_owned(), ..outside.client.clone() };
    assert_eq!(result(&ask(&agent, &nobody, "R3").await), "FAIL AGENT_RELATION_NOT_EXISTS", "who is not there is not linked either");
    app.work().await;
    assert_eq!(linked.client.refund_state("R1").await, "SUCCESS", "the merchant sees what was done for it");
    let refund = linked.shop.key.get("/api/v1/refunds?number=R1").await.text("/items/0/refund_id");
    let story = linked.shop.key.get(&format!("/api/v1/refunds/{refund}")).await.json();
    assert!(story["timeline"][0]["actor"].to_string().contains("shop system of 800000"), "and by whom: {}", story["timeline"][0]);
}

/// 64 connections refund one shared payment: exact to the fen, and nobody is sent away because of the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_at_once_refund_one_shared_payment() {
    let app = TestApp::start().await;
    let served = vec![app.serve(), app.serve_second_node()];
    let Seller { client, .. } = seller(&app, Mode::Sandbox, ("100000", "200000"), &Own::rsa()).await;
    for account in ["100001", "100002", "100003"] {
        receiver(&app, Mode::Sandbox, account).await;
    }
    client.order("O1", 10_000).await;
    client.share("O1", "S1", &[("100001", 3_200), ("100002", 1_280), ("100003", 640)]).await;
    app.work().await;
    let refunds = (0..64).map(|number| {
        let client = client.over(&served[number % served.len()]);
        tokio::spawn(async move {
            let lines = [("100001", 50), ("100002", 20), ("100003", 10)];
            result(&client.refund(client.refund_of("O1", &format!("R{number}"), 150, &lines)).await)
        })
    });
    let answers: Vec<String> = join_all(refunds).await.into_iter().map(Result::unwrap).collect();
    for node in served {
        node.end().await;
    }
    assert!(answers.iter().all(|answer| answer == "SUCCESS"), "{answers:?}");
    app.work().await;
    let balance = client.balance("O1").await;
    let seen = ["shareBalanceAmt", "refundSuccessAmt", "refundProcessingAmt"].map(|name| balance[name].as_i64().unwrap());
    assert_eq!(seen, [10_000 - 5_120 - 64 * 70, 64 * 150, 0]);
    let over = client.refund(client.refund_of("O1", "R64", 150, &[("100001", 50), ("100002", 20), ("100003", 10)])).await;
    assert_eq!(result(&over), "FAIL SHARE_INFO_NOT_CORRECT", "receivers have nothing left to give back");
}
