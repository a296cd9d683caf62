//! Money that comes to a merchant, and the refunds that waited for it.

pub mod acquirer_settlement;
pub mod exposure;
pub mod figures;
pub mod forecast;
pub mod queue;
pub mod release_waiting;
pub mod reserve;
pub mod settle;
pub mod top_up;
