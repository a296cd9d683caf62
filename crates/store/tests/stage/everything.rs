//! A play in which something happens to everything: no table is empty afterwards, and no column has nothing in all of its rows.

use refundry_engine::adjustment::AdjustmentKind;
use refundry_engine::command::{
    Act, AdvancePayout, ChangeDispute, LeftToTerms, MarkPayment, PaymentMark, PayoutRun, PayoutStep, PreparePayout, ProposeAdjustment,
    PutEndpoint, RecordDelivery, RecordDispute, RecordPayment, RecordTracking, ReviewRefund, SettlePayment, TopUp,
};
use refundry_engine::credential::{Credential, Holder};
use refundry_engine::dispute::{DisputeChange, DisputeKind};
use refundry_engine::idempotency::IdempotencyKey;
use refundry_engine::merchant::{Endpoint, Merchant, Mode, Standing, Terminal};
use refundry_engine::notification::DeliveryAttempt;
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::payout::PayoutKind;
use refundry_engine::person::{Person, Side};
use refundry_engine::policy::{PolicyPatch, ReviewRule};
use refundry_engine::rate::{DailyRate, PutRates};
use refundry_engine::{AdjustmentId, CredentialId, DisputeId, EndpointId, MerchantId, Outcome, PaymentId, PayoutId, PersonId};
use refundry_store::{NotificationFilter, PageRequest};

use super::{Stage, create_refund, euro, merchant, money, payment, stamp_id, terminal};
use futures::executor::block_on;

/// Who it happens to.
pub const PLAYERS: [MerchantId; 3] = [MerchantId::new(41), MerchantId::new(42), MerchantId::new(43)];

impl Stage {
    /// Shares, an advance, a plan, an exposure, amounts that are booked at a rate, disputes, payouts, reviews, people: all of it happens.
    pub fn play_everything(&self) {
        self.introduce(["100041", "100042", "100043"].map(Some));
        self.share_and_advance();
        self.play_on();
    }

    /// As much of it as there was before merchants shared payments.
    pub fn play_without_shares(&self) {
        self.introduce([None; 3]);
        self.told("plain", 10_000, |_| {});
        self.play_on();
    }

    fn play_on(&self) {
        self.settle_at_a_rate();
        self.dispute_and_expose();
        self.review_and_refuse();
        self.pay_out();
        self.deliver();
    }

    fn introduce(&self, accounts: [Option<&str>; 3]) {
        for (id, account) in PLAYERS.into_iter().zip(accounts) {
            let mut known = Merchant { account: account.map(str::to_owned), ..merchant(id) };
            known.policy.settlement.trade_days = Some(Some(3));
            known.policy.settlement.rolling_reserve_bps = Some(1_000);
            known.policy.settlement.reserve_days = Some(Some(5));
            self.must(Act::PutMerchant(Box::new(known)));
            self.must(Act::PutTerminal(Box::new(till(id, PolicyPatch::default()))));
        }
        let [giver, ..] = PLAYERS;
        let endpoint = Endpoint {
            id: EndpointId::new(1),
            url: "https://shop.example/hook".to_owned(),
            sealed_secret: "sealed".to_owned(),
            events: Vec::new(),
            enabled: true,
        };
        self.must(Act::PutEndpoint(PutEndpoint { merchant_id: giver, before: None, endpoint }));
        let created_at = self.now();
        for (id, side) in [(1, Side::Merchant { merchant_id: giver }), (2, Side::Operator { mode: Mode::Live })] {
            let (id, name, role) = (PersonId::new(id), format!("王 {id}"), "owner".to_owned());
            self.must(Act::PutPerson(Box::new(Person { id, side, name, role, standing: Standing::Active, created_at })));
        }
        self.must(Act::PutCredential(Box::new(Credential {
            id: CredentialId::new(1),
            holder: Holder::Merchant { merchant_id: giver },
            dialect: "native".to_owned(),
            lookup: "key".to_owned(),
            scheme: "api_key".to_owned(),
            key_version: 1,
            proof: "hash".to_owned(),
            sealed_secret: String::new(),
            public_key: String::new(),
            permissions: vec!["refunds:write".to_owned()],
            name: "till".to_owned(),
            person_id: Some(PersonId::new(1)),
            issued_by: None,
            created_at,
            expires_at: None,
            revoked_at: None,
        })));
        self.must(Act::PutRates(PutRates { rates: vec![rate()] }));
    }

