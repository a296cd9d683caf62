//! Real threads against one store, on every database. Several stores on one database are in `nodes.rs`.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use refundry_engine::command::{Act, Command};
use refundry_engine::ids::IdBlock;
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::task::TaskKind;
use refundry_engine::{Changes, MerchantId, Outcome, RefundId, Refusal, TaskId};
use refundry_store::{Claim, CommitObserver, NodeWish, Store, StoreError};

use crate::stage::{self, Engine, Stage, Wishes, also_in_shards, euro, on_both};

on_both! {
    two_hundred_refunds_of_one_payment_stop_at_what_was_captured
    the_refunds_of_one_payment_share_a_commit
    the_same_number_at_once_is_one_refund_with_one_answer
    each_task_is_leased_to_one_worker_until_its_lease_ends
    a_command_that_cannot_be_decided_fails_alone
    whoever_hears_of_commits_cannot_stop_the_store
    a_row_that_cannot_be_read_fails_only_who_needs_it
    a_full_queue_says_so
    new_tasks_can_be_born_leased
    processes_that_begin_at_once_get_different_node_numbers
}

also_in_shards! {
    two_hundred_refunds_of_one_payment_stop_at_what_was_captured
    the_refunds_of_one_payment_share_a_commit
    the_same_number_at_once_is_one_refund_with_one_answer
    each_task_is_leased_to_one_worker_until_its_lease_ends
    a_command_that_cannot_be_decided_fails_alone
    whoever_hears_of_commits_cannot_stop_the_store
    a_row_that_cannot_be_read_fails_only_who_needs_it
    new_tasks_can_be_born_leased
    processes_that_begin_at_once_get_different_node_numbers
}

/// Runs all commands at once, each on a thread of its own, on the stores in turn.
pub fn at_once_on(stores: &[&dyn Store], commands: Vec<Command>) -> Vec<Result<Outcome, StoreError>> {
    std::thread::scope(|scope| {
        let stores = stores.iter().cycle();
        let threads: Vec<_> =
            commands.into_iter().zip(stores).map(|(command, store)| scope.spawn(|| block_on(store.transact(command)))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

pub fn asks(stage: &Stage, payment: &Payment, count: usize, number: impl Fn(usize) -> String) -> Vec<Command> {
    (0..count).map(|index| stage.command(Act::CreateRefund(Box::new(stage.ask(payment, &number(index), 100))))).collect()
}

/// Remembers the sizes of commits.
#[derive(Default)]
struct Batches(Mutex<Vec<usize>>);

impl CommitObserver for Batches {
    fn committed(&self, changes: &Changes) {
        self.0.lock().unwrap().push(changes.refunds.len());
    }
}

fn two_hundred_refunds_of_one_payment_stop_at_what_was_captured(engine: Engine) {
    let stage = Stage::new(engine);
    two_hundred_refunds_on(&stage, &[stage.store.as_ref()]);
}

pub fn two_hundred_refunds_on(stage: &Stage, stores: &[&dyn Store]) {
    let payment = stage.payment(stage.merchant(7), "p1", 10_000);
    let outcomes = at_once_on(stores, asks(stage, &payment, 200, |index| format!("r{index}")));
    let accepted = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Outcome::Refund { replayed: false, .. }))).count();
    let refused = Refusal::ExceedsRefundable { refundable: euro(0) };
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Outcome::Refused { refusal, .. }) if *refusal == refused)).count();
    assert_eq!((accepted, refused), (100, 100));
    let after = block_on(stage.store.payment(payment.merchant_id, &PaymentKey::Id(payment.id))).unwrap().unwrap();
    assert_eq!((after.refunded, after.refund_count), (euro(10_000), 100));
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

