//! What lets the tables be distributed by merchant: what is sent, what the schema is like, and how it is distributed. No extension that distributes is at
//! hand here, so its catalogue is stood in for; the workers, and the planner that sends statements to them, are not.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::executor::block_on;
use refundry_engine::adjustment::AdjustmentKind;
use refundry_engine::command::{
    Act, AdvancePayout, CancelRefund, CancelShare, CapturePayment, Change, ChangeDispute, CollectExposure, DecideAdjustment, EditRefund,
    EndSettling, FinishShare, MarkPayment, PaymentMark, PayoutRun, PayoutStep, PreparePayout, ProposeAdjustment, PutEndpoint,
    RecordAcquirerSettlement, RecordArn, RecordDelivery, RecordDispute, RecordResult, RecordReturn, RecordShipmentState, RecordTracking,
    ReleaseFixedReserve, ReleaseRefund, ReleaseReserve, ReleaseWaiting, RemoveEndpoint, ReplayNotification, ReviewRefund, RevokeCredential,
    SendNow, SettleDue, SettlePayment, StartShare, StartSubmission, TopUp, VoidPayment, VoidWhat,
};
use refundry_engine::credential::{Credential, Holder};
use refundry_engine::dispute::{DisputeCategory, DisputeChange, DisputeKind};
use refundry_engine::idempotency::IdempotencyKey;
use refundry_engine::merchant::{Endpoint, Merchant, Mode, Standing, Terminal};
use refundry_engine::notification::DeliveryAttempt;
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::payout::PayoutKind;
use refundry_engine::person::{Person, Side};
use refundry_engine::rate::{DailyRate, Day, PutRates};
use refundry_engine::refund::{AcquirerAnswer, Refund};
use refundry_engine::settlement::ShipmentState;
use refundry_engine::share::ShareKey;
use refundry_engine::task::{Task, TaskKind};
use refundry_engine::{AdjustmentId, CredentialId, DisputeId, EndpointId, MerchantId, NotificationId, Outcome, PayoutId, PersonId, TaskId};
use refundry_store::{
    Claim, ConnectionFaults, DistributeError, DistributeWish, Moment, PageRequest, PostgresOptions, PostgresStore, ShareFilter, StoreError,
    distribute,
};

use crate::stage::shards::{BY_MERCHANT, EVERYWHERE, SHARDS, Sent, WISH, database_with_citus, distributed, lanes_of, rows, transactions};
use crate::stage::{self, Direct, Stage, euro, postgres_database};

