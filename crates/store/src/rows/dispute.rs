//! How a dispute and a daily rate are stored.

use refundry_engine::dispute::{Dispute, DisputeKind, DisputeState};
use refundry_engine::rate::{DailyRate, Day};
use refundry_engine::{DisputeId, MerchantId, PaymentId, Timestamp};

use super::columns::ReadColumns;
use crate::StoreError;
use crate::words::mode_from;

/// The columns of a dispute, in the order in which [`read`] wants them; filters read the first eight by place.
pub const COLUMNS: &str = "merchant_id, dispute_id, mode, kind, state, currency, payment_id, opened_at, amount_minor, network_reference, \
    reply_by, updated_at, body";

/// Reads a dispute.
pub fn read<'r>(columns: &mut impl ReadColumns<'r>) -> Result<Dispute, StoreError> {
    let merchant_id = MerchantId::new(columns.int()?);
    let id = DisputeId::new(columns.int()?);
    let mode = columns.word(mode_from)?;
    let kind = columns.word(DisputeKind::from_word)?;
    let state = columns.word(DisputeState::from_word)?;
    let currency = columns.currency()?;
    Ok(Dispute {
        id,
        merchant_id,
        mode,
        kind,
        state,
        payment_id: PaymentId::new(columns.int()?),
        opened_at: columns.instant()?,
        amount: columns.money(currency)?,
        network_reference: columns.string()?,
        reply_by: columns.int_or_null()?.map(Timestamp::from_us),
        updated_at: columns.instant()?,
        body: columns.json()?,
    })
}

/// The columns that [`rate`] wants.
pub const RATE_COLUMNS: &str = "base, quoted, valid_on, price_mantissa, price_scale";

/// Reads a daily rate.
pub fn rate<'r>(columns: &mut impl ReadColumns<'r>) -> Result<DailyRate, StoreError> {
    Ok(DailyRate {
        base: columns.currency()?,
        quoted: columns.currency()?,
        day: columns.small().map(Day::new)?,
        price_mantissa: columns.int()?,
        price_scale: columns.small()?,
    })
}
