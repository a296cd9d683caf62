//! What can be asked about the money that merchants wait for.

use refundry_engine::funds::queue::WaitingRefund;
use refundry_engine::{MerchantId, RefundId};
use refundry_ledger::Currency;

use crate::Reading;

/// Refunds of a queue that one look ahead reads, at most.
pub const QUEUE_SCAN_MAX: u32 = 20_000;

/// A page of refunds that wait for money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingRefunds {
    /// Whose.
    pub merchant_id: MerchantId,
    /// In which currency.
    pub currency: Currency,
    /// Behind this one; none for the oldest.
    pub after: Option<RefundId>,
    /// At most so many.
    pub limit: u32,
}

/// How many refunds of a merchant wait for money in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingCount {
    /// The currency.
    pub currency: Currency,
    /// How many.
    pub count: i64,
}

/// The reads about queues.
pub trait Queues: Send + Sync {
    /// Refunds of a merchant and currency that wait for money, oldest first.
    fn waiting_refunds(&self, wanted: WaitingRefunds) -> Reading<'_, Vec<WaitingRefund>>;
    /// How many wait, by currency; only those currencies in which any do.
    fn waiting_counts(&self, merchant_id: MerchantId) -> Reading<'_, Vec<WaitingCount>>;
}
