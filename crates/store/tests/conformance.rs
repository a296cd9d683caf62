//! One suite for every backend: what a store promises, seen through the trait alone.

use futures::executor::block_on;
use refundry_engine::command::{
    Act, CancelRefund, Change, CreateRefund, PutEndpoint, RecordDelivery, ReleaseWaiting, ReplayNotification, RevokeCredential, TopUp,
};
use refundry_engine::credential::{Credential, Holder};
use refundry_engine::event::EventKind;
use refundry_engine::idempotency::{IdempotencyKey, RememberedDecision, STAND_IN_SCOPE};
use refundry_engine::merchant::{Endpoint, Merchant, Mode, Terminal};
use refundry_engine::notification::{DeliveryAttempt, NotificationState};
use refundry_engine::payment::{PaymentKey, PaymentStatus};
use refundry_engine::policy::{FundsRule, PolicyPatch, ReviewRule};
use refundry_engine::refund::RefundStateName;
use refundry_engine::task::{Task, TaskKind};
use refundry_engine::{CredentialId, EndpointId, MerchantId, Outcome, PaymentId, RefundId, Refusal, TaskId};
use refundry_store::{
    Claim, NodeLease, NodeWish, NotificationFilter, PAGE_SCAN_MAX, Page, PageRequest, PaymentFilter, RefundFilter, Store, StoreError,
    WaitingCount, WaitingRefunds,
};

use crate::stage::{self, Stage, euro};

