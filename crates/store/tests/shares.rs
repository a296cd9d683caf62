//! Shares, on every database: what is kept of them, whom they bring along, and what many writers at once make of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::executor::block_on;
use refundry_engine::command::{Act, CancelShare, RecoverAdvance, SettlePayment, StartShare};
use refundry_engine::idempotency::IdempotencyKey;
use refundry_engine::merchant::{Merchant, Mode};
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::share::{ADVANCE_SCOPE, Share, ShareKey, ShareStateName, Sharing};
use refundry_engine::{Changes, MerchantId, Outcome, Refusal};
use refundry_store::{CommitObserver, PageRequest, ShareFilter, Store};

use crate::races::at_once_on;
use crate::stage::sharing::{finish, share_of};
use crate::stage::{self, Engine, Stage, Wishes, also_in_shards, euro, on_both};

on_both! {
    a_share_is_read_back_by_id_and_number_and_listed
    a_refund_before_the_time_cancels_what_was_planned
    an_open_refund_is_counted_for_the_first_share
    advances_are_listed_until_they_are_paid_back
    a_number_is_of_one_merchant_of_a_mode
    sixty_four_refunds_of_one_shared_payment_stop_at_what_was_captured
    givers_that_are_each_others_receivers_do_not_wait_in_a_circle
    each_broken_share_is_named_by_its_rule
}

also_in_shards! {
    a_share_is_read_back_by_id_and_number_and_listed
    a_refund_before_the_time_cancels_what_was_planned
    an_open_refund_is_counted_for_the_first_share
    advances_are_listed_until_they_are_paid_back
    a_number_is_of_one_merchant_of_a_mode
    sixty_four_refunds_of_one_shared_payment_stop_at_what_was_captured
    givers_that_are_each_others_receivers_do_not_wait_in_a_circle
}

fn read(stage: &Stage, payment: &Payment) -> Payment {
    block_on(stage.store.payment(payment.merchant_id, &PaymentKey::Id(payment.id))).unwrap().unwrap()
}

fn sharing(stage: &Stage, payment: &Payment) -> Sharing {
    *read(stage, payment).sharing.expect("it knows of shares")
}

