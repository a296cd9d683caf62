//! Payouts and adjustments: what is written reads back, statements tie to postings, and money is never used twice.

use futures::executor::block_on;
use refundry_engine::adjustment::{AdjustmentKind, AdjustmentState};
use refundry_engine::command::{
    Act, AdvancePayout, DecideAdjustment, LeftToTerms, PayoutRun, PayoutStep, PreparePayout, ProposeAdjustment, RecordPayment,
    SettlePayment,
};
use refundry_engine::idempotency::IdempotencyKey;
use refundry_engine::payment::Payment;
use refundry_engine::payout::{Payout, PayoutKind, PayoutStateName};
use refundry_engine::rate::{DailyRate, Day};
use refundry_engine::{AdjustmentId, MerchantId, Outcome, PaymentId, PayoutId};
use refundry_ledger::Currency;
use refundry_store::{AdjustmentFilter, PageRequest, PayoutFilter, PayoutLine};

use crate::races::{asks, at_once_on};
use crate::stage::{self, Engine, Stage, also_in_shards, euro, on_both, stamp_id};

on_both! {
    payouts_read_back_with_their_lines
    adjustments_read_back
    what_comes_is_summed_up_in_the_currency_that_it_becomes
    a_payout_and_refunds_at_once_never_use_money_twice
    a_payout_that_does_not_tie_to_its_postings_is_named
}

also_in_shards! {
    payouts_read_back_with_their_lines
    adjustments_read_back
    a_payout_and_refunds_at_once_never_use_money_twice
}

fn settled(stage: &Stage, merchant_id: MerchantId, reference: &str, minor: i64) -> Payment {
    let payment = stage.payment(merchant_id, reference, minor);
    stage.must(Act::SettlePayment(SettlePayment { merchant_id, payment_id: payment.id }));
    payment
}

fn prepare(stage: &Stage, merchant_id: MerchantId) -> Act {
    Act::PreparePayout(PreparePayout {
        payout_id: PayoutId::new(stamp_id(&stage.stamp())),
        merchant_id,
        mode: None,
        kind: PayoutKind::Trade,
        currency: euro(0).currency(),
        run: PayoutRun::Scheduled { due_at: stage.now() },
    })
}

fn payout(outcome: Outcome) -> Payout {
    match outcome {
        Outcome::Payout { payout } => *payout,
        other => panic!("{other:?}"),
    }
}

fn advanced(stage: &Stage, of: &Payout, step: PayoutStep) -> Payout {
    payout(stage.must(Act::AdvancePayout(AdvancePayout { merchant_id: of.merchant_id, mode: None, payout_id: of.id, step })))
}

fn arrived(stage: &Stage, of: &Payout) -> Payout {
    advanced(stage, of, PayoutStep::Send { bank_reference: Some("B1".to_owned()) });
    advanced(stage, of, PayoutStep::Confirm)
}

/// All lines, a few at a time.
fn lines(stage: &Stage, payout: &Payout, limit: u32) -> Vec<PayoutLine> {
    let mut lines = Vec::new();
    let mut after = None;
    loop {
        let page = block_on(stage.store.payout_lines(payout, PageRequest { after, limit })).unwrap();
        lines.extend(page.rows);
        after = page.next;
        if after.is_none() {
            return lines;
        }
    }
}

fn ties(stage: &Stage, payout: &Payout) {
    let lines = lines(stage, payout, 2);
    assert_eq!(lines, self::lines(stage, payout, 200));
    let sum: i64 = lines.iter().map(|line| line.minor).sum();
    assert_eq!(payout.statement.opening_minor + sum, payout.statement.closing_minor);
    let count: i64 = payout.statement.movements.values().map(|sums| sums.debit_count + sums.credit_count).sum();
    assert_eq!(i64::try_from(lines.len()).unwrap(), count);
}

