//! What must hold after every command: the books balance and agree with the payments, the payments agree with their refunds, and every
//! refund that is not over has exactly one next step.

use std::collections::BTreeMap;

use refundry_engine::chart::{AVAILABLE, CHARGEBACKS, EXPOSURE, FX_CLEARING, REFUNDS_IN_FLIGHT, RESERVE, UNSETTLED};
use refundry_engine::dispute::{Dispute, DisputeKind, DisputeState};
use refundry_engine::payment::Payment;
use refundry_engine::refund::{Refund, RefundState};
use refundry_engine::task::{Task, TaskKind};
use refundry_engine::{Language, MerchantId, explain};
use refundry_ledger::{Balances, Currency, LedgerAccount};

use super::{Desk, MERCHANT};
use crate::sentences::settlement;

pub fn check(desk: &Desk) {
    check_books(desk);
    for payment in desk.snapshot.payments.values() {
        check_payment(desk, payment);
    }
    for refund in desk.snapshot.refunds.values() {
        check_refund(desk, refund);
    }
    check_queues(desk);
    let mut told: BTreeMap<MerchantId, i64> = BTreeMap::new();
    for event in &desk.events {
        let last = told.entry(event.merchant_id).or_default();
        *last += 1;
        assert_eq!(event.sequence, *last, "events are numbered without gaps");
    }
}

fn check_books(desk: &Desk) {
    let mut folded = Balances::default();
    for booked in &desk.entries {
        folded.post(&booked.entry).unwrap();
    }
    assert_eq!(folded, desk.snapshot.balances, "each balance is the fold of its postings");
    let mut sums: BTreeMap<(MerchantId, Currency), i64> = BTreeMap::new();
    for ((merchant_id, currency, _), minor) in folded.iter() {
        *sums.entry((merchant_id, currency)).or_default() += minor;
    }
    assert!(sums.values().all(|sum| *sum == 0), "every book balances: {sums:?}");

    let mut owned: BTreeMap<(MerchantId, Currency, LedgerAccount), i64> = BTreeMap::new();
    for payment in desk.snapshot.payments.values() {
        let book = (payment.merchant_id, payment.currency());
        *owned.entry((book.0, book.1, UNSETTLED)).or_default() += payment.unsettled_left.minor();
        *owned.entry((book.0, book.1, RESERVE)).or_default() += payment.reserve_left.minor();
        *owned.entry((book.0, book.1, EXPOSURE)).or_default() -= payment.exposure();
        for (receiver_id, part) in payment.sharing.iter().flat_map(|sharing| &sharing.receivers) {
            *owned.entry((*receiver_id, book.1, UNSETTLED)).or_default() += part.unsettled_minor;
        }
    }
    for payment in desk.snapshot.payments.values().filter(|payment| payment.foreign().is_some()) {
        let converted = payment.converted;
        *owned.entry((payment.merchant_id, payment.currency(), FX_CLEARING)).or_default() += converted.crossed_minor;
        *owned.entry((payment.merchant_id, payment.home_currency(), FX_CLEARING)).or_default() -= converted.settlement_minor;
        let nothing_crossed = converted.crossed_minor == 0 && payment.refunded.minor() == 0;
        assert!(!nothing_crossed || converted.settlement_minor.abs() <= 1, "what came back whole is worth nothing: {converted:?}");
    }
    for dispute in desk.snapshot.disputes.values().filter(|dispute| dispute.kind.moves_money()) {
        let taken = if dispute.is_open() { dispute.amount.minor() } else { 0 };
        *owned.entry((dispute.merchant_id, dispute.amount.currency(), CHARGEBACKS)).or_default() += taken;
    }
    for refund in desk.snapshot.refunds.values().filter(|refund| refund.drawn.is_some() && !refund.state.is_final()) {
        *owned.entry((refund.merchant_id, refund.amount.currency(), REFUNDS_IN_FLIGHT)).or_default() += refund.amount.minor();
    }
    for ((book, currency, account), minor) in owned {
        assert_eq!(folded.of(book, account, currency), minor, "{} is what the payments and refunds say", account.name());
    }
}