/// Every case on every backend.
macro_rules! suite {
    ($($case:ident)*) => {
        mod sqlite {
            $(#[test] fn $case() { super::$case(&crate::stage::Stage::on_sqlite()); })*
        }
        mod postgres {
            $(#[test] fn $case() { super::$case(&crate::stage::Stage::on_postgres()); })*
        }
        mod postgres_in_shards {
            $(#[test] fn $case() {
                let (stage, statements) = crate::stage::Stage::in_shards();
                super::$case(&stage);
                drop(stage);
                statements.keep_to_shards();
            })*
        }
        mod sqlite_in_memory {
            $(#[test] fn $case() { super::$case(&crate::stage::Stage::in_memory()); })*
        }
    };
}

suite! {
    what_was_written_is_read_back
    settings_are_listed_by_id
    credentials_are_found_by_lookup
    a_row_is_changed_only_as_it_was_read
    what_no_database_holds_is_found_nowhere
    payments_are_listed_newest_first
    refunds_are_filtered
    lists_of_all_merchants_are_merged
    a_page_looks_at_a_limited_number_of_rows
    a_number_means_one_refund
    a_batch_sees_its_own_changes
    tasks_are_leased
    tasks_that_were_not_begun_are_given_back
    node_numbers_are_leased
    a_node_number_is_taken_over_when_its_lease_ends
    notifications_are_tried_and_parked
    the_feed_has_no_gaps
    the_audit_log_is_read_by_merchant_or_whole
    refunds_wait_for_money_oldest_first
    what_stands_for_a_number_is_free_again_after_a_while
    the_books_of_a_working_store_are_clean
    a_payment_is_updated_in_all_its_fields
    a_backup_is_a_whole_store
    a_closed_store_takes_nothing
}

fn all() -> PageRequest {
    PageRequest::default()
}

fn page_of(limit: u32) -> PageRequest {
    PageRequest { after: None, limit }
}

/// All pages, one after the other.
fn pages<T>(limit: u32, read: impl Fn(PageRequest) -> Page<T>) -> Vec<Vec<T>> {
    let mut request = page_of(limit);
    let mut found = Vec::new();
    loop {
        let page = read(request);
        found.push(page.rows);
        match page.next {
            Some(next) => request.after = Some(next),
            None => return found,
        }
    }
}

fn what_was_written_is_read_back(stage: &Stage) {
    let acme = stage.merchant(7);
    let payment = stage.payment(acme, "p1", 10_000);
    let refund = stage.refund(&payment, "r1", 4_000);
    let store = &stage.store;

    assert_eq!(block_on(store.ping()).unwrap(), ());
    assert_eq!(block_on(store.merchant(acme)).unwrap(), Some(stage::merchant(acme)));
    assert_eq!(block_on(store.merchant(MerchantId::new(8))).unwrap(), None);
    assert_eq!(block_on(store.terminals(acme)).unwrap(), vec![stage::terminal(acme)]);
    assert_eq!(block_on(store.terminal(acme, stage::terminal_of(acme))).unwrap(), Some(stage::terminal(acme)));
    let by_reference = PaymentKey::Reference("p1".to_owned());
    let after = block_on(store.payment(acme, &by_reference)).unwrap().unwrap();
    assert_eq!((after.refunded, after.refund_count), (euro(4_000), 1));
    assert_eq!(after.details, payment.details);
    assert_eq!(block_on(store.payment(acme, &PaymentKey::Id(payment.id))).unwrap(), Some(after));
    assert_eq!(block_on(store.payment(MerchantId::new(8), &by_reference)).unwrap(), None);
    assert_eq!(block_on(store.refund(acme, refund.id)).unwrap(), Some(refund.clone()));
    assert_eq!(block_on(store.refund(MerchantId::new(8), refund.id)).unwrap(), None);
    assert_eq!(block_on(store.timeline(acme, refund.id)).unwrap().len(), 1);
    let after = stage.succeed(&refund);
    assert_eq!(block_on(store.refund(acme, refund.id)).unwrap(), Some(after));
    assert_eq!(block_on(store.timeline(acme, refund.id)).unwrap().len(), 3);
    let balances = block_on(store.balances(acme)).unwrap();
    assert!(!balances.is_empty());
    assert_eq!(balances.iter().map(|row| row.minor).sum::<i64>(), 0);
}

fn settings_are_listed_by_id(stage: &Stage) {
    for number in [5, 3, 9] {
        stage.merchant(number);
    }
    let read = |request| block_on(stage.store.merchants(request)).unwrap();
    let ids: Vec<Vec<i64>> = pages(2, read).into_iter().map(|rows| rows.iter().map(|merchant| merchant.id.get()).collect()).collect();
    assert_eq!(ids, [vec![3, 5], vec![9]]);
    let renamed = Merchant { name: "Another".to_owned(), ..stage::merchant(MerchantId::new(3)) };
    stage.must(Act::PutMerchant(Box::new(renamed.clone())));
    assert_eq!(block_on(stage.store.merchant(renamed.id)).unwrap(), Some(renamed));
}

fn credential(id: i64, lookup: &str, key_version: u32, holder: Holder) -> Credential {
    Credential {
        id: CredentialId::new(id),
        holder,
        dialect: "native".to_owned(),
        lookup: lookup.to_owned(),
        scheme: "api_key".to_owned(),
        key_version,
        proof: "hash".to_owned(),
        sealed_secret: String::new(),
        public_key: String::new(),
        permissions: vec!["refunds:write".to_owned()],
        name: "till".to_owned(),
        person_id: None,
        issued_by: None,
        created_at: refundry_engine::Timestamp::from_ms(1),
        expires_at: None,
        revoked_at: None,
    }
}

fn credentials_are_found_by_lookup(stage: &Stage) {
    let acme = stage.merchant(7);
    let of_acme = || Holder::Merchant { merchant_id: acme };
    let first = credential(1, "key", 1, of_acme());
    let second = credential(2, "key", 2, of_acme());
    let operators = credential(3, "other", 1, Holder::Operator { mode: Mode::Live });
    for row in [&first, &second, &operators] {
        stage.must(Act::PutCredential(Box::new(row.clone())));
    }
    let store = &stage.store;
    assert_eq!(block_on(store.credentials_by_lookup("native", "key")).unwrap(), [first.clone(), second.clone()]);
    assert_eq!(block_on(store.credentials_by_lookup("antom", "key")).unwrap(), []);
    assert_eq!(block_on(store.credentials(Some(acme), all())).unwrap().rows, [first.clone(), second.clone()]);
    assert_eq!(block_on(store.credentials(None, page_of(2))).unwrap().next, Some(2));
    assert_eq!(block_on(store.credentials(None, PageRequest { after: Some(2), limit: 2 })).unwrap().rows, [operators]);

    let taken = stage.act(Act::PutCredential(Box::new(credential(4, "key", 1, of_acme())))).unwrap();
    assert_eq!(taken, Outcome::Refused { refusal: Refusal::AlreadyExists { field: "lookup".to_owned() }, replayed: false });
    stage.must(Act::RevokeCredential(RevokeCredential {
        merchant_id: first.holder.merchant_id(),
        credential_id: first.id,
        at: stage.now(),
    }));
    let revoked = block_on(store.credential(first.id)).unwrap().unwrap();
    assert!(!revoked.is_valid_at(stage.now()));
}

fn what_no_database_holds_is_found_nowhere(stage: &Stage) {
    let acme = stage.merchant(7);
    stage.payment(acme, "p1", 100);
    let odd = "p1\0".to_owned();
    assert_eq!(block_on(stage.store.payment(acme, &PaymentKey::Reference(odd.clone()))).unwrap(), None);
    let key = IdempotencyKey { merchant_id: acme, dialect: "native".to_owned(), scope: String::new(), number: odd.clone() };
    assert_eq!(block_on(stage.store.remembered(&key)).unwrap(), None);
    assert_eq!(block_on(stage.store.credentials_by_lookup("native", &odd)).unwrap(), []);
    assert_eq!(block_on(stage.store.merchant_by_account(Mode::Live, &odd)).unwrap(), None);
    let payments = PaymentFilter { merchant_id: Some(acme), merchant_reference: Some(odd.clone()), ..PaymentFilter::default() };
    assert_eq!(block_on(stage.store.payments(&payments, all())).unwrap().rows, []);
    let refunds = RefundFilter { merchant_id: Some(acme), number: Some(odd), ..RefundFilter::default() };
    assert_eq!(block_on(stage.store.refunds(&refunds, all())).unwrap().rows, []);
}

fn payments_are_listed_newest_first(stage: &Stage) {
    let acme = stage.merchant(7);
    let payments: Vec<_> = (0..5).map(|number| stage.payment(acme, &format!("p{number}"), 100 + number)).collect();
    let of_acme = PaymentFilter { merchant_id: Some(acme), ..PaymentFilter::default() };
    let read = |request| block_on(stage.store.payments(&of_acme, request)).unwrap();
    let references: Vec<Vec<String>> =
        pages(2, read).into_iter().map(|rows| rows.into_iter().map(|payment| payment.payment_reference).collect()).collect();
    assert_eq!(references, [vec!["p4", "p3"], vec!["p2", "p1"], vec!["p0"]]);

    let count = |filter: PaymentFilter| block_on(stage.store.payments(&filter, all())).unwrap().rows.len();
    let (from, to) = (Some(payments[1].paid_at), Some(payments[3].paid_at));
    for (expected, filter) in [
        (5, PaymentFilter { mode: Some(Mode::Live), ..of_acme.clone() }),
        (0, PaymentFilter { mode: Some(Mode::Sandbox), ..of_acme.clone() }),
        (5, PaymentFilter { status: Some(PaymentStatus::Captured), ..of_acme.clone() }),
        (0, PaymentFilter { status: Some(PaymentStatus::Failed), ..of_acme.clone() }),
        (0, PaymentFilter { currency: Some("USD".parse().unwrap()), ..of_acme.clone() }),
        (1, PaymentFilter { merchant_reference: Some("order p2".to_owned()), ..of_acme.clone() }),
        (0, PaymentFilter { merchant_reference: Some("order p2".to_owned()), to, from: to, ..of_acme.clone() }),
        (2, PaymentFilter { from, to, ..of_acme.clone() }),
        (4, PaymentFilter { from, ..of_acme.clone() }),
        (3, PaymentFilter { to, ..of_acme.clone() }),
    ] {
        assert_eq!(count(filter.clone()), expected, "{filter:?}");
    }
}

fn refunds_are_filtered(stage: &Stage) {
    let acme = stage.merchant(7);
    let (first, second) = (stage.payment(acme, "p1", 10_000), stage.payment(acme, "p2", 10_000));
    let of_batch = || {
        let ask = CreateRefund { batch: Some("spring".to_owned()), ..stage.ask(&second, "r3", 300) };
        match stage.must(Act::CreateRefund(Box::new(ask))) {
            Outcome::Refund { refund, .. } => *refund,
            other => panic!("{other:?}"),
        }
    };
    let refunds = [stage.refund(&first, "r1", 100), stage.refund(&first, "r2", 200), of_batch()];
    stage.succeed(&refunds[0]);
    stage.must(Act::CancelRefund(CancelRefund { merchant_id: acme, mode: Mode::Live, refund_id: refunds[1].id }));
    let of_acme = RefundFilter { merchant_id: Some(acme), ..RefundFilter::default() };
    let in_state = |state| RefundFilter { state: Some(state), ..of_acme.clone() };
    let numbers = |filter: &RefundFilter| -> Vec<String> {
        block_on(stage.store.refunds(filter, all())).unwrap().rows.into_iter().map(|refund| refund.number).collect()
    };
    for (expected, filter) in [
        (vec!["r3", "r2", "r1"], of_acme.clone()),
        (vec!["r2", "r1"], RefundFilter { payment_id: Some(first.id), ..of_acme.clone() }),
        (vec!["r2"], RefundFilter { number: Some("r2".to_owned()), ..of_acme.clone() }),
        (vec![], RefundFilter { number: Some("r9".to_owned()), ..of_acme.clone() }),
        (vec![], RefundFilter { number: Some("r2".to_owned()), payment_id: Some(second.id), ..of_acme.clone() }),
        (vec!["r1"], in_state(RefundStateName::Succeeded)),
        (vec!["r2"], in_state(RefundStateName::Cancelled)),
        (vec!["r3"], in_state(RefundStateName::Pending)),
        (vec![], in_state(RefundStateName::Submitted)),
        (vec![], in_state(RefundStateName::Unresolved)),
        (vec!["r3", "r2"], RefundFilter { amount_minor_min: Some(200), ..of_acme.clone() }),
        (vec!["r2", "r1"], RefundFilter { amount_minor_max: Some(200), ..of_acme.clone() }),
        (vec!["r2", "r1"], RefundFilter { to: Some(refunds[2].created_at), ..of_acme.clone() }),
        (vec!["r3", "r2"], RefundFilter { from: Some(refunds[1].created_at), ..of_acme.clone() }),
        (vec!["r3"], RefundFilter { batch: Some("spring".to_owned()), ..of_acme.clone() }),
        (vec![], RefundFilter { batch: Some("spring".to_owned()), ..in_state(RefundStateName::Cancelled) }),
        (vec![], RefundFilter { batch: Some("autumn".to_owned()), ..of_acme.clone() }),
        (vec![], RefundFilter { mode: Some(Mode::Sandbox), ..of_acme.clone() }),
        (vec![], RefundFilter { currency: Some("USD".parse().unwrap()), ..of_acme.clone() }),
    ] {
        assert_eq!(numbers(&filter), expected, "{filter:?}");
    }
}

fn lists_of_all_merchants_are_merged(stage: &Stage) {
    let merchants: Vec<_> = (1..=3).map(|number| stage.merchant(number)).collect();
    let sandbox = Merchant { mode: Mode::Sandbox, ..stage::merchant(MerchantId::new(9)) };
    stage.must(Act::PutMerchant(Box::new(sandbox.clone())));
    stage.must(Act::PutTerminal(Box::new(Terminal { mode: Mode::Sandbox, ..stage::terminal(sandbox.id) })));
    for round in 0..3 {
        for merchant_id in &merchants {
            let payment = stage.payment(*merchant_id, &format!("p{round}"), 1_000);
            stage.refund(&payment, &format!("r{round}"), 100);
        }
    }
    // Two merchants may have a payment of the same id; no page may lose one.
    let twin = PaymentId::new(stage::stamp_id(&stage.stamp()));
    for merchant_id in &merchants {
        let payment = stage::payment(*merchant_id, twin, "twin", euro(5));
        stage.must(Act::RecordPayment(refundry_engine::command::RecordPayment::from(payment).into()));
    }
    let live = PaymentFilter { mode: Some(Mode::Live), ..PaymentFilter::default() };
    for limit in 1..=5 {
        let rows: Vec<_> = pages(limit, |request| block_on(stage.store.payments(&live, request)).unwrap()).into_iter().flatten().collect();
        assert_eq!(rows.len(), 12, "pages of {limit}");
        assert!(rows.is_sorted_by(|newer, older| newer.id >= older.id));
    }
    let sandbox = RefundFilter { mode: Some(Mode::Sandbox), ..RefundFilter::default() };
    assert_eq!(block_on(stage.store.refunds(&sandbox, all())).unwrap().rows, []);
    let pending = RefundFilter { state: Some(RefundStateName::Pending), ..RefundFilter::default() };
    assert_eq!(block_on(stage.store.refunds(&pending, all())).unwrap().rows.len(), 9);
    let by_number = RefundFilter { number: Some("r1".to_owned()), ..RefundFilter::default() };
    assert_eq!(block_on(stage.store.refunds(&by_number, all())).unwrap().rows.len(), 3);
}

fn a_page_looks_at_a_limited_number_of_rows(stage: &Stage) {
    let acme = stage.merchant(7);
    let count = i64::from(PAGE_SCAN_MAX) + 10;
    let tickets: Vec<_> = (0..count)
        .map(|number| {
            let id = PaymentId::new(stage::stamp_id(&stage.stamp()));
            let captured = if number == 0 { stage::money(5, "USD") } else { euro(5) };
            let payment = stage::payment(acme, id, &format!("p{number}"), captured);
            stage.store.transact(stage.command(Act::RecordPayment(refundry_engine::command::RecordPayment::from(payment).into())))
        })
        .collect();
    tickets.into_iter().for_each(|ticket| drop(block_on(ticket).unwrap()));
    let rare = PaymentFilter { merchant_id: Some(acme), currency: Some("USD".parse().unwrap()), ..PaymentFilter::default() };
    let found = pages(50, |request| block_on(stage.store.payments(&rare, request)).unwrap());
    let sizes: Vec<usize> = found.iter().map(Vec::len).collect();
    assert_eq!(sizes, [0, 1], "the first page ends at its limit, with a cursor");
    let everywhere = PaymentFilter { merchant_id: None, ..rare };
    let sizes: Vec<usize> =
        pages(50, |request| block_on(stage.store.payments(&everywhere, request)).unwrap()).iter().map(Vec::len).collect();
    assert_eq!(sizes, [0, 1]);
}

fn a_number_means_one_refund(stage: &Stage) {
    let acme = stage.merchant(7);
    let payment = stage.payment(acme, "p1", 10_000);
    let first = stage.refund(&payment, "r1", 100);
    match stage.must(Act::CreateRefund(Box::new(stage.ask(&payment, "r1", 100)))) {
        Outcome::Refund { refund, replayed, .. } => assert_eq!((refund.id, replayed), (first.id, true)),
        other => panic!("{other:?}"),
    }
    let other = stage.act(Act::CreateRefund(Box::new(stage.ask(&payment, "r1", 200)))).unwrap();
    assert!(matches!(other, Outcome::Refused { refusal: Refusal::RepeatInconsistent { .. }, .. }), "{other:?}");

    let mut refused = stage.ask(&payment, "r2", 20_000);
    refused.remember_refusals = true;
    for replayed in [false, true] {
        let outcome = stage.act(Act::CreateRefund(Box::new(refused.clone()))).unwrap();
        assert_eq!(outcome, Outcome::Refused { refusal: Refusal::ExceedsRefundable { refundable: euro(9_900) }, replayed });
    }
    let remembered = block_on(stage.store.remembered(&refused.key)).unwrap().unwrap();
    assert_eq!(remembered.compared, refused.compared);
    assert!(matches!(remembered.decision, RememberedDecision::Refused(_)));
    let unknown = IdempotencyKey { scope: "elsewhere".to_owned(), ..refused.key };
    assert_eq!(block_on(stage.store.remembered(&unknown)).unwrap(), None);
}

fn a_batch_sees_its_own_changes(stage: &Stage) {
    let acme = stage.merchant(7);
    let payment = stage.payment(acme, "p1", 1_000);
    let asks: Vec<_> =
        (0..30).map(|number| stage.command(Act::CreateRefund(Box::new(stage.ask(&payment, &format!("r{number}"), 100))))).collect();
    let tickets: Vec<_> = asks.into_iter().map(|command| stage.store.transact(command)).collect();
    let outcomes: Vec<_> = tickets.into_iter().map(|ticket| block_on(ticket).unwrap()).collect();
    let accepted = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Refund { .. })).count();
    assert_eq!(accepted, 10);
    let after = block_on(stage.store.payment(acme, &PaymentKey::Id(payment.id))).unwrap().unwrap();
    assert_eq!((after.refunded, after.refund_count), (euro(1_000), 10));
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

fn tasks_are_leased(stage: &Stage) {
    let acme = stage.merchant(7);
    let payment = stage.payment(acme, "p1", 10_000);
    let refunds: Vec<_> = (0..3).map(|number| stage.refund(&payment, &format!("r{number}"), 100)).collect();
    let now = stage.now();
    let wish = Claim { now, lease_until: now.plus_ms(1_000), kinds: vec![TaskKind::SubmitRefund], limit: 2, given_back: Vec::new() };
    let claimed = |claim: &Claim| block_on(stage.store.claim(claim.clone())).unwrap();
    let ids = |tasks: Vec<Task>| tasks.into_iter().map(|task| task.refund_id()).collect::<Vec<_>>();

    assert_eq!(ids(claimed(&Claim { kinds: vec![TaskKind::DeliverNotification], ..wish.clone() })), []);
    assert_eq!(ids(claimed(&wish)), [refunds[0].id, refunds[1].id]);
    assert_eq!(ids(claimed(&wish)), [refunds[2].id]);
    assert_eq!(ids(claimed(&wish)), []);
    let later = Claim { now: now.plus_ms(1_000), lease_until: now.plus_ms(2_000), limit: 9, ..wish.clone() };
    assert_eq!(ids(claimed(&later)).len(), 3, "a lease ends");

    let figures = block_on(stage.store.task_figures(later.now)).unwrap();
    assert_eq!(figures.open, [(TaskKind::SubmitRefund, 3)]);
    assert_eq!(figures.oldest_due_at, Some(refunds[0].created_at));
    let task = block_on(stage.store.task(acme, TaskId::new(refunds[0].id.get()))).unwrap().unwrap();
    assert_eq!((task.kind, task.due_at), (TaskKind::SubmitRefund, refunds[0].created_at), "a lease moves no due time");
    stage.succeed(&refunds[0]);
    assert_eq!(block_on(stage.store.task(acme, TaskId::new(refunds[0].id.get()))).unwrap(), None);
}

fn tasks_that_were_not_begun_are_given_back(stage: &Stage) {
    let acme = stage.merchant(7);
    let payment = stage.payment(acme, "p1", 10_000);
    let refunds: Vec<_> = (0..3).map(|number| stage.refund(&payment, &format!("r{number}"), 100)).collect();
    let now = stage.now();
    let kinds = vec![TaskKind::SubmitRefund];
    let wish = Claim { now, lease_until: now.plus_ms(1_000), kinds, limit: 9, given_back: Vec::new() };
    let claim = |claim: Claim| block_on(stage.store.claim(claim)).unwrap();
    let taken = claim(wish.clone());
    assert_eq!(taken.len(), 3);
    stage.succeed(&refunds[2]);
    let give_back = Claim { kinds: Vec::new(), limit: 0, given_back: vec![taken[1].clone(), taken[2].clone()], ..wish.clone() };
    assert_eq!(claim(give_back.clone()), []);
    assert_eq!(claim(wish.clone()), [taken[1].clone()], "the first is still leased, the last is done");

    // By now the first lease is over, and somebody else has the task: whoever comes too late gives nothing back.
    let later = Claim { now: now.plus_ms(1_000), lease_until: now.plus_ms(9_000), ..wish.clone() };
    assert_eq!(claim(later.clone()).len(), 2);
    let moved_on = Task { due_at: taken[0].due_at.plus_ms(1), ..taken[0].clone() };
    let too_late = Claim { given_back: vec![moved_on], limit: 0, ..later.clone() };
    assert_eq!(claim(too_late), []);
    assert_eq!(claim(later.clone()), []);
    let both = Claim { given_back: taken, ..later };
    assert_eq!(claim(both).len(), 2, "given back and taken again in one go");
}

fn a_row_is_changed_only_as_it_was_read(stage: &Stage) {
    let acme = stage.merchant(7);
    let (merchant, terminal) = (stage::merchant(acme), stage::terminal(acme));
    let key = credential(1, "key", 1, Holder::Merchant { merchant_id: acme });
    stage.must(Act::PutCredential(Box::new(key.clone())));
    let change = |name: &str| -> [Act; 3] {
        [
            Act::ChangeMerchant(Box::new(Change {
                before: merchant.clone(),
                after: Merchant { name: name.to_owned(), ..merchant.clone() },
            })),
            Act::ChangeTerminal(Box::new(Change {
                before: terminal.clone(),
                after: Terminal { name: name.to_owned(), ..terminal.clone() },
            })),
            Act::ChangeCredential(Box::new(Change { before: key.clone(), after: Credential { name: name.to_owned(), ..key.clone() } })),
        ]
    };
    for (first, second) in change("first").into_iter().zip(change("second")) {
        // Both wait for the same commit, and the second was read before it.
        let tickets = [first, second].map(|act| stage.store.transact(stage.command(act)));
        assert_eq!(tickets.map(|ticket| block_on(ticket).unwrap()), [Outcome::Done, Outcome::Stale]);
    }
    assert_eq!(block_on(stage.store.merchant(acme)).unwrap().unwrap().name, "first");
    assert_eq!(block_on(stage.store.terminal(acme, terminal.id)).unwrap().unwrap().name, "first");
    assert_eq!(block_on(stage.store.credential(key.id)).unwrap().unwrap().name, "first");

    let endpoint = Endpoint {
        id: EndpointId::new(1),
        url: "https://shop.example/hook".to_owned(),
        sealed_secret: "sealed".to_owned(),
        events: Vec::new(),
        enabled: true,
    };
    let put = |before: Option<&Endpoint>, endpoint: &Endpoint| {
        stage.act(Act::PutEndpoint(PutEndpoint { merchant_id: acme, before: before.cloned(), endpoint: endpoint.clone() })).unwrap()
    };
    let off = Endpoint { enabled: false, ..endpoint.clone() };
    assert_eq!(put(Some(&endpoint), &off), Outcome::Stale, "it is gone, or was never there");
    assert_eq!(put(None, &endpoint), Outcome::Done);
    assert_eq!(put(None, &off), Outcome::Stale);
    assert_eq!(put(Some(&endpoint), &off), Outcome::Done);
    assert_eq!(put(Some(&endpoint), &endpoint), Outcome::Stale);
    assert_eq!(block_on(stage.store.merchant(acme)).unwrap().unwrap().endpoints, [off]);
}

fn lease_node(stage: &Stage, holder: &str, lease_ms: i64) -> Option<NodeLease> {
    let now = stage.stamp().now;
    block_on(stage.store.lease_node(NodeWish { holder: holder.to_owned(), now, lease_ms })).unwrap()
}

fn node_numbers_are_leased(stage: &Stage) {
    let node = |holder: &str, lease_ms| lease_node(stage, holder, lease_ms).map(|lease| lease.node);
    assert_eq!(node("a", 60_000), Some(0));
    assert_eq!(node("b", 60_000), Some(1));
    assert_eq!(node("c", 60_000), Some(2));
    assert_eq!(node("a", 60_000), Some(0), "more time with the same number");
    let given_back_at = stage.now();
    assert_eq!(node("b", 0), None, "given back");
    assert_eq!(node("b", 0), None, "twice");
    let mut next = lease_node(stage, "d", 60_000).unwrap();
    while next.node != 1 {
        // It is free when the clock of the database has come to where its last holder was.
        assert_eq!(node("d", 0), None);
        next = lease_node(stage, "d", 60_000).unwrap();
    }
    assert!(next.after >= given_back_at, "the ids of the holder before stay alone");
    assert_eq!(node("b", 60_000), Some(3), "what was taken meanwhile is gone");
    assert_eq!(node("d", 60_000), Some(1));
}

fn a_node_number_is_taken_over_when_its_lease_ends(stage: &Stage) {
    let begun_at = stage.now();
    let first = lease_node(stage, "a", 1).unwrap();
    let mut second = lease_node(stage, "b", 1).unwrap();
    while second.node != first.node {
        assert_eq!(lease_node(stage, "b", 0), None);
        second = lease_node(stage, "b", 1).unwrap();
    }
    assert!(second.after >= begun_at.plus_ms(1), "{second:?}");
    let late = lease_node(stage, "b", 60_000).unwrap();
    assert_eq!(late.node, second.node, "a lease that ended goes on when nobody took the number");
    assert_ne!(lease_node(stage, "a", 60_000).unwrap().node, second.node);
}

fn notifications_are_tried_and_parked(stage: &Stage) {
    let acme = stage.merchant(7);
    let endpoint = Endpoint {
        id: EndpointId::new(1),
        url: "https://shop.example/hook".to_owned(),
        sealed_secret: "sealed".to_owned(),
        events: vec![EventKind::RefundSucceeded.word().to_owned()],
        enabled: true,
    };
    stage.must(Act::PutEndpoint(PutEndpoint { merchant_id: acme, before: None, endpoint }));
    let payment = stage.payment(acme, "p1", 10_000);
    let refunds = [stage.refund(&payment, "r1", 100), stage.refund(&payment, "r2", 100)];
    refunds.iter().for_each(|refund| drop(stage.succeed(refund)));
    let of_refund = NotificationFilter { merchant_id: Some(acme), refund_id: Some(refunds[0].id), ..NotificationFilter::default() };
    let listed = |filter: &NotificationFilter| block_on(stage.store.notifications(filter, all())).unwrap().rows;
    let [first] = &listed(&of_refund)[..] else { panic!("one notification of the first refund") };

    let attempt = DeliveryAttempt {
        notification_id: first.id,
        at: stage.now(),
        status: Some(503),
        answer: "busy".to_owned(),
        took_ms: 12,
        acknowledged: false,
    };
    let again = Some(stage.now().plus_seconds(60));
    for next_at in [again, None] {
        stage.must(Act::RecordDelivery(RecordDelivery { merchant_id: acme, attempt: attempt.clone(), next_at }));
    }
    assert_eq!(block_on(stage.store.deliveries(acme, first.id)).unwrap(), [attempt.clone(), attempt.clone()]);
    let parked = block_on(stage.store.notification(acme, first.id)).unwrap().unwrap();
    assert_eq!((parked.state, parked.tries), (NotificationState::Parked, 2));
    let in_state = |state| NotificationFilter { state: Some(state), mode: Some(Mode::Live), ..NotificationFilter::default() };
    assert_eq!(listed(&in_state(NotificationState::Parked)), [parked]);
    assert_eq!(listed(&in_state(NotificationState::Due)).len(), 1);
    assert_eq!(block_on(stage.store.task_figures(stage.now())).unwrap().parked_notifications, 1);
    let sandbox = NotificationFilter { merchant_id: Some(acme), mode: Some(Mode::Sandbox), ..NotificationFilter::default() };
    assert_eq!(listed(&sandbox), []);

    let replay = ReplayNotification { merchant_id: acme, mode: Mode::Live, notification_id: first.id };
    stage.must(Act::ReplayNotification(replay));
    // Somebody sends it again and again.
    let tried = |took_ms| {
        Act::RecordDelivery(RecordDelivery { merchant_id: acme, attempt: DeliveryAttempt { took_ms, ..attempt.clone() }, next_at: again })
    };
    let tickets: Vec<_> = (1..=1_005).map(|took_ms| stage.store.transact(stage.command(tried(took_ms)))).collect();
    tickets.into_iter().for_each(|ticket| drop(block_on(ticket).unwrap()));
    let last: Vec<_> = block_on(stage.store.deliveries(acme, first.id)).unwrap().into_iter().map(|attempt| attempt.took_ms).collect();
    assert_eq!(last, (6..=1_005).collect::<Vec<_>>(), "the last thousand");
    assert_eq!(listed(&in_state(NotificationState::Due)).len(), 2);
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

fn the_feed_has_no_gaps(stage: &Stage) {
    let (acme, other) = (stage.merchant(7), stage.merchant(8));
    let payment = stage.payment(acme, "p1", 10_000);
    stage.payment(other, "p1", 10_000);
    let refund = stage.refund(&payment, "r1", 100);
    stage.succeed(&refund);
    let events = block_on(stage.store.events_after(acme, 0, 100)).unwrap();
    let numbers: Vec<i64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, (1..=i64::try_from(events.len()).unwrap()).collect::<Vec<_>>());
    let kinds: Vec<EventKind> = events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds.last(), Some(&EventKind::RefundSucceeded));
    assert_eq!(block_on(stage.store.events_after(acme, 1, 1)).unwrap(), [events[1].clone()]);
    assert_eq!(block_on(stage.store.events_after(other, 0, 100)).unwrap().len(), 1);
    let timeline = block_on(stage.store.timeline(acme, refund.id)).unwrap();
    assert_eq!(timeline, events.into_iter().filter(|event| event.refund_id == Some(refund.id)).collect::<Vec<_>>());
}

