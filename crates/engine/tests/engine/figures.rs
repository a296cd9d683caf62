//! A merchant's money as the merchant reads it.

use std::collections::BTreeMap;

use refundry_engine::funds::figures::{Figures, figures};
use refundry_engine::payout::Pots;
use refundry_engine::settlement::SettlementTerms;
use refundry_engine::{MerchantId, chart};
use refundry_ledger::Balances;

#[test]
fn money_is_told_apart_and_may_be_below_zero() {
    let (merchant_id, euro) = (MerchantId::new(1), "EUR".parse().unwrap());
    let mut balances = Balances::default();
    for (account, minor) in [
        (chart::UNSETTLED, 500),
        (chart::AVAILABLE, -70),
        (chart::RESERVE, 30),
        (chart::FIXED_RESERVE, 40),
        (chart::EXPOSURE, -7),
        (chart::FEE_INCOME, 9),
        (chart::REFUNDS_IN_FLIGHT, 11),
    ] {
        balances.set(merchant_id, account, euro, minor);
    }
    let terms = SettlementTerms { fixed_reserve_minor: BTreeMap::from([("EUR".to_owned(), 100)]), ..SettlementTerms::default() };
    let mut pots = Pots::opened_with(-90);
    pots.reserve.opening_minor = 20;
    let of = |pots| figures((merchant_id, euro), &balances, pots, &terms, [1_000, 50]);
    let seen = of(Some(&pots));
    assert_eq!(seen.settleable, Figures { trade_minor: -90, after_deductions_minor: -97, reserve_minor: 20 });
    assert_eq!(seen.unsettled, Figures { trade_minor: 410, after_deductions_minor: 343, reserve_minor: 90 });
    assert_eq!((seen.paid_out_trade_minor, seen.paid_out_reserve_minor), (1_000, 50));
    assert_eq!((seen.refunds_in_flight_minor, seen.fees_minor, seen.owed_minor), (11, 9, 7));
    assert_eq!(of(None).settleable, Figures { trade_minor: -70, after_deductions_minor: -77, reserve_minor: 0 });
}
