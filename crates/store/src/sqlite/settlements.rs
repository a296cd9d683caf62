//! When payments are settled, and which are due.

use refundry_engine::payout::Pots;
use refundry_engine::{MerchantId, PaymentId, Timestamp};
use refundry_ledger::Currency;
use rusqlite::{Connection, Row, params};

use super::SqliteStore;
use super::columns::Columns;
use super::singles::all;
use crate::rows::ReadColumns as _;
use crate::settlement_reads::{COMING_RATES_MAX, ComingSettlement, SettlementReads, at_rate, in_order};
use crate::{Reading, StoreError};

impl SettlementReads for SqliteStore {
    fn due_payments(&self, merchant_id: MerchantId, at: Timestamp, limit: u32) -> Reading<'_, Vec<PaymentId>> {
        self.readers.read(move |connection| due_payments(connection, merchant_id, at, limit))
    }

    fn pots(&self, merchant_id: MerchantId) -> Reading<'_, Vec<(Currency, Pots)>> {
        let sql = "SELECT currency, turnover FROM balances WHERE merchant_id = ?1 AND turnover IS NOT NULL ORDER BY currency";
        self.readers.read(move |connection| all(connection, sql, [merchant_id.get()], pots_row))
    }

    fn coming_settlements(&self, merchant_id: MerchantId, currency: Currency, until: Timestamp) -> Reading<'_, Vec<ComingSettlement>> {
        self.readers.read(move |connection| coming_settlements(connection, merchant_id, currency, until))
    }
}

fn pots_row(row: &Row<'_>) -> Result<(Currency, Pots), StoreError> {
    let mut columns = Columns::new(row, "balance");
    Ok((columns.currency()?, columns.json()?))
}

fn due_payments(connection: &Connection, merchant_id: MerchantId, at: Timestamp, limit: u32) -> Result<Vec<PaymentId>, StoreError> {
    let settled = "SELECT payment_id FROM payments INDEXED BY payments_to_settle WHERE merchant_id = ?1 AND settle_at IS NOT NULL \
        AND settle_at <= ?2 ORDER BY settle_at, payment_id LIMIT ?3";
    let released = "SELECT payment_id FROM payments INDEXED BY reserves_to_release WHERE merchant_id = ?1 AND reserve_release_at IS NOT NULL \
        AND reserve_release_at <= ?2 ORDER BY reserve_release_at, payment_id LIMIT ?3";
    let mut found: Vec<PaymentId> = Vec::new();
    for sql in [settled, released] {
        let room = i64::try_from((limit as usize).saturating_sub(found.len())).unwrap_or(0);
        let read = |row: &Row<'_>| Columns::new(row, "payment").int().map(PaymentId::new);
        found.extend(all(connection, sql, params![merchant_id.get(), at.us(), room], read)?);
    }
    Ok(found)
}

fn coming_settlements(
    connection: &Connection,
    merchant_id: MerchantId,
    currency: Currency,
    until: Timestamp,
) -> Result<Vec<ComingSettlement>, StoreError> {
    let (mut lines, merchant_id, until) = (Vec::new(), merchant_id.get(), until.us());
    for (index, at, sums) in [
        ("payments_to_settle", "settle_at", "sum(unsettled_left_minor), 0"),
        ("reserves_to_release", "reserve_release_at", "0, sum(reserve_left_minor)"),
    ] {
        // The index gives the instants in their order, so that nothing is sorted and each group is summed up as it passes.
        let of_due = format!("FROM payments INDEXED BY {index} WHERE merchant_id = ?1 AND {at} IS NOT NULL AND {at} <= ?2");
        let plain = format!("SELECT {at}, {sums}, count(*) {of_due} AND currency = ?3 AND quote IS NULL GROUP BY {at}");
        lines.extend(all(connection, &plain, params![merchant_id, until, currency.code()], coming)?);
        let foreign = format!(
            "SELECT {at}, {sums}, count(*), currency, quote {of_due} AND quote IS NOT NULL GROUP BY {at}, currency, quote ORDER BY {at} LIMIT ?3"
        );
        let read = |row: &Row<'_>| at_rate(&mut Columns::new(row, "payment"), currency);
        lines.extend(all(connection, &foreign, params![merchant_id, until, COMING_RATES_MAX], read)?.into_iter().flatten());
    }
    Ok(in_order(lines))
}

fn coming(row: &Row<'_>) -> Result<ComingSettlement, StoreError> {
    let mut columns = Columns::new(row, "payment");
    let (at, settled_minor) = (columns.instant()?, columns.int()?);
    Ok(ComingSettlement { at, settled_minor, released_minor: columns.int()?, payments: columns.int()? })
}