    /// A payment of the giver, told as the settlement system tells it.
    fn told(&self, reference: &str, minor: i64, change: impl FnOnce(&mut Payment)) -> Payment {
        let id = PaymentId::new(stamp_id(&self.stamp()));
        let mut told = payment(PLAYERS[0], id, reference, euro(minor));
        change(&mut told);
        match self.must(Act::RecordPayment(Box::new(told.into()))) {
            Outcome::Payment { payment, .. } => *payment,
            other => panic!("{other:?}"),
        }
    }

    fn settle(&self, of: &Payment) {
        self.must(Act::SettlePayment(SettlePayment { merchant_id: of.merchant_id, payment_id: of.id }));
    }

    fn share_and_advance(&self) {
        let id = PaymentId::new(stamp_id(&self.stamp()));
        let left_to_terms = LeftToTerms { fee: false, reserved: true };
        let told = payment(PLAYERS[0], id, "reserved", euro(4_000));
        self.must(Act::RecordPayment(Box::new(RecordPayment { left_to_terms, ..told.into() })));
        let [_, first, second] = PLAYERS;
        let shared = self.told("shared", 10_000, |told| told.notify_url = Some("https://payment.example/told".to_owned()));
        self.settle(&shared);
        self.shared(&shared, "s1", &[(first, 3_000), (second, 2_000)]);
        for (number, lines, advance) in [("back", &[(first, 500)][..], 0), ("advanced", &[], 700)] {
            let asked = self.ask_back(&shared, number, 500 + advance, (lines, advance));
            match block_on(self.store.transact(asked)).expect("it is answered") {
                Outcome::Refund { refund, .. } => drop(self.succeed(&refund)),
                other => panic!("{other:?}"),
            }
        }
        self.share(&shared, "s2", &[(second, 100)], None);
        let planned = self.told("planned", 5_000, |_| {});
        self.share(&planned, "s3", &[(first, 1_000)], Some(self.now().plus_days(1)));
    }

    fn settle_at_a_rate(&self) {
        let abroad = self.told("abroad", 0, |told| {
            *told = Payment { quote: Some(rate().quote()), ..payment(told.merchant_id, told.id, "abroad", money(10_000, "USD")) };
        });
        self.refund(&abroad, "before", 300);
        self.settle(&abroad);
        self.refund(&abroad, "behind", 400);
        self.must(Act::MarkPayment(MarkPayment {
            merchant_id: abroad.merchant_id,
            mode: Mode::Live,
            payment_id: abroad.id,
            mark: PaymentMark::Reconciled,
        }));
        self.must(Act::RecordTracking(RecordTracking {
            merchant_id: abroad.merchant_id,
            mode: Mode::Live,
            payment_id: abroad.id,
            numbers: vec!["SF100".to_owned()],
            carrier_url: "https://carrier.example".to_owned(),
        }));
    }

    fn dispute_and_expose(&self) {
        let disputed = self.told("disputed", 8_000, |_| {});
        self.refund(&disputed, "r1", 1_500);
        for (id, kind) in [(1, DisputeKind::Chargeback), (2, DisputeKind::Retrieval)] {
            self.must(Act::RecordDispute(Box::new(RecordDispute {
                dispute_id: DisputeId::new(id),
                merchant_id: disputed.merchant_id,
                mode: Mode::Live,
                payment: PaymentKey::Id(disputed.id),
                kind,
                category: kind.categories()[0],
                amount: disputed.captured,
                network_reference: format!("case {id}"),
                reason_code: "10.4".to_owned(),
                reason: "fraud".to_owned(),
                opened_at: self.now(),
                reply_by: Some(self.now().plus_days(7)),
            })));
        }
        self.must(Act::ChangeDispute(Box::new(ChangeDispute {
            merchant_id: disputed.merchant_id,
            mode: Mode::Live,
            dispute_id: DisputeId::new(2),
            payment_id: disputed.id,
            change: DisputeChange::Represent,
            note: "answered".to_owned(),
        })));
    }

