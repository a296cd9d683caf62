//! Which call a path is, and which of its values are signed.

use crate::form::Form;
use crate::wire::plain_path;

/// Every path that is answered. The vendor names no path for parcels, so its spellings elsewhere are taken.
pub const PATHS: [&str; 11] = [
    "/service/applyRefund",
    "/service/queryRefund",
    "/service/check/normal",
    "/service/QueryOrdersList",
    "/service/BusinessOrdersList",
    "/service/DisputeOrderList",
    "/gateway/service/auth",
    "/service/uploadTrackingNo",
    "/service/uploadTrackingNumber",
    "/gateway/service/uploadTrackingNo",
    "/gateway/service/uploadTrackingNumber",
];

/// What can be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Asks for a refund.
    ApplyRefund,
    /// Asks how a refund stands.
    QueryRefund,
    /// Asks about orders by their numbers.
    CheckOrders,
    /// Lists orders that were paid.
    PaidOrders,
    /// Lists refunds, chargebacks and so on.
    BusinessOrders,
    /// Lists disputes.
    DisputeOrders,
    /// Captures or voids.
    Authorisation,
    /// Says where a parcel is.
    Tracking,
}

impl Call {
    /// The call of a path.
    pub fn of(path: &str) -> Option<Self> {
        match plain_path(path) {
            "/service/applyRefund" => Some(Self::ApplyRefund),
            "/service/queryRefund" => Some(Self::QueryRefund),
            "/service/check/normal" => Some(Self::CheckOrders),
            "/service/QueryOrdersList" => Some(Self::PaidOrders),
            "/service/BusinessOrdersList" => Some(Self::BusinessOrders),
            "/service/DisputeOrderList" => Some(Self::DisputeOrders),
            "/gateway/service/auth" => Some(Self::Authorisation),
            "/service/uploadTrackingNo"
            | "/service/uploadTrackingNumber"
            | "/gateway/service/uploadTrackingNo"
            | "/gateway/service/uploadTrackingNumber" => Some(Self::Tracking),
            _ => None,
        }
    }

    /// The fields whose values are signed, in this order; the secret follows.
    pub fn signed(self, form: &Form<'_>) -> &'static [&'static str] {
        match self {
            Self::ApplyRefund => {
                &["account", "terminal", "payment_id", "refund_number", "refund_type", "refund_amount", "refund_description"]
            }
            Self::QueryRefund => &["account", "terminal", "refund_id", "refund_number"],
            Self::CheckOrders => &["account", "terminal", "order_number"],
            Self::PaidOrders => &["account", "terminal", "order_beginDate", "order_endDate"],
            Self::BusinessOrders | Self::DisputeOrders => &["account", "terminal", "order_beginDate", "order_endDate", "pages"],
            Self::Authorisation if form.filled("payment_authType") == Some("3") => {
                &["account", "terminal", "order_number", "payment_authType"]
            }
            Self::Authorisation => &["account", "terminal", "payment_id", "payment_authType", "order_amount"],
            Self::Tracking => &["account", "terminal", "payment_id", "tracking_number", "tracking_site", "tracking_handler"],
        }
    }
}