fn payouts_read_back_with_their_lines(engine: Engine) {
    let stage = Stage::new(engine);
    let (acme, other) = (stage.merchant(7), stage.merchant(8));
    let p1 = settled(&stage, acme, "p1", 10_000);
    settled(&stage, other, "p1", 7_000);
    settled(&stage, acme, "p2", 5_000);
    stage.refund(&p1, "r1", 3_000);
    let first = payout(stage.must(prepare(&stage, acme)));
    assert_eq!((first.amount, first.statement.closing_minor), (euro(12_000), 12_000));
    ties(&stage, &first);
    let of_p1: Vec<i64> = lines(&stage, &first, 200)
        .iter()
        .filter(|line| line.payment_reference.as_deref() == Some("p1") && line.payment_id == Some(p1.id))
        .map(|line| line.minor)
        .collect();
    assert_eq!(of_p1, [10_000, -3_000]);
    assert_eq!(block_on(stage.store.paid_out(acme)).unwrap(), []);
    let first = arrived(&stage, &first);
    assert_eq!(block_on(stage.store.payout(acme, first.id)).unwrap(), Some(first.clone()));
    assert_eq!(block_on(stage.store.payout(other, first.id)).unwrap(), None);

    settled(&stage, acme, "p3", 2_000);
    stage.refund(&p1, "r2", 500);
    let second = payout(stage.must(prepare(&stage, acme)));
    assert_eq!((second.amount, second.statement.opening_minor), (euro(1_500), 0));
    ties(&stage, &second);
    ties(&stage, &first);
    let of_other = payout(stage.must(prepare(&stage, other)));
    assert_eq!(of_other.amount, euro(7_000));

    let list = |filter: PayoutFilter| {
        let page = block_on(stage.store.payouts(&filter, PageRequest::default())).unwrap();
        page.rows.into_iter().map(|payout| payout.id).collect::<Vec<_>>()
    };
    let of_acme = || PayoutFilter { merchant_id: Some(acme), ..PayoutFilter::default() };
    assert_eq!(list(of_acme()), [second.id, first.id]);
    assert_eq!(list(PayoutFilter::default()), [of_other.id, second.id, first.id]);
    assert_eq!(list(PayoutFilter { state: Some(PayoutStateName::Paid), ..of_acme() }), [first.id]);
    assert_eq!(list(PayoutFilter { kind: Some(PayoutKind::Reserve), ..of_acme() }), []);
    assert_eq!(list(PayoutFilter { from: Some(second.prepared_at), ..of_acme() }), [second.id]);
    assert_eq!(list(PayoutFilter { paid_from: first.state.paid_at(), ..of_acme() }), [first.id]);
    let paid_out = block_on(stage.store.paid_out(acme)).unwrap();
    assert_eq!(paid_out.iter().map(|sum| (sum.kind, sum.minor, sum.count)).collect::<Vec<_>>(), [(PayoutKind::Trade, 12_000, 1)]);
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

fn what_comes_is_summed_up_in_the_currency_that_it_becomes(engine: Engine) {
    let stage = Stage::new(engine);
    let acme = stage.merchant(7);
    let mut terms = stage::merchant(acme);
    terms.policy.settlement.trade_days = Some(Some(3));
    terms.policy.settlement.rolling_reserve_bps = Some(1_000);
    terms.policy.settlement.reserve_days = Some(Some(5));
    stage.must(Act::PutMerchant(Box::new(terms)));
    let (euros, dollars): (Currency, Currency) = ("EUR".parse().unwrap(), "USD".parse().unwrap());
    let price = |price: &str| {
        let (price_mantissa, price_scale) = DailyRate::parse_price(price).unwrap();
        DailyRate { base: dollars, quoted: euros, day: Day::new(0), price_mantissa, price_scale }.quote()
    };
    let told = [("p1", "EUR", None), ("p2", "EUR", None), ("p3", "USD", Some("0.9")), ("p4", "USD", Some("0.9")), ("p5", "USD", None)];
    for (reference, currency, quoted) in told {
        let id = PaymentId::new(stamp_id(&stage.stamp()));
        let told = Payment { quote: quoted.map(price), ..stage::payment(acme, id, reference, stage::money(10_000, currency)) };
        let left_to_terms = LeftToTerms { fee: false, reserved: true };
        stage.must(Act::RecordPayment(Box::new(RecordPayment { left_to_terms, ..told.into() })));
    }
    let coming = |currency: Currency| block_on(stage.store.coming_settlements(acme, currency, stage.now().plus_days(30))).unwrap();
    let sums = |currency| coming(currency).iter().map(|line| (line.settled_minor, line.released_minor, line.payments)).collect::<Vec<_>>();
    assert_eq!(sums(euros), [(34_200, 0, 4), (0, 3_800, 4)], "two as they are, two at their rate");
    assert_eq!(sums(dollars), [(9_000, 0, 1), (0, 1_000, 1)]);
}

fn adjustments_read_back(engine: Engine) {
    let stage = Stage::new(engine);
    let (acme, other) = (stage.merchant(7), stage.merchant(8));
    let propose = |merchant_id: MerchantId, kind: AdjustmentKind| {
        let adjustment_id = AdjustmentId::new(stamp_id(&stage.stamp()));
        let reason = "agreed".to_owned();
        let key = IdempotencyKey::of_adjustment(merchant_id, kind.word().to_owned());
        let act = ProposeAdjustment { adjustment_id, merchant_id, mode: None, kind, amount: euro(300), reason, payment: None, key };
        stage.must(Act::ProposeAdjustment(act.clone()));
        let again = stage.must(Act::ProposeAdjustment(act));
        assert!(matches!(again, Outcome::AdjustmentIsKnown { adjustment_id: known } if known == adjustment_id), "{again:?}");
        adjustment_id
    };
    let (first, second) = (propose(acme, AdjustmentKind::Deduction), propose(acme, AdjustmentKind::OtherCredit));
    propose(other, AdjustmentKind::GivenBack);
    stage.must(Act::DecideAdjustment(DecideAdjustment {
        merchant_id: acme,
        mode: None,
        adjustment_id: first,
        payment_id: None,
        book: false,
    }));
    let found = block_on(stage.store.adjustment(acme, first)).unwrap().unwrap();
    assert_eq!((found.state, found.amount), (AdjustmentState::Rejected, euro(300)));
    assert_eq!(block_on(stage.store.adjustment(other, first)).unwrap(), None);
    let list = |filter: AdjustmentFilter| {
        let page = block_on(stage.store.adjustments(&filter, PageRequest::default())).unwrap();
        page.rows.into_iter().map(|adjustment| adjustment.id).collect::<Vec<_>>()
    };
    let of_acme = || AdjustmentFilter { merchant_id: Some(acme), ..AdjustmentFilter::default() };
    assert_eq!(list(of_acme()), [second, first]);
    assert_eq!(list(AdjustmentFilter { state: Some(AdjustmentState::Proposed), ..of_acme() }), [second]);
    assert_eq!(list(AdjustmentFilter::default()).len(), 3);
}

fn a_payout_and_refunds_at_once_never_use_money_twice(engine: Engine) {
    let stage = Stage::new(engine);
    let acme = stage.merchant(7);
    let payment = settled(&stage, acme, "p1", 10_000);
    let mut commands = asks(&stage, &payment, 60, |index| format!("r{index}"));
    for place in [5, 20, 40] {
        commands.insert(place, stage.command(prepare(&stage, acme)));
    }
    let outcomes = at_once_on(&[stage.store.as_ref()], commands);
    let refunded: i64 = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Outcome::Refund { .. }))).count() as i64 * 100;
    let payouts: Vec<Payout> = outcomes
        .into_iter()
        .filter_map(|outcome| match outcome.unwrap() {
            Outcome::Payout { payout } => Some(*payout),
            _ => None,
        })
        .collect();
    let [paid] = payouts.as_slice() else { panic!("one payout is prepared at a time: {payouts:?}") };
    assert_eq!(paid.amount.minor() + refunded, 10_000, "what was not refunded before the payout is in it, and nothing is left to refund");
    ties(&stage, paid);
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