/// Every act there is, on the rows of one merchant. Some are refused; they load what they need all the same.
fn every_act(stage: &Stage, number: i64) -> Vec<Act> {
    let id = MerchantId::new(number);
    let endpoint = Endpoint {
        id: EndpointId::new(number),
        url: "https://shop.example/hook".to_owned(),
        sealed_secret: String::new(),
        events: Vec::new(),
        enabled: true,
    };
    let credential = credential(number, Holder::Merchant { merchant_id: id });
    let operators = self::credential(1_000_000 + number, Holder::Operator { mode: Mode::Live });
    let (ann, eve) = (person(number, Side::Merchant { merchant_id: id }), person(1_000_000 + number, Side::Operator { mode: Mode::Live }));
    let named = |name: &str| Merchant { name: name.to_owned(), endpoints: vec![endpoint.clone()], ..stage::merchant(id) };
    let payment = stage.payment(id, "p1", 10_000);
    let refund = stage.refund(&payment, "r1", 400);
    let (payout_id, adjustment_id) = (PayoutId::new(number), AdjustmentId::new(number));
    let mut acts = vec![
        Act::PutEndpoint(PutEndpoint { merchant_id: id, before: None, endpoint: endpoint.clone() }),
        Act::ChangeMerchant(Box::new(Change { before: named("Shop"), after: named("Store") })),
        Act::ChangeTerminal(Box::new(Change {
            before: stage::terminal(id),
            after: Terminal { name: "Till 2".to_owned(), ..stage::terminal(id) },
        })),
        Act::PutPerson(Box::new(ann.clone())),
        Act::PutPerson(Box::new(eve)),
        Act::ChangePerson(Box::new(Change { before: ann.clone(), after: Person { name: "Ann Lee".to_owned(), ..ann } })),
        Act::PutCredential(Box::new(credential.clone())),
        Act::PutCredential(Box::new(operators.clone())),
        Act::ChangeCredential(Box::new(Change {
            before: credential.clone(),
            after: Credential { name: "gate".to_owned(), ..credential.clone() },
        })),
        Act::RevokeCredential(RevokeCredential { merchant_id: Some(id), credential_id: credential.id, at: stage.now() }),
        Act::RevokeCredential(RevokeCredential { merchant_id: None, credential_id: operators.id, at: stage.now() }),
        Act::TopUp(TopUp { merchant_id: id, mode: Mode::Live, amount: euro(500), key: key(id, "t1") }),
        Act::SettlePayment(SettlePayment { merchant_id: id, payment_id: payment.id }),
        Act::PreparePayout(PreparePayout {
            payout_id,
            merchant_id: id,
            mode: None,
            kind: PayoutKind::Trade,
            currency: payment.currency(),
            run: PayoutRun::Scheduled { due_at: stage.now() },
        }),
        Act::AdvancePayout(AdvancePayout { merchant_id: id, mode: None, payout_id, step: PayoutStep::Send { bank_reference: None } }),
        Act::ProposeAdjustment(ProposeAdjustment {
            adjustment_id,
            merchant_id: id,
            mode: None,
            kind: AdjustmentKind::OtherCredit,
            amount: euro(5_000),
            reason: "agreed".to_owned(),
            payment: Some(PaymentKey::Id(payment.id)),
            key: IdempotencyKey::of_adjustment(id, "a1".to_owned()),
        }),
        Act::DecideAdjustment(DecideAdjustment { merchant_id: id, mode: None, adjustment_id, payment_id: Some(payment.id), book: false }),
        Act::RecordAcquirerSettlement(RecordAcquirerSettlement {
            merchant_id: id,
            mode: Mode::Live,
            amount: euro(100),
            key: key(id, "settled"),
        }),
        Act::CollectExposure(CollectExposure { merchant_id: id, mode: Mode::Live, payment_id: payment.id, leave: euro(0) }),
        Act::RecordTracking(RecordTracking {
            merchant_id: id,
            mode: Mode::Live,
            payment_id: payment.id,
            numbers: vec!["LX123".to_owned()],
            carrier_url: "https://carrier.example".to_owned(),
        }),
        Act::RecordShipmentState(RecordShipmentState {
            merchant_id: id,
            mode: Mode::Live,
            payment_id: payment.id,
            state: ShipmentState::Delivered,
        }),
        Act::MarkPayment(MarkPayment { merchant_id: id, mode: Mode::Live, payment_id: payment.id, mark: PaymentMark::Reconciled }),
        Act::SettleDue(SettleDue { merchant_id: id, payment_id: payment.id }),
        Act::EndSettling(EndSettling { merchant_id: id, task_id: TaskId::new(1), again_at: stage.now() }),
        Act::ReleaseReserve(ReleaseReserve { merchant_id: id, mode: Mode::Live, payment_id: payment.id }),
        Act::ReleaseFixedReserve(ReleaseFixedReserve { merchant_id: id, mode: Mode::Live, keep: euro(0) }),
        Act::CreateRefund(Box::new(stage.ask(&payment, "r2", 700))),
        Act::CreateRefund(Box::new(stage.ask(&payment, "r1", 400))),
        Act::RemoveEndpoint(RemoveEndpoint { merchant_id: id, endpoint_id: endpoint.id }),
    ];
    acts.extend(steps_of(stage, &payment, &refund));
    acts.extend(later_life_of(stage, &payment));
    acts
}

fn later_life_of(stage: &Stage, payment: &Payment) -> Vec<Act> {
    let (merchant_id, payment_id, mode) = (payment.merchant_id, payment.id, Mode::Live);
    let dispute_id = DisputeId::new(payment.id.get());
    let dispute = RecordDispute {
        dispute_id,
        merchant_id,
        mode,
        payment: PaymentKey::Id(payment_id),
        kind: DisputeKind::Chargeback,
        category: DisputeCategory::Chargeback,
        amount: payment.captured,
        network_reference: "case 1".to_owned(),
        reason_code: "10.4".to_owned(),
        reason: String::new(),
        opened_at: stage.now(),
        reply_by: None,
    };
    let won = ChangeDispute { merchant_id, mode, dispute_id, payment_id, change: DisputeChange::Win, note: String::new() };
    let day = Day::of(stage.now(), 0);
    let (base, quoted) = (payment.currency(), "USD".parse().expect("a currency"));
    vec![
        Act::RecordDispute(Box::new(dispute)),
        Act::ChangeDispute(Box::new(won)),
        Act::CapturePayment(CapturePayment { merchant_id, mode, payment_id, amount: payment.captured }),
        Act::VoidPayment(VoidPayment { merchant_id, mode: None, payment_id, what: VoidWhat::Authorisation }),
        Act::PutRates(PutRates { rates: vec![DailyRate { base, quoted, day, price_mantissa: 11, price_scale: 1 }] }),
    ]
}

