//! Refunds that were asked for together, under one name of the merchant's.

use refundry_engine::refund::{Refund, RefundStateName};
use refundry_engine::{MerchantId, Refusal};
use refundry_store::{Cursor, PAGE_LIMIT_MAX, PageRequest, RefundFilter};

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::permissions::Permission;
use crate::{merchants, refunds};

/// Pages of pending refunds that one call looks at.
const PAGES_MAX: usize = 5;

/// What one call took back.
#[derive(Clone, Debug, PartialEq)]
pub struct CancelledPage {
    /// The refunds that are cancelled by it.
    pub cancelled: Vec<Refund>,
    /// Where the next call goes on; `None` when nothing of the batch is pending any more.
    pub next: Option<Cursor>,
}

/// Takes back what is still pending of a batch, some pages at a time. What was sent in between stays sent.
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
        ..RefundFilter::default()
    };
    let mut page = PageRequest { after, limit: PAGE_LIMIT_MAX };
    let mut cancelled = Vec::new();
    for _ in 0..PAGES_MAX {
        let found = service.world.store.refunds(&filter, page).await?;
        for refund in found.rows.into_iter().filter(|refund| refund.batch.as_deref() == Some(batch)) {
            match refunds::cancel(service, caller, Some(merchant_id), refund.id).await {
                Ok(refund) => cancelled.push(refund),
                // It was sent, or it ended, after the page was read.
                Err(ServiceError::Refused(Refusal::RefundStateForbids { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        let Some(next) = found.next else { return Ok(CancelledPage { cancelled, next: None }) };
        page.after = Some(next);
    }
    Ok(CancelledPage { cancelled, next: page.after })
}
