//! How what waits for people is read.

use refundry_engine::refund::Draw;
use refundry_engine::{Timestamp, ids};

use super::columns::ReadColumns;
use crate::StoreError;
use crate::reviews::LateFigures;

/// The columns of a refund with an open submission, in the order in which [`free_since`] wants them.
pub const LATE_COLUMNS: &str = "refunds.drawn, refunds.created_at";

/// Since when a refund that is to be submitted is free to go.
pub fn free_since<'r>(columns: &mut impl ReadColumns<'r>) -> Result<Timestamp, StoreError> {
    let drawn: Option<Draw> = columns.json_or_null()?;
    let created_at = columns.instant()?;
    Ok(drawn.and_then(|draw| draw.at).unwrap_or(created_at))
}

/// Reads how many reviews there are, how many are late, and the oldest. A review begins with its refund, whose id carries the time.
pub fn review_figures<'r>(columns: &mut impl ReadColumns<'r>) -> Result<LateFigures, StoreError> {
    let (reviews, late_reviews) = (columns.int()?, columns.int()?);
    let oldest_review_at: Option<Timestamp> = columns.int_or_null()?.map(ids::instant_of);
    Ok(LateFigures { hand_overs: 0, reviews, late_reviews, oldest_review_at })
}