fn books_are_clean(stage: &Stage) {
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

fn available(stage: &Stage, merchant_id: MerchantId) -> i64 {
    let balances = block_on(stage.store.balances(merchant_id)).unwrap();
    balances.iter().filter(|row| ["available", "unsettled"].contains(&row.account.name())).map(|row| row.minor).sum()
}

fn a_share_is_read_back_by_id_and_number_and_listed(engine: Engine) {
    let stage = Stage::new(engine);
    let (giver, first, second) = (stage.merchant(1), stage.merchant(2), stage.merchant(3));
    let (payment, other) = (stage.payment(giver, "p1", 10_000), stage.payment(giver, "p2", 10_000));
    let shared = stage.shared(&payment, "s1", &[(first, 3_000), (second, 2_000)]);
    let due_at = stage.now().plus_days(1);
    let planned = stage.share(&payment, "s2", &[(second, 1_000)], Some(due_at));
    let elsewhere = stage.share(&other, "s3", &[(second, 1_000)], None);
    let find = |key| block_on(stage.store.share(giver, &key)).unwrap();
    let numbered = |number: &str| ShareKey::Number { dialect: "native".to_owned(), number: number.to_owned() };
    assert_eq!(find(ShareKey::Id(shared.id)), Some(shared.clone()));
    assert_eq!(find(numbered("s2")), Some(planned.clone()));
    assert_eq!((find(numbered("s9")), block_on(stage.store.share(first, &ShareKey::Id(shared.id))).unwrap()), (None, None));
    let list = |payment: Option<&Payment>, state| {
        let filter = ShareFilter { merchant_id: giver, payment_id: payment.map(|payment| payment.id), state };
        block_on(stage.store.shares(&filter, PageRequest { after: None, limit: 2 })).unwrap()
    };
    assert_eq!(list(Some(&payment), None).rows, [planned.clone(), shared.clone()], "newest first");
    assert_eq!(list(None, Some(ShareStateName::Running)).rows, std::slice::from_ref(&elsewhere));
    let page = list(None, None);
    assert_eq!((page.rows, page.next), (vec![elsewhere, planned.clone()], Some(planned.id.get())));
    let again = stage.must(Act::CreateShare(Box::new(stage.asked_share(&payment, "s1", &[(first, 3_000), (second, 2_000)], None))));
    assert!(matches!(&again, Outcome::Share { share, replayed: true } if **share == shared), "{again:?}");
    let kept = sharing(&stage, &payment);
    assert_eq!((kept.shared_minor(), kept.planned.as_slice()), (5_000, [planned.id].as_slice()));
    assert_eq!((available(&stage, giver), available(&stage, first), available(&stage, second)), (15_000, 3_000, 2_000));
    let cancel = CancelShare { merchant_id: giver, mode: Mode::Live, share_id: planned.id };
    let cancelled = share_of(stage.must(Act::CancelShare(cancel)));
    assert_eq!(find(numbered("s2")), Some(cancelled));
    books_are_clean(&stage);
    let stage = stage.reopened();
    assert_eq!(block_on(stage.store.share(giver, &ShareKey::Id(shared.id))).unwrap(), Some(shared));
}

fn a_refund_before_the_time_cancels_what_was_planned(engine: Engine) {
    let stage = Stage::new(engine);
    let (giver, receiver) = (stage.merchant(1), stage.merchant(2));
    let payment = stage.payment(giver, "p1", 10_000);
    let planned = stage.share(&payment, "s1", &[(receiver, 1_000)], Some(stage.now().plus_days(1)));
    stage.refund(&payment, "r1", 100);
    let after = block_on(stage.store.share(giver, &ShareKey::Id(planned.id))).unwrap().unwrap();
    assert_eq!(after.state.name(), ShareStateName::Cancelled);
    assert_eq!(sharing(&stage, &payment).planned, []);
    stage.must(Act::StartShare(StartShare { merchant_id: giver, share_id: planned.id }));
    assert_eq!(available(&stage, receiver), 0, "its time comes to nothing");
    books_are_clean(&stage);
}

fn an_open_refund_is_counted_for_the_first_share(engine: Engine) {
    let stage = Stage::new(engine);
    let (giver, receiver) = (stage.merchant(1), stage.merchant(2));
    let payment = stage.payment(giver, "p1", 10_000);
    let refund = stage.refund(&payment, "r1", 100);
    let ask = || stage.act(Act::CreateShare(Box::new(stage.asked_share(&payment, "s1", &[(receiver, 1_000)], None)))).unwrap();
    let refused = ask();
    assert!(matches!(refused, Outcome::Refused { refusal: Refusal::RefundOpen, .. }), "{refused:?}");
    stage.succeed(&refund);
    assert_eq!(share_of(ask()).state.name(), ShareStateName::Running);
    books_are_clean(&stage);
}

fn advances_are_listed_until_they_are_paid_back(engine: Engine) {
    let stage = Stage::new(engine);
    let (giver, receiver) = (stage.merchant(1), stage.merchant(2));
    let payments: Vec<Payment> = (1..=3).map(|number| stage.payment(giver, &format!("p{number}"), 10_000)).collect();
    for payment in &payments {
        stage.must(Act::SettlePayment(SettlePayment { merchant_id: giver, payment_id: payment.id }));
        stage.shared(payment, &format!("s{}", payment.payment_reference), &[(receiver, 4_000)]);
    }
    let refund = stage.ask_back(&payments[1], "r1", 1_000, (&[], 1_000));
    let refund = match block_on(stage.store.transact(refund)).unwrap() {
        Outcome::Refund { refund, .. } => *refund,
        other => panic!("{other:?}"),
    };
    stage.succeed(&refund);
    let advanced = || -> Vec<_> {
        let page = block_on(stage.store.advances(giver, PageRequest::default())).unwrap();
        page.rows.into_iter().map(|payment| payment.id).collect()
    };
    assert_eq!(advanced(), [payments[1].id]);
    let recover = RecoverAdvance {
        merchant_id: giver,
        mode: Mode::Live,
        payment_id: payments[1].id,
        receiver_id: receiver,
        amount: euro(1_000),
        key: IdempotencyKey {
            merchant_id: giver,
            dialect: "native".to_owned(),
            scope: ADVANCE_SCOPE.to_owned(),
            number: "back 1".to_owned(),
        },
    };
    for _ in 0..2 {
        stage.must(Act::RecoverAdvance(recover.clone()));
    }
    assert_eq!((advanced(), available(&stage, receiver)), (vec![], 11_000), "a repeat takes nothing more");
    books_are_clean(&stage);
}

fn a_number_is_of_one_merchant_of_a_mode(engine: Engine) {
    let stage = Stage::new(engine);
    let put = |id: i64, mode, account: Option<&str>| {
        let account = account.map(str::to_owned);
        stage.act(Act::PutMerchant(Box::new(Merchant { mode, account, ..stage::merchant(MerchantId::new(id)) }))).expect("it is answered")
    };
    let found = |mode, account: &str| {
        let merchant = block_on(stage.store.merchant_by_account(mode, account)).unwrap();
        merchant.map(|merchant| merchant.id.get())
    };
    let taken = Outcome::Refused { refusal: Refusal::AlreadyExists { field: "account".to_owned() }, replayed: false };
    assert_eq!(put(1, Mode::Live, Some("100001")), Outcome::Done);
    assert_eq!(put(2, Mode::Live, Some("100001")), taken);
    assert_eq!(put(3, Mode::Sandbox, Some("100001")), Outcome::Done);
    assert_eq!((found(Mode::Live, "100001"), found(Mode::Sandbox, "100001"), found(Mode::Live, "100002")), (Some(1), Some(3), None));
    assert_eq!(put(1, Mode::Live, Some("100002")), Outcome::Done);
    assert_eq!(put(2, Mode::Live, Some("100001")), Outcome::Done);
    assert_eq!((found(Mode::Live, "100001"), found(Mode::Live, "100002")), (Some(2), Some(1)));
    assert_eq!(put(2, Mode::Live, None), Outcome::Done);
    assert_eq!(found(Mode::Live, "100001"), None);
}

fn sixty_four_refunds_of_one_shared_payment_stop_at_what_was_captured(engine: Engine) {
    let stage = Stage::new(engine);
    sixty_four_refunds_on(&stage, &[stage.store.as_ref()]);
}

#[test]
fn sixty_four_refunds_of_one_shared_payment_on_two_nodes() {
    let stage = Stage::on_postgres();
    let other = stage.another_node(|_| {});
    sixty_four_refunds_on(&stage, &[stage.store.as_ref(), &other]);
}

/// Each refund takes 70 cents back from three receivers and 30 from what was not shared; there is money for 50 of them.
fn sixty_four_refunds_on(stage: &Stage, stores: &[&dyn Store]) {
    let giver = stage.merchant(5);
    let receivers = [stage.merchant(9), stage.merchant(2), stage.merchant(7)];
    let payment = stage.payment(giver, "p1", 5_000);
    let [first, second, third] = receivers;
    stage.shared(&payment, "s1", &[(first, 2_000), (second, 1_000), (third, 500)]);
    let parts = [(first, 40), (second, 20), (third, 10)];
    let commands = (0..64).map(|index| stage.ask_back(&payment, &format!("r{index}"), 100, (&parts, 0))).collect();
    let outcomes = at_once_on(stores, commands);
    let accepted = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Outcome::Refund { replayed: false, .. }))).count();
    let refused = Refusal::ExceedsRefundable { refundable: euro(0) };
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Outcome::Refused { refusal, .. }) if *refusal == refused)).count();
    assert_eq!((accepted, refused), (50, 14), "{outcomes:?}");
    let (after, kept) = (read(stage, &payment), sharing(stage, &payment));
    assert_eq!((after.refunded, after.refund_count), (euro(5_000), 50));
    assert_eq!((kept.shared_minor(), kept.returned_minor(), kept.from_unshared_minor, kept.open_refunds), (3_500, 3_500, 1_500, 50));
    assert_eq!(receivers.map(|receiver| available(stage, receiver)), [0, 0, 0], "everything went back");
    books_are_clean(stage);
}

