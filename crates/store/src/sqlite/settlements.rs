//! When payments are settled, and which are due.

use refundry_engine::payout::Pots;
use refundry_engine::{MerchantId, PaymentId, Timestamp};
use refundry_ledger::Currency;
use rusqlite::{Connection, Row, params};

use super::SqliteStore;
use super::columns::Columns;
use super::singles::all;
use crate::rows::ReadColumns as _;
use crate::settlement_reads::{COMING_SCAN_MAX, ComingSettlement, SettlementReads, in_order};
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
    let settled = "SELECT at, sum(minor), 0, count(*) FROM (SELECT settle_at AS at, unsettled_left_minor AS minor FROM payments \
        INDEXED BY payments_to_settle WHERE merchant_id = ?1 AND settle_at IS NOT NULL AND settle_at <= ?2 AND currency = ?3 \
        ORDER BY settle_at LIMIT ?4) GROUP BY at";
    let released = "SELECT at, 0, sum(minor), count(*) FROM (SELECT reserve_release_at AS at, reserve_left_minor AS minor FROM payments \
        INDEXED BY reserves_to_release WHERE merchant_id = ?1 AND reserve_release_at IS NOT NULL AND reserve_release_at <= ?2 AND currency = ?3 \
        ORDER BY reserve_release_at LIMIT ?4) GROUP BY at";
    let mut lines = Vec::new();
    for sql in [settled, released] {
        let params = params![merchant_id.get(), until.us(), currency.code(), COMING_SCAN_MAX];
        lines.extend(all(connection, sql, params, coming)?);
    }
    Ok(in_order(lines))
}

fn coming(row: &Row<'_>) -> Result<ComingSettlement, StoreError> {
    let mut columns = Columns::new(row, "payment");
    let (at, settled_minor) = (columns.instant()?, columns.int()?);
    Ok(ComingSettlement { at, settled_minor, released_minor: columns.int()?, payments: columns.int()? })
}