fn steps_of(stage: &Stage, payment: &Payment, refund: &Refund) -> Vec<Act> {
    let (merchant_id, refund_id, now) = (refund.merchant_id, refund.id, stage.now());
    let notification_id = NotificationId::new(refund_id.get());
    let attempt = DeliveryAttempt { notification_id, at: now, status: Some(200), answer: String::new(), took_ms: 3, acknowledged: true };
    let approved = AcquirerAnswer::Approved { reference: None, arn: None };
    vec![
        Act::ReviewRefund(ReviewRefund {
            merchant_id,
            mode: Mode::Live,
            refund_id,
            approve: true,
            note: String::new(),
            seen: Some(refund.content_hash()),
        }),
        Act::EditRefund(Box::new(EditRefund {
            merchant_id,
            mode: Mode::Live,
            refund_id,
            seen: None,
            amount: Some(euro(399)),
            marketing: None,
            reason: None,
            metadata: None,
        })),
        Act::SendNow(SendNow { merchant_id, mode: Mode::Live, refund_id }),
        Act::ReleaseRefund(ReleaseRefund { merchant_id, refund_id }),
        Act::ReleaseWaiting(ReleaseWaiting {
            merchant_id,
            currency: payment.currency(),
            task: Task::release_waiting(merchant_id, payment.currency(), now),
            refund_ids: vec![refund_id],
            more: false,
        }),
        Act::StartSubmission(StartSubmission { merchant_id, refund_id, resolve_at: now.plus_ms(9) }),
        Act::RecordResult(RecordResult { merchant_id, refund_id, attempt: 1, answer: approved, next_at: now }),
        Act::RecordArn(RecordArn { merchant_id, refund_id, arn: "74500015".parse().expect("an ARN") }),
        Act::RecordReturn(RecordReturn { merchant_id, refund_id, reason: "account closed".to_owned() }),
        Act::CancelRefund(CancelRefund { merchant_id, mode: Mode::Live, refund_id }),
        Act::RecordDelivery(RecordDelivery { merchant_id, attempt, next_at: None }),
        Act::ReplayNotification(ReplayNotification { merchant_id, mode: Mode::Live, notification_id }),
    ]
}

/// A new act does not compile until somebody has looked whether it belongs into [`every_act`].
fn place_of(act: &Act) -> usize {
    match act {
        Act::CreateRefund(_) => 0,
        Act::CancelRefund(_) => 1,
        Act::ReviewRefund(_) => 2,
        Act::ReleaseRefund(_) => 3,
        Act::ReleaseWaiting(_) => 4,
        Act::StartSubmission(_) => 5,
        Act::RecordResult(_) => 6,
        Act::RecordArn(_) => 7,
        Act::RecordReturn(_) => 8,
        // Share lines are the declared exception: they touch the books of others.
        Act::CreateShare(_) | Act::StartShare(_) | Act::FinishShare(_) | Act::CancelShare(_) | Act::RecoverAdvance(_) => 40,
        Act::SettlePayment(_) => 9,
        Act::TopUp(_) => 10,
        Act::RecordDelivery(_) => 11,
        Act::ReplayNotification(_) => 12,
        Act::ChangeMerchant(_) => 13,
        Act::ChangeTerminal(_) => 14,
        Act::ChangeCredential(_) => 15,
        Act::PutEndpoint(_) => 16,
        Act::RemoveEndpoint(_) => 17,
        Act::PutCredential(_) => 18,
        Act::RevokeCredential(_) => 19,
        Act::PreparePayout(_) => 20,
        Act::AdvancePayout(_) => 21,
        Act::ProposeAdjustment(_) => 22,
        Act::DecideAdjustment(_) => 23,
        Act::CollectExposure(_) => 40,
        Act::RecordAcquirerSettlement(_) => 41,
        Act::RecordTracking(_) => 24,
        Act::RecordShipmentState(_) => 25,
        Act::MarkPayment(_) => 26,
        Act::SettleDue(_) => 27,
        Act::EndSettling(_) => 28,
        Act::ReleaseReserve(_) => 29,
        Act::ReleaseFixedReserve(_) => 30,
        Act::CapturePayment(_) => 31,
        Act::VoidPayment(_) => 32,
        Act::RecordDispute(_) => 33,
        Act::ChangeDispute(_) => 34,
        Act::PutRates(_) => 35,
        Act::EditRefund(_) => 36,
        Act::SendNow(_) => 37,
        Act::PutPerson(_) => 38,
        Act::ChangePerson(_) => 39,
        // Those by which the stage makes merchants and payments.
        Act::PutMerchant(_) | Act::PutTerminal(_) | Act::RecordPayment(_) => 42,
    }
}

