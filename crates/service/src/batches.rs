//! Refunds that were asked for together, under one name of the merchant's.

use refundry_engine::refund::{Refund, RefundStateName};
use refundry_engine::{MerchantId, Refusal};
use refundry_store::{Cursor, PAGE_LIMIT_MAX, PageRequest, RefundFilter};

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::permissions::Permission;
use crate::{merchants, refunds};

/// What one call took back.
#[derive(Clone, Debug, PartialEq)]
pub struct CancelledPage {
    /// The refunds that are cancelled by it.
    pub cancelled: Vec<Refund>,
    /// Where the next call goes on; `None` when nothing of the batch is pending any more.
    pub next: Option<Cursor>,
}

/// Takes back what is still pending of a batch, a page at a time. What was sent in between stays sent.
pub async fn cancel(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    batch: &str,
    after: Option<Cursor>,
) -> Result<CancelledPage, ServiceError> {
    caller.must(Permission::RefundsWrite)?;
    let merchant_id = merchants::read(service, caller, caller.merchant_id(merchant_id)?).await?.id;
    let filter = RefundFilter {
        merchant_id: Some(merchant_id),
        mode: Some(caller.mode),
        state: Some(RefundStateName::Pending),
        batch: Some(batch.to_owned()),
        ..RefundFilter::default()
    };
    let found = service.world.store.refunds(&filter, PageRequest { after, limit: PAGE_LIMIT_MAX }).await?;
    let mut cancelled = Vec::new();
    for refund in found.rows {
        match refunds::cancel(service, caller, Some(merchant_id), refund.id).await {
            Ok(refund) => cancelled.push(refund),
            // It was sent, or it ended, after the page was read.
            Err(ServiceError::Refused(Refusal::RefundStateForbids { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(CancelledPage { cancelled, next: found.next })
}
