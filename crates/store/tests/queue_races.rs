//! Refunds that wait for money, on real threads: whoever serves the queue races who asks anew, who takes back, and who looks; a review races an edit
//! and a cancellation. Whatever the order, money is given out once, nobody is overtaken, and what won stays.

use futures::executor::block_on;
use refundry_engine::command::{Act, CancelRefund, EditRefund, ReleaseWaiting, ReviewRefund, TopUp};
use refundry_engine::idempotency::IdempotencyKey;
use refundry_engine::merchant::{Mode, Terminal};
use refundry_engine::payment::Payment;
use refundry_engine::policy::{FundsRule, PolicyPatch, ReviewRule};
use refundry_engine::refund::{Refund, RefundState, RefundStateName};
use refundry_engine::task::Task;
use refundry_engine::{MerchantId, Outcome, RefundId};
use refundry_store::{RefundFilter, Store, StoreError, WaitingRefunds};

use crate::races::at_once_on;
use crate::stage::{self, Engine, Stage, also_in_shards, euro, on_both};

on_both! {
    money_is_given_out_once_and_nobody_is_overtaken
    whoever_looks_at_the_queue_sees_it_go_forward
    of_approval_edit_and_cancellation_at_once_what_won_stays
}

also_in_shards! {
    money_is_given_out_once_and_nobody_is_overtaken
}

const ROUNDS: i64 = 6;
/// Walks through the queue while it is served.
const LOOKS: usize = 100;
/// Each refund of these tests, and what is paid in is a number of them.
const EACH: i64 = 1_000;

/// A merchant whose refunds wait for what is paid in, and a payment of it.
fn waits(stage: &Stage, merchant: i64, review: ReviewRule) -> Payment {
    let acme = stage.merchant(merchant);
    let policy = PolicyPatch {
        funds: Some(FundsRule::Wait),
        draw_unsettled: Some(false),
        draw_reserve: Some(false),
        review: Some(review),
        second_person: Some(false),
        ..PolicyPatch::default()
    };
    stage.must(Act::PutTerminal(Box::new(Terminal { policy, ..stage::terminal(acme) })));
    stage.payment(acme, "p1", 1_000_000)
}

fn pay_in(stage: &Stage, merchant_id: MerchantId, refunds: i64, number: &str) {
    let (dialect, scope, number) = ("native".to_owned(), "top_up".to_owned(), number.to_owned());
    let key = IdempotencyKey { merchant_id, dialect, scope, number };
    stage.must(Act::TopUp(TopUp { merchant_id, mode: Mode::Live, amount: euro(refunds * EACH), key }));
}

fn page(store: &dyn Store, merchant_id: MerchantId, after: Option<RefundId>, limit: u32) -> Vec<RefundId> {
    let wanted = WaitingRefunds { merchant_id, currency: euro(0).currency(), after, limit };
    block_on(store.waiting_refunds(wanted)).unwrap().into_iter().map(|waiting| waiting.refund_id).collect()
}

/// What a worker does with the task of the queue, if there is one.
fn serve(stage: &Stage, merchant_id: MerchantId) -> Option<Act> {
    let currency = euro(0).currency();
    let id = Task::release_waiting(merchant_id, currency, stage.now()).id;
    let task = block_on(stage.store.task(merchant_id, id)).unwrap()?;
    let after = task.waiting_page().and_then(|(_, after)| after);
    let refund_ids = page(stage.store.as_ref(), merchant_id, after, 3);
    Some(Act::ReleaseWaiting(ReleaseWaiting { merchant_id, currency, task, more: refund_ids.len() == 3, refund_ids }))
}

fn serve_all(stage: &Stage, merchant_id: MerchantId) {
    while let Some(act) = serve(stage, merchant_id) {
        stage.must(act);
    }
}

fn cancel(refund: &Refund) -> Act {
    Act::CancelRefund(CancelRefund { merchant_id: refund.merchant_id, mode: Mode::Live, refund_id: refund.id })
}

fn all(stage: &Stage, merchant_id: MerchantId) -> Vec<Refund> {
    let filter = RefundFilter { merchant_id: Some(merchant_id), ..RefundFilter::default() };
    let mut rows = block_on(stage.store.refunds(&filter, Default::default())).unwrap().rows;
    rows.sort_by_key(|refund| refund.id);
    rows
}

/// What is left of so much that was paid in is there, and those who have theirs stand before those who wait.
fn must_be_in_order(stage: &Stage, merchant_id: MerchantId, paid_in: i64) -> usize {
    let live: Vec<Refund> = all(stage, merchant_id).into_iter().filter(|refund| refund.state.counts()).collect();
    let served = live.iter().take_while(|refund| refund.drawn.is_some()).count();
    assert!(live[served..].iter().all(|refund| refund.drawn.is_none()), "somebody was overtaken: {live:?}");
    let balances = block_on(stage.store.balances(merchant_id)).unwrap();
    let available = balances.iter().find(|row| row.account.name() == "available").map_or(0, |row| row.minor);
    assert_eq!(available, (paid_in - i64::try_from(served).unwrap()) * EACH);
    let counted: i64 = block_on(stage.store.waiting_counts(merchant_id)).unwrap().iter().map(|count| count.count).sum();
    assert_eq!(usize::try_from(counted), Ok(live.len() - served));
    served
}

