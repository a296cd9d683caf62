use refundry_dialects::{Keys as _, Signer as _};
use refundry_engine::credential::Holder;
use refundry_engine::policy::PolicyPatch;
use refundry_engine::{Mode, Refusal};
use refundry_service::credentials::{self, NewCredential, NewKey};
use refundry_service::endpoints::{self, NewEndpoint};
use refundry_service::install::{GATEWAY_DIALECT, GATEWAY_LOOKUP};
use refundry_service::master_rotation::{ResealedSecrets, rotate_master};
use refundry_service::seal::new_master_key_line;
use refundry_service::signatures::{RsaSigner, Sm2Signer, Sm2Verifier, generate_sm2_keys};
use refundry_service::tokens::token_digest;
use refundry_service::{audit, authenticate, install};

use crate::house::{Counting, House, Shop, refused};

#[tokio::test]
async fn installing_twice_makes_one_gateway_key() {
    let house = House::build().await;
    install(&house.service).await.unwrap();
    let rows = house.service.world.store.credentials_by_lookup(GATEWAY_DIALECT, GATEWAY_LOOKUP).await.unwrap();
    assert_eq!(rows.len(), 1);
    let operator = house.operator(Mode::Live);
    let page = refundry_store::PageRequest::default();
    assert!(credentials::list(&house.service, &operator, None, page).await.unwrap().rows.is_empty(), "it is nobody's to revoke");
    let found = credentials::revoke(&house.service, &operator, rows[0].id, None).await;
    assert_eq!(refused(found), Refusal::Unknown { what: "credential".to_owned() });
}

#[tokio::test]
async fn a_token_proves_its_holder_until_it_is_revoked_and_is_stored_as_a_digest_only() {
    let house = House::build().await;
    let shop = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await;
    let lookup = authenticate::public_part(&shop.token).unwrap();
    assert!(lookup.starts_with("rk_test_"), "{lookup}");
    let rows = house.service.world.store.credentials_by_lookup("native", lookup).await.unwrap();
    assert_eq!(rows[0].proof, token_digest(&shop.token));
    assert!(!format!("{rows:?}").contains(&shop.token));

    for wrong in ["", "rk_test_", lookup, &format!("{lookup}_wrong"), &shop.token.to_uppercase(), "rk_test_0000000000000000_x"] {
        assert!(house.caller(wrong).await.is_none(), "{wrong}");
    }
    let operator = house.operator(Mode::Sandbox);
    credentials::revoke(&house.service, &operator, rows[0].id, None).await.unwrap();
    let page = refundry_store::PageRequest::default();
    let log = audit::list(&house.service, &operator, Some(shop.merchant.id), page).await.unwrap().rows;
    let about_keys = log.iter().filter(|line| line.subject == rows[0].id.to_string());
    assert_eq!(about_keys.map(|line| line.action).collect::<Vec<_>>(), ["credential.revoke", "credential.put"], "newest first");
    assert!(house.caller(&shop.token).await.is_none(), "the cache forgets what was revoked at once");
}

#[tokio::test]
async fn what_another_process_revokes_is_seen_after_two_seconds() {
    let house = House::build().await;
    let shop = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await;
    let other = house.with_master_keys(&house.master_key_lines);
    assert!(authenticate::bearer(&other, &shop.token).await.unwrap().is_some());
    let lookup = authenticate::public_part(&shop.token).unwrap();
    let rows = house.service.world.store.credentials_by_lookup("native", lookup).await.unwrap();
    credentials::revoke(&house.service, &house.operator(Mode::Sandbox), rows[0].id, None).await.unwrap();
    assert!(authenticate::bearer(&other, &shop.token).await.unwrap().is_some(), "the other process has not heard of it");
    house.clock.advance(2_000);
    assert!(authenticate::bearer(&other, &shop.token).await.unwrap().is_none());
}

#[tokio::test]
async fn a_rotation_overlaps_and_a_third_version_must_wait() {
    let house = House::build().await;
    let shop = house.shop(Mode::Live, "native", PolicyPatch::default()).await;
    let operator = house.operator(Mode::Live);
    let lookup = authenticate::public_part(&shop.token).unwrap();
    let first = house.service.world.store.credentials_by_lookup("native", lookup).await.unwrap().remove(0);
    let second = credentials::rotate(&house.service, &operator, first.id, NewKey::Token, 60).await.unwrap();
    let new_token = second.token.expect("shown once").to_string();
    assert_eq!(second.credential.key_version, 2);
    assert!(house.caller(&shop.token).await.is_some() && house.caller(&new_token).await.is_some());
    let third = credentials::rotate(&house.service, &operator, second.credential.id, NewKey::Token, 60).await;
    assert!(matches!(refused(third), Refusal::LimitReached { limit: 2, .. }));
    house.clock.advance(60_000);
    assert!(house.caller(&shop.token).await.is_none() && house.caller(&new_token).await.is_some());
    let third = credentials::rotate(&house.service, &operator, second.credential.id, NewKey::Token, 60).await.unwrap();
    credentials::revoke(&house.service, &operator, third.credential.id, None).await.unwrap();
    let fourth = credentials::rotate(&house.service, &operator, third.credential.id, NewKey::Token, 60).await;
    assert!(matches!(refused(fourth), Refusal::FieldInvalid { field, .. } if field == "credential_id"), "what is revoked stays dead");
}

