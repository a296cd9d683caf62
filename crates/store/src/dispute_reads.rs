//! What can be asked of disputes and of daily rates, and what they give.

use refundry_engine::dispute::{Dispute, DisputeKey, DisputeKind, DisputeState};
use refundry_engine::merchant::Mode;
use refundry_engine::rate::{DailyRate, Day};
use refundry_engine::{MerchantId, PaymentId, Timestamp};
use refundry_ledger::Currency;

use crate::{Page, PageRequest, Reading};

/// What can be asked of the disputes of payments, and of daily rates.
pub trait DisputeReads: Send + Sync {
    /// One dispute.
    fn dispute<'a>(&'a self, merchant_id: MerchantId, key: &'a DisputeKey) -> Reading<'a, Option<Dispute>>;
    /// Disputes, newest first.
    fn disputes<'a>(&'a self, filter: &'a DisputeFilter, page: PageRequest) -> Reading<'a, Page<Dispute>>;
    /// How many are open, by kind and state.
    fn open_disputes(&self, merchant_id: MerchantId) -> Reading<'_, Vec<OpenDisputes>>;
    /// Daily rates, the newest day first.
    fn rates(&self, filter: RateFilter) -> Reading<'_, Vec<DailyRate>>;
}

/// Which disputes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DisputeFilter {
    /// Of this merchant; `None` (operator only) for all of a mode.
    pub merchant_id: Option<MerchantId>,
    /// Sandbox or live.
    pub mode: Option<Mode>,
    /// Opened by the other side at or after.
    pub from: Option<Timestamp>,
    /// Opened by the other side before.
    pub to: Option<Timestamp>,
    /// What they are.
    pub kind: Option<DisputeKind>,
    /// In this state.
    pub state: Option<DisputeState>,
    /// Only those whose end somebody waits for.
    pub open: bool,
    /// Of this payment.
    pub payment_id: Option<PaymentId>,
}

/// How many disputes of a merchant are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenDisputes {
    /// What they are.
    pub kind: DisputeKind,
    /// Where they stand.
    pub state: DisputeState,
    /// How many.
    pub count: i64,
}

/// Rates that one read gives at most.
pub const RATES_MAX: u32 = 1_000;

/// Which daily rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateFilter {
    /// Of this currency.
    pub base: Option<Currency>,
    /// In this currency.
    pub quoted: Option<Currency>,
    /// Of this day or later.
    pub from: Option<Day>,
    /// Of this day or earlier.
    pub to: Option<Day>,
    /// At most so many, the newest first; 1 to [`RATES_MAX`].
    pub limit: u32,
}

impl RateFilter {
    /// The first and the last day.
    pub(crate) fn days(&self) -> (i32, i32) {
        (self.from.map_or(i32::MIN, Day::get), self.to.map_or(i32::MAX, Day::get))
    }

    /// How many rows.
    pub(crate) fn limit(&self) -> u32 {
        self.limit.clamp(1, RATES_MAX)
    }
}
