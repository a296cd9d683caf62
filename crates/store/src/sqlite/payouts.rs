//! Payouts with their lines, and adjustments.

use refundry_engine::adjustment::Adjustment;
use refundry_engine::payout::Payout;
use refundry_engine::posting_rules::SPENDABLE;
use refundry_engine::{AdjustmentId, MerchantId, PayoutId};
use rusqlite::{Connection, Row, params};

use super::SqliteStore;
use super::apply::prepared;
use super::columns::Columns;
use super::fault::fault;
use super::load::{FIND_ADJUSTMENT, FIND_PAYOUT, body, find};
use super::pages::{Listing, id_range, merchants};
use super::singles::all;
use crate::payout_reads::{
    AdjustmentFilter, LINE_COLUMNS, LinePicker, PaidOut, PayoutFilter, PayoutLine, PayoutReads, Picked, line_range, paid_out,
};
use crate::rows::ReadColumns as _;
use crate::{Page, PageRequest, Reading, StoreError};

impl PayoutReads for SqliteStore {
    fn payout(&self, merchant_id: MerchantId, id: PayoutId) -> Reading<'_, Option<Payout>> {
        self.readers.read(move |connection| find(connection, FIND_PAYOUT, (merchant_id.get(), id.get()), body))
    }

    fn payouts<'a>(&'a self, filter: &'a PayoutFilter, page: PageRequest) -> Reading<'a, Page<Payout>> {
        let filter = filter.clone();
        self.readers.read(move |connection| payouts(connection, &filter, page))
    }

    fn payout_lines<'a>(&'a self, payout: &'a Payout, page: PageRequest) -> Reading<'a, Page<PayoutLine>> {
        let payout = payout.clone();
        self.readers.read(move |connection| lines(connection, &payout, page))
    }

    fn paid_out(&self, merchant_id: MerchantId) -> Reading<'_, Vec<PaidOut>> {
        let sql = "SELECT kind, currency, sum(amount_minor), count(*) FROM payouts WHERE merchant_id = ?1 AND state = 'paid' \
            GROUP BY kind, currency ORDER BY currency, kind";
        let read = |row: &Row<'_>| paid_out(&mut Columns::new(row, "payout"));
        self.readers.read(move |connection| all(connection, sql, [merchant_id.get()], read))
    }

    fn adjustment(&self, merchant_id: MerchantId, id: AdjustmentId) -> Reading<'_, Option<Adjustment>> {
        self.readers.read(move |connection| find(connection, FIND_ADJUSTMENT, (merchant_id.get(), id.get()), body))
    }

    fn adjustments<'a>(&'a self, filter: &'a AdjustmentFilter, page: PageRequest) -> Reading<'a, Page<Adjustment>> {
        let filter = filter.clone();
        self.readers.read(move |connection| adjustments(connection, &filter, page))
    }
}

fn payouts(connection: &Connection, filter: &PayoutFilter, page: PageRequest) -> Result<Page<Payout>, StoreError> {
    let (from, to) = id_range(filter.from, filter.to);
    let listing = Listing {
        select: "SELECT merchant_id, payout_id, body FROM payouts WHERE merchant_id = ?1".to_owned(),
        id: "payout_id",
        extra: None,
        from,
        to,
        fits: &|row| payout(row).map(|payout| filter.fits(&payout)),
        read: payout,
    };
    listing.page(connection, &merchants(connection, filter.merchant_id, filter.mode)?, page)
}

fn adjustments(connection: &Connection, filter: &AdjustmentFilter, page: PageRequest) -> Result<Page<Adjustment>, StoreError> {
    let listing = Listing {
        select: "SELECT merchant_id, adjustment_id, body FROM adjustments WHERE merchant_id = ?1".to_owned(),
        id: "adjustment_id",
        extra: None,
        from: i64::MIN,
        to: i64::MAX,
        fits: &|row| adjustment(row).map(|adjustment| filter.fits(&adjustment)),
        read: adjustment,
    };
    listing.page(connection, &merchants(connection, filter.merchant_id, filter.mode)?, page)
}

/// Postings lie in the order of time, those of all merchants together; an index finds those of the merchant that move available money. The account's
/// code stands in the text so that the index is known to hold them all.
fn lines_sql() -> String {
    let code = SPENDABLE.code();
    format!(
        "SELECT {LINE_COLUMNS} FROM postings INDEXED BY postings_of_available WHERE postings.merchant_id = ?3 AND entry_id > ?1 AND entry_id < ?2 \
        AND (debit_account = {code} OR credit_account = {code}) ORDER BY entry_id, line"
    )
}

/// A page looks at a limited number of postings.
fn lines(connection: &Connection, payout: &Payout, page: PageRequest) -> Result<Page<PayoutLine>, StoreError> {
    let sql = lines_sql();
    let of_payment = "SELECT payment_reference, merchant_reference FROM payments WHERE merchant_id = ?1 AND payment_id = ?2";
    let (after, before) = line_range(payout, page);
    let mut statement = prepared(connection, &sql)?;
    let mut rows = statement.query(params![after, before, payout.merchant_id.get()]).map_err(fault)?;
    let mut picker = LinePicker::new(payout, page);
    while let Some(row) = rows.next().map_err(fault)? {
        match picker.pick(&mut Columns::new(row, "posting"))? {
            Picked::Line(mut line) => {
                if let Some(payment_id) = line.payment_id {
                    let references = find(connection, of_payment, (payout.merchant_id.get(), payment_id.get()), |row| {
                        let mut columns = Columns::new(row, "payment");
                        Ok((columns.string()?, columns.string()?))
                    })?;
                    (line.payment_reference, line.merchant_reference) = references.unzip();
                }
                picker.keep(line);
            }
            Picked::Other => {}
            Picked::Full => break,
        }
    }
    Ok(picker.finish())
}

fn payout(row: &Row<'_>) -> Result<Payout, StoreError> {
    let mut columns = Columns::new(row, "payout");
    columns.int()?;
    columns.int()?;
    columns.json()
}

fn adjustment(row: &Row<'_>) -> Result<Adjustment, StoreError> {
    let mut columns = Columns::new(row, "adjustment");
    columns.int()?;
    columns.int()?;
    columns.json()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_statement_are_found_by_their_merchant() {
        let connection = Connection::open_in_memory().unwrap();
        super::super::migrations::migrate(&connection).unwrap();
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", lines_sql())).unwrap();
        let steps = statement.query_map((0, 0, 0), |row| row.get::<_, String>(3)).unwrap();
        let plan: Vec<String> = steps.map(Result::unwrap).collect();
        let search = "SEARCH postings USING INDEX postings_of_available (merchant_id=? AND entry_id>? AND entry_id<?)";
        assert_eq!(plan, [search], "nothing of other merchants is read, and nothing is sorted");
    }
}
