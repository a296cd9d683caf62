//! What merchants, platforms and the operator ask of merchants' own things. The endpoints are dull: in, one call, out.

pub mod adjustments;
pub mod asked_returns;
pub mod booked_view;
pub mod credentials;
pub mod csv_file;
pub mod dispute_view;
pub mod disputes;
pub mod endpoints;
pub mod events;
pub mod exposure_view;
pub mod funds;
pub mod gross_view;
pub mod hold_view;
pub mod idempotency_keys;
pub mod import;
pub mod notifications;
pub mod payment_details_view;
pub mod payment_view;
pub mod payments;
pub mod payout_files;
pub mod payout_terms_view;
pub mod payout_view;
pub mod payouts;
pub mod people;
pub mod queues;
pub mod refund_view;
pub mod refunds;
pub mod reviews;
pub mod settlement;
pub mod settling_view;
pub mod share_view;
pub mod shares;
pub mod shipments;
pub mod trade_files;
pub mod trade_lines;

use refundry_engine::MerchantId;
use serde::Deserialize;
use utoipa::IntoParams;

/// Whose, for keys that act for more than one merchant.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct MerchantQuery {
    /// For keys that act for more than one merchant.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
}
