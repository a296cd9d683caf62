//! How amounts, times, ids and pages look in JSON. What one noun alone shows is beside its endpoints.

mod amount;
mod event;
mod page;
mod time;

pub use amount::{Amount, AmountView, CurrencyCode};
pub use event::EventView;
pub use page::{Listed, PageQuery, page_request};
pub use time::Rfc3339;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Sandbox or live: neither sees the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Mode)]
pub enum ModeView {
    /// Play money and the simulated acquirer.
    Sandbox,
    /// Real money.
    Live,
}

impl From<refundry_engine::Mode> for ModeView {
    fn from(mode: refundry_engine::Mode) -> Self {
        match mode {
            refundry_engine::Mode::Sandbox => Self::Sandbox,
            refundry_engine::Mode::Live => Self::Live,
        }
    }
}
