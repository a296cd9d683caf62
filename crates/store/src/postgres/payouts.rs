//! Payouts with their lines, and adjustments.

use std::collections::BTreeMap;

use refundry_engine::adjustment::Adjustment;
use refundry_engine::payout::Payout;
use refundry_engine::posting_rules::SPENDABLE;
use refundry_engine::{AdjustmentId, MerchantId, PayoutId};
use tokio_postgres::Row;

use super::PostgresStore;
use super::columns::Columns;
use super::pages::{ALL_IDS, Listing, id_range, merchants, of_merchant};
use super::readers::Reader;
use super::singles::body;
use crate::payout_reads::{
    AdjustmentFilter, LINE_COLUMNS, LINES_SCAN_MAX, LinePicker, PaidOut, PayoutFilter, PayoutLine, PayoutReads, Picked, line_range,
    paid_out,
};
use crate::rows::ReadColumns as _;
use crate::{Page, PageRequest, Reading, StoreError};

impl PayoutReads for PostgresStore {
    fn payout(&self, merchant_id: MerchantId, id: PayoutId) -> Reading<'_, Option<Payout>> {
        let sql = "SELECT body FROM payouts WHERE merchant_id = $1 AND payout_id = $2";
        self.readers.read(move |reader| async move { reader.first(sql, &[&merchant_id.get(), &id.get()], body).await })
    }

    fn payouts<'a>(&'a self, filter: &'a PayoutFilter, page: PageRequest) -> Reading<'a, Page<Payout>> {
        let filter = filter.clone();
        self.readers.read(move |reader| payouts(reader, filter, page))
    }

    fn payout_lines<'a>(&'a self, payout: &'a Payout, page: PageRequest) -> Reading<'a, Page<PayoutLine>> {
        let payout = payout.clone();
        self.readers.read(move |reader| lines(reader, payout, page))
    }

    fn paid_out(&self, merchant_id: MerchantId) -> Reading<'_, Vec<PaidOut>> {
        let sql = "SELECT kind, currency, sum(amount_minor)::int8, count(*) FROM payouts WHERE merchant_id = $1 AND state = 'paid' \
            GROUP BY kind, currency ORDER BY currency, kind";
        let read = |row: &Row| paid_out(&mut Columns::new(row, "payout"));
        self.readers.read(move |reader| async move { reader.all(sql, &[&merchant_id.get()], read).await })
    }

    fn adjustment(&self, merchant_id: MerchantId, id: AdjustmentId) -> Reading<'_, Option<Adjustment>> {
        let sql = "SELECT body FROM adjustments WHERE merchant_id = $1 AND adjustment_id = $2";
        self.readers.read(move |reader| async move { reader.first(sql, &[&merchant_id.get(), &id.get()], body).await })
    }

    fn adjustments<'a>(&'a self, filter: &'a AdjustmentFilter, page: PageRequest) -> Reading<'a, Page<Adjustment>> {
        let filter = filter.clone();
        self.readers.read(move |reader| adjustments(reader, filter, page))
    }
}

async fn payouts(reader: Reader, filter: PayoutFilter, page: PageRequest) -> Result<Page<Payout>, StoreError> {
    let of = merchants(&reader, filter.merchant_id, filter.mode).await?;
    let (from, to) = id_range(filter.from, filter.to);
    let listing = Listing {
        columns: "merchant_id, payout_id, body",
        source: format!("FROM payouts WHERE {}", of_merchant("payouts")),
        id: "payout_id",
        extra: None,
        from,
        to,
        fits: Box::new(move |payout: &Payout| filter.fits(payout)),
        read: |row: &Row| body_behind_key(row, "payout"),
    };
    listing.page(&reader, &of, page).await
}

async fn adjustments(reader: Reader, filter: AdjustmentFilter, page: PageRequest) -> Result<Page<Adjustment>, StoreError> {
    let of = merchants(&reader, filter.merchant_id, filter.mode).await?;
    let listing = Listing {
        columns: "merchant_id, adjustment_id, body",
        source: format!("FROM adjustments WHERE {}", of_merchant("adjustments")),
        id: "adjustment_id",
        extra: None,
        from: ALL_IDS.0,
        to: ALL_IDS.1,
        fits: Box::new(move |adjustment: &Adjustment| filter.fits(adjustment)),
        read: |row: &Row| body_behind_key(row, "adjustment"),
    };
    listing.page(&reader, &of, page).await
}

async fn lines(reader: Reader, payout: Payout, page: PageRequest) -> Result<Page<PayoutLine>, StoreError> {
    let sql = format!(
        "SELECT {LINE_COLUMNS} FROM postings WHERE merchant_id = $1 AND entry_id > $2 AND entry_id < $3 AND currency = $5 \
        AND $6::int8 IN (debit_account, credit_account) ORDER BY entry_id, line LIMIT $4"
    );
    let merchant_id = payout.merchant_id.get();
    let (after, before) = line_range(&payout, page);
    // One row more than is looked at says whether there is another page; an entry has few lines.
    let (limit, currency) = (i64::from(LINES_SCAN_MAX + 64), payout.amount.currency().code());
    let rows = reader.rows(&sql, &[&merchant_id, &after, &before, &limit, &currency, &i64::from(SPENDABLE.code())]).await?;
    let mut picker = LinePicker::new(&payout, page);
    let mut found = Vec::new();
    for row in &rows {
        match picker.pick(&mut Columns::new(row, "posting"))? {
            Picked::Line(line) => {
                picker.keep(line.clone());
                found.extend(line.payment_id.map(|id| id.get()));
            }
            Picked::Other => {}
            Picked::Full => break,
        }
    }
    let sql = "SELECT payment_id, payment_reference, merchant_reference FROM payments WHERE merchant_id = $1 AND payment_id = ANY($2)";
    let read = |row: &Row| {
        let mut columns = Columns::new(row, "payment");
        Ok((columns.int()?, (columns.string()?, columns.string()?)))
    };
    let references: BTreeMap<i64, (String, String)> = reader.all(sql, &[&merchant_id, &found], read).await?.into_iter().collect();
    let mut page = picker.finish();
    for line in &mut page.rows {
        let of_payment = line.payment_id.and_then(|id| references.get(&id.get()).cloned());
        (line.payment_reference, line.merchant_reference) = of_payment.unzip();
    }
    Ok(page)
}

fn body_behind_key<T: serde::de::DeserializeOwned>(row: &Row, table: &'static str) -> Result<T, StoreError> {
    let mut columns = Columns::new(row, table);
    columns.int()?;
    columns.int()?;
    columns.json()
}
