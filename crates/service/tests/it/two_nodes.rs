//! Two processes on one database, who know nothing of each other.

use std::sync::Arc;

use futures::future::{join, join_all};
use refundry_engine::Mode;
use refundry_engine::credential::Holder;
use refundry_engine::merchant::Standing;
use refundry_engine::policy::PolicyPatch;
use refundry_engine::refund::RefundStateName;
use refundry_service::credentials::{self, NewKey};
use refundry_service::endpoints::{self, EndpointChange, NewEndpoint};
use refundry_service::install::{GATEWAY_DIALECT, GATEWAY_LOOKUP};
use refundry_service::keyring::KEY_AGE_MS_MAX;
use refundry_service::master_rotation::{ResealedSecrets, rotate_master};
use refundry_service::merchants::{self, MerchantChange};
use refundry_service::seal::new_master_key_line;
use refundry_service::terminals::{self, ForceAnswer, TerminalChange};
use refundry_service::workers::WorkerSettings;
use refundry_service::workers::crew::Crew;
use refundry_service::{ServiceError, Work, install, refunds};

use crate::house::{Counting, House, Place, refund};

const ROUNDS: usize = 20;

/// Every case on every database.
macro_rules! suite {
    ($($case:ident)*) => {
        mod sqlite {
            $(#[tokio::test] async fn $case() { super::$case(crate::house::Place::sqlite()).await; })*
        }
        mod postgres {
            $(#[tokio::test] async fn $case() { super::$case(crate::house::Place::postgres()).await; })*
        }
    };
}

suite! {
    of_two_edits_at_once_neither_is_lost
    endpoints_and_their_merchant_are_edited_at_once
    sealing_again_and_an_edit_do_not_undo_each_other
    two_rotations_of_a_credential_at_once_make_one_version
    processes_that_install_at_once_make_one_gateway_key
    what_a_process_that_ends_did_not_begin_is_free_at_once
    a_key_that_another_process_revoked_is_refused_after_two_seconds
}

async fn of_two_edits_at_once_neither_is_lost(place: Place) {
    let house = House::build_on(place).await;
    let other = house.second_node();
    let operator = house.operator(Mode::Sandbox);
    let shop = house.shop(Mode::Sandbox, "antom", PolicyPatch::default()).await;
    let (merchant_id, terminal_id) = (shop.merchant.id, shop.terminal.id);
    for round in 0..ROUNDS {
        let name = format!("Acme {round}");
        let standing = if round % 2 == 0 { Standing::Suspended } else { Standing::Active };
        let renamed = MerchantChange { name: Some(name.clone()), ..MerchantChange::default() };
        let suspended = MerchantChange { standing: Some(standing), ..MerchantChange::default() };
        let (renamed, suspended) = join(
            merchants::change(&house.service, &operator, merchant_id, renamed),
            merchants::change(&other, &operator, merchant_id, suspended),
        )
        .await;
        renamed.unwrap();
        suspended.unwrap();
        let found = merchants::find(&house.service, &operator, Some(merchant_id)).await.unwrap();
        assert_eq!((found.name, found.standing), (name.clone(), standing));

        let renamed = TerminalChange { name: Some(name.clone()), ..TerminalChange::default() };
        let forced = ForceAnswer { api: "refund".to_owned(), code: Some("PROCESS_FAIL".to_owned()), minutes: 5 };
        let (renamed, forced) = join(
            terminals::change(&other, &operator, Some(merchant_id), terminal_id, renamed),
            terminals::force_answer(&house.service, &operator, Some(merchant_id), terminal_id, forced),
        )
        .await;
        renamed.unwrap();
        forced.unwrap();
        let found = terminals::find(&other, &operator, Some(merchant_id), terminal_id).await.unwrap();
        assert_eq!((found.name, found.forced_answers.len()), (name, 1));
        let ended = ForceAnswer { api: "refund".to_owned(), code: None, minutes: 0 };
        terminals::force_answer(&other, &operator, Some(merchant_id), terminal_id, ended).await.unwrap();
    }
}

async fn endpoints_and_their_merchant_are_edited_at_once(place: Place) {
    let house = House::build_on(place).await;
    let other = house.second_node();
    let operator = house.operator(Mode::Sandbox);
    let merchant_id = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await.merchant.id;
    let new = |path: usize| NewEndpoint { merchant_id: Some(merchant_id), url: format!("https://shop.example/{path}"), events: vec![] };
    let made = join_all((0..3).flat_map(|path| [(&house.service as &_, path), (&other, path + 3)]).map(|(node, path)| {
        let operator = &operator;
        async move { endpoints::create(node, operator, new(path)).await.unwrap().endpoint.id }
    }))
    .await;
    for round in 0..ROUNDS {
        let (enabled, url) = (round % 2 == 1, format!("https://shop.example/moved/{round}"));
        let switched = EndpointChange { enabled: Some(enabled), ..EndpointChange::default() };
        let moved = EndpointChange { url: Some(url.clone()), ..EndpointChange::default() };
        let renamed = MerchantChange { name: Some(url.clone()), ..MerchantChange::default() };
        let edits = join(
            endpoints::change(&house.service, &operator, Some(merchant_id), made[0], switched),
            endpoints::change(&other, &operator, Some(merchant_id), made[0], moved),
        );
        let (edits, renamed) = join(edits, merchants::change(&other, &operator, merchant_id, renamed)).await;
        assert!(edits.0.is_ok() && edits.1.is_ok() && renamed.is_ok());
        let merchant = merchants::find(&house.service, &operator, Some(merchant_id)).await.unwrap();
        assert_eq!((merchant.name, merchant.endpoints.len()), (url.clone(), made.len()));
        let first = merchant.endpoints.iter().find(|endpoint| endpoint.id == made[0]).unwrap();
        assert_eq!((&first.url, first.enabled), (&url, enabled));
    }
}

async fn sealing_again_and_an_edit_do_not_undo_each_other(place: Place) {
    let house = House::build_on(place).await;
    let operator = house.operator(Mode::Sandbox);
    let merchant_id = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await.merchant.id;
    let new = NewEndpoint { merchant_id: Some(merchant_id), url: "https://shop.example/0".to_owned(), events: vec![] };
    let made = endpoints::create(&house.service, &operator, new).await.unwrap();
    let other = house.second_node();
    let mut lines = house.master_key_lines.clone();
    let random = Counting::default();
    new_master_key_line(&random);
    for round in 1..=ROUNDS {
        // Each round under a further key, so that there is something to seal.
        let line = new_master_key_line(&random);
        lines = format!("{lines}\n{}", line.as_str());
        let rotating = house.with_master_keys(&lines);
        let moved = EndpointChange { url: Some(format!("https://shop.example/{round}")), ..EndpointChange::default() };
        let (rotated, moved) =
            join(rotate_master(&rotating), endpoints::change(&other, &operator, Some(merchant_id), made.endpoint.id, moved)).await;
        assert_eq!(rotated.unwrap(), ResealedSecrets { seen: 2, resealed: 2, lost: 0 }, "the gateway's and the endpoint's");
        let url = moved.unwrap().endpoint.url;
        let found = merchants::find(&other, &operator, Some(merchant_id)).await.unwrap().endpoints;
        assert_eq!(found[0].url, url);
        let newest = house.with_master_keys(&line);
        assert_eq!(endpoints::open_secret(&newest.master_keys, &found[0]).unwrap().len(), 32, "under the newest key");
    }
}

async fn two_rotations_of_a_credential_at_once_make_one_version(place: Place) {
    let house = House::build_on(place).await;
    let other = house.second_node();
    let operator = house.operator(Mode::Sandbox);
    let shop = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await;
    let holder = Holder::Merchant { merchant_id: shop.merchant.id };
    for _ in 0..ROUNDS {
        let token = house.token(Mode::Sandbox, holder.clone(), None).await;
        let lookup = token.splitn(4, '_').take(3).collect::<Vec<_>>().join("_");
        let rows = house.service.world.store.credentials_by_lookup("native", &lookup).await.unwrap();
        let rotate = |node| credentials::rotate(node, &operator, rows[0].id, NewKey::Token, 60);
        let (here, there) = join(rotate(&house.service), rotate(&other)).await;
        assert_eq!([here.is_ok(), there.is_ok()].into_iter().filter(|done| *done).count(), 1);
        let refused = here.err().or(there.err()).unwrap();
        assert!(matches!(refused, ServiceError::Refused(refundry_engine::Refusal::LimitReached { .. })), "{refused:?}");
        assert_eq!(house.service.world.store.credentials_by_lookup("native", &lookup).await.unwrap().len(), 2);
    }
}

async fn processes_that_install_at_once_make_one_gateway_key(place: Place) {
    let house = House::build_uninstalled(place).await;
    let others = [house.second_node(), house.second_node()];
    let installed = join_all([&house.service as &_, &others[0], &others[1]].map(install)).await;
    assert!(installed.iter().all(Result::is_ok), "{installed:?}");
    let rows = house.service.world.store.credentials_by_lookup(GATEWAY_DIALECT, GATEWAY_LOOKUP).await.unwrap();
    assert_eq!(rows.len(), 1);
}

async fn what_a_process_that_ends_did_not_begin_is_free_at_once(place: Place) {
    let house = House::build_on(place).await;
    let shop = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await;
    house.paid(&shop, "p1", "10.00 EUR").await;
    // Handed over by their commits, and leased as a server's store leases at once what is handed over.
    for number in 0..3 {
        refunds::create(&house.service, &shop.caller, refunds::NATIVE, refund(&format!("r{number}"), "p1", "1.00 EUR")).await.unwrap();
    }
    assert_eq!(house.crew.claim(Work::Refunds, 100).await.len(), 3);
    let others = Crew::new(Arc::new(house.second_node()), WorkerSettings::default());
    assert_eq!(others.claim(Work::Refunds, 100).await, [], "they are leased");
    house.crew.run(std::future::ready(())).await;
    house.crew.leave().await;
    let taken = others.claim(Work::Refunds, 100).await;
    assert_eq!(taken.len(), 3);
    for task in taken {
        others.perform(task).await;
    }
    for number in 0..3 {
        let paid = refunds::find_by_number(&house.service, &shop.caller, refunds::NATIVE, None, &format!("r{number}")).await.unwrap();
        assert_eq!(paid.state.name(), RefundStateName::Succeeded);
    }
    assert_eq!(house.service.observer.inbox.len(), 0);
}

async fn a_key_that_another_process_revoked_is_refused_after_two_seconds(place: Place) {
    let house = House::build_on(place).await;
    let (other, operator) = (house.second_node(), house.operator(Mode::Sandbox));
    let shop = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await;
    let lookup = shop.token.splitn(4, '_').take(3).collect::<Vec<_>>().join("_");
    let rows = house.service.world.store.credentials_by_lookup("native", &lookup).await.unwrap();
    assert!(house.caller(&shop.token).await.is_some());
    credentials::revoke(&other, &operator, rows[0].id, None).await.unwrap();
    house.clock.advance(KEY_AGE_MS_MAX);
    // None of those who come at once, after however long a silence, goes by what was known before.
    let callers = join_all((0..10).map(|_| house.caller(&shop.token))).await;
    assert!(callers.iter().all(Option::is_none));
}
