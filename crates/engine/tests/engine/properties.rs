//! Whatever is asked, in whatever order: the desk checks after each command what must always hold; here is what must hold besides.

use std::collections::BTreeMap;

use crate::desk::{Desk, MERCHANT, request};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use refundry_engine::chart::{AVAILABLE, FEE_INCOME, RESERVE, UNSETTLED};
use refundry_engine::command::CreateRefund;
use refundry_engine::policy::{FeeRule, FundsCheck, FundsOrder, FundsRule, PolicyPatch, ReviewRule};
use refundry_engine::refund::{AcquirerAnswer, Refund, RefundState};
use refundry_engine::task::Task;
use refundry_engine::{Mode, Outcome, PaymentId, RefundId};
use refundry_ledger::{Currency, Money};

const PAYMENTS: i64 = 3;
const CAPTURED_MINOR: i64 = 10_000;

#[derive(Clone, Debug)]
enum Step {
    Ask { payment: i64, minor: i64, marketing: i64, number: u8 },
    Cancel(u8),
    Review(u8, bool),
    Release(u8),
    Submit(u8),
    Answer(u8, u32, Answer),
    Arn(u8, u8),
    Bounce(u8),
    Settle(i64),
    TopUp(i64),
    Serve(usize),
    Strike(usize),
    OldPage(usize),
    Wait(i64),
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Approved,
    Declined,
    NeverSent,
    Acknowledged,
    Unclear,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let refund = 0u8..12;
    let answer = prop_oneof![
        3 => Just(Answer::Approved),
        2 => Just(Answer::Declined),
        1 => Just(Answer::NeverSent),
        1 => Just(Answer::Acknowledged),
        1 => Just(Answer::Unclear),
    ];
    let amount = prop_oneof![1i64..=CAPTURED_MINOR, Just(CAPTURED_MINOR), 1i64..100];
    let step = prop_oneof![
        6 => (0..PAYMENTS, amount, prop_oneof![Just(0), 0i64..2_000], 0u8..16)
            .prop_map(|(payment, minor, marketing, number)| Step::Ask { payment, minor, marketing, number }),
        1 => refund.clone().prop_map(Step::Cancel),
        2 => (refund.clone(), any::<bool>()).prop_map(|(refund, passes)| Step::Review(refund, passes)),
        2 => refund.clone().prop_map(Step::Release),
        6 => refund.clone().prop_map(Step::Submit),
        6 => (refund.clone(), 0u32..3, answer).prop_map(|(refund, behind, answer)| Step::Answer(refund, behind, answer)),
        1 => (refund.clone(), 0u8..2).prop_map(|(refund, arn)| Step::Arn(refund, arn)),
        1 => refund.prop_map(Step::Bounce),
        1 => (0..PAYMENTS).prop_map(Step::Settle),
        1 => (1i64..20_000).prop_map(Step::TopUp),
        2 => (1usize..4).prop_map(Step::Serve),
        1 => (1usize..4).prop_map(Step::Strike),
        1 => (1usize..4).prop_map(Step::OldPage),
        1 => (0i64..40 * 24).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..80)
}

fn policies() -> impl Strategy<Value = PolicyPatch> {
    let funds = (
        prop_oneof![2 => Just(FundsRule::Wait), 1 => Just(FundsRule::Refuse), 1 => Just(FundsRule::FailLater)],
        prop_oneof![Just(FundsOrder::Strict), Just(FundsOrder::Skip)],
        prop_oneof![2 => Just(FundsCheck::OnCredit), 1 => Just(FundsCheck::oceanpayment())],
    );
    let review = prop_oneof![3 => Just(ReviewRule::None), 1 => Just(ReviewRule::All), 1 => Just(ReviewRule::Above { minor: 5_000 })];
    let fee = prop_oneof![Just(FeeRule::Keep), Just(FeeRule::GiveBack)];
    let draws = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.9));
    (funds, review, fee, draws, prop_oneof![Just(0i64), 1i64..50], prop_oneof![3 => Just(0u32), 1 => Just(60u32)]).prop_map(
        |(funds, review, original_fee, (unsettled, reserve, available), refund_fee_minor, undo_seconds)| PolicyPatch {
            funds: Some(funds.0),
            funds_order: Some(funds.1),
            funds_check: Some(funds.2),
            review: Some(review),
            original_fee: Some(original_fee),
            draw_unsettled: Some(unsettled),
            draw_reserve: Some(reserve),
            draw_available: Some(available),
            refund_fee_minor: Some(refund_fee_minor),
            undo_seconds: Some(undo_seconds),
            second_person: Some(true),
            ..PolicyPatch::default()
        },
    )
}