fn key(merchant_id: MerchantId, number: &str) -> IdempotencyKey {
    IdempotencyKey { merchant_id, dialect: "native".to_owned(), scope: String::new(), number: number.to_owned() }
}

fn person(id: i64, side: Side) -> Person {
    let (name, role) = ("Ann".to_owned(), "reviewer".to_owned());
    Person { id: PersonId::new(id), side, name, role, standing: Standing::Active, created_at: refundry_engine::Timestamp::from_ms(1) }
}

fn credential(id: i64, holder: Holder) -> Credential {
    Credential {
        id: CredentialId::new(id),
        holder,
        dialect: "native".to_owned(),
        lookup: format!("key {id}"),
        scheme: "api_key".to_owned(),
        key_version: 1,
        proof: "hash".to_owned(),
        sealed_secret: String::new(),
        public_key: String::new(),
        permissions: Vec::new(),
        name: "till".to_owned(),
        person_id: None,
        issued_by: None,
        created_at: refundry_engine::Timestamp::from_ms(1),
        expires_at: None,
        revoked_at: None,
    }
}

const MERCHANTS: i64 = 60;

#[test]
fn batches_of_many_merchants_stay_in_their_shards() {
    let (stage, statements) = Stage::in_shards();
    let acts: Vec<Vec<Act>> = (1..=MERCHANTS).map(|number| every_act(&stage, stage.merchant(number).get())).collect();
    let sent: BTreeSet<usize> = acts.iter().flatten().map(place_of).collect();
    assert_eq!(sent, (0..42).collect(), "every act is among them");
    // The first of all merchants, then the second of all: as many merchants as can be share a batch.
    let longest = acts.iter().map(Vec::len).max().unwrap();
    for turn in 0..longest {
        let tickets: Vec<_> =
            acts.iter().filter_map(|acts| acts.get(turn)).map(|act| stage.store.transact(stage.command(act.clone()))).collect();
        tickets.into_iter().for_each(|ticket| drop(block_on(ticket).expect("nothing is at fault")));
    }
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
    statements.keep_to_shards();
    let transactions = transactions(&statements.all());
    let lanes: BTreeSet<usize> = transactions.iter().map(|(lane, _)| *lane).collect();
    assert!(lanes.len() > 20, "only the lanes {lanes:?} wrote");
    assert!(transactions.iter().any(|(_, merchants)| merchants.len() > 1), "no batch had two merchants: nothing was shown");
}

#[test]
fn a_command_touches_one_merchant() {
    let (stage, statements) = Stage::in_shards_with(|options| options.batch_max = 1);
    for number in 1..=3 {
        let merchant_id = stage.merchant(number);
        for act in every_act(&stage, merchant_id.get()) {
            stage.act(act).expect("nothing is at fault");
        }
    }
    let transactions = transactions(&statements.all());
    assert!(transactions.len() > 60);
    for (lane, merchants) in &transactions {
        assert!(merchants.len() <= 1, "a command of lane {lane} touches {merchants:?}");
    }
}

