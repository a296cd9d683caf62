//! Sentences about payouts, their terms and adjustments.

use std::collections::BTreeMap;

use refundry_engine::adjustment::AdjustmentKind;
use refundry_engine::command::{
    Act, AdvancePayout, CollectExposure, DecideAdjustment, PayoutRun, PayoutStep, PreparePayout, ProposeAdjustment, ReleaseReserve,
};
use refundry_engine::idempotency::IdempotencyKey;
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::payout::{Payout, PayoutDays, PayoutKind, PayoutTerms, ReservePayouts, Sums};
use refundry_engine::task::Task;
use refundry_engine::{Actor, AdjustmentId, Mode, Outcome, PayoutId};
use refundry_ledger::{Currency, Money};

use super::{Words, answers, money, next, number, payment};
use crate::desk::{Desk, MERCHANT, one_of_the_operator, operator};

const PAYOUTS_FROM: i64 = 3_000_000;
const ADJUSTMENTS_FROM: i64 = 4_000_000;

/// A payout in words.
pub fn payout(payout: &Payout) -> String {
    format!("{} {} {}", payout.kind.word(), payout.amount, payout.state.name().word())
}

pub fn terms_or_payout(desk: &mut Desk, mut words: Words<'_>) -> String {
    let verb = next(&mut words);
    match verb {
        "terms" => return terms(desk, words),
        "task" => {
            let (kind, currency) = (kind(&mut words), currency(&mut words));
            let id = Task::prepare_payout(MERCHANT, currency, kind, desk.now).id;
            return answers::task(desk.tasks.get(&(MERCHANT, id)), desk.now);
        }
        "statement" => return statement(desk, id(&mut words)),
        "release" => {
            let payment_id = super::payment(&mut words);
            let act = ReleaseReserve { merchant_id: MERCHANT, mode: desk.merchant().mode, payment_id };
            return answers::outcome(&desk.carry_out(operator(), Act::ReleaseReserve(act)));
        }
        _ => {}
    }
    let payout_id = id(&mut words);
    let outcome = match verb {
        "prepare" => {
            let (kind, currency) = (kind(&mut words), currency(&mut words));
            let amount = words.next_if_eq(&"over").map(|_| money(&mut words));
            let run = PayoutRun::Manual { amount, note: None };
            prepare(desk, by(&mut words), PreparePayout { payout_id, merchant_id: MERCHANT, mode: None, kind, currency, run })
        }
        "run" => {
            let (kind, currency) = (kind(&mut words), currency(&mut words));
            let run = PayoutRun::Scheduled { due_at: desk.now };
            prepare(desk, Actor::System, PreparePayout { payout_id, merchant_id: MERCHANT, mode: None, kind, currency, run })
        }
        _ => {
            let step = match verb {
                "send" => PayoutStep::Send { bank_reference: None },
                "confirm" => PayoutStep::Confirm,
                "fail" => PayoutStep::Fail { reason: next(&mut words).to_owned() },
                "cancel" => PayoutStep::Cancel { reason: next(&mut words).to_owned() },
                other => panic!("a payout cannot {other}"),
            };
            let act = AdvancePayout { merchant_id: MERCHANT, mode: None, payout_id, step };
            desk.carry_out(by(&mut words), Act::AdvancePayout(act))
        }
    };
    answers::outcome(&outcome)
}

fn prepare(desk: &mut Desk, actor: Actor, act: PreparePayout) -> Outcome {
    desk.carry_out(actor, Act::PreparePayout(act))
}

/// `collect p1 leave 5.00 EUR`.
pub fn collect(desk: &mut Desk, mut words: Words<'_>) -> Outcome {
    let payment_id = payment(&mut words);
    let leave = match words.next() {
        Some(_) => money(&mut words),
        None => Money::zero(desk.payment(payment_id).currency()),
    };
    let act = CollectExposure { merchant_id: MERCHANT, mode: Mode::Live, payment_id, leave };
    desk.carry_out(one_of_the_operator("ann"), Act::CollectExposure(act))
}

/// `owed p1`: what is owed for a payment, and what became of the rest.
pub fn owed(payment: &Payment) -> String {
    let major = |minor: i64| Money::new(minor, payment.currency()).major();
    let claim = payment.settling.claim;
    format!("{} collected {} written_off {}", major(payment.exposure()), major(claim.collected_minor), major(claim.written_off_minor))
}

