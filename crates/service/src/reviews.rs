//! Refunds in review: deciding about them, editing them, and the list of those that wait for a person.

use refundry_engine::command::{EditRefund, ReviewRefund, SendNow};
use refundry_engine::refund::{Holds, METADATA_LENGTH_MAX, REASON_LENGTH_MAX, Refund, RefundState};
use refundry_engine::{Act, MerchantId, RefundId, Refusal};
use refundry_ledger::Money;
use refundry_store::{Page, PageRequest, ReviewFilter};

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::four_eyes;
use crate::permissions::Permission;
use crate::refunds::refund_after;
use crate::texts::check_kept;

/// A person's decision about a refund in review.
#[derive(Clone, Debug)]
pub struct Review {
    /// Whose; may be left out by callers that act for one merchant.
    pub merchant_id: Option<MerchantId>,
    /// Which.
    pub refund_id: RefundId,
    /// Let it pass, or not.
    pub approve: bool,
    /// Why; a rejection has to say it.
    pub note: String,
    /// The hash of the content that the person saw; an approval needs it.
    pub content_hash: Option<String>,
}

/// What is to change of a refund in review; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct RefundEdit {
    /// The hash of the content that the caller saw.
    pub content_hash: Option<String>,
    /// How much in all.
    pub amount: Option<Money>,
    /// The marketing part of it.
    pub marketing: Option<Money>,
    /// Why; `Some(None)` removes it.
    pub reason: Option<Option<String>>,
    /// Comes back as it was sent; `Some(None)` removes it.
    pub metadata: Option<Option<String>>,
}

/// Decides about a refund in review.
pub async fn review(service: &Service, caller: &Caller, review: Review) -> Result<Refund, ServiceError> {
    caller.must(Permission::RefundsReview)?;
    let merchant_id = caller.merchant_id(review.merchant_id)?;
    let Review { refund_id, approve, note, content_hash: seen, .. } = review;
    if !approve && note.trim().is_empty() {
        return Err(invalid("note", "say why it is rejected").into());
    }
    check_length("note", Some(&note), REASON_LENGTH_MAX)?;
    check_second_person(service, caller, merchant_id, refund_id).await?;
    let act = ReviewRefund { merchant_id, mode: caller.mode, refund_id, approve, note, seen };
    refund_after(service, merchant_id, refund_id, service.transact(caller, Act::ReviewRefund(act)).await?).await
}

/// Who issued the key that a refund was asked for or edited with is no second person. An edit after this look changes the hash that was approved.
async fn check_second_person(service: &Service, caller: &Caller, merchant_id: MerchantId, refund_id: RefundId) -> Result<(), ServiceError> {
    let refund = service.world.store.refund(merchant_id, refund_id).await?.filter(|refund| refund.mode == caller.mode);
    let Some(refund) = refund else { return Ok(()) };
    let RefundState::Pending { holds: Holds { review: Some(hold), .. } } = &refund.state else { return Ok(()) };
    let asked: Vec<_> = hold.edited_by.iter().chain([&refund.applicant]).collect();
    if hold.second_person && four_eyes::is_behind(service, caller, &asked).await? {
        return Err(Refusal::ReviewerIsApplicant.into());
    }
    Ok(())
}

/// Changes what a refund in review asks for. It takes the permission to ask for refunds: who reviews only does not change what is asked.
pub async fn edit(
    service: &Service,
    caller: &Caller,
    (merchant_id, refund_id): (Option<MerchantId>, RefundId),
    edit: RefundEdit,
) -> Result<Refund, ServiceError> {
    caller.must(Permission::RefundsWrite)?;
    let merchant_id = caller.merchant_id(merchant_id)?;
    let RefundEdit { content_hash: seen, amount, marketing, reason, metadata } = edit;
    check_length("reason", reason.iter().flatten().next(), REASON_LENGTH_MAX)?;
    check_length("metadata", metadata.iter().flatten().next(), METADATA_LENGTH_MAX)?;
    if [&reason, &metadata].into_iter().flatten().flatten().any(String::is_empty) {
        return Err(invalid("reason", "1 letter or more; null removes it").into());
    }
    let act = EditRefund { merchant_id, mode: caller.mode, refund_id, seen, amount, marketing, reason, metadata };
    refund_after(service, merchant_id, refund_id, service.transact(caller, Act::EditRefund(Box::new(act))).await?).await
}

/// Ends the undo window of a refund before its time.
pub async fn send_now(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    refund_id: RefundId,
) -> Result<Refund, ServiceError> {
    caller.must(Permission::RefundsWrite)?;
    let merchant_id = caller.merchant_id(merchant_id)?;
    let act = Act::SendNow(SendNow { merchant_id, mode: caller.mode, refund_id });
    refund_after(service, merchant_id, refund_id, service.transact(caller, act).await?).await
}

/// Refunds that wait for a person, oldest first; of one merchant, or, for the operator, of all of its mode.
pub async fn list(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    page: PageRequest,
) -> Result<Page<Refund>, ServiceError> {
    caller.must(Permission::RefundsRead)?;
    let filter = ReviewFilter { merchant_id: caller.merchant_of_list(merchant_id)?, mode: caller.mode };
    Ok(service.world.store.reviews(filter, page).await?)
}

fn check_length(field: &str, text: Option<&String>, longest: usize) -> Result<(), Refusal> {
    let Some(text) = text else { return Ok(()) };
    check_kept(field, text)?;
    if text.chars().count() > longest { Err(invalid(field, &format!("{longest} letters at most"))) } else { Ok(()) }
}

fn invalid(field: &str, rule: &str) -> Refusal {
    Refusal::FieldInvalid { field: field.to_owned(), rule: rule.to_owned() }
}