/// The statements about shares, each by words that no other has; those of the lanes first.
const OF_SHARES: [&str; 12] = [
    "AS k (m, i) JOIN shares ON merchant_id = m AND share_id = i",
    "AS k (km, ki) JOIN shares ON shares.merchant_id = km AND share_id = ki",
    "LATERAL UNNEST(string_to_array(substr(refund_ids, 2), ',')::int8[]) AS named",
    "INSERT INTO shares",
    "UPDATE shares",
    "INSERT INTO accounts",
    "DELETE FROM accounts",
    "FROM shares WHERE merchant_id = $1 AND share_id = $2",
    "FROM shares WHERE merchant_id = $1 AND number = $2",
    "SELECT DISTINCT shares.payment_id AS one_id",
    "SELECT merchant_id FROM accounts",
    "AND payment_id = $5",
];

#[test]
fn statements_about_shares_name_their_merchants() {
    let (stage, statements) = Stage::in_shards();
    let receivers: Vec<MerchantId> = (2..=8).map(|number| stage.merchant(number)).collect();
    let giver = stage.merchant(1);
    let payments: Vec<Payment> = (0..3).map(|number| stage.payment(giver, &format!("p{number}"), 10_000)).collect();
    payments.iter().for_each(|payment| drop(stage.must(Act::SettlePayment(SettlePayment { merchant_id: giver, payment_id: payment.id }))));
    let parts: Vec<(MerchantId, i64)> = receivers.iter().map(|id| (*id, 500)).collect();
    // What may stray begins with the first share.
    assert_eq!(statements.strayed_into(), BTreeSet::new());
    stage.succeed(&stage.refund(&payments[0], "r1", 100));
    stage.shared(&payments[0], "s1", &parts);
    stage.share(&payments[0], "s1", &parts, None);
    let failing = stage.share(&payments[0], "s2", &parts[..1], None);
    stage.must(Act::FinishShare(FinishShare { succeeds: false, ..stage::sharing::finish(&failing) }));
    for (number, starts) in [("s3", true), ("s4", false)] {
        let planned = stage.share(&payments[1], number, &parts[1..3], Some(stage.now().plus_ms(1)));
        let share_id = planned.id;
        stage.must(match starts {
            true => Act::StartShare(StartShare { merchant_id: giver, share_id }),
            false => Act::CancelShare(CancelShare { merchant_id: giver, mode: Mode::Live, share_id }),
        });
    }
    let back = stage.ask_back(&payments[0], "r2", 1_700, (&parts[..2], 700));
    assert!(matches!(block_on(stage.store.transact(back)), Ok(Outcome::Refund { .. })));
    read_shares(&stage, giver, &payments[0]);
    for account in [Some("100001".to_owned()), None] {
        stage.must(Act::PutMerchant(Box::new(Merchant { account, ..stage::merchant(giver) })));
    }
    statements.name_their_merchants();
    let all = statements.all();
    let unseen: Vec<&str> = OF_SHARES.into_iter().filter(|words| !all.iter().any(|sent| sent.sql.contains(words))).collect();
    assert_eq!(unseen, [""; 0], "what is not sent is not judged");
    // The declared exception: a receiver's lock, books and feed.
    let allowed = ["balances", "counters", "events", "merchants", "notifications", "postings", "tasks"].map(str::to_owned);
    let strayed = statements.strayed_into();
    assert!(strayed.contains("postings") && strayed.is_subset(&BTreeSet::from(allowed)), "{strayed:?}");
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

fn read_shares(stage: &Stage, giver: MerchantId, payment: &Payment) {
    let store = stage.store.as_ref();
    for payment_id in [None, Some(payment.id)] {
        let filter = ShareFilter { merchant_id: giver, payment_id, state: None };
        let listed = block_on(store.shares(&filter, PageRequest::default())).unwrap().rows;
        let share = listed.last().expect("there are some");
        let named = ShareKey::Number { dialect: share.dialect.clone(), number: share.number.clone() };
        for key in [ShareKey::Id(share.id), named] {
            assert!(block_on(store.share(giver, &key)).unwrap().is_some());
        }
    }
    assert_eq!(block_on(store.advances(giver, PageRequest::default())).unwrap().rows.len(), 1);
    assert_eq!(block_on(store.merchant_by_account(Mode::Live, "100009")).unwrap(), None);
}

/// Takes a connection away once, with the answer to a commit.
#[derive(Default)]
struct LosesOneAnswer(AtomicBool);

impl ConnectionFaults for LosesOneAnswer {
    fn takes_connection(&self, moment: Moment) -> bool {
        moment == Moment::AfterCommit && !self.0.swap(true, Ordering::Relaxed)
    }
}

#[test]
fn a_lost_commit_is_settled_in_its_own_shard() {
    let (stage, statements) = Stage::in_shards_with(|options| options.faults = Some(Arc::new(LosesOneAnswer::default())));
    let payment = stage.payment(stage.merchant(7), "p1", 10_000);
    stage.refund(&payment, "r1", 100);
    let settled = |sent: &Sent| sent.sql.starts_with("INSERT INTO commits") && sent.sql.ends_with("RETURNING at");
    let all = statements.all();
    let marks: Vec<&Sent> = all.iter().filter(|sent| settled(sent)).collect();
    assert_eq!(marks.len(), 1, "one answer was lost");
    assert_ne!(marks[0].numbers[0], [0], "a number that lies in the lane's shard");
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
    statements.keep_to_shards();
}

#[test]
fn statements_that_cannot_be_distributed_are_found() {
    let (stage, statements) = Stage::in_shards();
    stage.merchant(1);
    let stray = |lane, sql: &str, numbers: &[Vec<i64>]| {
        let judged = crate::stage::shards::Statements::default();
        refundry_store::StatementObserver::sent(&judged, refundry_store::SentStatement { lane, sql, numbers });
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| judged.keep_to_shards())).is_err()
    };
    let two = lanes_of(&(1..100).collect());
    let other = *two.iter().find(|(_, lane)| **lane != two[&1]).unwrap().0;
    let by_name = "SELECT 1 FROM refunds WHERE merchant_id = ANY($1)";
    assert!(!stray(Some(two[&1]), by_name, &[vec![1]]));
    assert!(stray(Some(two[&1]), by_name, &[vec![1, other]]), "two shards");
    assert!(stray(Some(two[&1]), by_name, &[vec![other]]), "another lane's shard");
    assert!(stray(Some(0), "SELECT 1 FROM refunds WHERE refund_id = $1", &[vec![1]]), "no merchant");
    assert!(stray(Some(0), "SELECT 1 FROM refunds JOIN payments ON true WHERE refunds.merchant_id = $1", &[vec![1]]), "half a merchant");
    assert!(stray(None, "SELECT pg_advisory_lock(1)", &[vec![]]), "a lock of one server");
    statements.keep_to_shards();
}

