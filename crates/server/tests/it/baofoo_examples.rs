//! The worked examples of the specification, each step over HTTP as a merchant's program would take it.

use refundry_engine::Mode;
use serde_json::{Value, json};

use crate::app::{Actor, TestApp};
use crate::baofoo::{Own, Seller, parts, receiver, result, seller};

const EXAMPLES: &str = include_str!("../../../engine/tests/fixtures/worked_examples.json");
/// The receivers of the examples.
const RECEIVERS: [&str; 4] = ["A", "B", "C", "D"];

/// One example under way.
struct Story<'a> {
    app: &'a TestApp,
    operator: &'a Actor,
    seller: Seller,
    place: usize,
    id: &'a str,
}

impl Story<'_> {
    /// The account number that a letter of the examples stands for.
    fn account(&self, letter: &str) -> String {
        let number = RECEIVERS.iter().position(|known| *known == letter).unwrap();
        format!("2{:03}{number}", self.place)
    }

    fn lines(&self, lines: &Value) -> Vec<(String, i64)> {
        let of = |(letter, fen): (&String, &Value)| (self.account(letter), fen.as_i64().unwrap());
        lines.as_object().map(|lines| lines.iter().map(of).collect()).unwrap_or_default()
    }

    /// A share's number; what its state is to be stands behind it.
    fn share_number(step: &Value) -> String {
        let running = step["state"] == "PROCESSING";
        format!("{}{}", step["no"].as_str().unwrap(), if running { "_RUNNING" } else { "" })
    }

    /// Orders the payment, or tells of it where the order cannot say what it costs; a share that is planned comes with it.
    async fn pay(&self, payment: &Value, steps: &[Value]) {
        let (fen, marketing) = (payment["txn_amt"].as_i64().unwrap(), payment["mkt_amt"].as_i64().unwrap_or(0));
        if let Some(fee) = payment["fee"].as_i64() {
            let amount = |value: i64| json!({"value": value, "currency": "CNY"});
            let told = json!({
                "merchant_id": self.seller.shop.merchant.id.to_string(), "terminal_id": self.seller.shop.terminal.id.to_string(),
                "payment_reference": format!("pay{}", self.place), "merchant_reference": "O1", "method": "WECHAT", "status": "captured",
                "paid_at": "2026-01-01T00:00:00Z", "authorised": amount(fen), "fee": amount(fee), "fee_mode": "from_payment",
            });
            let told = self.operator.post("/api/v1/payments", told).await;
            assert_eq!(told.status, 201, "{:?}", told.bytes);
            return;
        }
        let mut order = self.seller.client.order_of("O1", fen, marketing);
        let planned = steps.iter().find(|step| step[0] == "share" && step[1]["state"] == "PLANNED");
        if let Some(share) = planned {
            let lines = self.lines(&share[1]["details"]);
            let lines: Vec<(&str, i64)> = lines.iter().map(|(account, fen)| (account.as_str(), *fen)).collect();
            order["sharingInfo"] = json!({
                "sharingDetails": parts(&lines), "sharingTime": self.seller.client.time(86_400), "sharingOutTradeNo": Self::share_number(&share[1]),
            });
        }
        let ordered = self.seller.client.call("unified_order", order).await;
        assert_eq!(result(&ordered), "SUCCESS", "{}: {ordered}", self.id);
    }

    async fn take(&self, step: &Value) {
        let (kind, asked, expected) = (step[0].as_str().unwrap(), &step[1], &step[2]);
        match kind {
            "share" if asked["state"] == "PLANNED" => {
                assert_eq!(self.seller.client.share_state(&Self::share_number(asked)).await, "PROCESSING", "{}: {step}", self.id);
            }
            "share" => self.share(asked, expected).await,
            "share_state" => self.finish(asked).await,
            "refund" => self.refund(asked, expected).await,
            "settle" => self.settle(asked).await,
            "check" => self.check(asked).await,
            other => panic!("say what {other} is"),
        }
    }

    async fn share(&self, asked: &Value, expected: &Value) {
        let lines = self.lines(&asked["details"]);
        let lines: Vec<(&str, i64)> = lines.iter().map(|(account, fen)| (account.as_str(), *fen)).collect();
        let answer = self.seller.client.share("O1", &Self::share_number(asked), &lines).await;
        self.expect(&answer, expected, asked);
        if expected["accept"] == true {
            assert_eq!(answer["txnState"], "PROCESSING", "{}: {answer}", self.id);
        }
        self.app.work().await;
    }

    /// Somebody ends a share that runs.
    async fn finish(&self, asked: &Value) {
        let merchant_id = self.seller.shop.merchant.id;
        let payment = self.payment().await;
        let shares = self.operator.get(&format!("/api/v1/payments/{payment}/shares?merchant_id={merchant_id}")).await.json();
        let number = format!("{}_RUNNING", asked["no"].as_str().unwrap());
        let share = shares["items"].as_array().unwrap().iter().find(|share| share["number"] == number.as_str()).unwrap();
        let path = format!("/api/v1/shares/{}/finish?merchant_id={merchant_id}", share["share_id"].as_str().unwrap());
        let finished = self.operator.post(&path, json!({"succeeds": asked["state"] == "SUCCESS"})).await;
        assert_eq!((finished.status, finished.text("/state").as_str()), (200, "succeeded"), "{:?}", finished.bytes);
    }

    async fn refund(&self, asked: &Value, expected: &Value) {
        let client = &self.seller.client;
        let (number, fen) = (asked["no"].as_str().unwrap(), asked["refund_amt"].as_i64().unwrap());
        let lines = self.lines(&asked["sharing"]);
        let lines: Vec<(&str, i64)> = lines.iter().map(|(account, fen)| (account.as_str(), *fen)).collect();
        let mut biz = client.refund_of("O1", number, fen, &lines);
        if let Some(marketing) = asked["mkt_amt"].as_i64() {
            biz["mktRefundInfo"] = json!({"mktMerId": client.mer_id, "mktAmt": marketing});
            biz["totalAmt"] = json!(asked["total_amt"].as_i64().unwrap_or(fen + marketing));
        }
        if let Some(advance) = asked["advance"].as_i64() {
            biz["advanceAmt"] = json!(advance);
        }
        let answer = client.refund(biz).await;
        self.expect(&answer, expected, asked);
        if expected["accept"] == true {
            let merchant_id = self.seller.shop.merchant.id;
            let found = self.operator.get(&format!("/api/v1/refunds?number={number}&merchant_id={merchant_id}")).await;
            let value = |pointer: &str| found.text(pointer).parse::<i64>().unwrap_or(0);
            let shown = (value("/items/0/sharing/from_unshared/value"), value("/items/0/fee_given_back/value"));
            assert_eq!(
                json!([shown.0, shown.1]),
                json!([expected["unshared"], expected["fee_back"]]),
                "{}: {asked} {:?}",
                self.id,
                found.bytes
            );
        }
        // What fails later does so when somebody settles it.
        if self.id != "E12" {
            self.app.work().await;
        }
    }

    /// The acquirer and the receivers have had their turn: the refund ended.
    async fn settle(&self, asked: &Value) {
        assert_eq!(asked["ok"], false);
        self.app.work().await;
        assert_eq!(self.seller.client.refund_state(asked["no"].as_str().unwrap()).await, "REFUND_ERROR", "{}", self.id);
        // The receiver has money again.
        self.top_up(&self.account("A"), 3_000).await;
    }

    async fn check(&self, asked: &Value) {
        for (number, state) in asked["share_state"].as_object().into_iter().flatten() {
            assert_eq!(self.seller.client.share_state(number).await, state.as_str().unwrap(), "{}", self.id);
        }
        let balance = self.seller.client.balance("O1").await;
        let number = |name: &str| balance[name].as_i64().unwrap();
        if let Some(refundable) = asked["refundable"].as_i64() {
            assert_eq!(
                number("orderTotalAmt") - number("refundSuccessAmt") - number("refundProcessingAmt"),
                refundable,
                "{}: {balance}",
                self.id
            );
        }
        if let Some(unshared) = asked["share_balance"].as_i64() {
            assert_eq!(number("shareBalanceAmt"), unshared, "{}: {balance}", self.id);
        }
    }

    fn expect(&self, answer: &Value, expected: &Value, asked: &Value) {
        let wanted = match expected["code"].as_str() {
            Some(code) => format!("FAIL {code}"),
            None => "SUCCESS".to_owned(),
        };
        assert_eq!(result(answer), wanted, "{}: {asked} {answer}", self.id);
    }

    async fn payment(&self) -> String {
        let merchant_id = self.seller.shop.merchant.id;
        self.operator.get(&format!("/api/v1/payments?merchant_reference=O1&merchant_id={merchant_id}")).await.text("/items/0/payment_id")
    }

    async fn top_up(&self, account: &str, fen: i64) {
        let merchant = self.app.service.world.store.merchant_by_account(Mode::Sandbox, account).await.unwrap().unwrap();
        let body = json!({"merchant_id": merchant.id.to_string(), "amount": {"value": fen, "currency": "CNY"}});
        let headers = [("content-type", "application/json"), ("idempotency-key", account)];
        let paid = self.operator.send(http::Method::POST, "/api/v1/funds/top-ups", &headers, body.to_string().into()).await;
        assert_eq!(paid.status, 200, "{:?}", paid.bytes);
    }

    /// The receiver has spent what it got: the payment was settled, and the receiver is paid out.
    async fn spend(&self, account: &str) {
        let merchant_id = self.seller.shop.merchant.id;
        let settled =
            self.operator.post(&format!("/api/v1/payments/{}/settle?merchant_id={merchant_id}", self.payment().await), json!({})).await;
        assert_eq!(settled.status, 200, "{:?}", settled.bytes);
        let merchant = self.app.service.world.store.merchant_by_account(Mode::Sandbox, account).await.unwrap().unwrap();
        let body = json!({"merchant_id": merchant.id.to_string(), "kind": "trade", "currency": "CNY"});
        let paid = self.operator.post("/api/v1/payouts", body).await;
        assert_eq!(paid.status, 201, "{:?}", paid.bytes);
    }
}

#[tokio::test]
async fn all_worked_examples_step_by_step() {
    let app = TestApp::start().await;
    let operator = app.operator(Mode::Sandbox).await;
    let examples: Vec<Value> = serde_json::from_str(EXAMPLES).unwrap();
    let mut steps_taken = 0;
    let own = Own::rsa();
    for (place, example) in examples.iter().enumerate() {
        let account = format!("1{place:03}00");
        let seller = seller(&app, Mode::Sandbox, (&account, "200000"), &own).await;
        let story = Story { app: &app, operator: &operator, seller, place, id: example["id"].as_str().unwrap() };
        for letter in RECEIVERS {
            receiver(&app, Mode::Sandbox, &story.account(letter)).await;
        }
        // What the seller advances is there.
        story.top_up(&account, 10_000).await;
        let steps = example["steps"].as_array().unwrap();
        story.pay(&example["payment"], steps).await;
        for step in steps {
            story.take(step).await;
            steps_taken += 1;
            if story.id == "E12" && step[0] == "share" {
                story.spend(&story.account("A")).await;
            }
        }
        app.work().await;
    }
    assert_eq!((examples.len(), steps_taken), (12, 50));
}
