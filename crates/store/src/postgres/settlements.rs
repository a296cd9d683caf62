//! When payments are settled, and which are due.

use refundry_engine::payout::Pots;
use refundry_engine::{MerchantId, PaymentId, Timestamp};
use refundry_ledger::Currency;
use tokio_postgres::Row;

use super::PostgresStore;
use super::columns::Columns;
use super::readers::Reader;
use crate::rows::ReadColumns as _;
use crate::settlement_reads::{COMING_RATES_MAX, ComingSettlement, SettlementReads, at_rate, in_order};
use crate::{Reading, StoreError};

impl SettlementReads for PostgresStore {
    fn due_payments(&self, merchant_id: MerchantId, at: Timestamp, limit: u32) -> Reading<'_, Vec<PaymentId>> {
        self.readers.read(move |reader| due_payments(reader, merchant_id, at, limit))
    }

    fn pots(&self, merchant_id: MerchantId) -> Reading<'_, Vec<(Currency, Pots)>> {
        let sql = "SELECT currency, turnover FROM balances WHERE merchant_id = $1 AND turnover IS NOT NULL ORDER BY currency";
        self.readers.read(move |reader| async move { reader.all(sql, &[&merchant_id.get()], pots_row).await })
    }

    fn coming_settlements(&self, merchant_id: MerchantId, currency: Currency, until: Timestamp) -> Reading<'_, Vec<ComingSettlement>> {
        self.readers.read(move |reader| coming_settlements(reader, merchant_id, currency, until))
    }
}

fn pots_row(row: &Row) -> Result<(Currency, Pots), StoreError> {
    let mut columns = Columns::new(row, "balance");
    Ok((columns.currency()?, columns.json()?))
}

async fn due_payments(reader: Reader, merchant_id: MerchantId, at: Timestamp, limit: u32) -> Result<Vec<PaymentId>, StoreError> {
    let settled = "SELECT payment_id FROM payments WHERE merchant_id = $1 AND settle_at IS NOT NULL AND settle_at <= $2 \
        ORDER BY settle_at, payment_id LIMIT $3";
    let released = "SELECT payment_id FROM payments WHERE merchant_id = $1 AND reserve_release_at IS NOT NULL AND reserve_release_at <= $2 \
        ORDER BY reserve_release_at, payment_id LIMIT $3";
    let mut found: Vec<PaymentId> = Vec::new();
    for sql in [settled, released] {
        let room = i64::try_from((limit as usize).saturating_sub(found.len())).unwrap_or(0);
        let read = |row: &Row| Columns::new(row, "payment").int().map(PaymentId::new);
        found.extend(reader.all(sql, &[&merchant_id.get(), &at.us(), &room], read).await?);
    }
    Ok(found)
}

async fn coming_settlements(
    reader: Reader,
    merchant_id: MerchantId,
    currency: Currency,
    until: Timestamp,
) -> Result<Vec<ComingSettlement>, StoreError> {
    let (mut lines, merchant_id, until, most) = (Vec::new(), merchant_id.get(), until.us(), i64::from(COMING_RATES_MAX));
    for (at, sums) in
        [("settle_at", "sum(unsettled_left_minor)::int8, 0::int8"), ("reserve_release_at", "0::int8, sum(reserve_left_minor)::int8")]
    {
        let of_due = format!("FROM payments WHERE merchant_id = $1 AND {at} IS NOT NULL AND {at} <= $2");
        let plain = format!("SELECT {at}, {sums}, count(*) {of_due} AND currency = $3 AND quote IS NULL GROUP BY {at}");
        lines.extend(reader.all(&plain, &[&merchant_id, &until, &currency.code()], coming).await?);
        let foreign = format!(
            "SELECT {at}, {sums}, count(*), currency, quote {of_due} AND quote IS NOT NULL GROUP BY {at}, currency, quote ORDER BY {at} LIMIT $3"
        );
        let read = |row: &Row| at_rate(&mut Columns::new(row, "payment"), currency);
        lines.extend(reader.all(&foreign, &[&merchant_id, &until, &most], read).await?.into_iter().flatten());
    }
    Ok(in_order(lines))
}

fn coming(row: &Row) -> Result<ComingSettlement, StoreError> {
    let mut columns = Columns::new(row, "payment");
    let (at, settled_minor) = (columns.instant()?, columns.int()?);
    Ok(ComingSettlement { at, settled_minor, released_minor: columns.int()?, payments: columns.int()? })
}