#[test]
fn tasks_are_claimed_in_all_shards_and_once() {
    let (stage, statements) = Stage::in_shards();
    for number in 1..=40 {
        stage.refund(&stage.payment(stage.merchant(number), "p1", 10_000), "r1", 100);
    }
    let now = stage.now();
    let claim = |limit| Claim { now, lease_until: now.plus_ms(1_000), kinds: TaskKind::ALL.to_vec(), limit, given_back: Vec::new() };
    let take = |limit| block_on(stage.store.claim(claim(limit))).unwrap();
    let first = take(15);
    assert_eq!(first.len(), 15);
    // Whoever is refused because another was faster asks again.
    let taken_by = |_| -> Vec<TaskId> {
        let mut mine = Vec::new();
        loop {
            match block_on(stage.store.claim(claim(4))) {
                Ok(tasks) if tasks.is_empty() => return mine,
                Ok(tasks) => mine.extend(tasks.into_iter().map(|task| task.id)),
                Err(StoreError::TryAgain(_)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
    };
    let mut all: Vec<TaskId> = first.iter().map(|task| task.id).collect();
    all.extend(std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|worker| scope.spawn(move || taken_by(worker))).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    }));
    all.extend(taken_by(0));
    all.sort_unstable();
    let count = all.len();
    all.dedup();
    assert_eq!((all.len(), count), (40, 40), "each once");
    let given_back = Claim { given_back: first.clone(), ..claim(40) };
    assert_eq!(block_on(stage.store.claim(given_back)).unwrap().len(), 15, "what was given back can be had at once");
    statements.keep_to_shards();
}

