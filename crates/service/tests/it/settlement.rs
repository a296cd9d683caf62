//! Settlement by terms on a clock that the test moves: many payments of one day, tracking numbers that money waits for, and what merchants see.

use refundry_engine::policy::{FundsRule, PolicyPatch};
use refundry_engine::refund::RefundStateName;
use refundry_engine::settlement::{SettlementCondition, SettlementPatch};
use refundry_engine::{Mode, Refusal};
use refundry_service::shipments::{self, PaymentNames, TrackingRow};
use refundry_service::{payments, refunds, settlement};

use crate::house::{House, payment, refund};

const DAY_MS: i64 = 86_400_000;

fn terms(condition: SettlementCondition) -> PolicyPatch {
    let settlement = SettlementPatch { trade_days: Some(Some(2)), condition: Some(condition), ..SettlementPatch::default() };
    PolicyPatch { settlement, funds: Some(FundsRule::Wait), draw_unsettled: Some(false), ..PolicyPatch::default() }
}

#[tokio::test]
async fn ten_thousand_payments_of_one_day_are_settled_in_pages_and_free_who_waits() {
    let house = House::build().await;
    let shop = house.shop(Mode::Sandbox, "native", terms(SettlementCondition::None)).await;
    let (service, operator) = (&house.service, house.operator(Mode::Sandbox));
    let now = service.world.now();
    let many = (0..10_000).map(|number| payment(&shop, &format!("p{number}"), "1.00 EUR", now)).collect();
    assert!(payments::import(service, &operator, many).await.iter().all(Result::is_ok));
    house.work().await;
    let waits = refunds::create(service, &shop.caller, refunds::NATIVE, refund("r1", "p7", "1.00 EUR")).await.unwrap().refund;
    assert_eq!(waits.state.name(), RefundStateName::Pending);
    let coming = settlement::coming(service, &shop.caller, None, None, 3).await.unwrap();
    assert_eq!(coming.iter().map(|(_, line)| (line.settled_minor, line.payments)).collect::<Vec<_>>(), [(1_000_000, 10_000)]);
    house.clock.advance(2 * DAY_MS);
    house.work().await;
    let seen = settlement::overview(service, &shop.caller, None).await.unwrap();
    assert_eq!(seen.as_of, service.world.now());
    let figures = seen.figures[0];
    assert_eq!((figures.settleable.trade_minor, figures.unsettled.trade_minor), (999_900, 999_900), "one euro went back");
    let freed = refunds::find(service, &shop.caller, None, waits.id).await.unwrap();
    assert_eq!(freed.state.name(), RefundStateName::Succeeded);
    assert_eq!(service.world.store.task_figures(service.world.now()).await.unwrap().open, [], "the task of the day is over");
    assert_eq!(settlement::coming(service, &shop.caller, None, None, 3).await.unwrap(), []);
}

#[tokio::test]
async fn a_batch_of_tracking_numbers_says_of_each_row_what_became_of_it() {
    let house = House::build().await;
    let shop = house.shop(Mode::Sandbox, "native", terms(SettlementCondition::TrackingUploaded)).await;
    let service = &house.service;
    for reference in ["p1", "p2", "p3"] {
        house.paid(&shop, reference, "10.00 EUR").await;
    }
    let row = |reference: Option<&str>, order: Option<&str>, numbers: &str| TrackingRow {
        names: PaymentNames { payment_reference: reference.map(str::to_owned), merchant_reference: order.map(str::to_owned) },
        tracking_numbers: numbers.to_owned(),
        carrier_url: "https://carrier.example/track".to_owned(),
    };
    let rows = vec![
        row(Some("p1"), None, "LX1,LX2"),
        row(None, Some("order-p2"), "LX3"),
        row(Some("p3"), Some("order-p1"), "LX4"),
        row(Some("p3"), None, "LX 5"),
        row(Some("p9"), None, "LX6"),
        row(None, None, "LX7"),
    ];
    house.clock.advance(3 * DAY_MS);
    house.work().await;
    let told = shipments::import_tracking(service, &shop.caller, None, rows).await.unwrap();
    let settled: Vec<bool> = told.iter().filter_map(|result| result.as_ref().ok()).map(|payment| payment.settled).collect();
    assert_eq!(settled, [true, true], "their day had come, so the number settles them");
    let why = |result: &Result<_, _>| match result {
        Err(refundry_service::ServiceError::Refused(refusal)) => refusal.code(),
        _ => "taken",
    };
    assert_eq!(
        told.iter().map(why).collect::<Vec<_>>(),
        ["taken", "taken", "unknown_payment", "field_invalid", "unknown_payment", "field_invalid"]
    );
    let none = shipments::import_tracking(service, &shop.caller, None, Vec::new()).await;
    assert!(matches!(none, Err(refundry_service::ServiceError::Refused(Refusal::FieldInvalid { .. }))));
}