#[tokio::test]
async fn nobody_hands_out_more_than_they_have() {
    let house = House::build().await;
    let shop = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await;
    let holder = Holder::Merchant { merchant_id: shop.merchant.id };
    let keeper = house.token(Mode::Sandbox, holder.clone(), Some(&["keys:write", "refunds:read"])).await;
    let keeper = house.caller(&keeper).await.unwrap();
    let wish = |holder: &Holder, words: &[&str]| NewCredential {
        holder: holder.clone(),
        dialect: "native".to_owned(),
        key: NewKey::Token,
        lookup: None,
        permissions: Some(words.iter().map(|word| (*word).to_owned()).collect()),
        name: "handed out".to_owned(),
        person_id: None,
        expires_at: None,
    };
    let service = &house.service;
    credentials::issue(service, &keeper, wish(&holder, &["refunds:read"])).await.unwrap();
    for (holder, words) in [
        (&holder, &["refunds:write"][..]),
        (&holder, &["refunds:everything"][..]),
        (&Holder::Operator { mode: Mode::Sandbox }, &["refunds:read"][..]),
        (&Holder::Platform { mode: Mode::Sandbox, merchant_ids: vec![shop.merchant.id] }, &["refunds:read"][..]),
    ] {
        refused(credentials::issue(service, &keeper, wish(holder, words)).await);
    }
    let lookup = authenticate::public_part(&shop.token).unwrap();
    let stronger = service.world.store.credentials_by_lookup("native", lookup).await.unwrap().remove(0);
    refused(credentials::rotate(service, &keeper, stronger.id, NewKey::Token, 60).await);
    let equipper = house.token(Mode::Sandbox, Holder::Operator { mode: Mode::Sandbox }, Some(&["keys:write"])).await;
    let equipper = house.caller(&equipper).await.unwrap();
    credentials::issue(service, &equipper, wish(&holder, &["refunds:write"])).await.unwrap();
    let himself = wish(&Holder::Operator { mode: Mode::Sandbox }, &["refunds:write"]);
    refused(credentials::issue(service, &equipper, himself).await);
    let other_mode = Holder::Operator { mode: Mode::Live };
    refused(credentials::issue(service, &house.operator(Mode::Sandbox), wish(&other_mode, &["refunds:read"])).await);
    let made_here = NewCredential { key: NewKey::BothPairs, dialect: "antom".to_owned(), ..wish(&holder, &[]) };
    refused(credentials::issue(service, &house.operator(Mode::Sandbox), made_here).await);
}

#[tokio::test]
async fn live_private_keys_are_never_made_here() {
    let house = House::build().await;
    let shop = house.shop(Mode::Live, "antom", PolicyPatch::default()).await;
    let new = NewCredential {
        holder: Holder::Terminal { merchant_id: shop.merchant.id, terminal_id: shop.terminal.id },
        dialect: "antom".to_owned(),
        key: NewKey::BothPairs,
        lookup: None,
        permissions: None,
        name: "till".to_owned(),
        person_id: None,
        expires_at: None,
    };
    let found = refused(credentials::issue(&house.service, &house.operator(Mode::Live), new).await);
    assert!(matches!(found, Refusal::FieldInvalid { .. }), "{found:?}");
}

#[tokio::test]
async fn after_a_rotation_of_the_master_key_the_old_one_may_go() {
    let house = House::build().await;
    let shop = house.shop(Mode::Sandbox, "antom", PolicyPatch::default()).await;
    house.antom_key(&shop, NewKey::BothPairs).await;
    let new = NewEndpoint { merchant_id: None, url: "https://shop.example/hook".to_owned(), events: Vec::new() };
    let issued = endpoints::create(&house.service, &shop.caller, new).await.unwrap();
    assert!(issued.secret.expect("shown once").starts_with("whsec_"));

    let random = Counting::default();
    refundry_service::random::Random::fill(&random, &mut [0; 800]);
    let new_line = new_master_key_line(&random).to_string();
    let both = house.with_master_keys(&format!("{}\n{new_line}", house.master_key_lines));
    let done = rotate_master(&both).await.unwrap();
    assert_eq!(done, ResealedSecrets { seen: 3, resealed: 3, lost: 0 }, "gateway, terminal, endpoint");
    assert_eq!(rotate_master(&both).await.unwrap(), ResealedSecrets { seen: 3, resealed: 0, lost: 0 });

    let new = house.with_master_keys(&new_line);
    let known = new.keyring.by_terminal(shop.merchant.id, shop.terminal.id, new.world.now()).await.unwrap().unwrap();
    assert!(known.signer(new.world.now()).is_some());
    let merchant = new.world.store.merchant(shop.merchant.id).await.unwrap().unwrap();
    assert_eq!(endpoints::open_secret(&new.master_keys, &merchant.endpoints[0]).unwrap().len(), 32);
    let old = house.with_master_keys(&house.master_key_lines);
    assert_eq!(rotate_master(&old).await.unwrap(), ResealedSecrets { seen: 3, resealed: 0, lost: 3 });
}