fn the_audit_log_is_read_by_merchant_or_whole(stage: &Stage) {
    let (acme, other) = (stage.merchant(7), stage.merchant(8));
    stage.must(Act::PutCredential(Box::new(credential(1, "key", 1, Holder::Operator { mode: Mode::Live }))));
    let actions = |merchant_id, request| -> Vec<&'static str> {
        let page = block_on(stage.store.audit(merchant_id, request)).unwrap();
        page.rows.into_iter().map(|line| line.action).collect()
    };
    assert_eq!(actions(Some(acme), all()), ["terminal.put", "merchant.put"]);
    assert_eq!(actions(Some(other), page_of(1)), ["terminal.put"]);
    assert_eq!(actions(None, all()), ["credential.put", "terminal.put", "merchant.put", "terminal.put", "merchant.put"]);
}

fn refunds_wait_for_money_oldest_first(stage: &Stage) {
    let acme = stage.merchant(7);
    let policy = PolicyPatch {
        funds: Some(FundsRule::Wait),
        draw_unsettled: Some(false),
        review: Some(ReviewRule::Above { minor: 5_000 }),
        ..PolicyPatch::default()
    };
    stage.must(Act::PutTerminal(Box::new(Terminal { policy, ..stage::terminal(acme) })));
    let payment = stage.payment(acme, "p1", 100_000);
    let refunds: Vec<_> = (0..3).map(|number| stage.refund(&payment, &format!("r{number}"), 100)).collect();
    let reviewed = stage.refund(&payment, "reviewed", 6_000);
    let euros = "EUR".parse().unwrap();
    let wanted = WaitingRefunds { merchant_id: acme, currency: euros, after: None, limit: 2 };
    let page = |wanted| -> Vec<RefundId> {
        block_on(stage.store.waiting_refunds(wanted)).unwrap().into_iter().map(|waiting| waiting.refund_id).collect()
    };
    assert_eq!(page(wanted), [refunds[0].id, refunds[1].id]);
    assert_eq!(page(WaitingRefunds { after: Some(refunds[0].id), ..wanted }), [refunds[1].id, refunds[2].id]);
    assert_eq!(page(WaitingRefunds { currency: "USD".parse().unwrap(), ..wanted }), []);
    let first = block_on(stage.store.waiting_refunds(wanted)).unwrap().remove(0);
    assert_eq!((first.payment_id, first.amount, first.settled), (payment.id, euro(100), false));
    assert_eq!((first.method.as_str(), first.unsettled_left), (payment.method.as_str(), euro(100_000)));
    assert_eq!(block_on(stage.store.waiting_counts(acme)).unwrap(), [WaitingCount { currency: euros, count: 3 }]);
    let pending = RefundFilter { merchant_id: Some(acme), state: Some(RefundStateName::Pending), ..RefundFilter::default() };
    let listed = block_on(stage.store.refunds(&pending, all())).unwrap().rows;
    assert_eq!((listed.len(), listed[0].id), (4, reviewed.id), "those that a person decides are listed too");

    let key = IdempotencyKey { merchant_id: acme, dialect: "native".to_owned(), scope: "top_up".to_owned(), number: "t1".to_owned() };
    let top_up = TopUp { merchant_id: acme, mode: Mode::Live, amount: euro(200), key: key.clone() };
    stage.must(Act::TopUp(top_up));
    assert_eq!(block_on(stage.store.remembered(&key)).unwrap().unwrap().decision, RememberedDecision::ToppedUp);
    let credit = Task::release_waiting(acme, euros, stage.now());
    let task = block_on(stage.store.task(acme, credit.id)).unwrap().expect("the credit put it");
    let serve = |task: &Task| {
        let act = ReleaseWaiting { merchant_id: acme, currency: euros, task: task.clone(), refund_ids: page(wanted), more: true };
        stage.must(Act::ReleaseWaiting(act));
        block_on(stage.store.task(acme, task.id)).unwrap()
    };
    let next = serve(&task).expect("there is another page");
    assert_eq!(page(wanted), [refunds[2].id]);
    assert_eq!(serve(&task).as_ref(), Some(&next), "whoever carries an old task out leaves the new one alone");
    assert_eq!(serve(&next), None, "the last does not fit, and nobody may overtake it");
    assert_eq!(block_on(stage.store.waiting_counts(acme)).unwrap(), [WaitingCount { currency: euros, count: 1 }]);
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

fn what_stands_for_a_number_is_free_again_after_a_while(stage: &Stage) {
    let acme = stage.merchant(7);
    let payment = stage.payment(acme, "p1", 10_000);
    let ask = |seconds: i64| {
        let mut act = stage.ask(&payment, "abc", 100);
        act.key.scope = STAND_IN_SCOPE.to_owned();
        act.key_seconds = Some(600);
        let mut command = stage.command(Act::CreateRefund(Box::new(act)));
        command.stamp.now = command.stamp.now.plus_seconds(seconds);
        match block_on(stage.store.transact(command)).unwrap() {
            Outcome::Refund { refund, replayed, .. } => (refund, replayed),
            other => panic!("{other:?}"),
        }
    };
    let (first, replayed) = ask(0);
    assert_eq!((replayed, first.number.as_str()), (false, ""));
    assert_eq!(ask(500), (first.clone(), true));
    let (second, replayed) = ask(601);
    assert!(!replayed && second.id != first.id);
    assert_eq!(ask(602), (second.clone(), true));
    let of_payment = RefundFilter { merchant_id: Some(acme), payment_id: Some(payment.id), ..RefundFilter::default() };
    assert_eq!(block_on(stage.store.refunds(&of_payment, all())).unwrap().rows.len(), 2);
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

fn the_books_of_a_working_store_are_clean(stage: &Stage) {
    let acme = stage.merchant(7);
    let payment = stage.payment(acme, "p1", 10_000);
    stage.refund(&payment, "r1", 4_000);
    stage.payment(acme, "p2", 500);
    let report = block_on(stage.store.check_books()).unwrap();
    assert_eq!(report.faults, []);
    assert_eq!((report.merchants, report.payments, report.refunds), (1, 2, 1));
    assert!(report.postings > 0);
}

fn a_payment_is_updated_in_all_its_fields(stage: &Stage) {
    let acme = stage.merchant(7);
    let id = PaymentId::new(stage::stamp_id(&stage.stamp()));
    let mut told = stage::payment(acme, id, "p1", euro(0));
    told.status = PaymentStatus::Authorised;
    told.authorised = euro(900);
    stage.must(Act::RecordPayment(refundry_engine::command::RecordPayment::from(told.clone()).into()));
    told.status = PaymentStatus::Captured;
    told.captured = euro(900);
    told.notify_url = Some("https://shop.example/hook".to_owned());
    let after = match stage.must(Act::RecordPayment(refundry_engine::command::RecordPayment::from(told).into())) {
        Outcome::Payment { payment, created } => {
            assert!(!created);
            payment
        }
        other => panic!("{other:?}"),
    };
    let stored = block_on(stage.store.payment(acme, &PaymentKey::Id(id))).unwrap();
    assert_eq!(stored.as_ref(), Some(after.as_ref()));
    assert_eq!(stored.map(|payment| payment.status), Some(PaymentStatus::Captured));
    let by_order =
        PaymentFilter { merchant_id: Some(acme), merchant_reference: Some(after.merchant_reference.clone()), ..PaymentFilter::default() };
    assert_eq!(block_on(stage.store.payments(&by_order, all())).unwrap().rows, [*after]);
}

fn a_backup_is_a_whole_store(stage: &Stage) {
    let acme = stage.merchant(7);
    let payment = stage.payment(acme, "p1", 10_000);
    let refund = stage.refund(&payment, "r1", 100);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy.db");
    block_on(stage.store.backup(&file)).unwrap();
    assert!(block_on(stage.store.backup(&file)).is_err(), "no file is overwritten");
    stage.refund(&payment, "r2", 100);
    let copy = refundry_store::SqliteStore::open(&refundry_store::SqliteOptions::file(&file)).unwrap();
    assert_eq!(block_on(copy.refund(acme, refund.id)).unwrap(), Some(refund));
    let of_acme = RefundFilter { merchant_id: Some(acme), ..RefundFilter::default() };
    assert_eq!(block_on(copy.refunds(&of_acme, all())).unwrap().rows.len(), 1);
    assert_eq!(block_on(copy.check_books()).unwrap().faults, []);
}

fn a_closed_store_takes_nothing(stage: &Stage) {
    let ticket = stage.store.transact(stage.command(Act::PutMerchant(Box::new(stage::merchant(MerchantId::new(1))))));
    block_on(stage.store.close()).unwrap();
    assert!(block_on(ticket).is_ok(), "what was queued is done");
    let late = stage.act(Act::PutMerchant(Box::new(stage::merchant(MerchantId::new(2)))));
    assert!(matches!(late, Err(StoreError::Closed)), "{late:?}");
}
