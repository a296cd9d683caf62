//! A payment's status in the words of the native API.

use refundry_engine::payment::PaymentStatus;

use super::StatusView;

impl From<PaymentStatus> for StatusView {
    fn from(status: PaymentStatus) -> Self {
        match status {
            PaymentStatus::Pending => Self::Pending,
            PaymentStatus::Authorised => Self::Authorised,
            PaymentStatus::Captured => Self::Captured,
            PaymentStatus::Failed => Self::Failed,
            PaymentStatus::Cancelled => Self::Cancelled,
            PaymentStatus::Closed => Self::Closed,
        }
    }
}

impl From<StatusView> for PaymentStatus {
    fn from(view: StatusView) -> Self {
        match view {
            StatusView::Pending => Self::Pending,
            StatusView::Authorised => Self::Authorised,
            StatusView::Captured => Self::Captured,
            StatusView::Failed => Self::Failed,
            StatusView::Cancelled => Self::Cancelled,
            StatusView::Closed => Self::Closed,
        }
    }
}