fn a_payout_that_does_not_tie_to_its_postings_is_named(engine: Engine) {
    for (rule, sql) in [
        ("payout_statement_is_fold_of_postings", "UPDATE postings SET cause = 'other_item' WHERE cause = 'payment_settled' AND period = 1"),
        ("payout_statement_is_fold_of_postings", "UPDATE postings SET period = 2 WHERE cause = 'payment_settled'"),
        ("payout_is_its_posting", "UPDATE postings SET period = 2 WHERE cause = 'payout_prepared'"),
        ("payout_statement_adds_up", r#"UPDATE payouts SET body = replace(body, '"closing_minor":7000', '"closing_minor":7001')"#),
        (
            "payout_begins_where_the_one_before_ended",
            r#"UPDATE payouts SET body = replace(body, '"opening_minor":0', '"opening_minor":9')"#,
        ),
        ("payout_periods_have_no_gap", r#"UPDATE payouts SET body = replace(body, '"first_period":2', '"first_period":3')"#),
        ("turnover_is_fold_of_postings", "UPDATE postings SET period = 2 WHERE period = 3"),
        ("turnovers_are_the_balance", r#"UPDATE balances SET turnover = replace(turnover, '"opening_minor":0', '"opening_minor":4')"#),
    ] {
        let stage = Stage::new(engine);
        let acme = stage.merchant(7);
        settled(&stage, acme, "p1", 7_000);
        let first = payout(stage.must(prepare(&stage, acme)));
        arrived(&stage, &first);
        settled(&stage, acme, "p2", 2_000);
        let second = payout(stage.must(prepare(&stage, acme)));
        arrived(&stage, &second);
        settled(&stage, acme, "p3", 1_000);
        assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
        assert!(stage.spoil(sql) > 0, "{sql}");
        let report = block_on(stage.store.check_books()).unwrap();
        assert!(report.faults.iter().any(|fault| fault.rule == rule), "{sql} should break {rule}: {:?}", report.faults);
    }
}
