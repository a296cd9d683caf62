use std::sync::Arc;

use refundry_engine::Mode;
use refundry_engine::policy::PolicyPatch;
use refundry_service::error::Fault;
use refundry_service::ids::Ids;
use refundry_service::merchants::{self, NewMerchant};
use refundry_service::node_number::NodeNumber;
use refundry_service::world::World;
use refundry_service::{Service, ServiceError};

use crate::house::House;

const LEASE_MS: i64 = 60_000;

/// A process that leases its number, on the database of the house.
fn process(house: &House) -> (Service, NodeNumber) {
    let mut service = house.second_node();
    service.world = World { ids: Arc::new(Ids::unnumbered()), ..service.world };
    let number = NodeNumber::new(service.world.clone(), LEASE_MS);
    (service, number)
}

async fn makes_a_merchant(house: &House, service: &Service) -> Result<(), ServiceError> {
    let new = NewMerchant { name: "Acme".to_owned(), account: None, policy: PolicyPatch::default() };
    merchants::create(service, &house.operator(Mode::Sandbox), new).await.map(|_| ())
}

#[tokio::test]
async fn nothing_is_written_without_a_number_and_nothing_once_the_lease_is_over() {
    let house = House::build().await;
    let (service, number) = process(&house);
    let (now, ids) = (|| service.world.now(), &service.world.ids);
    let busy = Err(ServiceError::Fault(Fault::Busy));
    assert_eq!(makes_a_merchant(&house, &service).await, busy);
    number.take_first().await.unwrap();
    assert_eq!(makes_a_merchant(&house, &service).await, Ok(()));
    house.clock.advance(LEASE_MS - 1);
    assert_eq!(makes_a_merchant(&house, &service).await, Ok(()));
    assert!(ids.are_numbered_at(now()));
    house.clock.advance(1);
    assert_eq!(makes_a_merchant(&house, &service).await, busy, "somebody else may have the number by now");
    assert!(!ids.are_numbered_at(now()));
    number.take().await.unwrap();
    assert_eq!(makes_a_merchant(&house, &service).await, Ok(()));
    number.give_back().await;
    assert_eq!(makes_a_merchant(&house, &service).await, busy);
}

#[tokio::test]
async fn a_number_is_renewed_as_long_as_the_process_lives() {
    let house = House::build().await;
    let (service, number) = process(&house);
    number.take_first().await.unwrap();
    let keeping = tokio::spawn(async move { number.keep().await });
    for _ in 0..9 {
        while !house.clock.is_waited_for() {
            tokio::task::yield_now().await;
        }
        house.clock.advance(LEASE_MS / 3);
        let renewed_until = service.world.now().plus_ms(LEASE_MS - 1);
        while !service.world.ids.are_numbered_at(renewed_until) {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(makes_a_merchant(&house, &service).await, Ok(()));
    keeping.abort();
}

/// PostgreSQL judges by a clock of its own, which no test moves; who gets which number there is seen in the tests of the store.
mod sqlite_alone {
    use super::*;

    #[tokio::test]
    async fn processes_have_different_numbers_and_whoever_was_too_late_gets_another() {
        let house = House::build().await;
        let ((first, first_number), (second, second_number)) = (process(&house), process(&house));
        first_number.take_first().await.unwrap();
        second_number.take_first().await.unwrap();
        assert_eq!((first.world.ids.node(), second.world.ids.node()), (Some(0), Some(1)));

        house.clock.advance(LEASE_MS / 3);
        second_number.take().await.unwrap();
        let last_of_first = first.world.ids.one(house.service.world.now()).unwrap();
        house.clock.advance(2 * LEASE_MS / 3);
        let (third, third_number) = process(&house);
        third_number.take_first().await.unwrap();
        assert_eq!(third.world.ids.node(), Some(0), "the first did not renew");
        assert!(third.world.ids.one(house.service.world.now()).unwrap() > last_of_first);

        first_number.take().await.unwrap();
        assert_eq!((first.world.ids.node(), second.world.ids.node()), (Some(2), Some(1)));
        third_number.give_back().await;
        house.clock.advance(1);
        let (fourth, fourth_number) = process(&house);
        fourth_number.take_first().await.unwrap();
        assert_eq!(fourth.world.ids.node(), Some(0), "what was given back is free at once");
    }
}