fn check_payment(desk: &Desk, payment: &Payment) {
    let counted = || desk.snapshot.refunds.values().filter(|refund| refund.payment_id == payment.id && refund.state.counts());
    let sum = |part: fn(&Refund) -> i64| counted().map(part).sum::<i64>();
    assert_eq!(payment.refunded.minor(), sum(|refund| refund.amount.minor()), "refunded is the sum of the refunds that count");
    assert_eq!(payment.refunded_marketing.minor(), sum(|refund| refund.marketing.minor()));
    assert_eq!(payment.fee_given_back.minor(), sum(|refund| refund.fee_given_back.minor()));
    assert_eq!(payment.refund_count as usize, counted().count());
    assert!(payment.refunded.minor() <= payment.captured.minor(), "never more than was captured");
    let disputes = || desk.snapshot.disputes.values().filter(|dispute| dispute.payment_id == payment.id);
    if disputes().next().is_some() {
        let stands =
            |dispute: &&Dispute| dispute.kind.moves_money() && !matches!(dispute.state, DisputeState::Won | DisputeState::Withdrawn);
        let charged_back: i64 = disputes().filter(stands).map(|dispute| dispute.amount.minor()).sum();
        assert_eq!(payment.charged_back.minor(), charged_back, "charged back is the sum of the chargebacks that stand");
        let open = |kind: DisputeKind| disputes().filter(|dispute| dispute.kind == kind && dispute.is_open()).count();
        assert_eq!(payment.open_chargebacks as usize, open(DisputeKind::Chargeback));
        assert_eq!(payment.open_retrievals as usize, open(DisputeKind::Retrieval));
    }
    assert!(payment.refunded_marketing.minor() <= payment.marketing.minor(), "never more marketing money than was given");
    assert!(
        sum(|refund| refund.user_part().minor()) <= payment.captured.minor() - payment.marketing.minor(),
        "nor more than the shopper paid"
    );
    assert!((0..=payment.fee.minor()).contains(&payment.fee_given_back.minor()), "the fee is given back once at most");
    for due_at in settlement::instants(payment) {
        let id = Task::settle_due(payment.merchant_id, due_at).id;
        assert!(desk.tasks.contains_key(&(payment.merchant_id, id)), "what comes free at an instant has its task: {payment:?}");
    }
    assert!(payment.settling.settle_at.is_none() || !payment.settled, "what is settled is not settled again");
    assert!(!payment.unsettled_left.is_negative() && !payment.reserve_left.is_negative(), "{payment:?}");
}

fn check_refund(desk: &Desk, refund: &Refund) {
    if let Some(draw) = refund.drawn {
        let lines = refund.sharing.as_ref().map_or(0, |of| of.lines_minor());
        let own = refund.amount.minor() - lines;
        assert_eq!(draw.unsettled_minor + draw.reserve_minor + draw.available_minor, own, "the draw is what receivers do not give");
        let drawn = refund.sharing.iter().flat_map(|of| &of.lines).filter_map(|line| line.drawn);
        assert_eq!(drawn.map(|drawn| drawn.unsettled_minor + drawn.available_minor).sum::<i64>(), lines, "and the lines are theirs");
        assert!(draw.unsettled_minor >= 0 && draw.reserve_minor >= 0 && draw.available_minor >= 0);
    }
    let task = desk.task(refund.id).map(|task| task.kind);
    match &refund.state {
        RefundState::Pending { holds } if holds.review.is_some() => assert_eq!(task, None, "a person has it"),
        RefundState::Pending { holds } if holds.is_empty() => assert_eq!(task, Some(TaskKind::SubmitRefund)),
        RefundState::Pending { .. } => assert_eq!(task, Some(TaskKind::ReleaseRefund)),
        RefundState::Submitted { .. } => assert!(matches!(task, Some(TaskKind::SubmitRefund | TaskKind::ResolveRefund))),
        RefundState::Unresolved { .. } => assert_eq!(task, Some(TaskKind::ResolveRefund)),
        RefundState::Succeeded { .. } | RefundState::Failed { .. } | RefundState::Cancelled { .. } | RefundState::Returned { .. } => {
            assert_eq!(task, None, "nothing is due for a refund that is over");
        }
    }
    let explained = explain(refund, desk.task(refund.id), desk.now);
    for language in Language::ALL {
        assert!(!explained.why.say(language).is_empty() && !explained.next.say(language).is_empty());
        assert!(!explained.who.text(language).is_empty());
    }
}

fn check_queues(desk: &Desk) {
    let mut waiting: BTreeMap<(MerchantId, Currency), i64> = BTreeMap::new();
    for refund in desk.snapshot.refunds.values() {
        let waits = matches!(&refund.state, RefundState::Pending { holds } if holds.funds.is_some());
        *waiting.entry((refund.merchant_id, refund.funding_currency())).or_default() += i64::from(waits);
    }
    for (queue, count) in waiting {
        assert_eq!(desk.snapshot.waiting.get(&queue).copied().unwrap_or(0), count, "waiting refunds are counted: {queue:?}");
        if count > 0 {
            check_wake_up(desk, queue.1);
        }
    }
}

/// The oldest that waits is not forgotten: when its money is there, somebody looks, at once or when its hour strikes.
fn check_wake_up(desk: &Desk, currency: Currency) {
    let Some(first) = desk.waiting(currency).first().map(|id| desk.refund(*id)) else { return };
    let policy = desk.policy(first);
    let place = desk.places(currency).remove(0);
    let available = desk.snapshot.balances.of(MERCHANT, AVAILABLE, currency);
    let may = policy.draw_available || place.needs_minor <= first.refund_fee.minor();
    if place.needs_minor > 0 && (available < place.needs_minor || !may) {
        return;
    }
    let on_credit = Task::release_waiting(MERCHANT, currency, desk.now);
    let looked_at = desk.tasks.contains_key(&(MERCHANT, on_credit.id));
    let looked_at_alone = desk.task(first.id).is_some_and(|task| task.due_at <= desk.now);
    let strikes = policy.funds_check.next_after(desk.now);
    let hour = desk.hours(currency).first().map(|task| task.due_at);
    let at_its_hour = strikes.is_some_and(|strikes| hour.is_some_and(|hour| hour <= strikes));
    assert!(looked_at || looked_at_alone || at_its_hour, "{} waits, its money is there, and nobody looks", first.id);
}
