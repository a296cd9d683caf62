//! Random histories of trade, refunds, reserves, adjustments and payouts. The desk recomputes after each command every statement from the
//! postings, and the pots from the balance; here is what must hold besides.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use refundry_engine::adjustment::AdjustmentKind;
use refundry_engine::chart::{AVAILABLE, OPERATOR_CASH, PAID_OUT};
use refundry_engine::command::{
    Act, AdvancePayout, DecideAdjustment, PayoutRun, PayoutStep, PreparePayout, ProposeAdjustment, ReleaseReserve,
};
use refundry_engine::idempotency::IdempotencyKey;
use refundry_engine::payout::{PayoutKind, PayoutState, PayoutTerms, ReservePayouts};
use refundry_engine::policy::{FundsRule, PolicyPatch};
use refundry_engine::refund::AcquirerAnswer;
use refundry_engine::{Actor, AdjustmentId, Mode, Outcome, PaymentId, PayoutId, RefundId};
use refundry_ledger::{Currency, Money};

use crate::desk::{Desk, MERCHANT, one_of_the_operator, operator, request};

#[derive(Clone, Debug)]
enum Step {
    Pay { minor: i64, reserve: i64 },
    Settle(u8),
    Release(u8),
    Refund(u8, i64),
    Answer(u8, bool),
    Bounce(u8),
    TopUp(i64),
    Adjust(usize, i64),
    Prepare(PayoutKind, Option<i64>),
    Send(u8),
    Confirm(u8),
    Fail(u8),
    Cancel(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (one, amount) = (0u8..6, 1i64..5_000);
    let kind = || prop_oneof![3 => Just(PayoutKind::Trade), 1 => Just(PayoutKind::Reserve)];
    let step = prop_oneof![
        3 => (1_000i64..10_000, 0i64..900).prop_map(|(minor, reserve)| Step::Pay { minor, reserve }),
        3 => one.clone().prop_map(Step::Settle),
        2 => one.clone().prop_map(Step::Release),
        4 => (one.clone(), amount.clone()).prop_map(|(of, minor)| Step::Refund(of, minor)),
        3 => (one.clone(), any::<bool>()).prop_map(|(of, pays)| Step::Answer(of, pays)),
        1 => one.clone().prop_map(Step::Bounce),
        1 => amount.clone().prop_map(Step::TopUp),
        2 => (0usize..AdjustmentKind::ALL.len(), 1i64..800).prop_map(|(kind, minor)| Step::Adjust(kind, minor)),
        4 => (kind(), proptest::option::of(amount)).prop_map(|(kind, minor)| Step::Prepare(kind, minor)),
        3 => one.clone().prop_map(Step::Send),
        2 => one.clone().prop_map(Step::Confirm),
        1 => one.clone().prop_map(Step::Fail),
        1 => one.prop_map(Step::Cancel),
    ];
    prop::collection::vec(step, 1..70)
}

fn euro(minor: i64) -> Money {
    let currency: Currency = "EUR".parse().unwrap();
    Money::new(minor, currency)
}

/// The newest but so many of what there is.
fn pick<T: Copy>(made: &[T], back: u8) -> Option<T> {
    made.len().checked_sub(usize::from(back) + 1).map(|place| made[place])
}

#[derive(Default)]
struct Made {
    payments: Vec<PaymentId>,
    refunds: Vec<RefundId>,
    payouts: Vec<PayoutId>,
}

fn play(desk: &mut Desk, made: &mut Made, step: &Step, place: i64) {
    desk.now = desk.now.plus_seconds(1);
    match step {
        Step::Pay { minor, reserve } => {
            let id = PaymentId::new(1_000_000 + place);
            desk.pay(id, euro(*minor), |payment| payment.reserved = euro(*reserve));
            made.payments.push(id);
        }
        Step::Settle(back) => drop(pick(&made.payments, *back).map(|id| desk.settle(id))),
        Step::Release(back) => {
            if let Some(payment_id) = pick(&made.payments, *back) {
                desk.carry_out(operator(), Act::ReleaseReserve(ReleaseReserve { merchant_id: MERCHANT, mode: Mode::Live, payment_id }));
            }
        }
        Step::Refund(back, minor) => {
            let Some(payment_id) = pick(&made.payments, *back) else { return };
            let id = RefundId::new(2_000_000 + place);
            if let Outcome::Refund { .. } = desk.ask_as("shop", request(id, payment_id, euro(*minor), &format!("n{place}"))) {
                made.refunds.push(id);
            }
        }
        Step::Answer(back, pays) => {
            let Some(id) = pick(&made.refunds, *back) else { return };
            desk.submit(id);
            let answer = match pays {
                true => AcquirerAnswer::Approved { reference: None, arn: None },
                false => AcquirerAnswer::Declined { code: "51".to_owned(), text: "no".to_owned() },
            };
            let attempt = desk.refund(id).attempts;
            desk.answer(id, attempt, answer);
        }
        Step::Bounce(back) => drop(pick(&made.refunds, *back).map(|id| desk.bounce(id, "closed"))),
        Step::TopUp(minor) => drop(desk.top_up(euro(*minor), &format!("t{place}"))),
        Step::Adjust(kind, minor) => adjust(desk, AdjustmentKind::ALL[*kind], euro(*minor), place),
        Step::Prepare(kind, minor) => {
            let payout_id = PayoutId::new(3_000_000 + place);
            let run = match minor {
                Some(minor) => PayoutRun::Manual { amount: Some(euro(*minor)), note: None },
                None => PayoutRun::Scheduled { due_at: desk.now },
            };
            let act = PreparePayout { payout_id, merchant_id: MERCHANT, mode: None, kind: *kind, currency: euro(0).currency(), run };
            if let Outcome::Payout { .. } = desk.carry_out(operator(), Act::PreparePayout(act)) {
                made.payouts.push(payout_id);
            }
        }
        Step::Send(back) => advance(desk, made, *back, PayoutStep::Send { bank_reference: None }),
        Step::Confirm(back) => advance(desk, made, *back, PayoutStep::Confirm),
        Step::Fail(back) => advance(desk, made, *back, PayoutStep::Fail { reason: "closed".to_owned() }),
        Step::Cancel(back) => advance(desk, made, *back, PayoutStep::Cancel { reason: "later".to_owned() }),
    }
}

fn advance(desk: &mut Desk, made: &Made, back: u8, step: PayoutStep) {
    if let Some(payout_id) = pick(&made.payouts, back) {
        let act = AdvancePayout { merchant_id: MERCHANT, mode: None, payout_id, step };
        desk.carry_out(one_of_the_operator("ann"), Act::AdvancePayout(act));
    }
}

fn adjust(desk: &mut Desk, kind: AdjustmentKind, amount: Money, place: i64) {
    let adjustment_id = AdjustmentId::new(4_000_000 + place);
    let reason = "agreed".to_owned();
    let key = IdempotencyKey::of_adjustment(MERCHANT, adjustment_id.to_string());
    let propose = ProposeAdjustment { adjustment_id, merchant_id: MERCHANT, mode: None, kind, amount, reason, payment: None, key };
    desk.carry_out(Actor::System, Act::ProposeAdjustment(propose));
    let book = DecideAdjustment { merchant_id: MERCHANT, mode: None, adjustment_id, payment_id: None, book: true };
    desk.carry_out(operator(), Act::DecideAdjustment(book));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, rng_seed: RngSeed::Fixed(20_260_401), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn statements_are_what_was_posted_whatever_happens(steps in steps(), with_trade in any::<bool>(), waits in any::<bool>()) {
        let funds = if waits { FundsRule::Wait } else { FundsRule::Refuse };
        let mut desk = Desk::new(PolicyPatch { funds: Some(funds), ..PolicyPatch::default() });
        let reserve = if with_trade { ReservePayouts::WithTrade } else { ReservePayouts::Apart };
        desk.merchant().payout_terms.insert("EUR".to_owned(), PayoutTerms { reserve, ..PayoutTerms::default() });
        let mut made = Made::default();
        for (place, step) in steps.iter().enumerate() {
            let before = desk.snapshot.balances.of(MERCHANT, AVAILABLE, euro(0).currency());
            play(&mut desk, &mut made, step, place as i64);
            let after = desk.snapshot.balances.of(MERCHANT, AVAILABLE, euro(0).currency());
            let takes = !matches!(step, Step::Adjust(..) | Step::Answer(..) | Step::Bounce(_));
            prop_assert!(after >= 0 || after >= before || !takes, "{:?} took what is not there: {} to {}", step, before, after);
        }
        // What every payout says together is what the books say.
        let sum = |wanted: fn(&PayoutState) -> bool| -> i64 {
            desk.snapshot.payouts.values().filter(|payout| wanted(&payout.state)).map(|payout| payout.amount.minor()).sum()
        };
        let on_its_way = sum(|state| matches!(state, PayoutState::Prepared | PayoutState::Sent));
        prop_assert_eq!(desk.snapshot.balances.of(MERCHANT, PAID_OUT, euro(0).currency()), on_its_way);
        let arrived = sum(|state| matches!(state, PayoutState::Paid { .. }));
        let booked: i64 = desk.entries.iter().flat_map(|booked| booked.entry.postings().iter().map(move |posting| (booked.cause, posting)))
            .filter(|(cause, _)| ["payout_paid", "reserve_payout_paid", "payout_returned", "reserve_payout_returned"].contains(cause))
            .map(|(_, posting)| if posting.credit == OPERATOR_CASH { posting.amount.minor() } else { -posting.amount.minor() })
            .sum();
        prop_assert_eq!(booked, arrived, "what the bank paid is what arrived");
    }
}