/// Counts how often batches are begun, and how often that came to something.
#[derive(Default)]
struct Tries {
    begun: AtomicUsize,
    committed: AtomicUsize,
}

impl CommitObserver for Tries {
    fn begins(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    fn committed(&self, _changes: &Changes) {
        self.committed.fetch_add(1, Ordering::Relaxed);
    }
}

/// Every merchant gives to both of its neighbours, so that batches of two lanes touch the same books in opposite directions.
fn givers_that_are_each_others_receivers_do_not_wait_in_a_circle(engine: Engine) {
    let tries = Arc::new(Tries::default());
    let stage = Stage::wishing(engine, &Wishes { observer: Some(tries.clone()), ..Wishes::default() });
    let merchants: Vec<MerchantId> = (1..=6).map(|number| stage.merchant(number)).collect();
    let neighbours = |place: usize| [merchants[(place + 1) % 6], merchants[(place + 5) % 6]];
    let payments: Vec<Payment> = merchants.iter().map(|id| stage.payment(*id, "p1", 10_000)).collect();
    let (begun, committed) = (tries.begun.load(Ordering::Relaxed), tries.committed.load(Ordering::Relaxed));
    let running: Vec<Share> =
        (0..6).map(|place| stage.share(&payments[place], "s1", &neighbours(place).map(|id| (id, 3_000)), None)).collect();
    let finishing = running.iter().map(|share| stage.command(Act::FinishShare(finish(share)))).collect();
    for outcome in at_once_on(&[stage.store.as_ref()], finishing) {
        assert_eq!(share_of(outcome.unwrap()).state.name(), ShareStateName::Succeeded);
    }
    let back = |round: usize, place: usize| {
        let parts = neighbours(place).map(|id| (id, 100));
        stage.ask_back(&payments[place], &format!("r{round}"), 200, (&parts, 0))
    };
    let commands = (0..20).flat_map(|round| (0..6).map(move |place| (round, place))).map(|(round, place)| back(round, place)).collect();
    for outcome in at_once_on(&[stage.store.as_ref()], commands) {
        assert!(matches!(outcome, Ok(Outcome::Refund { replayed: false, .. })), "{outcome:?}");
    }
    for (place, payment) in payments.iter().enumerate() {
        assert_eq!((sharing(&stage, payment).returned_minor(), available(&stage, merchants[place])), (4_000, 6_000));
    }
    books_are_clean(&stage);
    let wasted = (tries.begun.load(Ordering::Relaxed) - begun).saturating_sub(tries.committed.load(Ordering::Relaxed) - committed);
    assert!(wasted <= 4, "{wasted} batches came to nothing because others were in the way");
}

/// Whatever is spoilt.
const TABLES: [&str; 5] = ["payments", "refunds", "shares", "remembered", "tasks"];

/// What is done to the rows of a stage, and the rule that it breaks.
fn spoilt() -> Vec<(&'static str, &'static str)> {
    vec![
        ("shared_is_sum_of_shares", r#"UPDATE payments SET sharing = replace(sharing, '"shared_minor":4000', '"shared_minor":4001')"#),
        ("shared_is_sum_of_shares", "DELETE FROM shares WHERE state = 'succeeded'"),
        ("remembered_key_has_its_share", "DELETE FROM shares WHERE state = 'succeeded'"),
        (
            "returned_is_sum_of_refunds_and_recoveries",
            r#"UPDATE payments SET sharing = replace(sharing, '"returned_minor":300', '"returned_minor":30')"#,
        ),
        ("returned_is_within_shared", r#"UPDATE refunds SET sharing = replace(sharing, '"amount_minor":300', '"amount_minor":3000000')"#),
        (
            "advanced_is_sum_of_refunds_less_recoveries",
            r#"UPDATE payments SET sharing = replace(sharing, '"advanced_minor":700', '"advanced_minor":7')"#,
        ),
        ("advances_is_sum_of_payments", r#"UPDATE payments SET sharing = replace(sharing, '"advanced_minor":700', '"advanced_minor":7')"#),
        (
            "from_unshared_is_sum_of_refunds",
            r#"UPDATE payments SET sharing = replace(sharing, '"from_unshared_minor":50', '"from_unshared_minor":5')"#,
        ),
        ("open_refunds_is_count_of_refunds", r#"UPDATE payments SET sharing = replace(sharing, '"open_refunds":1', '"open_refunds":2')"#),
        (
            "unsettled_is_sum_of_payments",
            r#"UPDATE payments SET sharing = replace(sharing, '"unsettled_minor":3700', '"unsettled_minor":3600')"#,
        ),
        (
            "payment_names_its_running_shares",
            r#"UPDATE payments SET sharing = '{"fee_mode":"from_payment"}' WHERE payment_reference = 'p2'"#,
        ),
        (
            "payment_names_its_planned_shares",
            r#"UPDATE payments SET sharing = '{"fee_mode":"from_payment"}' WHERE payment_reference = 'p3'"#,
        ),
        ("share_has_its_payment", "UPDATE payments SET sharing = NULL WHERE payment_reference = 'p3'"),
        ("share_has_one_next_step", "DELETE FROM tasks WHERE kind = 'start_share'"),
        ("share_has_its_key", "DELETE FROM remembered WHERE number = 's3'"),
        ("payment_charged_back_is_sum_of_chargebacks", "UPDATE payments SET charged_back_minor = 7"),
        ("payment_open_chargebacks_is_count_of_chargebacks", "UPDATE payments SET open_chargebacks = 1"),
        ("payment_open_retrievals_is_count_of_retrievals", "UPDATE payments SET open_retrievals = 1"),
    ]
}

fn each_broken_share_is_named_by_its_rule(engine: Engine) {
    let stage = Stage::new(engine);
    let (giver, receiver) = (stage.merchant(1), stage.merchant(2));
    let payments: Vec<Payment> = (1..=3).map(|number| stage.payment(giver, &format!("p{number}"), 10_000)).collect();
    stage.shared(&payments[0], "s1", &[(receiver, 4_000)]);
    // What is advanced is available money, of another payment.
    stage.must(Act::SettlePayment(SettlePayment { merchant_id: giver, payment_id: payments[1].id }));
    let back = stage.ask_back(&payments[0], "r1", 1_050, (&[(receiver, 300)], 700));
    assert!(matches!(block_on(stage.store.transact(back)), Ok(Outcome::Refund { .. })));
    stage.share(&payments[1], "s2", &[(receiver, 1_000)], None);
    stage.share(&payments[2], "s3", &[(receiver, 1_000)], Some(stage.now().plus_days(1)));
    books_are_clean(&stage);
    for table in TABLES {
        stage.spoil(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}"));
    }
    for (rule, sql) in spoilt() {
        assert!(stage.spoil(sql) > 0, "{sql} spoils something");
        let faults = block_on(stage.store.check_books()).unwrap().faults;
        assert!(faults.iter().any(|fault| fault.rule == rule), "{sql} should break {rule}: {faults:?}");
        for table in TABLES {
            stage.spoil(&format!("DELETE FROM {table}"));
            stage.spoil(&format!("INSERT INTO {table} SELECT * FROM kept_{table}"));
        }
    }
    books_are_clean(&stage);
}
