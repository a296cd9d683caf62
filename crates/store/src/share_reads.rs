//! What can be asked of shares, and what it gives.

use refundry_engine::merchant::{Merchant, Mode};
use refundry_engine::payment::Payment;
use refundry_engine::share::{Share, ShareKey, ShareStateName};
use refundry_engine::{MerchantId, PaymentId};

use crate::{Page, PageRequest, Reading};

/// What can be asked of the shares of payments, and of who gets them.
pub trait ShareReads: Send + Sync {
    /// One share of a giver.
    fn share<'a>(&'a self, merchant_id: MerchantId, key: &'a ShareKey) -> Reading<'a, Option<Share>>;
    /// Shares of a giver, newest first.
    fn shares<'a>(&'a self, filter: &'a ShareFilter, page: PageRequest) -> Reading<'a, Page<Share>>;
    /// The payments of a giver of whose advances receivers still owe something, newest first.
    fn advances(&self, merchant_id: MerchantId, page: PageRequest) -> Reading<'_, Page<Payment>>;
    /// The merchant that dialects name by this number.
    fn merchant_by_account<'a>(&'a self, mode: Mode, account: &'a str) -> Reading<'a, Option<Merchant>>;
}

/// Which shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareFilter {
    /// Of this giver.
    pub merchant_id: MerchantId,
    /// Of this payment.
    pub payment_id: Option<PaymentId>,
    /// In this state.
    pub state: Option<ShareStateName>,
}

/// Whether receivers still owe something of what was advanced.
pub(crate) fn is_advanced(payment: &Payment) -> bool {
    payment.sharing.as_ref().is_some_and(|sharing| sharing.advanced_minor > 0)
}
