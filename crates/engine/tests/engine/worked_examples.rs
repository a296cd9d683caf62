//! The worked examples of Baofoo's rules, as data: every step of every example, played on the desk.

use std::collections::BTreeMap;

use refundry_engine::command::CreateRefund;
use refundry_engine::policy::{FeeRule, FundsRule, PolicyPatch};
use refundry_engine::refund::{AcquirerAnswer, RefundState};
use refundry_engine::share::{AskedLines, AskedSharing, FeeMode, ShareStateName, Sharing};
use refundry_engine::{Mode, Outcome, PaymentId, RefundId, Refusal, ShareId, Timestamp};
use refundry_ledger::{Currency, Money};
use serde_json::Value;

use crate::desk::shares::line;
use crate::desk::{Desk, MERCHANT, request};

const PAYMENT: PaymentId = PaymentId::new(1_000_000);

#[test]
fn every_worked_example_is_decided_as_it_says() {
    let text = include_str!("../fixtures/worked_examples.json");
    let examples: Vec<Value> = serde_json::from_str(text).unwrap();
    let steps: usize = examples.iter().map(|example| example["steps"].as_array().unwrap().len()).sum();
    assert_eq!((examples.len(), steps), (12, 50), "all of them");
    for example in &examples {
        let mut player = Player::new(&example["payment"]);
        for step in example["steps"].as_array().unwrap() {
            player.play(&format!("{} {step}", example["id"]), step);
        }
    }
}

struct Player {
    desk: Desk,
    refunds: BTreeMap<String, RefundId>,
    shares: BTreeMap<String, ShareId>,
    next_id: i64,
}

/// What is compared with the example: accepted with its parts, or why not.
enum Told {
    Accepted(Option<RefundId>),
    Refused(String),
}

impl Player {
    fn new(payment: &Value) -> Self {
        let policy = PolicyPatch { funds: Some(FundsRule::FailLater), original_fee: Some(FeeRule::GiveBack), ..PolicyPatch::default() };
        let mut desk = Desk::new(policy);
        for letter in ['A', 'B', 'C'] {
            desk.open_receiver(letter, Mode::Live);
        }
        let marketing = payment["mkt_amt"].as_i64().unwrap_or(0);
        let fee_mode = if payment["fee_mode"] == "INTERNAL" { FeeMode::FromPayment } else { FeeMode::FromAccount };
        desk.pay(PAYMENT, fen(payment["txn_amt"].as_i64().unwrap() + marketing), |told| {
            told.marketing = fen(marketing);
            told.fee = fen(payment["fee"].as_i64().unwrap_or(0));
            told.sharing = Some(Box::new(Sharing::new(fee_mode)));
        });
        Self { desk, refunds: BTreeMap::new(), shares: BTreeMap::new(), next_id: 2_000_000 }
    }

    fn play(&mut self, name: &str, step: &Value) {
        let (verb, wish, expected) = (step[0].as_str().unwrap(), &step[1], &step[2]);
        let told = match verb {
            "share" => self.share(wish),
            "share_state" => self.finish_share(wish),
            "refund" => self.refund(wish),
            "settle" => self.settle(wish),
            "check" => self.check(name, wish),
            other => panic!("{name}: {other} is no step"),
        };
        match (told, expected["accept"].as_bool().unwrap()) {
            (Told::Accepted(None), true) => {}
            (Told::Accepted(Some(id)), true) => {
                let refund = self.desk.refund(id);
                let of = refund.sharing.as_ref().unwrap();
                assert_eq!(of.from_unshared_minor, expected["unshared"].as_i64().unwrap(), "{name}");
                let given_back = if self.desk.payment(PAYMENT).fee_mode() == FeeMode::FromPayment {
                    self.desk.refund(id).fee_given_back.minor()
                } else {
                    0
                };
                assert_eq!(given_back, expected["fee_back"].as_i64().unwrap(), "{name}");
            }
            (Told::Refused(code), false) => assert_eq!(code, expected["code"].as_str().unwrap(), "{name}"),
            (Told::Accepted(_), false) => panic!("{name}: accepted"),
            (Told::Refused(code), true) => panic!("{name}: refused with {code}"),
        }
    }

    fn lines(&self, details: &Value) -> Vec<refundry_engine::share::AskedLine> {
        let details = details.as_object().into_iter().flatten();
        details.map(|(letter, amount)| line(&self.desk, letter.chars().next().unwrap(), fen(amount.as_i64().unwrap()))).collect()
    }

