//! Sentences about terms of settlement, the tasks that keep them, and the goods of payments.

use std::collections::BTreeMap;

use refundry_engine::command::{
    Act, EndSettling, MarkPayment, PaymentMark, RecordShipmentState, RecordTracking, ReleaseFixedReserve, ReleaseReserve, SettleDue,
};
use refundry_engine::payment::Payment;
use refundry_engine::settlement::{SettlementCondition, ShipmentState};
use refundry_engine::task::{Task, TaskKind};
use refundry_engine::{Actor, Mode, Outcome, PaymentId, TaskId, Timestamp};

use super::{Words, money, next, payment};
use crate::desk::{BEGINNING_MS, Desk, MERCHANT, one_of_the_merchant, operator};

const US_PER_HOUR: i64 = 3_600_000_000;

pub fn terms(desk: &mut Desk, words: Words<'_>) -> String {
    let patch = &mut desk.merchant().policy.settlement;
    for word in words {
        let (rule, value) = word.split_once('=').unwrap_or_else(|| panic!("{word} is not rule=value"));
        match rule {
            "reviewed" => patch.reviewed = Some(value == "yes"),
            "trade_days" => patch.trade_days = Some(value.parse().ok()),
            "reserve_days" => patch.reserve_days = Some(value.parse().ok()),
            "utc_offset_minutes" => patch.utc_offset_minutes = value.parse().ok(),
            "condition" => patch.condition = SettlementCondition::ALL.into_iter().find(|condition| condition.word() == value),
            "reserve_bps" => patch.rolling_reserve_bps = value.parse().ok(),
            "fee_bps" => patch.fee_bps = value.parse().ok(),
            "fee_fixed_minor" => patch.fee_fixed_minor = value.parse().ok(),
            "fixed" => {
                let (currency, minor) = value.split_once(':').unwrap();
                patch.fixed_reserve_minor = Some(BTreeMap::from([(currency.to_owned(), minor.parse().unwrap())]));
            }
            other => panic!("no term is called {other}"),
        }
    }
    "set".to_owned()
}

pub fn track(desk: &mut Desk, mut words: Words<'_>) -> Outcome {
    let payment_id = payment(&mut words);
    let numbers = next(&mut words).split(',').map(str::to_owned).collect();
    let carrier_url = words.next().unwrap_or("https://carrier.example/track").to_owned();
    let act = RecordTracking { merchant_id: MERCHANT, mode: mode(&mut words), payment_id, numbers, carrier_url };
    desk.carry_out(one_of_the_merchant("shop"), Act::RecordTracking(act))
}

pub fn shipment(desk: &mut Desk, mut words: Words<'_>) -> Outcome {
    let payment_id = payment(&mut words);
    let state = ShipmentState::from_word(next(&mut words)).unwrap();
    let act = RecordShipmentState { merchant_id: MERCHANT, mode: mode(&mut words), payment_id, state };
    desk.carry_out(operator(), Act::RecordShipmentState(act))
}

pub fn mark(desk: &mut Desk, mut words: Words<'_>) -> Outcome {
    let payment_id = payment(&mut words);
    let mark = match next(&mut words) {
        "reviewed" => PaymentMark::Reviewed,
        "reconciled" => PaymentMark::Reconciled,
        other => panic!("no mark is called {other}"),
    };
    desk.carry_out(operator(), Act::MarkPayment(MarkPayment { merchant_id: MERCHANT, mode: mode(&mut words), payment_id, mark }))
}

pub fn release(desk: &mut Desk, mut words: Words<'_>) -> Outcome {
    match next(&mut words) {
        "reserve_of" => {
            let payment_id = payment(&mut words);
            let act = ReleaseReserve { merchant_id: MERCHANT, mode: mode(&mut words), payment_id };
            desk.carry_out(operator(), Act::ReleaseReserve(act))
        }
        "fixed_but" => {
            let keep = money(&mut words);
            let act = ReleaseFixedReserve { merchant_id: MERCHANT, mode: mode(&mut words), keep };
            desk.carry_out(operator(), Act::ReleaseFixedReserve(act))
        }
        other => panic!("nothing is released by {other}"),
    }
}

/// What the worker does with the tasks that are due, `page` payments at a time.
pub fn run_due(desk: &mut Desk, mut words: Words<'_>) -> String {
    let page = words.next().map_or(usize::MAX, |page| page.parse().unwrap());
    let due = |task: &&Task, now: Timestamp| task.kind == TaskKind::SettleDue && task.due_at <= now;
    let (mut turns, mut done) = (0, 0);
    while let Some(task_id) = desk.tasks.values().find(|task| due(task, desk.now)).map(|task| task.id) {
        turns += 1;
        assert!(turns < 1_000, "the task never ends");
        for payment_id in due_payments(desk).into_iter().take(page) {
            let outcome = desk.carry_out(Actor::System, Act::SettleDue(SettleDue { merchant_id: MERCHANT, payment_id }));
            assert!(matches!(outcome, Outcome::Payment { .. }), "{outcome:?}");
            done += 1;
        }
        end(desk, task_id);
    }
    format!("{done} done in {turns} turns")
}

fn end(desk: &mut Desk, task_id: TaskId) {
    let again_at = desk.now;
    let outcome = desk.carry_out(Actor::System, Act::EndSettling(EndSettling { merchant_id: MERCHANT, task_id, again_at }));
    assert_eq!(outcome, Outcome::Done);
}

fn due_payments(desk: &Desk) -> Vec<PaymentId> {
    let is_due = |payment: &&Payment| instants(payment).any(|at| at <= desk.now);
    desk.snapshot.payments.values().filter(is_due).map(|payment| payment.id).collect()
}

/// When the money of a payment comes free, in days and hours since the beginning.
pub fn due(payment: &Payment) -> String {
    let since = |at: Option<Timestamp>| match at {
        None => "not set".to_owned(),
        Some(at) => {
            let hours = (at.us() - Timestamp::from_ms(BEGINNING_MS).us()) / US_PER_HOUR;
            format!("day {} hour {}", hours.div_euclid(24), hours.rem_euclid(24))
        }
    };
    format!("settles {}, reserve {}", since(payment.settling.settle_at), since(payment.settling.reserve_release_at))
}

pub fn instants(payment: &Payment) -> impl Iterator<Item = Timestamp> + use<> {
    payment.settling.settle_at.into_iter().chain(payment.settling.reserve_release_at)
}

fn mode(words: &mut Words<'_>) -> Mode {
    if words.next_if_eq(&"in_sandbox").is_some() { Mode::Sandbox } else { Mode::Live }
}
