//! The character U+0000, which not every database keeps: refused by name wherever a caller can send it, on every database alike.

use refundry_engine::payment::{PaymentDetails, PaymentKey};
use refundry_engine::policy::PolicyPatch;
use refundry_engine::{Mode, Refusal};
use refundry_service::endpoints::{self, NewEndpoint};
use refundry_service::merchants::{self, NewMerchant};
use refundry_service::refunds::{self, NATIVE, NewRefund};
use refundry_service::terminals::{self, TerminalChange};
use refundry_service::{ServiceError, funds, payments};
use refundry_store::{PageRequest, PaymentFilter, RefundFilter};

use crate::house::{House, Place, money, payment, refund};

const BROKEN: &str = "a\0b";

#[tokio::test]
async fn no_text_brings_the_character_nul_into_sqlite() {
    every_text_is_checked(House::build_on(Place::sqlite()).await).await;
}

#[tokio::test]
async fn no_text_brings_the_character_nul_into_postgres() {
    every_text_is_checked(House::build_on(Place::postgres()).await).await;
}

async fn every_text_is_checked(house: House) {
    let shop = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await;
    house.paid(&shop, "p1", "100.00 EUR").await;
    let (service, caller, operator) = (&house.service, &shop.caller, house.operator(Mode::Sandbox));
    let (now, broken) = (service.world.now(), || BROKEN.to_owned());

    let told = |change: fn(&mut payments::NewPayment)| {
        let mut new = payment(&shop, "p2", "1.00 EUR", now);
        change(&mut new);
        payments::record(service, &operator, new)
    };
    refused("payment_reference", told(|new| new.payment_reference = BROKEN.to_owned()).await);
    refused("merchant_reference", told(|new| new.merchant_reference = BROKEN.to_owned()).await);
    refused("method", told(|new| new.method = BROKEN.to_owned()).await);
    refused("notify_url", told(|new| new.notify_url = Some(format!("https://shop.example/{BROKEN}"))).await);

    let asked = |number: &str, reference: &str, change: fn(&mut NewRefund)| {
        let mut new = refund(number, reference, "1.00 EUR");
        change(&mut new);
        refunds::create(service, caller, NATIVE, new)
    };
    refused("number", asked(BROKEN, "p1", |_| ()).await);
    refused("payment_reference", asked("r1", BROKEN, |_| ()).await);
    refused("merchant_reference", asked("r1", "p1", |new| new.wish.merchant_reference = Some(BROKEN.to_owned())).await);
    refused("reason", asked("r1", "p1", |new| new.wish.reason = Some(BROKEN.to_owned())).await);
    refused("metadata", asked("r1", "p1", |new| new.wish.metadata = Some(BROKEN.to_owned())).await);
    refused("notify_url", asked("r1", "p1", |new| new.wish.notify_url = Some(format!("https://shop.example/{BROKEN}"))).await);
    refused("number", refunds::find_by_number(service, caller, NATIVE, None, BROKEN).await);
    refused("number", refunds::remembered(service, caller, NATIVE, None, BROKEN).await);
    let filter = RefundFilter { number: Some(broken()), ..RefundFilter::default() };
    refused("number", refunds::list(service, caller, filter, PageRequest::default()).await);

    refused("payment_reference", payments::find(service, caller, None, &PaymentKey::Reference(broken())).await);
    let filter = PaymentFilter { merchant_reference: Some(broken()), ..PaymentFilter::default() };
    refused("merchant_reference", payments::list(service, caller, filter, PageRequest::default()).await);
    refused("number", funds::top_up(service, &operator, Some(shop.merchant.id), money("1.00 EUR"), broken()).await);
    let new = NewMerchant { name: broken(), account: None, policy: PolicyPatch::default() };
    refused("name", merchants::create(service, &operator, new).await);
    let change = TerminalChange { name: Some(broken()), ..TerminalChange::default() };
    refused("name", terminals::change(service, &operator, Some(shop.merchant.id), shop.terminal.id, change).await);
    let new = NewEndpoint { merchant_id: None, url: format!("https://shop.example/{BROKEN}"), events: Vec::new() };
    refused("url", endpoints::create(service, caller, new).await);

    // What is kept as JSON spells it out.
    let mut new = payment(&shop, "p3", "1.00 EUR", now);
    new.details = PaymentDetails { note: Some(broken()), ..PaymentDetails::default() };
    payments::record(service, &operator, new).await.unwrap();
    let found = payments::find(service, caller, None, &PaymentKey::Reference("p3".to_owned())).await.unwrap();
    assert_eq!(found.details.note.as_deref(), Some(BROKEN));
    asked("r1", "p1", |_| ()).await.unwrap();
    house.work().await;
}

fn refused<T>(field: &str, result: Result<T, ServiceError>) {
    match result.map(|_| ()) {
        Err(ServiceError::Refused(Refusal::FieldInvalid { field: named, .. })) if named == field => {}
        other => panic!("{field}: {other:?}"),
    }
}
