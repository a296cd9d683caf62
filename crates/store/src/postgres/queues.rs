use refundry_engine::MerchantId;
use refundry_engine::funds::queue::WaitingRefund;
use tokio_postgres::Row;

use super::PostgresStore;
use super::columns::Columns;
use super::load::WAITING;
use crate::queues::{Queues, WaitingCount, WaitingRefunds};
use crate::rows::{self, ReadColumns as _};
use crate::{Reading, StoreError};

impl Queues for PostgresStore {
    fn waiting_refunds(&self, wanted: WaitingRefunds) -> Reading<'_, Vec<WaitingRefund>> {
        // The page first, so that payments are looked up for it alone.
        let sql = format!(
            "SELECT {} FROM (SELECT * FROM refunds WHERE merchant_id = $1 AND waits_for = $2 AND refund_id > $3 ORDER BY refund_id LIMIT $4) \
            AS refunds JOIN payments ON payments.merchant_id = $1 AND payments.payment_id = refunds.payment_id ORDER BY refunds.refund_id",
            rows::waiting::COLUMNS
        );
        let waits_for = rows::refund::waits_for_funds(wanted.currency);
        let read = |row: &Row| rows::waiting::read(&mut Columns::new(row, "refund"));
        self.readers.read(move |reader| async move {
            let (merchant_id, after, limit) = (wanted.merchant_id.get(), wanted.after.map_or(0, |id| id.get()), i64::from(wanted.limit));
            reader.all(&sql, &[&merchant_id, &waits_for, &after, &limit], read).await
        })
    }

    fn waiting_counts(&self, merchant_id: MerchantId) -> Reading<'_, Vec<WaitingCount>> {
        let sql = "SELECT name, value FROM counters WHERE merchant_id = $1 AND name >= $2 AND name < $3 AND value > 0 ORDER BY name";
        let read = |row: &Row| -> Result<WaitingCount, StoreError> {
            let mut columns = Columns::new(row, "counter");
            let currency = columns.word(|name| name.strip_prefix(WAITING)?.parse().ok())?;
            Ok(WaitingCount { currency, count: columns.int()? })
        };
        // A semicolon follows the colon, so these are the names that begin with the prefix.
        let end = WAITING.replace(':', ";");
        self.readers.read(move |reader| async move { reader.all(sql, &[&merchant_id.get(), &WAITING, &end], read).await })
    }
}
