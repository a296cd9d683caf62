//! Payments: told by the operator's payment system, one by one or many at once.

use std::sync::Arc;

use futures::future::join_all;
use refundry_dialects::sharing::NamedPayment;
use refundry_engine::command::{LeftToTerms, OrderStep, RecordPayment, SettlePayment};
use refundry_engine::idempotency::ComparedFields;
use refundry_engine::ids::EPOCH_MS;
use refundry_engine::payment::{Converted, Payment, PaymentDetails, PaymentKey, PaymentStatus, SettlementQuote};
use refundry_engine::settlement::Settling;
use refundry_engine::share::{FeeMode, PlannedShare, Sharing};
use refundry_engine::{Act, MerchantId, Mode, Outcome, PaymentId, Refusal, TerminalId, Timestamp};
use refundry_ledger::Money;
use refundry_store::{Page, PageRequest, PaymentFilter};

use crate::Service;
use crate::caller::Caller;
use crate::error::{Fault, ServiceError};
use crate::outgoing::check_url;
use crate::payouts::operator_with;
use crate::permissions::Permission;
use crate::receivers::{self, NamedLine};
use crate::refunds::{DialectRules, NATIVE};
use crate::shares;
use crate::texts::{check_kept, check_plain};

/// Ids that are proposed for one payment, each a millisecond later than the one before: some systems tell the day of a payment only, and one
/// millisecond has 4,096 ids.
const ID_PROPOSALS_MAX: i64 = 1_000;

/// A payment as it is told.
#[derive(Clone, Debug)]
pub struct NewPayment {
    /// Whose; may be left out by callers that act for one merchant.
    pub merchant_id: Option<MerchantId>,
    /// Which acceptance channel took it; left out, it is the caller's own.
    pub terminal_id: Option<TerminalId>,
    /// The number that the merchant was given.
    pub payment_reference: String,
    /// The merchant's order number.
    pub merchant_reference: String,
    /// Payment method.
    pub method: String,
    /// Where it stands.
    pub status: PaymentStatus,
    /// When it was paid.
    pub paid_at: Timestamp,
    /// What was authorised; fixes the currency.
    pub authorised: Money,
    /// What was taken; zero before capture.
    pub captured: Money,
    /// The part of it that the merchant's marketing paid.
    pub marketing: Option<Money>,
    /// The operator's fee; left out, the settlement terms count it.
    pub fee: Option<Money>,
    /// The part that was kept as reserve; left out, the settlement terms count it.
    pub reserved: Option<Money>,
    /// The stored rate, when it settles in another currency.
    pub quote: Option<SettlementQuote>,
    /// Where its refunds are announced.
    pub notify_url: Option<String>,
    /// How its money is shared; left out, it is an ordinary payment until somebody shares it.
    pub sharing: Option<NewSharing>,
    /// What no decision reads.
    pub details: PaymentDetails,
}

/// How a payment's money is shared, told with the payment.
#[derive(Clone, Debug)]
pub struct NewSharing {
    /// Who the operator's fee is taken from.
    pub fee_mode: FeeMode,
    /// Shares that begin by themselves.
    pub plan: Vec<NewPlan>,
}

/// A share that begins by itself.
#[derive(Clone, Debug)]
pub struct NewPlan {
    /// The giver's number for it.
    pub number: String,
    /// What is compared when the number comes again.
    pub compared: ComparedFields,
    /// Who gets how much.
    pub lines: Vec<NamedLine>,
    /// When it begins.
    pub due_at: Timestamp,
    /// Where its end is announced.
    pub notify_url: Option<String>,
    /// When the giver says that it asked, as it was sent.
    pub asked_at_text: Option<String>,
}

/// A payment that is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedPayment {
    /// As it stands.
    pub payment: Box<Payment>,
    /// Whether it was new.
    pub created: bool,
}

/// Records a payment, or a later status of a known one.
pub async fn record(service: &Service, caller: &Caller, new: NewPayment) -> Result<RecordedPayment, ServiceError> {
    caller.must(Permission::PaymentsWrite)?;
    record_as(service, caller, NATIVE, new, None).await
}

