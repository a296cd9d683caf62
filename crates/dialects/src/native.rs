//! The native protocol's outgoing half: notifications by Standard Webhooks. It has no envelope and so is no [`Dialect`](crate::Dialect): what comes in over the
//! native API is read and answered by the server, problem bodies included.

mod notification;

pub use notification::notify;

/// The name in storage and configuration.
pub const NAME: &str = "native";

/// Seconds between the sends of a native notification: at once, then for about three days.
pub const RESEND_SECONDS: &[u32] = &[0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// Whether a receiver's reply acknowledges a native notification: any status of the 200s.
pub const fn acknowledged(status: u16) -> bool {
    matches!(status, 200..=299)
}
