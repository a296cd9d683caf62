//! Disputes and daily rates, on every database: what is kept of them, and a chargeback that meets refunds.

use futures::executor::block_on;
use refundry_engine::command::{Act, ChangeDispute, CollectExposure, RecordDispute, SettlePayment};
use refundry_engine::dispute::{Dispute, DisputeChange, DisputeKey, DisputeKind, DisputeState};
use refundry_engine::merchant::Mode;
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::rate::{DailyRate, PutRates};
use refundry_engine::{DisputeId, Outcome};
use refundry_store::{DisputeFilter, OpenDisputes, PageRequest, PaymentFilter, RateFilter};

use crate::races::{asks, at_once_on};
use crate::stage::{Engine, Stage, also_in_shards, euro, on_both};

on_both! {
    a_dispute_is_read_back_counted_and_listed
    a_chargeback_and_refunds_at_once_never_take_more_without_saying_so
    an_exposure_that_is_not_posted_is_named
    rates_are_replaced_and_read_by_day
}

also_in_shards! {
    a_dispute_is_read_back_counted_and_listed
    a_chargeback_and_refunds_at_once_never_take_more_without_saying_so
}

fn told(stage: &Stage, payment: &Payment, kind: DisputeKind, id: i64) -> RecordDispute {
    RecordDispute {
        dispute_id: DisputeId::new(id),
        merchant_id: payment.merchant_id,
        mode: Mode::Live,
        payment: PaymentKey::Id(payment.id),
        kind,
        category: kind.categories()[0],
        amount: payment.captured,
        network_reference: format!("case {id}"),
        reason_code: "10.4".to_owned(),
        reason: "fraud".to_owned(),
        opened_at: stage.now(),
        reply_by: Some(stage.now().plus_days(7)),
    }
}

fn record(stage: &Stage, told: RecordDispute) -> Dispute {
    match stage.act(Act::RecordDispute(Box::new(told))) {
        Ok(Outcome::Dispute { dispute, .. }) => *dispute,
        other => panic!("{other:?}"),
    }
}

