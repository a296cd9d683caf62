//! Sharing a payment's money with other merchants: shares now and planned ones, how they end, and what receivers owe for advances.

use refundry_dialects::sharing::{COMPARED_PAYMENT, ShareInquiry, ShareWish};
use refundry_engine::command::{CancelShare, CreateShare, FinishShare, RecoverAdvance};
use refundry_engine::idempotency::{ComparedFields, IdempotencyKey, NUMBER_LENGTH_MAX};
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::refund::{REASON_LENGTH_MAX, URL_LENGTH_MAX};
use refundry_engine::share::{ADVANCE_SCOPE, SHARE_SCOPE, Share, ShareKey};
use refundry_engine::{Act, MerchantId, Mode, Outcome, PaymentId, Refusal, ShareId, Timestamp};
use refundry_ledger::Money;
use refundry_store::{Page, PageRequest, ShareFilter};

use crate::Service;
use crate::caller::Caller;
use crate::error::{Fault, ServiceError};
use crate::merchants;
use crate::outgoing::check_url;
use crate::payments;
use crate::permissions::{Permission, missing};
use crate::receivers::{self, NamedLine};
use crate::refunds::DialectRules;
use crate::texts::{check_kept, check_plain};

/// A share to be made.
#[derive(Clone, Debug)]
pub struct NewShare {
    /// The giver; may be left out by callers that act for one merchant.
    pub merchant_id: Option<MerchantId>,
    /// Of which payment.
    pub payment: PaymentKey,
    /// The giver's number for it.
    pub number: String,
    /// What is compared when the number comes again.
    pub compared: ComparedFields,
    /// Who gets how much.
    pub lines: Vec<NamedLine>,
    /// When it begins; left out, at once.
    pub due_at: Option<Timestamp>,
    /// Where its end is announced, in the caller's dialect.
    pub notify_url: Option<String>,
    /// When the giver says that it asked, as it was sent.
    pub asked_at_text: Option<String>,
}

/// A share that was accepted, now or before.
#[derive(Clone, Debug, PartialEq)]
pub struct AcceptedShare {
    /// As it stands.
    pub share: Box<Share>,
    /// Whether the number had been used for it before.
    pub replayed: bool,
}

/// Money to be taken from a receiver, because the giver advanced it.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// The giver; may be left out by callers that act for one merchant.
    pub merchant_id: Option<MerchantId>,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// The receiver's account number, or our id of it.
    pub receiver: String,
    /// How much.
    pub amount: Money,
    /// Names the intent, so that a repeat takes nothing more.
    pub number: String,
}

/// Asks for a share.
pub async fn create(service: &Service, caller: &Caller, rules: DialectRules, new: NewShare) -> Result<AcceptedShare, ServiceError> {
    caller.must(Permission::SharesWrite)?;
    let merchant_id = caller.merchant_id(new.merchant_id)?;
    check_number("number", &new.number)?;
    check_address(new.notify_url.as_deref())?;
    if let PaymentKey::Reference(reference) = &new.payment {
        check_kept("payment_reference", reference)?;
    }
    let act = CreateShare {
        share_id: ShareId::new(service.world.ids.one(service.world.now())?),
        merchant_id,
        terminal_id: caller.terminal.as_ref().map(|terminal| terminal.id),
        mode: caller.mode,
        payment: new.payment,
        key: key(rules.name, merchant_id, new.number),
        compared: new.compared,
        lines: receivers::resolved(service, caller.mode, new.lines).await?,
        due_at: new.due_at,
        notify_url: new.notify_url,
        asked_at_text: new.asked_at_text,
    };
    match service.transact(caller, Act::CreateShare(Box::new(act))).await? {
        Outcome::Share { share, replayed } => Ok(AcceptedShare { share, replayed }),
        _ => Err(Fault::Broken.into()),
    }
}

/// A share that is asked for in a wire dialect.
pub(crate) async fn ask(service: &Service, caller: &Caller, rules: DialectRules, wish: ShareWish) -> Result<Box<Share>, ServiceError> {
    caller.must(Permission::SharesWrite)?;
    let payment = payments::key_of(service, caller, None, wish.payment).await?;
    let mut compared = wish.compared;
    compared.extend(payment.reference.map(|reference| (COMPARED_PAYMENT.to_owned(), reference)));
    let new = NewShare {
        merchant_id: None,
        payment: payment.key,
        number: wish.number,
        compared,
        lines: wish.lines.into_iter().map(|part| NamedLine { receiver: part.account, amount: part.amount }).collect(),
        due_at: None,
        notify_url: wish.notify_url,
        asked_at_text: wish.asked_at_text,
    };
    Ok(create(service, caller, rules, new).await?.share)
}

/// What a question of a dialect asks for.
pub(crate) async fn inquire(
    service: &Service,
    caller: &Caller,
    rules: DialectRules,
    inquiry: ShareInquiry,
) -> Result<Box<Share>, ServiceError> {
    let key = match inquiry {
        ShareInquiry::Id(share_id) => ShareKey::Id(share_id),
        ShareInquiry::Number(number) => ShareKey::Number { dialect: rules.name.to_owned(), number },
        ShareInquiry::Nonsense => return Err(Refusal::UnknownShare.into()),
    };
    find(service, caller, None, &key).await.map(Box::new)
}

