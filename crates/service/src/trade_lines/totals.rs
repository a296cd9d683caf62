//! Sums over the list of trade (金额统计), in the currencies of payments and in those that they are booked in.

use std::collections::BTreeMap;

use refundry_engine::booked::BookedAt;
use refundry_engine::payment::SettlementQuote;
use refundry_ledger::{Currency, Money};
use refundry_store::{PAGE_LIMIT_MAX, PageRequest};

use super::{TradeFilter, TradeKind, TradeLine, list};
use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;

/// Lines that one answer sums up, at most.
pub const TOTAL_LINES_MAX: usize = 20_000;

/// The sums in one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TradeSum {
    /// What came less what went.
    pub minor: i64,
    /// How many lines.
    pub count: i64,
    /// What the operator takes for them, less what it gives back.
    pub fees_minor: i64,
    /// What is kept of them as rolling reserve.
    pub reserved_minor: i64,
    /// Lines whose rate is missing; they are in no sum.
    pub missing_rates: i64,
}

impl TradeSum {
    /// What is left behind fees and reserve.
    pub const fn before_settlement_minor(&self) -> i64 {
        self.minor.saturating_sub(self.fees_minor).saturating_sub(self.reserved_minor)
    }

    const fn add(&mut self, minor: i64, fees_minor: i64, reserved_minor: i64) {
        self.count = self.count.saturating_add(1);
        self.minor = self.minor.saturating_add(minor);
        self.fees_minor = self.fees_minor.saturating_add(fees_minor);
        self.reserved_minor = self.reserved_minor.saturating_add(reserved_minor);
    }
}

/// All sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TradeTotals {
    /// In the currencies of payments.
    pub traded: BTreeMap<Currency, TradeSum>,
    /// In the currencies that they are booked in.
    pub booked: BTreeMap<Currency, TradeSum>,
    /// Whether all lines are in them; a shorter time fits.
    pub is_whole: bool,
}

/// Sums lines up. Declined payments and requests for documents move no money and are left out.
pub async fn totals(service: &Service, caller: &Caller, filter: &TradeFilter) -> Result<TradeTotals, ServiceError> {
    let mut totals = TradeTotals::default();
    let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
    let mut lines = 0;
    loop {
        let found = list(service, caller, filter, page).await?;
        lines += found.rows.len();
        found.rows.iter().for_each(|line| totals.add(line));
        match found.next {
            None => {
                totals.is_whole = true;
                return Ok(totals);
            }
            Some(_) if lines >= TOTAL_LINES_MAX => return Ok(totals),
            after => page.after = after,
        }
    }
}

impl TradeTotals {
    fn add(&mut self, line: &TradeLine) {
        match line.kind {
            TradeKind::Failed | TradeKind::Retrieval | TradeKind::RetrievalReversed => return,
            TradeKind::Success
            | TradeKind::Refund
            | TradeKind::RefundReturned
            | TradeKind::Chargeback
            | TradeKind::ChargebackWon
            | TradeKind::ChargebackWithdrawn => {}
        }
        let (fees, reserved) = (line.fees(), line.reserved());
        self.traded.entry(line.amount.currency()).or_default().add(line.amount.minor(), fees.minor(), reserved.minor());
        let Some(booked) = &line.booked else { return };
        let sum = self.booked.entry(booked.currency).or_default();
        let Some(amount) = booked.amount else {
            sum.missing_rates = sum.missing_rates.saturating_add(1);
            return;
        };
        let quote: Option<SettlementQuote> = match booked.at {
            BookedAt::Itself => None,
            BookedAt::Quote => line.payment.quote.clone(),
            BookedAt::Rate(_) => booked.rate.as_ref().map(refundry_engine::rate::DailyRate::quote),
        };
        let worth = |part: Money| quote.as_ref().map_or(part.minor(), |quote| quote.convert(part).map_or(0, Money::minor));
        sum.add(amount.minor(), worth(fees), worth(reserved));
    }
}