fn a_dispute_is_read_back_counted_and_listed(engine: Engine) {
    let stage = Stage::new(engine);
    let payment = stage.payment(stage.merchant(1), "p1", 10_000);
    let chargeback = record(&stage, told(&stage, &payment, DisputeKind::Chargeback, 1));
    let retrieval = record(&stage, told(&stage, &payment, DisputeKind::Retrieval, 2));
    assert_eq!(record(&stage, told(&stage, &payment, DisputeKind::Chargeback, 1)), chargeback, "told again");
    let find = |key| block_on(stage.store.dispute(payment.merchant_id, &key)).unwrap();
    assert_eq!(find(DisputeKey::Id(chargeback.id)), Some(chargeback.clone()));
    assert_eq!(find(DisputeKey::NetworkReference("case 2".to_owned())), Some(retrieval.clone()));
    let open = |kind| OpenDisputes { kind, state: DisputeState::Open, count: 1 };
    let counted = block_on(stage.store.open_disputes(payment.merchant_id)).unwrap();
    assert_eq!(counted, [open(DisputeKind::Chargeback), open(DisputeKind::Retrieval)]);
    let won = ChangeDispute {
        merchant_id: payment.merchant_id,
        mode: Mode::Live,
        dispute_id: chargeback.id,
        payment_id: payment.id,
        change: DisputeChange::Win,
        note: "delivered".to_owned(),
    };
    stage.act(Act::ChangeDispute(Box::new(won))).expect("it is open");
    let list = |filter: DisputeFilter| -> Vec<DisputeId> {
        let filter = DisputeFilter { merchant_id: Some(payment.merchant_id), ..filter };
        block_on(stage.store.disputes(&filter, PageRequest::default())).unwrap().rows.into_iter().map(|row| row.id).collect()
    };
    assert_eq!(list(DisputeFilter::default()), [retrieval.id, chargeback.id], "newest first");
    assert_eq!(list(DisputeFilter { open: true, ..DisputeFilter::default() }), [retrieval.id]);
    assert_eq!(list(DisputeFilter { state: Some(DisputeState::Won), ..DisputeFilter::default() }), [chargeback.id]);
    assert_eq!(list(DisputeFilter { payment_id: Some(payment.id), ..DisputeFilter::default() }).len(), 2);
    assert_eq!(list(DisputeFilter { kind: Some(DisputeKind::FraudReport), ..DisputeFilter::default() }), []);
    assert_eq!(find(DisputeKey::Id(chargeback.id)).unwrap().body.note, "delivered");
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

fn a_chargeback_and_refunds_at_once_never_take_more_without_saying_so(engine: Engine) {
    let stage = Stage::new(engine);
    let payment = stage.payment(stage.merchant(1), "p1", 10_000);
    let mut commands = asks(&stage, &payment, 40, |index| format!("r{index}"));
    let chargeback = told(&stage, &payment, DisputeKind::Chargeback, 1);
    commands.insert(20, stage.command(Act::RecordDispute(Box::new(chargeback))));
    for outcome in at_once_on(&[stage.store.as_ref()], commands) {
        outcome.expect("nothing is at fault");
    }
    let key = PaymentKey::Id(payment.id);
    let after = block_on(stage.store.payment(payment.merchant_id, &key)).unwrap().unwrap();
    let balances = block_on(stage.store.balances(payment.merchant_id)).unwrap();
    let exposure = balances.iter().find(|row| row.account.name() == "exposure").map_or(0, |row| -row.minor);
    let beyond = after.refunded.minor() + after.charged_back.minor() - after.captured.minor();
    assert_eq!((exposure, after.charged_back), (beyond, payment.captured), "what is beyond the payment is exposure, to the cent");
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

/// Refunded in part, charged back whole, and paid back in part by the merchant.
fn an_exposure_that_is_not_posted_is_named(engine: Engine) {
    for sql in [
        r#"UPDATE payments SET settling = replace(settling, '"collected_minor":400', '"collected_minor":500')"#,
        "UPDATE payments SET settling = NULL WHERE settling LIKE '%claim%'",
        "UPDATE payments SET refunded_minor = refunded_minor + 7 WHERE charged_back_minor > 0",
    ] {
        let stage = Stage::new(engine);
        let acme = stage.merchant(1);
        let [payment, other] = ["p1", "p2"].map(|reference| stage.payment(acme, reference, 10_000));
        stage.must(Act::SettlePayment(SettlePayment { merchant_id: acme, payment_id: other.id }));
        stage.refund(&payment, "r1", 1_500);
        record(&stage, told(&stage, &payment, DisputeKind::Chargeback, 1));
        let exposed = PaymentFilter { merchant_id: Some(acme), exposed: true, ..PaymentFilter::default() };
        let exposed = block_on(stage.store.payments(&exposed, PageRequest::default())).unwrap().rows;
        assert_eq!(exposed.iter().map(|payment| (payment.id, payment.exposure())).collect::<Vec<_>>(), [(payment.id, 1_500)]);
        let leave = euro(1_100);
        stage.must(Act::CollectExposure(CollectExposure { merchant_id: acme, mode: Mode::Live, payment_id: payment.id, leave }));
        assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
        assert!(stage.spoil(sql) > 0, "{sql}");
        let report = block_on(stage.store.check_books()).unwrap();
        assert!(report.faults.iter().any(|fault| fault.rule == "exposure_is_sum_of_payments"), "{sql}: {:?}", report.faults);
    }
}

fn rates_are_replaced_and_read_by_day(engine: Engine) {
    let stage = Stage::new(engine);
    let rate = |day: &str, price_mantissa: i64| DailyRate {
        base: "USD".parse().unwrap(),
        quoted: "CNY".parse().unwrap(),
        day: day.parse().unwrap(),
        price_mantissa,
        price_scale: 4,
    };
    let put = |rates: Vec<DailyRate>| stage.act(Act::PutRates(PutRates { rates })).expect("rates are kept");
    put(vec![rate("2026-01-30", 71_000), rate("2026-01-31", 71_234)]);
    put(vec![rate("2026-01-31", 72_000), rate("2026-01-31", 72_500)]);
    let read = |filter: RateFilter| block_on(stage.store.rates(filter)).unwrap();
    let all = RateFilter { limit: 10, ..RateFilter::default() };
    assert_eq!(read(all), [rate("2026-01-31", 72_500), rate("2026-01-30", 71_000)], "the last of a day counts");
    assert_eq!(read(RateFilter { to: Some("2026-01-30".parse().unwrap()), ..all }), [rate("2026-01-30", 71_000)]);
    assert_eq!(read(RateFilter { base: Some("EUR".parse().unwrap()), ..all }), []);
}