#[test]
fn keys_begin_with_the_merchant() {
    /// Keys that do not, and why they need not.
    const EXEMPT: [(&str, &str); 1] =
        [("tasks_claimable", "workers take what is due of all merchants of a lane, and a shard has its own index")];
    let database = postgres_database();
    let sql = "SELECT index.relname::text, array_agg(a.attname::text ORDER BY k.place), of.relname::text FROM pg_index AS i \
        JOIN pg_class AS index ON index.oid = i.indexrelid JOIN pg_class AS of ON of.oid = i.indrelid \
        JOIN pg_namespace AS n ON n.oid = of.relnamespace CROSS JOIN LATERAL UNNEST(i.indkey) WITH ORDINALITY AS k (column_number, place) \
        LEFT JOIN pg_attribute AS a ON a.attrelid = of.oid AND a.attnum = k.column_number WHERE n.nspname = 'public' GROUP BY 1, 3";
    let keys = rows(&database.url(), sql);
    assert!(keys.len() > 15);
    let mut problems = Vec::new();
    for row in &keys {
        let (name, columns, table): (&str, Vec<Option<String>>, &str) = (row.get(0), row.get(1), row.get(2));
        let leads = columns[0].as_deref() == Some("merchant_id");
        let is_exempt = EXEMPT.iter().any(|(exempt, _)| *exempt == name);
        if BY_MERCHANT.contains(&table) && !leads && !is_exempt {
            problems.push(format!("{name} of {table}: {columns:?}"));
        }
    }
    assert!(problems.is_empty(), "keys that do not begin with merchant_id: {problems:?}");
}

#[test]
fn the_schema_has_nothing_that_is_of_one_server() {
    let database = postgres_database();
    let ours = "FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = 'public'";
    for (what, sql) in [
        ("sequences", format!("SELECT relname::text {ours} AND relkind = 'S'")),
        ("views", format!("SELECT relname::text {ours} AND relkind IN ('v', 'm')")),
        ("triggers", "SELECT tgname::text FROM pg_trigger".to_owned()),
        (
            "functions",
            "SELECT proname::text FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'public'".to_owned(),
        ),
        ("foreign keys", "SELECT conname::text FROM pg_constraint WHERE contype = 'f'".to_owned()),
        (
            "defaults that are computed",
            "SELECT adrelid::regclass::text FROM pg_attrdef WHERE pg_get_expr(adbin, adrelid) LIKE '%(%'".to_owned(),
        ),
    ] {
        let found: Vec<String> = rows(&database.url(), &sql).iter().map(|row| row.get(0)).collect();
        assert!(found.is_empty(), "{what}: {found:?}");
    }
}

#[test]
fn every_table_has_chosen_where_it_goes() {
    let database = database_with_citus();
    let tables = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' \
        AND relname NOT LIKE 'pg\\_dist\\_%' AND relname <> 'asked_of_citus' ORDER BY 1";
    let there: BTreeSet<String> = rows(&database.url(), tables).iter().map(|row| row.get(0)).collect();
    let chosen: BTreeSet<String> = BY_MERCHANT.iter().chain(EVERYWHERE).map(|table| (*table).to_owned()).collect();
    assert_eq!(there, chosen, "a new table chooses in crates/store/src/postgres/tables.rs, and in the stage of these tests");
    distributed(&database, &WISH);
    for (method, tables) in [("h", BY_MERCHANT), ("n", EVERYWHERE)] {
        let sql = format!("SELECT logicalrelid::text FROM pg_dist_partition WHERE partmethod = '{method}'");
        let placed: BTreeSet<String> = rows(&database.url(), &sql).iter().map(|row| row.get(0)).collect();
        assert_eq!(placed, tables.iter().map(|table| (*table).to_owned()).collect());
    }
}

fn asked_of_citus(url: &str) -> Vec<String> {
    rows(url, "SELECT call FROM asked_of_citus ORDER BY place").iter().map(|row| row.get(0)).collect()
}

fn try_distribute(url: &str, wish: &DistributeWish) -> Result<(usize, Vec<String>), DistributeError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut told = Vec::new();
    let lanes = runtime.block_on(distribute(&PostgresOptions::url(url), wish, |step| told.push(step.sql.clone())))?;
    Ok((lanes, told))
}

#[test]
fn tables_are_distributed_beside_the_merchants_and_once() {
    let database = database_with_citus();
    let url = database.url();
    let dry = try_distribute(&url, &DistributeWish { dry_run: true, ..WISH }).unwrap().1;
    assert_eq!(asked_of_citus(&url), Vec::<String>::new(), "a dry run does nothing");
    assert_eq!(try_distribute(&url, &WISH).unwrap(), (usize::from(SHARDS), dry), "and says what is done");
    let asked = asked_of_citus(&url);
    let mut expected = vec!["distribute merchants by hash merchant_id beside none in 32".to_owned()];
    expected.extend(BY_MERCHANT[1..].iter().map(|table| format!("distribute {table} by hash merchant_id beside merchants in ")));
    expected.extend(EVERYWHERE.iter().map(|table| format!("refer {table}")));
    assert_eq!(asked, expected);
    assert!(distributed(&database, &WISH).iter().all(|(_, was_done)| *was_done));
    assert_eq!(asked_of_citus(&url), expected, "nothing is done twice");
}