    fn share(&mut self, wish: &Value) -> Told {
        let number = wish["no"].as_str().unwrap();
        let id = ShareId::new(self.id());
        let due_at = (wish["state"] == "PLANNED").then(|| Timestamp::from_us(self.desk.now.us() + 86_400_000_000));
        let lines = self.lines(&wish["details"]);
        match self.desk.share_out(number, id, PAYMENT, (lines, due_at)) {
            Outcome::Share { .. } => {
                self.shares.insert(number.to_owned(), id);
                if wish["state"].is_null() {
                    self.desk.finish_share(id, true);
                }
                Told::Accepted(None)
            }
            other => refused(&other),
        }
    }

    fn finish_share(&mut self, wish: &Value) -> Told {
        assert_eq!(wish["state"], "SUCCESS");
        match self.desk.finish_share(self.shares[wish["no"].as_str().unwrap()], true) {
            Outcome::Share { .. } => Told::Accepted(None),
            other => refused(&other),
        }
    }

    fn refund(&mut self, wish: &Value) -> Told {
        let amounts = ["refund_amt", "mkt_amt", "total_amt"].map(|name| wish[name].as_i64());
        let [Some(user), marketing, total] = amounts else { panic!("a refund has an amount") };
        let marketing = marketing.unwrap_or(0);
        // The dialect looks at that before it asks the engine.
        if total.is_some_and(|total| total != user + marketing) {
            return Told::Refused("INVALID_PARAMETER".to_owned());
        }
        let number = wish["no"].as_str().unwrap();
        let lines = self.lines(&wish["sharing"]);
        let id = RefundId::new(self.id());
        let create = CreateRefund {
            marketing: Some(fen(marketing)),
            sharing: Some(Box::new(AskedSharing { lines: AskedLines::Named(lines), advance: wish["advance"].as_i64().map(fen) })),
            ..request(id, PAYMENT, fen(user + marketing), number)
        };
        match self.desk.ask_as("shop", create) {
            // A number that failed stays bound to its failure, which was for want of money.
            Outcome::Refund { refund, .. } if !refund.state.counts() => Told::Refused("CM_NOT_ENOUGH_BALANCE_REFUND".to_owned()),
            Outcome::Refund { refund, .. } => {
                self.refunds.insert(number.to_owned(), refund.id);
                Told::Accepted(Some(refund.id))
            }
            other => refused(&other),
        }
    }

    fn settle(&mut self, wish: &Value) -> Told {
        let id = self.refunds[wish["no"].as_str().unwrap()];
        self.desk.submit(id);
        let answer = match wish["ok"].as_bool().unwrap() {
            true => AcquirerAnswer::Approved { reference: None, arn: None },
            false => AcquirerAnswer::Declined { code: "51".to_owned(), text: "no".to_owned() },
        };
        self.desk.answer(id, 1, answer);
        assert!(!matches!(self.desk.refund(id).state, RefundState::Submitted { .. }));
        Told::Accepted(None)
    }

    fn check(&mut self, name: &str, wish: &Value) -> Told {
        for (number, state) in wish["share_state"].as_object().into_iter().flatten() {
            assert_eq!(state, "CANCELED", "{name}");
            assert_eq!(self.desk.share(self.shares[number]).state.name(), ShareStateName::Cancelled, "{name}");
        }
        let payment = &self.desk.snapshot.payments[&(MERCHANT, PAYMENT)];
        let balance = wish["share_balance"].as_i64().unwrap();
        assert_eq!(payment.unshared().minor(), balance, "{name}");
        assert_eq!(payment.refundable().minor(), wish["refundable"].as_i64().unwrap_or(payment.refundable().minor()), "{name}");
        Told::Accepted(None)
    }

    fn id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id
    }
}

fn fen(minor: i64) -> Money {
    let currency: Currency = "CNY".parse().unwrap();
    Money::new(minor, currency)
}

/// The codes that the examples name, for the refusals that they meet.
fn refused(outcome: &Outcome) -> Told {
    let Outcome::Refused { refusal, .. } = outcome else { panic!("{outcome:?}") };
    let code = match refusal {
        Refusal::RepeatInconsistent { .. } => "ORDER_EXIST",
        Refusal::ShareRunning | Refusal::RefundOpen => "NOT_SUPPORT_CONCURRENT",
        Refusal::ExceedsRefundable { .. } | Refusal::ExceedsMarketing { .. } => "REFUND_AMT_EXCEEDS",
        Refusal::UnknownReceiver { .. }
        | Refusal::ExceedsReceiver { .. }
        | Refusal::ExceedsReturned { .. }
        | Refusal::LinesExceedAmount { .. }
        | Refusal::ExceedsUnshared { .. }
        | Refusal::ExceedsPool { .. } => "SHARE_INFO_NOT_CORRECT",
        other => panic!("no example meets {other:?}"),
    };
    Told::Refused(code.to_owned())
}
