//! What must hold of payouts after every command: the pots are the available money, and every statement is what was posted.

use std::collections::BTreeMap;

use refundry_engine::MerchantId;
use refundry_engine::chart::{AVAILABLE, PAID_OUT};
use refundry_engine::payout::{Payout, PayoutStateName, Sums, cause_of_preparing, pot_of};
use refundry_ledger::Currency;

use super::{Desk, MERCHANT};

pub fn check(desk: &Desk) {
    for ((merchant_id, currency), pots) in &desk.snapshot.pots {
        let balance = desk.snapshot.balances.of(*merchant_id, AVAILABLE, *currency);
        assert_eq!(pots.trade.balance_minor() + pots.reserve.balance_minor(), balance, "the pots are the available money");
    }
    let mut on_its_way: BTreeMap<Currency, i64> = BTreeMap::new();
    for payout in desk.snapshot.payouts.values() {
        check_statement(desk, payout);
        if matches!(payout.state.name(), PayoutStateName::Prepared | PayoutStateName::Sent) {
            *on_its_way.entry(payout.amount.currency()).or_default() += payout.amount.minor();
        }
    }
    for (currency, minor) in on_its_way {
        assert_eq!(desk.snapshot.balances.of(MERCHANT, PAID_OUT, currency), minor, "what is on its way to the bank");
    }
}

fn check_statement(desk: &Desk, payout: &Payout) {
    let statement = &payout.statement;
    let mut movements: BTreeMap<String, Sums> = BTreeMap::new();
    let mut set_aside = 0;
    let last = statement.last_period();
    let is_of = |book: MerchantId, currency: Currency| book == payout.merchant_id && currency == payout.amount.currency();
    for booked in &desk.entries {
        for posting in booked.entry.postings().iter().filter(|posting| is_of(posting.book, posting.amount.currency())) {
            let (period, minor) = (booked.period(payout.amount.currency()), posting.amount.minor());
            if !statement.is_line(booked.cause, period) || ![posting.debit, posting.credit].contains(&AVAILABLE) {
                continue;
            }
            if booked.cause == cause_of_preparing(payout.kind) {
                assert_eq!(period, last, "the payout is the last of its period");
                set_aside += minor;
                continue;
            }
            let sums = if posting.debit == AVAILABLE {
                Sums { debit_minor: minor, debit_count: 1, ..Sums::default() }
            } else {
                Sums { credit_minor: minor, credit_count: 1, ..Sums::default() }
            };
            movements.entry(booked.cause.to_owned()).or_default().add(sums);
        }
    }
    assert_eq!(movements, statement.movements, "the statement is what was posted");
    assert_eq!(set_aside, payout.amount.minor(), "the payout is what was posted for it");
    let net: i64 = movements.values().map(Sums::net_minor).sum();
    assert_eq!(statement.opening_minor + net, statement.closing_minor);
    assert!(payout.amount.is_positive() && payout.amount.minor() <= statement.closing_minor, "never more than there was");
    let earlier = desk.snapshot.payouts.values().filter(|other| {
        other.amount.currency() == payout.amount.currency() && other.kind == payout.kind && other.statement.last_period() < last
    });
    let before = earlier.max_by_key(|other| other.statement.last_period());
    let left = before.map(|before| before.statement.closing_minor - before.amount.minor());
    if let (Some(left), [covered]) = (left, statement.covers.as_slice()) {
        assert_eq!((left, covered.pot), (statement.opening_minor, payout.kind), "a statement begins where the one before it ended");
    }
    assert!(statement.movements.keys().all(|cause| statement.covers.iter().any(|part| part.pot == pot_of(cause))));
}