fn euro() -> Currency {
    "EUR".parse().unwrap()
}

fn payment(number: i64) -> PaymentId {
    PaymentId::new(1_000_000 + number)
}

/// The desk with three payments that differ in fee, reserve and marketing.
fn desk(policy: PolicyPatch) -> Desk {
    let mut desk = Desk::new(policy);
    for number in 0..PAYMENTS {
        desk.pay(payment(number), Money::new(CAPTURED_MINOR, euro()), |payment| {
            payment.fee = Money::new(299 * number, euro());
            payment.reserved = Money::new(1_000 * (2 - number), euro());
            payment.marketing = Money::new(1_500 * (number % 2), euro());
        });
    }
    desk
}

/// Plays the steps; the refunds that were accepted are numbered in their order.
fn play(desk: &mut Desk, steps: &[Step]) {
    let mut refunds: Vec<RefundId> = Vec::new();
    let mut of_number: BTreeMap<u8, RefundId> = BTreeMap::new();
    for (place, step) in steps.iter().enumerate() {
        let pick = |number: &u8| refunds.get(usize::from(*number)).copied();
        let number = place as i64;
        match step {
            Step::Ask { payment: of, minor, marketing, number: name } => {
                let id = RefundId::new(2_000_000 + number);
                let create = CreateRefund {
                    marketing: Some(Money::new(*marketing, euro())),
                    ..request(id, payment(*of), Money::new(*minor, euro()), &format!("n{name}"))
                };
                let others_wait = !desk.waiting(euro()).is_empty();
                if let Outcome::Refund { refund, replayed, .. } = desk.ask_as("shop", create) {
                    assert!(replayed || !others_wait || !takes_available(&refund), "a new refund overtakes nobody");
                    let first = of_number.entry(*name).or_insert(refund.id);
                    assert_eq!(*first, refund.id, "one number is one refund");
                    assert_eq!(replayed, refund.id != id);
                    if !replayed {
                        refunds.push(id);
                    }
                }
            }
            Step::Settle(of) => drop(desk.settle(payment(*of))),
            Step::TopUp(minor) => drop(desk.top_up(Money::new(*minor, euro()), &format!("t{number}"))),
            Step::Serve(page) => in_order(desk, |desk| drop(desk.serve(euro(), *page))),
            Step::Strike(page) => in_order(desk, |desk| {
                let now = desk.now;
                let struck = desk.hours(euro()).into_iter().find(|task| task.due_at <= now);
                struck.into_iter().for_each(|task| drop(desk.serve_task(task, *page)));
            }),
            Step::OldPage(page) => in_order(desk, |desk| {
                // Whoever carries out a task that was replaced meanwhile has an older page.
                let task = Task { due_at: desk.now.plus_seconds(-1), ..Task::release_waiting(MERCHANT, euro(), desk.now) };
                drop(desk.serve_task(task, *page));
            }),
            Step::Wait(hours) => desk.now = desk.now.plus_seconds(3_600 * hours),
            Step::Cancel(refund)
            | Step::Review(refund, _)
            | Step::Release(refund)
            | Step::Submit(refund)
            | Step::Answer(refund, _, _)
            | Step::Arn(refund, _)
            | Step::Bounce(refund) => {
                if let Some(id) = pick(refund) {
                    play_on_refund(desk, id, step);
                }
            }
        }
    }
}

fn takes_available(refund: &Refund) -> bool {
    refund.drawn.is_some_and(|draw| draw.available_minor > 0 || refund.refund_fee.is_positive())
}

/// Where the order is strict, nobody who takes available money leaves somebody older behind.
fn in_order(desk: &mut Desk, look: impl FnOnce(&mut Desk)) {
    let before = desk.waiting(euro());
    look(desk);
    let oldest_left = desk.waiting(euro()).first().copied();
    for id in before {
        let refund = desk.refund(id);
        let overtakes = takes_available(refund) && oldest_left.is_some_and(|oldest| oldest < id);
        assert!(!overtakes || desk.policy(refund).funds_order == FundsOrder::Skip, "{id} overtook {oldest_left:?}");
    }
}