    fn review_and_refuse(&self) {
        let [_, reviewer, _] = PLAYERS;
        let policy = PolicyPatch { review: Some(ReviewRule::All), second_person: Some(false), ..PolicyPatch::default() };
        self.must(Act::PutTerminal(Box::new(till(reviewer, policy))));
        let paid = self.payment(reviewer, "reviewed", 9_000);
        self.refund(&paid, "waits", 100);
        let rejected = self.refund(&paid, "rejected", 200);
        let (merchant_id, refund_id, seen) = (reviewer, rejected.id, Some(rejected.content_hash()));
        let note = "looked at".to_owned();
        self.must(Act::ReviewRefund(ReviewRefund { merchant_id, mode: Mode::Live, refund_id, approve: false, note, seen }));
        let mut too_much = create_refund(&paid, "too much", 10_000, refundry_engine::RefundId::new(stamp_id(&self.stamp())));
        too_much.remember_refusals = true;
        let refused = self.act(Act::CreateRefund(Box::new(too_much))).expect("it is answered");
        assert!(matches!(refused, Outcome::Refused { replayed: false, .. }), "{refused:?}");
    }

    fn pay_out(&self) {
        let [giver, ..] = PLAYERS;
        let scope = "top_up".to_owned();
        let key = IdempotencyKey { merchant_id: giver, dialect: "native".to_owned(), scope, number: "t1".to_owned() };
        self.must(Act::TopUp(TopUp { merchant_id: giver, mode: Mode::Live, amount: euro(2_000), key }));
        let key = IdempotencyKey::of_adjustment(giver, "a1".to_owned());
        self.must(Act::ProposeAdjustment(ProposeAdjustment {
            adjustment_id: AdjustmentId::new(stamp_id(&self.stamp())),
            merchant_id: giver,
            mode: None,
            kind: AdjustmentKind::Deduction,
            amount: euro(30),
            reason: "agreed".to_owned(),
            payment: None,
            key,
        }));
        let payout_id = PayoutId::new(stamp_id(&self.stamp()));
        self.must(Act::PreparePayout(PreparePayout {
            payout_id,
            merchant_id: giver,
            mode: None,
            kind: PayoutKind::Trade,
            currency: euro(0).currency(),
            run: PayoutRun::Scheduled { due_at: self.now() },
        }));
        for step in [PayoutStep::Send { bank_reference: Some("B1".to_owned()) }, PayoutStep::Confirm] {
            self.must(Act::AdvancePayout(AdvancePayout { merchant_id: giver, mode: None, payout_id, step }));
        }
    }

    fn deliver(&self) {
        let [giver, ..] = PLAYERS;
        let due = NotificationFilter { merchant_id: Some(giver), ..NotificationFilter::default() };
        let due = block_on(self.store.notifications(&due, PageRequest::default())).expect("notifications are listed").rows;
        let attempt = DeliveryAttempt {
            notification_id: due.first().expect("somebody is told").id,
            at: self.now(),
            status: Some(503),
            answer: "busy".to_owned(),
            took_ms: 12,
            acknowledged: false,
        };
        self.must(Act::RecordDelivery(RecordDelivery { merchant_id: giver, attempt, next_at: None }));
    }
}

/// Who hears of its refunds in a dialect's own words.
fn till(of: MerchantId, policy: PolicyPatch) -> Terminal {
    Terminal { notify_url: Some("https://till.example/told".to_owned()), dialect: "antom".to_owned(), policy, ..terminal(of) }
}

fn rate() -> DailyRate {
    DailyRate {
        base: "USD".parse().expect("a currency"),
        quoted: "EUR".parse().expect("a currency"),
        day: "2026-01-30".parse().expect("a day"),
        price_mantissa: 9_137,
        price_scale: 4,
    }
}
