//! What is late because of people or acquirers: figures for alarms, from stored data.

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use refundry_engine::Timestamp;
use refundry_store::{LateBefore, LateFigures};

use crate::config::Alarms;

/// The gauges.
#[derive(Default)]
pub struct LateGauges {
    hand_overs: Gauge,
    reviews: Gauge,
    late_reviews: Gauge,
    oldest_review_seconds: Gauge,
}

impl LateGauges {
    /// Registers them, all at zero.
    pub fn register(registry: &mut Registry) -> Self {
        let gauges = Self::default();
        let hand_overs = "Refunds that nothing holds and that were not handed over to the acquirer in time";
        registry.register("hand_overs_late", hand_overs, gauges.hand_overs.clone());
        registry.register("reviews_open", "Refunds that wait for a reviewer", gauges.reviews.clone());
        registry.register("reviews_late", "Refunds that wait for a reviewer for too long", gauges.late_reviews.clone());
        registry.register(
            "review_oldest_seconds",
            "How long the oldest refund has been waiting for a reviewer",
            gauges.oldest_review_seconds.clone(),
        );
        gauges
    }

    /// Takes over what the store says, and logs what is late.
    pub fn note(&self, figures: &LateFigures, now: Timestamp) {
        let oldest_ms = figures.oldest_review_at.map_or(0, |since| now.ms().saturating_sub(since.ms()));
        self.hand_overs.set(figures.hand_overs);
        self.reviews.set(figures.reviews);
        self.late_reviews.set(figures.late_reviews);
        self.oldest_review_seconds.set(oldest_ms.max(0) / 1_000);
        if figures.hand_overs > 0 {
            tracing::warn!(refunds = figures.hand_overs, "refunds are free to go and were not handed over to the acquirer in time");
        }
        if figures.late_reviews > 0 {
            tracing::warn!(refunds = figures.late_reviews, "refunds wait for a reviewer for too long");
        }
    }
}

/// From which instants on something is late.
pub fn late_before(alarms: &Alarms, now: Timestamp) -> LateBefore {
    LateBefore {
        hand_over: now.plus_seconds(-60 * i64::from(alarms.hand_over_minutes)),
        review: now.plus_seconds(-3_600 * i64::from(alarms.review_hours)),
    }
}