fn play_on_refund(desk: &mut Desk, id: RefundId, step: &Step) {
    let before = desk.refund(id).clone();
    match step {
        Step::Cancel(_) => drop(desk.cancel(id, Mode::Live)),
        Step::Review(_, passes) => drop(desk.review(id, "ann", *passes, before.content_hash())),
        Step::Release(_) => drop(desk.release(id)),
        Step::Submit(_) => drop(desk.submit(id)),
        Step::Answer(_, behind, answer) => drop(desk.answer(id, before.attempts.saturating_sub(*behind), in_words(*answer))),
        Step::Arn(_, arn) => drop(desk.arn(id, &format!("ARN{arn}"))),
        Step::Bounce(_) => drop(desk.bounce(id, "closed")),
        Step::Ask { .. } | Step::Settle(_) | Step::TopUp(_) => unreachable!("not about one refund"),
        Step::Serve(_) | Step::Strike(_) | Step::OldPage(_) | Step::Wait(_) => unreachable!("not about one refund"),
    }
    let after = desk.refund(id);
    assert!(!before.state.is_final() || after.state.is_final(), "an end is final");
    assert!(before.state.counts() || !after.state.counts(), "what does not count any more never counts again");
    let reached = |state: &RefundState| matches!(state, RefundState::Succeeded { .. } | RefundState::Returned { .. });
    assert!(!before.state.is_final() || reached(&before.state) == reached(&after.state), "success and failure do not change places");
}

fn in_words(answer: Answer) -> AcquirerAnswer {
    match answer {
        Answer::Approved => AcquirerAnswer::Approved { reference: None, arn: None },
        Answer::Declined => AcquirerAnswer::Declined { code: "51".to_owned(), text: "no".to_owned() },
        Answer::NeverSent => AcquirerAnswer::NeverSent,
        Answer::Acknowledged => AcquirerAnswer::Acknowledged { reference: None },
        Answer::Unclear => AcquirerAnswer::Unclear,
    }
}

/// Submits, answers, passes and serves until nothing moves: no refund is stuck without a next step.
fn finish(desk: &mut Desk, answer: Answer) {
    for _ in 0..4 {
        desk.now = desk.now.plus_days(31);
        let open: Vec<RefundId> =
            desk.snapshot.refunds.values().filter(|refund| !refund.state.is_final()).map(|refund| refund.id).collect();
        for id in open {
            let seen = desk.refund(id).content_hash();
            desk.review(id, "ann", true, seen);
            desk.release(id);
            desk.submit(id);
            let attempts = desk.refund(id).attempts;
            desk.answer(id, attempts, in_words(answer));
        }
    }
    assert!(desk.snapshot.refunds.values().all(|refund| refund.state.is_final()), "everything comes to an end");
    assert!(desk.snapshot.waiting.values().all(|waiting| *waiting == 0), "nobody waits");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, rng_seed: RngSeed::Fixed(20_260_101), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_must_hold_holds(policy in policies(), steps in steps()) {
        let mut desk = desk(policy);
        play(&mut desk, &steps);
        finish(&mut desk, Answer::Approved);
    }

    /// When every refund fails or is cancelled, the books say what they said before, but for what was paid in and settled.
    #[test]
    fn refunds_that_fail_leave_nothing_behind(policy in policies(), steps in steps()) {
        let undone = |step: &Step| match step {
            Step::Answer(_, _, Answer::Approved) | Step::Bounce(_) => false,
            Step::Ask { marketing, .. } => *marketing == 0,
            Step::Answer(..) | Step::Cancel(_) | Step::Review(..) | Step::Release(_) | Step::Submit(_) | Step::Arn(..) => true,
            Step::Settle(_) | Step::TopUp(_) | Step::Serve(_) | Step::Strike(_) | Step::OldPage(_) | Step::Wait(_) => true,
        };
        let steps: Vec<Step> = steps.into_iter().filter(undone).collect();
        let mut with_refunds = desk(policy.clone());
        play(&mut with_refunds, &steps);
        finish(&mut with_refunds, Answer::Declined);
        let mut without = desk(policy);
        for step in &steps {
            match step {
                Step::Settle(of) => drop(without.settle(payment(*of))),
                Step::TopUp(minor) => drop(without.top_up(Money::new(*minor, euro()), &format!("w{}", without.entries.len()))),
                Step::Ask { .. } | Step::Cancel(_) | Step::Review(..) | Step::Release(_) | Step::Submit(_) | Step::Answer(..) => {}
                Step::Arn(..) | Step::Bounce(_) | Step::Serve(_) | Step::Strike(_) | Step::OldPage(_) | Step::Wait(_) => {}
            }
        }
        let of = |desk: &Desk, account| desk.snapshot.balances.of(MERCHANT, account, euro());
        for account in [UNSETTLED, AVAILABLE, RESERVE, FEE_INCOME] {
            prop_assert_eq!(of(&with_refunds, account), of(&without, account), "{}", account.name());
        }
    }
}