/// Records what was told, or, as a step of an order, what was ordered here.
pub(crate) async fn record_as(
    service: &Service,
    caller: &Caller,
    rules: DialectRules,
    mut new: NewPayment,
    order: Option<OrderStep>,
) -> Result<RecordedPayment, ServiceError> {
    let left_to_terms = LeftToTerms { fee: new.fee.is_none(), reserved: new.reserved.is_none() };
    let sharing = new.sharing.take();
    let mut payment = payment_of(service, caller, new)?;
    payment.sharing = sharing.as_ref().map(|sharing| Box::new(Sharing::new(sharing.fee_mode)));
    let plan = match sharing {
        Some(sharing) => planned(service, (rules, payment.merchant_id, payment.mode), sharing.plan).await?,
        None => Vec::new(),
    };
    // Ids begin with 2020: what is older is counted from there on, not all of it in one instant.
    let instant = payment.paid_at.max(Timestamp::from_ms(EPOCH_MS));
    for proposal in 0..ID_PROPOSALS_MAX {
        payment.id = PaymentId::new(service.world.ids.at(instant.plus_ms(proposal))?);
        let act = RecordPayment { payment: payment.clone(), left_to_terms, order, plan: plan.clone() };
        let act = Act::RecordPayment(Box::new(act));
        match service.transact(caller, act).await? {
            Outcome::Payment { payment, created } => return Ok(RecordedPayment { payment, created }),
            Outcome::IdTaken => {}
            other => unreachable!("a payment is recorded, refused, or its id is taken, not {other:?}"),
        }
    }
    tracing::error!(proposals = ID_PROPOSALS_MAX, "no free id was found for a payment");
    Err(Fault::Busy.into())
}

/// Records many; each has its own result, in the order given. They share commits.
pub async fn import(service: &Service, caller: &Caller, many: Vec<NewPayment>) -> Vec<Result<RecordedPayment, ServiceError>> {
    join_all(many.into_iter().map(|new| record(service, caller, new))).await
}

/// A payment's unsettled money becomes available.
pub async fn settle(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    payment_id: PaymentId,
) -> Result<Payment, ServiceError> {
    operator_with(caller, Permission::PaymentsWrite)?;
    let merchant_id = caller.merchant_id(merchant_id)?;
    let key = PaymentKey::Id(payment_id);
    read(service, caller, merchant_id, &key).await?;
    service.transact(caller, Act::SettlePayment(SettlePayment { merchant_id, payment_id })).await?;
    read(service, caller, merchant_id, &key).await
}

/// One payment.
pub async fn find(service: &Service, caller: &Caller, merchant_id: Option<MerchantId>, key: &PaymentKey) -> Result<Payment, ServiceError> {
    caller.must(Permission::PaymentsRead)?;
    named(service, caller, merchant_id, key).await
}

/// Payments, newest first. The mode of the filter is always the caller's.
pub async fn list(service: &Service, caller: &Caller, mut filter: PaymentFilter, page: PageRequest) -> Result<Page<Payment>, ServiceError> {
    caller.must(Permission::PaymentsRead)?;
    filter.merchant_id = caller.merchant_of_list(filter.merchant_id)?;
    filter.merchant_reference.as_deref().map_or(Ok(()), |reference| check_kept("merchant_reference", reference))?;
    filter.mode = Some(caller.mode);
    Ok(service.world.store.payments(&filter, page).await?)
}

/// A payment of a merchant that the caller acts for; whether it may do what it wants is for the one who asks.
pub(crate) async fn named(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    key: &PaymentKey,
) -> Result<Payment, ServiceError> {
    if let PaymentKey::Reference(reference) = key {
        check_kept("payment_reference", reference)?;
    }
    read(service, caller, caller.merchant_id(merchant_id)?, key).await
}

/// Planned shares with the merchants that they name.
async fn planned(
    service: &Service,
    (rules, merchant_id, mode): (DialectRules, MerchantId, Mode),
    plan: Vec<NewPlan>,
) -> Result<Vec<PlannedShare>, ServiceError> {
    let mut all = Vec::with_capacity(plan.len());
    for new in plan {
        shares::check_number("shares.number", &new.number)?;
        shares::check_address(new.notify_url.as_deref())?;
        all.push(PlannedShare {
            key: shares::key(rules.name, merchant_id, new.number),
            compared: new.compared,
            lines: receivers::resolved(service, mode, new.lines).await?,
            due_at: new.due_at,
            notify_url: new.notify_url,
            asked_at_text: new.asked_at_text,
        });
    }
    Ok(all)
}