/// `adjust a1 deduction 5.00 EUR by ann`, then `adjust a1 book by bob`.
pub fn adjust(desk: &mut Desk, mut words: Words<'_>) -> Outcome {
    let adjustment_id = AdjustmentId::new(ADJUSTMENTS_FROM + number(next(&mut words), 'a'));
    let verb = next(&mut words);
    let act = match AdjustmentKind::from_word(verb) {
        Some(kind) => {
            let amount = money(&mut words);
            let reason = "agreed".to_owned();
            let (mut about, mut number) = (None, adjustment_id.to_string());
            while let Some(word) = words.next_if(|word| ["for", "called"].contains(word)) {
                match word {
                    "for" => about = Some(PaymentKey::Id(payment(&mut words))),
                    _ => number = next(&mut words).to_owned(),
                }
            }
            let key = IdempotencyKey::of_adjustment(MERCHANT, number);
            Act::ProposeAdjustment(ProposeAdjustment {
                adjustment_id,
                merchant_id: MERCHANT,
                mode: None,
                kind,
                amount,
                reason,
                payment: about,
                key,
            })
        }
        None => {
            assert!(["book", "reject"].contains(&verb), "nobody can {verb} an adjustment");
            let known = desk.snapshot.adjustments.get(&(MERCHANT, adjustment_id));
            let payment_id = known.and_then(|known| known.payment_id);
            Act::DecideAdjustment(DecideAdjustment { merchant_id: MERCHANT, mode: None, adjustment_id, payment_id, book: verb == "book" })
        }
    };
    desk.carry_out(by(&mut words), act)
}

fn terms(desk: &mut Desk, mut words: Words<'_>) -> String {
    let currency = currency(&mut words);
    let mut terms = PayoutTerms { utc_offset_minutes: 0, ..PayoutTerms::default() };
    for word in words {
        let (rule, value) = word.split_once('=').unwrap_or((word, ""));
        match rule {
            "daily" => terms.days = PayoutDays::Daily,
            "weekly" => {
                terms.days = PayoutDays::Weekly { weekdays: value.split(',').map(|day| day.parse().unwrap()).collect() };
            }
            "monthly" => terms.days = PayoutDays::Monthly { days: value.split(',').map(|day| day.parse().unwrap()).collect() },
            "minute" => terms.at_minute = value.parse().unwrap(),
            "minimum_minor" => terms.minimum_minor = value.parse().unwrap(),
            "keep_minor" => terms.keep_minor = value.parse().unwrap(),
            "on_hold" => terms.on_hold = true,
            "reserve_with_trade" => terms.reserve = ReservePayouts::WithTrade,
            other => panic!("no term is called {other}"),
        }
    }
    let mut merchant = desk.merchant().clone();
    merchant.payout_terms.insert(currency.code().to_owned(), terms);
    answers::outcome(&desk.carry_out(operator(), Act::PutMerchant(Box::new(merchant))))
}

fn statement(desk: &Desk, id: PayoutId) -> String {
    let payout = &desk.snapshot.payouts[&(MERCHANT, id)];
    let major = |minor: i64| Money::new(minor, payout.amount.currency()).major();
    let parts: BTreeMap<_, Sums> = payout.statement.parts();
    let parts: String = parts
        .iter()
        .map(|(part, sums)| format!(" {} {} ({})", part.word(), major(sums.net_minor()), sums.debit_count + sums.credit_count))
        .collect();
    let (opening, closing) = (major(payout.statement.opening_minor), major(payout.statement.closing_minor));
    format!("opening {opening}{parts} closing {closing} payout {}", payout.amount.major())
}

fn id(words: &mut Words<'_>) -> PayoutId {
    PayoutId::new(PAYOUTS_FROM + number(next(words), 'b'))
}

fn kind(words: &mut Words<'_>) -> PayoutKind {
    PayoutKind::from_word(next(words)).expect("a kind of payout")
}

fn currency(words: &mut Words<'_>) -> Currency {
    next(words).parse().unwrap()
}

fn by(words: &mut Words<'_>) -> Actor {
    match words.next_if_eq(&"by") {
        Some(_) => one_of_the_operator(next(words)),
        None => operator(),
    }
}
