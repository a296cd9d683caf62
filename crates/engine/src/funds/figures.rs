//! A merchant's money of one currency as the merchant reads it, from the books alone.

use refundry_ledger::{Balances, Currency, Money};

use crate::MerchantId;
use crate::payment::SettlementQuote;
use crate::payout::Pots;
use crate::posting_rules::{self, Standing};
use crate::settlement::SettlementTerms;

/// Three ways to look at money that was not paid out, in minor units; each may be below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// What was traded, less refunds. Fees are taken at the capture, so it stands behind them.
    pub trade_minor: i64,
    /// What would be left of it behind what the merchant owes and what the fixed reserve still lacks.
    pub after_deductions_minor: i64,
    /// What is held as reserve, or was and is released.
    pub reserve_minor: i64,
}

/// A merchant's money of one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FundsFigures {
    /// The currency.
    pub currency: Currency,
    /// What can be paid out: its day came and its conditions are met.
    pub settleable: Figures,
    /// What was not paid out yet, whether it can be or not.
    pub unsettled: Figures,
    /// What was paid out of the trade in all.
    pub paid_out_trade_minor: i64,
    /// What was paid out of the reserve in all.
    pub paid_out_reserve_minor: i64,
    /// What is on its way out for refunds.
    pub refunds_in_flight_minor: i64,
    /// What the operator took as fees in all, less what it gave back.
    pub fees_minor: i64,
    /// What the merchant owes beyond its balances.
    pub owed_minor: i64,
}

impl FundsFigures {
    /// Nothing of a currency.
    pub fn none(currency: Currency) -> Self {
        let none = Figures::default();
        Self {
            currency,
            settleable: none,
            unsettled: none,
            paid_out_trade_minor: 0,
            paid_out_reserve_minor: 0,
            refunds_in_flight_minor: 0,
            fees_minor: 0,
            owed_minor: 0,
        }
    }

    /// These and others, which a rate converts into this currency when they are of another, each figure for itself.
    #[must_use]
    pub fn with(self, other: &Self, rate: Option<&SettlementQuote>) -> Self {
        let worth = |minor: i64| rate.map_or(minor, |rate| rate.convert(Money::new(minor, other.currency)).map_or(0, Money::minor));
        let add = |own: i64, minor: i64| own.saturating_add(worth(minor));
        let add_all = |own: Figures, other: Figures| Figures {
            trade_minor: add(own.trade_minor, other.trade_minor),
            after_deductions_minor: add(own.after_deductions_minor, other.after_deductions_minor),
            reserve_minor: add(own.reserve_minor, other.reserve_minor),
        };
        Self {
            currency: self.currency,
            settleable: add_all(self.settleable, other.settleable),
            unsettled: add_all(self.unsettled, other.unsettled),
            paid_out_trade_minor: add(self.paid_out_trade_minor, other.paid_out_trade_minor),
            paid_out_reserve_minor: add(self.paid_out_reserve_minor, other.paid_out_reserve_minor),
            refunds_in_flight_minor: add(self.refunds_in_flight_minor, other.refunds_in_flight_minor),
            fees_minor: add(self.fees_minor, other.fees_minor),
            owed_minor: add(self.owed_minor, other.owed_minor),
        }
    }
}

/// The figures of one merchant and currency. Without pots nobody told trade and reserve apart: then all that is available is trade.
pub fn figures(
    (merchant_id, currency): (MerchantId, Currency),
    balances: &Balances<MerchantId>,
    pots: Option<&Pots>,
    terms: &SettlementTerms,
    [paid_out_trade_minor, paid_out_reserve_minor]: [i64; 2],
) -> FundsFigures {
    let Standing { unsettled, available, reserve, fixed_reserve, refunds_in_flight, exposure, fees } =
        posting_rules::standing(merchant_id, currency, balances);
    let released = pots.map_or(0, |pots| pots.reserve.balance_minor());
    let trade = available.saturating_sub(released);
    let lacking = terms.fixed_reserve(currency).saturating_sub(fixed_reserve).max(0);
    let deducted = |minor: i64| minor.saturating_sub(exposure).saturating_sub(lacking);
    let not_paid_out = unsettled.saturating_add(trade);
    FundsFigures {
        currency,
        settleable: Figures { trade_minor: trade, after_deductions_minor: trade.saturating_sub(exposure), reserve_minor: released },
        unsettled: Figures {
            trade_minor: not_paid_out,
            after_deductions_minor: deducted(not_paid_out),
            reserve_minor: reserve.saturating_add(fixed_reserve).saturating_add(released),
        },
        paid_out_trade_minor,
        paid_out_reserve_minor,
        refunds_in_flight_minor: refunds_in_flight,
        fees_minor: fees,
        owed_minor: exposure,
    }
}
