//! Several processes on one PostgreSQL database, who know nothing of each other.

use futures::executor::block_on;
use refundry_engine::command::Act;
use refundry_engine::credential::{Credential, Holder};
use refundry_engine::merchant::{Merchant, Standing, Terminal};
use refundry_engine::policy::PolicyPatch;
use refundry_engine::{CredentialId, MerchantId, Outcome, Refusal};
use refundry_store::Store;

use crate::races::{asks, at_once_on, each_task_is_leased_once_on, the_same_number_on, two_hundred_refunds_on};
use crate::stage::{self, Stage, Wishes, euro};

/// Runs a case on two processes.
fn on_two_nodes(case: impl Fn(&Stage, &[&dyn Store])) {
    let stage = Stage::on_postgres();
    let other = stage.another_node(|_| {});
    case(&stage, &[stage.store.as_ref(), &other]);
}

#[test]
fn two_hundred_refunds_of_one_payment_stop_at_what_was_captured() {
    on_two_nodes(two_hundred_refunds_on);
}

#[test]
fn the_same_number_at_once_is_one_refund_with_one_answer() {
    on_two_nodes(the_same_number_on);
}

#[test]
fn each_task_is_leased_to_one_worker_until_its_lease_ends() {
    on_two_nodes(each_task_is_leased_once_on);
}

/// Batches of many merchants take their locks in one order, so no two of them wait for each other.
#[test]
fn batches_over_many_merchants_pass_each_other() {
    on_two_nodes(|stage, stores| {
        let payments: Vec<_> = (1..=8).map(|number| stage.payment(stage.merchant(number), "p1", 100_000)).collect();
        let commands =
            (0..40).flat_map(|round| payments.iter().rev().flat_map(move |payment| asks(stage, payment, 1, |_| format!("r{round}"))));
        let outcomes = at_once_on(stores, commands.collect());
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(Outcome::Refund { replayed: false, .. }))), "{outcomes:?}");
        let report = block_on(stage.store.check_books()).unwrap();
        assert_eq!((report.refunds, report.faults), (320, vec![]));
    });
}

#[test]
fn what_another_node_changes_is_seen_by_the_next_batch() {
    let stage = Stage::on_postgres();
    let acme = stage.merchant(7);
    let payment = stage.payment(acme, "p1", 10_000);
    stage.refund(&payment, "r1", 100);
    let other = stage.another_node(|_| {});
    let on_other = |act: Act| drop(block_on(other.transact(stage.command(act))).unwrap());
    let refuses = |number: &str| match stage.act(Act::CreateRefund(Box::new(stage.ask(&payment, number, 100)))) {
        Ok(Outcome::Refused { refusal, .. }) => refusal,
        outcome => panic!("{outcome:?}"),
    };
    let whole_only = PolicyPatch { partial_allowed: Some(false), ..PolicyPatch::default() };
    on_other(Act::PutTerminal(Box::new(Terminal { policy: whole_only, ..stage::terminal(acme) })));
    assert_eq!(refuses("r2"), Refusal::PartialNotAllowed { refundable: euro(9_900) });
    on_other(Act::PutTerminal(Box::new(stage::terminal(acme))));
    stage.refund(&payment, "r3", 100);
    on_other(Act::PutMerchant(Box::new(Merchant { standing: Standing::Suspended, ..stage::merchant(acme) })));
    assert_eq!(refuses("r4"), Refusal::MerchantSuspended);
}

fn put_credential(id: i64, lookup: &str) -> Act {
    Act::PutCredential(Box::new(Credential {
        id: CredentialId::new(id),
        holder: Holder::Merchant { merchant_id: MerchantId::new(7) },
        dialect: "native".to_owned(),
        lookup: lookup.to_owned(),
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
    }))
}

#[test]
fn a_name_that_two_nodes_want_at_once_goes_to_one_of_them() {
    on_two_nodes(|stage, stores| {
        stage.merchant(7);
        for round in 0..10 {
            let commands = (0..2).map(|node| stage.command(put_credential(round * 2 + node, &format!("key {round}")))).collect();
            let outcomes = at_once_on(stores, commands);
            let taken = Outcome::Refused { refusal: Refusal::AlreadyExists { field: "lookup".to_owned() }, replayed: false };
            let refused = outcomes.iter().filter(|outcome| matches!(outcome, Ok(outcome) if *outcome == taken)).count();
            assert!(outcomes.iter().all(Result::is_ok) && refused == 1, "{outcomes:?}");
        }
    });
}

/// No snapshot can hold every name: that one is taken is found out only when it is written, and by whoever shares the commit.
#[test]
fn a_name_that_is_taken_is_refused_to_its_command_alone() {
    let stage = Stage::wishing(stage::Engine::Postgres, &Wishes { stepped: Some(100), ..Wishes::default() });
    let other = stage.another_node(|_| {});
    block_on(other.transact(stage.command(Act::PutMerchant(Box::new(stage::merchant(MerchantId::new(7))))))).unwrap();
    block_on(other.transact(stage.command(put_credential(1, "key 3")))).unwrap();
    let names: Vec<String> = (0..6).map(|number| format!("key {number}")).collect();
    let tickets: Vec<_> = (10..).zip(&names).map(|(id, name)| stage.store.transact(stage.command(put_credential(id, name)))).collect();
    block_on(stage.store.close()).unwrap();
    let outcomes = tickets.into_iter().map(|ticket| block_on(ticket).unwrap());
    let refused: Vec<bool> = outcomes.map(|outcome| matches!(outcome, Outcome::Refused { .. })).collect();
    assert_eq!(refused, [false, false, false, true, false, false]);
}