fn the_refunds_of_one_payment_share_a_commit(engine: Engine) {
    let batches = Arc::new(Batches::default());
    let stage = Stage::wishing(engine, &Wishes { observer: Some(batches.clone()), ..Wishes::default() });
    let payment = stage.payment(stage.merchant(7), "p1", 100_000);
    let tickets: Vec<_> =
        asks(&stage, &payment, 200, |index| format!("r{index}")).into_iter().map(|command| stage.store.transact(command)).collect();
    tickets.into_iter().for_each(|ticket| drop(block_on(ticket).unwrap()));
    let sizes = batches.0.lock().unwrap().clone();
    assert_eq!(sizes.iter().sum::<usize>(), 200);
    assert!(sizes.len() < 100, "200 refunds took {} commits", sizes.len());
}

fn the_same_number_at_once_is_one_refund_with_one_answer(engine: Engine) {
    let stage = Stage::new(engine);
    the_same_number_on(&stage, &[stage.store.as_ref()]);
}

pub fn the_same_number_on(stage: &Stage, stores: &[&dyn Store]) {
    let payment = stage.payment(stage.merchant(7), "p1", 10_000);
    let outcomes = at_once_on(stores, asks(stage, &payment, 20, |_| "the same".to_owned()));
    let mut ids: Vec<RefundId> = Vec::new();
    let mut first = 0;
    for outcome in outcomes {
        match outcome.unwrap() {
            Outcome::Refund { refund, replayed, .. } => {
                ids.push(refund.id);
                first += usize::from(!replayed);
            }
            other => panic!("{other:?}"),
        }
    }
    ids.dedup();
    assert_eq!((ids.len(), first), (1, 1));
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

fn each_task_is_leased_to_one_worker_until_its_lease_ends(engine: Engine) {
    let stage = Stage::new(engine);
    each_task_is_leased_once_on(&stage, &[stage.store.as_ref()]);
}

pub fn each_task_is_leased_once_on(stage: &Stage, stores: &[&dyn Store]) {
    let payment = stage.payment(stage.merchant(7), "p1", 10_000);
    for number in 0..40 {
        stage.refund(&payment, &format!("r{number}"), 100);
    }
    let now = stage.now();
    let wish = Claim { now, lease_until: now.plus_ms(1_000), kinds: vec![TaskKind::SubmitRefund], limit: 3, given_back: Vec::new() };
    for round in 0..2 {
        let wish = Claim { now: now.plus_ms(round * 1_000), lease_until: now.plus_ms((round + 1) * 1_000), ..wish.clone() };
        let mut claimed: Vec<TaskId> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..8)
                .map(|worker| {
                    let wish = &wish;
                    scope.spawn(move || claim_all(stores[worker % stores.len()], wish))
                })
                .collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        claimed.sort_unstable();
        let count = claimed.len();
        claimed.dedup();
        assert_eq!((claimed.len(), count), (40, 40), "round {round}: each once");
    }
}

/// Claims until there is nothing left.
fn claim_all(store: &dyn Store, wish: &Claim) -> Vec<TaskId> {
    let mut claimed = Vec::new();
    loop {
        let tasks = block_on(store.claim(wish.clone())).unwrap();
        if tasks.is_empty() {
            return claimed;
        }
        claimed.extend(tasks.into_iter().map(|task| task.id));
    }
}