/// A credential of a Baofoo terminal's, by a key of one kind.
fn baofoo_wish(shop: &Shop, key: NewKey, lookup: Option<&str>) -> NewCredential {
    NewCredential {
        holder: Holder::Terminal { merchant_id: shop.merchant.id, terminal_id: shop.terminal.id },
        dialect: "baofoo".to_owned(),
        key,
        lookup: lookup.map(str::to_owned),
        permissions: None,
        name: "till".to_owned(),
        person_id: None,
        expires_at: None,
    }
}

#[tokio::test]
async fn a_terminal_may_move_from_rsa_to_sm2_and_keeps_its_numbers() {
    let house = House::build().await;
    let shop = house.shop(Mode::Sandbox, "baofoo", PolicyPatch::default()).await;
    let (service, operator) = (&house.service, house.operator(Mode::Sandbox));
    let first = credentials::issue(service, &operator, baofoo_wish(&shop, NewKey::BothPairs, Some("100000/200000"))).await.unwrap();
    let own = generate_sm2_keys(|bytes| bytes.fill(9));
    let key = NewKey::PublicKey(own.public_hex.clone());
    let second = credentials::rotate(service, &operator, first.credential.id, key, 3_600).await.unwrap().credential;
    assert_eq!((second.lookup.as_str(), second.scheme.as_str(), second.key_version), ("100000/200000", "sm2", 2));
    // In the overlap each proves itself by its own scheme, and is answered by the key that belongs to it.
    let now = service.world.now();
    let known = service.keyring.by_lookup("baofoo", "100000/200000", now).await.unwrap().expect("it was just made");
    let keys = known.keys("sm2", now);
    let signature = Sm2Signer::parse(&own.private_hex).unwrap().sign(b"text");
    assert!(keys.sm2(b"text", &signature) && !keys.sm2(b"other", &signature));
    assert!(keys.sm2(b"text", &signature));
    let answer = keys.proved_by().expect("it is proved").sm2_sign(b"answer").expect("it has a pair of SM2");
    assert!(Sm2Verifier::parse(&second.public_key).unwrap().verify(b"answer", &answer));
    let keys = known.keys("rsa", now);
    let pair = RsaSigner::parse(&first.private_key.expect("shown once")).unwrap();
    assert!(keys.rsa_sha256(None, b"text", &pair.sign(b"text")) && !keys.sm2(b"text", &signature));
}

#[tokio::test]
async fn both_pairs_of_sm2_are_made_here_for_the_sandbox_alone() {
    let house = House::build().await;
    let shop = house.shop(Mode::Sandbox, "baofoo", PolicyPatch::default()).await;
    let new = baofoo_wish(&shop, NewKey::BothSm2Pairs, None);
    let issued = credentials::issue(&house.service, &house.operator(Mode::Sandbox), new).await.unwrap();
    let private = Sm2Signer::parse(&issued.private_key.expect("shown once")).unwrap();
    assert_eq!(private.public_hex(), issued.credential.proof);
    assert_ne!(issued.credential.public_key, issued.credential.proof);
    assert_eq!(issued.credential.lookup.split('/').map(str::len).collect::<Vec<_>>(), [6, 6]);
    let live = house.shop(Mode::Live, "baofoo", PolicyPatch::default()).await;
    let new = baofoo_wish(&live, NewKey::BothSm2Pairs, None);
    refused(credentials::issue(&house.service, &house.operator(Mode::Live), new).await);
}

#[tokio::test]
async fn names_and_kinds_that_a_dialect_does_not_know_are_refused() {
    let house = House::build().await;
    let shop = house.shop(Mode::Sandbox, "baofoo", PolicyPatch::default()).await;
    let operator = house.operator(Mode::Sandbox);
    for lookup in ["100000", "/", "100000/", "/200000", "100000/200000/1", "12345678901234567/1", "a-b/1"] {
        refused(credentials::issue(&house.service, &operator, baofoo_wish(&shop, NewKey::BothPairs, Some(lookup))).await);
    }
    for key in [NewKey::Token, NewKey::SharedSecret(None)] {
        refused(credentials::issue(&house.service, &operator, baofoo_wish(&shop, key, None)).await);
    }
    let till = house.shop(Mode::Sandbox, "antom", PolicyPatch::default()).await;
    let antom = house.antom_key(&till, NewKey::BothPairs).await.credential;
    refused(credentials::rotate(&house.service, &operator, antom.id, NewKey::BothSm2Pairs, 60).await);
}