fn money_is_given_out_once_and_nobody_is_overtaken(engine: Engine) {
    let stage = Stage::new(engine);
    for round in 0..ROUNDS {
        let payment = waits(&stage, 7 + round, ReviewRule::None);
        let acme = payment.merchant_id;
        let waiting: Vec<Refund> = (0..6).map(|number| stage.refund(&payment, &format!("r{number}"), EACH)).collect();
        pay_in(&stage, acme, 3, "t1");
        let serving = serve(&stage, acme).expect("the payment-in put a task");
        let anew = |number: &str| Act::CreateRefund(Box::new(stage.ask(&payment, number, EACH)));
        let mut acts =
            vec![serving.clone(), anew("new"), cancel(&waiting[0]), serving, cancel(&waiting[2]), anew("newer"), cancel(&waiting[5])];
        acts.rotate_left(usize::try_from(round).unwrap() % 7);
        let commands = acts.into_iter().map(|act| stage.command(act)).collect();
        let outcomes = at_once_on(&[stage.store.as_ref()], commands);
        assert!(outcomes.iter().all(|outcome| !matches!(outcome, Ok(Outcome::Refused { .. }) | Err(_))), "{outcomes:?}");
        assert!(must_be_in_order(&stage, acme, 3) <= 3);
        serve_all(&stage, acme);
        assert_eq!(must_be_in_order(&stage, acme, 3), 3, "what was paid in is with those who stood first");
        pay_in(&stage, acme, 9, "t2");
        serve_all(&stage, acme);
        assert_eq!(must_be_in_order(&stage, acme, 12), 5, "everybody who did not take it back has it");
    }
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

fn whoever_looks_at_the_queue_sees_it_go_forward(engine: Engine) {
    let stage = Stage::new(engine);
    let payment = waits(&stage, 7, ReviewRule::None);
    let acme = payment.merchant_id;
    let waiting: Vec<RefundId> = (0..30).map(|number| stage.refund(&payment, &format!("r{number}"), EACH).id).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..10 {
                pay_in(&stage, acme, 3, &format!("t{number}"));
                serve_all(&stage, acme);
            }
        });
        for _ in 0..3 {
            scope.spawn(|| {
                let mut head = None;
                for _ in 0..LOOKS {
                    let seen = walk(stage.store.as_ref(), acme);
                    assert!(seen.is_sorted() && seen.iter().all(|id| waiting.contains(id)), "{seen:?}");
                    assert!(seen.is_empty() || seen.first() >= head.as_ref(), "{head:?} was served, and {seen:?} wait");
                    head = seen.first().copied().or(head);
                }
            });
        }
    });
    assert_eq!(walk(stage.store.as_ref(), acme), []);
    assert_eq!(must_be_in_order(&stage, acme, 30), 30);
}

/// The whole queue, page by page, while it is served.
fn walk(store: &dyn Store, merchant_id: MerchantId) -> Vec<RefundId> {
    let mut seen: Vec<RefundId> = Vec::new();
    loop {
        let next = page(store, merchant_id, seen.last().copied(), 4);
        if next.is_empty() {
            return seen;
        }
        seen.extend(next);
    }
}

fn of_approval_edit_and_cancellation_at_once_what_won_stays(engine: Engine) {
    let stage = Stage::new(engine);
    let payment = waits(&stage, 7, ReviewRule::All);
    for round in 0..ROUNDS * 2 {
        let refund = stage.refund(&payment, &format!("r{round}"), EACH);
        let (merchant_id, refund_id, hash) = (refund.merchant_id, refund.id, refund.content_hash());
        let note = "looked at".to_owned();
        let approve =
            Act::ReviewRefund(ReviewRefund { merchant_id, mode: Mode::Live, refund_id, approve: true, note, seen: Some(hash.clone()) });
        let edit = Act::EditRefund(Box::new(EditRefund {
            merchant_id,
            mode: Mode::Live,
            refund_id,
            seen: Some(hash),
            amount: Some(euro(EACH / 2)),
            marketing: None,
            reason: None,
            metadata: None,
        }));
        let mut acts = vec![approve, edit, cancel(&refund)];
        acts.rotate_left(usize::try_from(round).unwrap() % 3);
        let places = [0, 1, 2].map(|act| (act + 3 - usize::try_from(round).unwrap() % 3) % 3);
        let outcomes = at_once_on(&[stage.store.as_ref()], acts.into_iter().map(|act| stage.command(act)).collect());
        let [approved, edited, cancelled] = places.map(|place| has_won(&outcomes[place]));
        // What is approved cannot be edited, and what was edited is not what was approved. Nothing was sent, so a cancellation always finds its refund.
        assert!(cancelled && !(approved && edited), "{outcomes:?}");
        let after = block_on(stage.store.refund(merchant_id, refund_id)).unwrap().unwrap();
        assert_eq!((after.state.name(), after.drawn), (RefundStateName::Cancelled, None), "{outcomes:?}");
        assert_eq!((after.edits, after.amount), if edited { (1, euro(EACH / 2)) } else { (0, euro(EACH)) });
        assert!(matches!(after.state, RefundState::Cancelled { .. }));
    }
    assert_eq!(block_on(stage.store.waiting_counts(payment.merchant_id)).unwrap(), []);
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

fn has_won(outcome: &Result<Outcome, StoreError>) -> bool {
    match outcome {
        Ok(Outcome::Refused { .. }) => false,
        Ok(_) => true,
        Err(error) => panic!("{error:?}"),
    }
}
