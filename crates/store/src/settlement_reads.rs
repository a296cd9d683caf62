use refundry_engine::payment::SettlementQuote;
use refundry_engine::payout::Pots;
use refundry_engine::{MerchantId, PaymentId, Timestamp};
use refundry_ledger::{Currency, Money};

use crate::rows::ReadColumns;
use crate::{Reading, StoreError};

/// Rates and instants that one look ahead at foreign payments reads, at most: those that are due first. Payments without a rate are summed up whole.
pub const COMING_RATES_MAX: u32 = 20_000;

/// What settlement asks of storage beside [`Store`](crate::Store).
pub trait SettlementReads: Send + Sync {
    /// Payments of which something is due at an instant, those first that are due the longest; at most `limit`.
    fn due_payments(&self, merchant_id: MerchantId, at: Timestamp, limit: u32) -> Reading<'_, Vec<PaymentId>>;
    /// What becomes available by itself until an instant, in the order of time: a line for each instant at which something does. What waits for
    /// goods or for a person is not among it. The currency is the one in which it becomes available.
    fn coming_settlements(&self, merchant_id: MerchantId, currency: Currency, until: Timestamp) -> Reading<'_, Vec<ComingSettlement>>;
    /// What a merchant's available money is made of, for each currency that has some.
    fn pots(&self, merchant_id: MerchantId) -> Reading<'_, Vec<(Currency, Pots)>>;
}

/// What becomes available at an instant, if no refund takes it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComingSettlement {
    /// When: the beginning of a day where the merchant is.
    pub at: Timestamp,
    /// Unsettled money, in minor units of the currency that was asked for. The fixed reserve takes of it what it still lacks.
    pub settled_minor: i64,
    /// Rolling reserve that is released, in minor units.
    pub released_minor: i64,
    /// How many payments it is of.
    pub payments: i64,
}

/// Foreign payments of one instant and rate, and what they are in the currency that is asked for; none when that is another.
pub(crate) fn at_rate<'r>(columns: &mut impl ReadColumns<'r>, wanted: Currency) -> Result<Option<ComingSettlement>, StoreError> {
    let (at, settled, released) = (columns.instant()?, columns.int()?, columns.int()?);
    let (payments, base) = (columns.int()?, columns.currency()?);
    let quote: SettlementQuote = columns.json()?;
    let worth = |minor| quote.convert(Money::new(minor, base)).map_or(0, Money::minor);
    let line = || ComingSettlement { at, settled_minor: worth(settled), released_minor: worth(released), payments };
    Ok((quote.settlement_currency == wanted).then(line))
}

/// Lines of both kinds as one list.
pub(crate) fn in_order(lines: Vec<ComingSettlement>) -> Vec<ComingSettlement> {
    let mut by_instant: std::collections::BTreeMap<Timestamp, ComingSettlement> = std::collections::BTreeMap::new();
    for line in lines {
        let sum = by_instant.entry(line.at).or_insert(ComingSettlement { settled_minor: 0, released_minor: 0, payments: 0, ..line });
        sum.settled_minor = sum.settled_minor.saturating_add(line.settled_minor);
        sum.released_minor = sum.released_minor.saturating_add(line.released_minor);
        sum.payments = sum.payments.saturating_add(line.payments);
    }
    by_instant.into_values().collect()
}