/// A payment that a caller named.
pub(crate) struct NamedKey {
    /// What it is looked up by.
    pub key: PaymentKey,
    /// The number that the merchant was given, when the caller named it by its order number alone: what is compared later names every payment by it.
    pub reference: Option<String>,
}

/// The payment that a caller names. An order number names the newest payment that took money, else the newest at all.
pub(crate) async fn key_of(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    named_payment: NamedPayment,
) -> Result<NamedKey, ServiceError> {
    match named_payment {
        NamedPayment::Key(key) => Ok(NamedKey { key, reference: None }),
        NamedPayment::Both { key, order_number } => {
            let payment = named(service, caller, merchant_id, &key).await?;
            if payment.merchant_reference == order_number {
                return Ok(NamedKey { key: PaymentKey::Id(payment.id), reference: None });
            }
            Err(Refusal::PaymentInconsistent { field: "merchant_reference".to_owned() }.into())
        }
        NamedPayment::OrderNumber(number) => {
            check_kept("merchant_reference", &number)?;
            let filter = PaymentFilter {
                merchant_id: Some(caller.merchant_id(merchant_id)?),
                mode: Some(caller.mode),
                merchant_reference: Some(number),
                ..PaymentFilter::default()
            };
            let found = service.world.store.payments(&filter, PageRequest::default()).await?.rows;
            let captured = found.iter().find(|payment| payment.status == PaymentStatus::Captured);
            let payment = captured.or(found.first()).ok_or(Refusal::UnknownPayment)?;
            Ok(NamedKey { key: PaymentKey::Id(payment.id), reference: Some(payment.payment_reference.clone()) })
        }
    }
}

async fn read(service: &Service, caller: &Caller, merchant_id: MerchantId, key: &PaymentKey) -> Result<Payment, ServiceError> {
    let payment = service.world.store.payment(merchant_id, key).await?;
    Ok(payment.filter(|payment| payment.mode == caller.mode).ok_or(Refusal::UnknownPayment)?)
}

fn payment_of(service: &Service, caller: &Caller, new: NewPayment) -> Result<Payment, ServiceError> {
    if let Some(url) = &new.notify_url {
        check_url("notify_url", url)?;
    }
    check_plain("payment_reference", &new.payment_reference)?;
    check_plain("merchant_reference", &new.merchant_reference)?;
    check_plain("method", &new.method)?;
    let merchant_id = caller.merchant_id(new.merchant_id)?;
    let own_terminal = caller.terminal.as_ref().map(|terminal| terminal.id);
    let terminal_id = match (own_terminal, new.terminal_id) {
        (Some(own), Some(named)) if own != named => return Err(Refusal::UnknownTerminal.into()),
        (own, named) => named.or(own).ok_or_else(terminal_wanted)?,
    };
    let now = service.world.now();
    if new.paid_at > now.plus_days(1) {
        // It could be refunded for that much longer.
        return Err(Refusal::FieldInvalid { field: "paid_at".to_owned(), rule: "not in the future".to_owned() }.into());
    }
    let zero = Money::zero(new.authorised.currency());
    Ok(Payment {
        id: PaymentId::new(0),
        merchant_id,
        terminal_id,
        mode: caller.mode,
        payment_reference: new.payment_reference,
        merchant_reference: new.merchant_reference,
        method: new.method,
        status: new.status,
        paid_at: new.paid_at,
        authorised: new.authorised,
        captured: new.captured,
        marketing: new.marketing.unwrap_or(zero),
        fee: new.fee.unwrap_or(zero),
        reserved: new.reserved.unwrap_or(zero),
        refunded: zero,
        refunded_marketing: zero,
        refund_count: 0,
        fee_given_back: zero,
        unsettled_left: zero,
        reserve_left: zero,
        settled: false,
        settling: Settling::default(),
        charged_back: zero,
        open_chargebacks: 0,
        open_retrievals: 0,
        sharing: None,
        converted: Converted::default(),
        quote: new.quote,
        notify_url: new.notify_url,
        details: Arc::new(new.details),
        created_at: now,
        updated_at: now,
    })
}

fn terminal_wanted() -> Refusal {
    Refusal::FieldInvalid { field: "terminal_id".to_owned(), rule: "name the terminal that took the payment".to_owned() }
}
