//! What waits for people, as it is read.

use refundry_engine::refund::Refund;
use refundry_engine::{MerchantId, Mode, Timestamp};

use crate::{Page, PageRequest, Reading};

/// Refunds whose hand-over is late that are looked at: when there are more, the figure is this one.
pub const LATE_MAX: u32 = 10_000;

/// Which refunds in review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReviewFilter {
    /// Of this merchant; `None` (operator only) for all of the mode.
    pub merchant_id: Option<MerchantId>,
    /// Sandbox or live.
    pub mode: Mode,
}

/// From which instant on something is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LateBefore {
    /// Approved, or accepted where no approval was needed, before this and not yet with the acquirer.
    pub hand_over: Timestamp,
    /// Waiting for a person since before this.
    pub review: Timestamp,
}

/// How much is late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LateFigures {
    /// Refunds that nothing holds and that are not handed over to the acquirer in time.
    pub hand_overs: i64,
    /// Refunds in review.
    pub reviews: i64,
    /// Those of them that wait too long.
    pub late_reviews: i64,
    /// Since when the oldest of them waits.
    pub oldest_review_at: Option<Timestamp>,
}

/// What is read of refunds that wait for people.
pub trait ReviewReads {
    /// Refunds in review, oldest first.
    fn reviews(&self, filter: ReviewFilter, page: PageRequest) -> Reading<'_, Page<Refund>>;
    /// How much is late.
    fn late(&self, before: LateBefore) -> Reading<'_, LateFigures>;
}
