use refundry_engine::MerchantId;
use refundry_engine::funds::queue::WaitingRefund;
use rusqlite::params;

use super::SqliteStore;
use super::columns::Columns;
use super::load::WAITING;
use super::singles;
use crate::queues::{Queues, WaitingCount, WaitingRefunds};
use crate::rows::{self, ReadColumns as _};
use crate::{Reading, StoreError};

impl Queues for SqliteStore {
    fn waiting_refunds(&self, wanted: WaitingRefunds) -> Reading<'_, Vec<WaitingRefund>> {
        let sql = format!(
            "SELECT {} FROM refunds INDEXED BY refunds_that_wait CROSS JOIN payments ON payments.merchant_id = refunds.merchant_id \
            AND payments.payment_id = refunds.payment_id WHERE refunds.merchant_id = ?1 AND waits_for = ?2 AND refund_id > ?3 \
            ORDER BY refund_id LIMIT ?4",
            rows::waiting::COLUMNS
        );
        let waits_for = rows::refund::waits_for_funds(wanted.currency);
        self.readers.read(move |connection| {
            let params = params![wanted.merchant_id.get(), waits_for, wanted.after.map_or(0, |id| id.get()), wanted.limit];
            singles::all(connection, &sql, params, |row| rows::waiting::read(&mut Columns::new(row, "refund")))
        })
    }

    fn waiting_counts(&self, merchant_id: MerchantId) -> Reading<'_, Vec<WaitingCount>> {
        let sql = "SELECT name, value FROM counters WHERE merchant_id = ?1 AND name >= ?2 AND name < ?3 AND value > 0 ORDER BY name";
        self.readers.read(move |connection| {
            // A semicolon follows the colon, so these are the names that begin with the prefix.
            let params = (merchant_id.get(), WAITING, WAITING.replace(':', ";"));
            singles::all(connection, sql, params, |row| -> Result<_, StoreError> {
                let mut columns = Columns::new(row, "counter");
                let currency = columns.word(|name| name.strip_prefix(WAITING)?.parse().ok())?;
                Ok(WaitingCount { currency, count: columns.int()? })
            })
        })
    }
}