/// One share of the giver's own.
pub async fn find(service: &Service, caller: &Caller, merchant_id: Option<MerchantId>, key: &ShareKey) -> Result<Share, ServiceError> {
    caller.must(Permission::SharesRead)?;
    if let ShareKey::Number { number, .. } = key {
        check_kept("number", number)?;
    }
    let share = service.world.store.share(caller.merchant_id(merchant_id)?, key).await?;
    Ok(share.filter(|share| share.mode == caller.mode).ok_or(Refusal::UnknownShare)?)
}

/// Shares of one payment, newest first.
pub async fn list(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    payment_id: PaymentId,
    page: PageRequest,
) -> Result<Page<Share>, ServiceError> {
    caller.must(Permission::SharesRead)?;
    let payment = payments::named(service, caller, merchant_id, &PaymentKey::Id(payment_id)).await?;
    let filter = ShareFilter { merchant_id: payment.merchant_id, payment_id: Some(payment.id), state: None };
    Ok(service.world.store.shares(&filter, page).await?)
}

/// Takes a planned share back.
pub async fn cancel(service: &Service, caller: &Caller, merchant_id: Option<MerchantId>, share_id: ShareId) -> Result<Share, ServiceError> {
    caller.must(Permission::SharesWrite)?;
    let merchant_id = caller.merchant_id(merchant_id)?;
    let act = CancelShare { merchant_id, mode: caller.mode, share_id };
    share_after(service.transact(caller, Act::CancelShare(act)).await?)
}

/// Ends a running share of the sandbox, as its number asked to be left for. Nobody ends shares of real money by hand.
pub async fn finish(
    service: &Service,
    caller: &Caller,
    of: (Option<MerchantId>, ShareId),
    succeeds: bool,
    note: String,
) -> Result<Share, ServiceError> {
    caller.must(Permission::SharesWrite)?;
    let (merchant_id, share_id) = of;
    let merchant_id = caller.merchant_id(merchant_id)?;
    let share = service.world.store.share(merchant_id, &ShareKey::Id(share_id)).await?;
    if share.filter(|share| share.mode == caller.mode).ok_or(Refusal::UnknownShare)?.mode != Mode::Sandbox {
        return Err(invalid("share_id", "of a share of the sandbox; others are not ended by hand").into());
    }
    check_kept("note", &note)?;
    if note.chars().count() > REASON_LENGTH_MAX {
        return Err(invalid("note", &format!("at most {REASON_LENGTH_MAX}")).into());
    }
    let act = FinishShare { merchant_id, mode: Some(caller.mode), share_id, succeeds, note };
    share_after(service.transact(caller, Act::FinishShare(act)).await?)
}

/// The payments of whose advances receivers still owe something, newest first.
pub async fn advances(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    page: PageRequest,
) -> Result<Page<Payment>, ServiceError> {
    caller.must(Permission::SharesRead)?;
    let merchant = merchants::read(service, caller, caller.merchant_id(merchant_id)?).await?;
    Ok(service.world.store.advances(merchant.id, page).await?)
}

/// A receiver pays back what was advanced in its place; the operator alone may take it, because it is another merchant's money.
pub async fn recover(service: &Service, caller: &Caller, recovery: Recovery) -> Result<Payment, ServiceError> {
    if !caller.is_operator() {
        return Err(missing(Permission::AdvancesRecover).into());
    }
    caller.must(Permission::AdvancesRecover)?;
    let Recovery { merchant_id, payment_id, receiver, amount, number } = recovery;
    check_number("number", &number)?;
    let payment = payments::named(service, caller, merchant_id, &PaymentKey::Id(payment_id)).await?;
    let receiver_id = receivers::find(service, caller.mode, &receiver).await?;
    let receiver_id = receiver_id.ok_or(Refusal::UnknownReceiver { account: receiver })?;
    let key = IdempotencyKey {
        merchant_id: payment.merchant_id,
        dialect: crate::refunds::NATIVE.name.to_owned(),
        scope: ADVANCE_SCOPE.to_owned(),
        number,
    };
    let act = RecoverAdvance { merchant_id: payment.merchant_id, mode: caller.mode, payment_id, receiver_id, amount, key };
    service.transact(caller, Act::RecoverAdvance(act)).await?;
    payments::named(service, caller, merchant_id, &PaymentKey::Id(payment_id)).await
}

/// The key of a share: a number is the giver's, whichever terminal asks.
pub(crate) fn key(dialect: &str, merchant_id: MerchantId, number: String) -> IdempotencyKey {
    IdempotencyKey { merchant_id, dialect: dialect.to_owned(), scope: SHARE_SCOPE.to_owned(), number }
}

pub(crate) fn check_number(field: &str, number: &str) -> Result<(), Refusal> {
    check_plain(field, number)?;
    if (1..=NUMBER_LENGTH_MAX).contains(&number.chars().count()) {
        return Ok(());
    }
    Err(invalid(field, &format!("1 to {NUMBER_LENGTH_MAX} letters")))
}

pub(crate) fn check_address(url: Option<&str>) -> Result<(), Refusal> {
    let Some(url) = url else { return Ok(()) };
    check_kept("notify_url", url)?;
    if url.chars().count() > URL_LENGTH_MAX {
        return Err(invalid("notify_url", &format!("1 to {URL_LENGTH_MAX} letters, or left out")));
    }
    check_url("notify_url", url)
}

fn share_after(outcome: Outcome) -> Result<Share, ServiceError> {
    match outcome {
        Outcome::Share { share, .. } => Ok(*share),
        _ => Err(Fault::Broken.into()),
    }
}

fn invalid(field: &str, rule: &str) -> Refusal {
    Refusal::FieldInvalid { field: field.to_owned(), rule: rule.to_owned() }
}