#[test]
fn what_was_stopped_goes_on() {
    let database = database_with_citus();
    let direct = Direct::to(&database.url());
    // The fourth table fails as when the server goes away.
    direct.run(
        "ALTER FUNCTION create_distributed_table RENAME TO distribute_in_truth; \
        CREATE FUNCTION create_distributed_table(table_name REGCLASS, distribution_column TEXT, distribution_type TEXT DEFAULT 'hash', \
        colocate_with TEXT DEFAULT 'default', shard_count INTEGER DEFAULT NULL) RETURNS VOID LANGUAGE plpgsql AS $$ BEGIN \
        IF table_name = 'refunds'::regclass THEN RAISE 'gone' USING ERRCODE = '57P01'; END IF; \
        PERFORM distribute_in_truth(table_name, distribution_column, distribution_type, colocate_with, shard_count); END $$",
    );
    assert!(matches!(try_distribute(&database.url(), &WISH), Err(DistributeError::Store(_))));
    let half = PostgresStore::open(&PostgresOptions::url(database.url()));
    assert!(matches!(half, Err(StoreError::Damaged(why)) if why.contains("refundry distribute")), "nobody serves from a half of it");
    direct.run("DROP FUNCTION create_distributed_table; ALTER FUNCTION distribute_in_truth RENAME TO create_distributed_table");
    let done: Vec<bool> = distributed(&database, &WISH).into_iter().map(|(_, was_done)| was_done).collect();
    assert_eq!(done[..4], [true, true, true, false]);
    assert_eq!(asked_of_citus(&database.url()).len(), BY_MERCHANT.len() + EVERYWHERE.len());
    drop(PostgresStore::open(&PostgresOptions::url(database.url())).expect("now it is whole"));
}

#[test]
fn a_table_that_came_later_is_distributed_while_others_serve() {
    let database = database_with_citus();
    distributed(&database, &WISH);
    let direct = Direct::to(&database.url());
    direct.execute("INSERT INTO nodes VALUES (3, 'somebody', 9223372036854775807, 1)");
    direct.execute("DELETE FROM pg_dist_partition WHERE logicalrelid = 'commits'::regclass");
    direct.execute("DELETE FROM pg_dist_shard WHERE logicalrelid = 'commits'::regclass");
    let open: Vec<String> = distributed(&database, &WISH).into_iter().filter(|(_, was_done)| !was_done).map(|(sql, _)| sql).collect();
    assert_eq!(open, ["SELECT create_distributed_table('commits', 'merchant_id', colocate_with => 'merchants')"]);
}

#[test]
fn what_stands_in_the_way_is_said() {
    let plain = postgres_database();
    assert!(matches!(try_distribute(&plain.url(), &WISH), Err(DistributeError::NoCitus { installed: false })));
    let database = database_with_citus();
    let direct = Direct::to(&database.url());
    direct.execute("INSERT INTO nodes VALUES (3, 'somebody', 9223372036854775807, 1)");
    assert!(matches!(try_distribute(&database.url(), &WISH), Err(DistributeError::NodesServe(1))));
    direct.execute("DELETE FROM nodes");
    direct.execute("INSERT INTO merchants VALUES (7, 'live', '{}', 1)");
    assert!(matches!(try_distribute(&database.url(), &WISH), Err(DistributeError::HoldsRows { bytes: 1.. })));
    let moving = DistributeWish { move_rows: true, ..WISH };
    try_distribute(&database.url(), &moving).unwrap();
    let asked = asked_of_citus(&database.url());
    assert_eq!(asked[..2], ["distribute merchants by hash merchant_id beside none in 32", "truncate merchants"]);
    direct.execute("UPDATE pg_dist_partition SET colocationid = 7 WHERE logicalrelid = 'refunds'::regclass");
    assert!(matches!(try_distribute(&database.url(), &WISH), Err(DistributeError::PlacedOtherwise("refunds"))));
}