fn a_command_that_cannot_be_decided_fails_alone(engine: Engine) {
    let stage = Stage::new(engine);
    let acme = stage.merchant(7);
    let payment = stage.payment(acme, "p1", 10_000);
    let mut commands = asks(&stage, &payment, 9, |index| format!("r{index}"));
    // Behind the last id there is none: the decision panics.
    commands[4].stamp.ids = IdBlock::new(i64::MAX);
    let tickets: Vec<_> = commands.into_iter().map(|command| stage.store.transact(command)).collect();
    for (index, ticket) in tickets.into_iter().enumerate() {
        let outcome = block_on(ticket);
        match index {
            4 => assert!(matches!(outcome, Err(StoreError::Poisoned(_))), "{outcome:?}"),
            _ => assert!(matches!(outcome, Ok(Outcome::Refund { .. })), "{index}: {outcome:?}"),
        }
    }
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

/// Fails at every commit.
struct Clumsy;

impl CommitObserver for Clumsy {
    fn committed(&self, _changes: &Changes) {
        panic!("it stumbles");
    }
}

fn whoever_hears_of_commits_cannot_stop_the_store(engine: Engine) {
    let stage = Stage::wishing(engine, &Wishes { observer: Some(Arc::new(Clumsy)), ..Wishes::default() });
    let payment = stage.payment(stage.merchant(7), "p1", 10_000);
    let refund = stage.refund(&payment, "r1", 100);
    assert_eq!(block_on(stage.store.refund(payment.merchant_id, refund.id)).unwrap(), Some(refund));
}

fn a_row_that_cannot_be_read_fails_only_who_needs_it(engine: Engine) {
    let stage = Stage::new(engine);
    let acme = stage.merchant(7);
    let payments: Vec<_> = (0..8).map(|number| stage.payment(acme, &format!("p{number}"), 10_000)).collect();
    stage.spoil(&format!("UPDATE payments SET details = 'no JSON' WHERE payment_id = {}", payments[3].id.get()));
    let tickets: Vec<_> = payments
        .iter()
        .map(|payment| stage.store.transact(asks(&stage, payment, 1, |_| payment.payment_reference.clone()).remove(0)))
        .collect();
    for (index, ticket) in tickets.into_iter().enumerate() {
        let outcome = block_on(ticket);
        match index {
            3 => assert!(matches!(outcome, Err(StoreError::Unreadable { what: "payment", .. })), "{outcome:?}"),
            _ => assert!(matches!(outcome, Ok(Outcome::Refund { .. })), "{index}: {outcome:?}"),
        }
    }
}

fn a_full_queue_says_so(engine: Engine) {
    let stage = Stage::wishing(engine, &Wishes { stepped: Some(2), ..Wishes::default() });
    let put = |number| Act::PutMerchant(Box::new(stage::merchant(MerchantId::new(number))));
    let waiting: Vec<_> = (1..=2).map(|number| stage.store.transact(stage.command(put(number)))).collect();
    let refused = block_on(stage.store.transact(stage.command(put(3))));
    assert!(matches!(refused, Err(StoreError::Overloaded)), "{refused:?}");
    block_on(stage.store.close()).unwrap();
    waiting.into_iter().for_each(|ticket| drop(block_on(ticket).unwrap()));
}

fn new_tasks_can_be_born_leased(engine: Engine) {
    let stage = Stage::wishing(engine, &Wishes { lease_new_tasks_ms: Some(5_000), ..Wishes::default() });
    let payment = stage.payment(stage.merchant(7), "p1", 10_000);
    let refund = stage.refund(&payment, "r1", 100);
    let claim = |at_ms: i64| {
        let now = refund.created_at.plus_ms(at_ms);
        let wish = Claim { now, lease_until: now.plus_ms(1), kinds: TaskKind::ALL.to_vec(), limit: 10, given_back: Vec::new() };
        block_on(stage.store.claim(wish)).unwrap().len()
    };
    assert_eq!((claim(0), claim(4_999), claim(5_000)), (0, 0, 1));
}

fn processes_that_begin_at_once_get_different_node_numbers(engine: Engine) {
    let stage = Stage::new(engine);
    let numbers = std::thread::scope(|scope| {
        let lease = |process: u16| {
            let wish = NodeWish { holder: format!("process {process}"), now: stage.now(), lease_ms: 60_000 };
            block_on(stage.store.lease_node(wish)).unwrap().unwrap().node
        };
        let threads: Vec<_> = (0..20).map(|process| scope.spawn(move || lease(process))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<BTreeSet<_>>()
    });
    assert_eq!(numbers, (0..20).collect());
}
