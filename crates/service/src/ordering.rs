//! Payments that merchants order over a wire dialect: in the sandbox alone, so that there is something to share and to refund. The simulated acquirer
//! pays them, or does not. Real payments are taken elsewhere and told of.

use refundry_dialects::baofoo::trade_no;
use refundry_dialects::sharing::{NamedPayment, OrderBalance, OrderWish};
use refundry_engine::command::{Act, LeftToTerms, OrderStep, RecordPayment};
use refundry_engine::idempotency::{ComparedFields, IdempotencyKey, first_difference};
use refundry_engine::payment::{Payment, PaymentDetails, PaymentKey, PaymentStatus};
use refundry_engine::refund::RefundStateName;
use refundry_engine::share::FeeMode;
use refundry_engine::{Mode, Outcome, Refusal};
use refundry_ledger::Money;
use refundry_store::{PAGE_LIMIT_MAX, PageRequest, RefundFilter};

use crate::Service;
use crate::acquirers::simulated::{LATER_MS, OrderRule, order_rule_for};
use crate::caller::Caller;
use crate::error::{Fault, ServiceError};
use crate::payments::{self, NamedKey, NewPayment, NewPlan, NewSharing};
use crate::permissions::{Permission, missing};
use crate::receivers::NamedLine;
use crate::refunds::DialectRules;
use crate::shares;
use crate::signatures::sha256;
use crate::workers::follow_orders::unpaid;

/// Times that a payment and its refunds are read together before the caller is told that others are at it.
const READS_MAX: u32 = 20;

/// A payment, and what of it was refunded for good.
pub(crate) struct OrderNow {
    pub payment: Box<Payment>,
    pub refunded: Money,
}

/// Orders a payment. The same order number with the same content is the same order, as it stands.
pub(crate) async fn place(service: &Service, caller: &Caller, rules: DialectRules, wish: OrderWish) -> Result<OrderNow, ServiceError> {
    caller.must(Permission::PaymentsCapture)?;
    if caller.mode != Mode::Sandbox {
        return Err(missing(Permission::PaymentsWrite).into());
    }
    let merchant_id = caller.merchant_id(None)?;
    let share_key = |wish: &OrderWish| {
        wish.sharing.as_ref().map(|sharing| (shares::key(rules.name, merchant_id, sharing.number.clone()), sharing.compared.clone()))
    };
    match payments::key_of(service, caller, None, NamedPayment::OrderNumber(wish.number.clone())).await {
        Ok(NamedKey { key, .. }) => {
            let known = payments::named(service, caller, None, &key).await?;
            check_repeat(service, &known, &wish, share_key(&wish)).await?;
            return now(service, known).await;
        }
        Err(ServiceError::Refused(Refusal::UnknownPayment)) => {}
        Err(error) => return Err(error),
    }
    let reference = trade_no::of_order(&sha256(format!("{merchant_id} {}", wish.number).as_bytes()), service.world.now());
    let told = told(service, wish.clone(), reference.clone());
    let order = match told.status {
        PaymentStatus::Pending => Some(later(service, &wish)),
        PaymentStatus::Captured | PaymentStatus::Failed | PaymentStatus::Authorised | PaymentStatus::Cancelled | PaymentStatus::Closed => {
            Some(OrderStep::default())
        }
    };
    match payments::record_as(service, caller, rules, told, order).await {
        Ok(recorded) => now(service, *recorded.payment).await,
        // Of two equal orders at once the other one came first, and it may have been paid meanwhile.
        Err(ServiceError::Refused(Refusal::PaymentStatusForbids { .. } | Refusal::PaymentInconsistent { .. })) => {
            let key = PaymentKey::Reference(reference);
            let known = payments::named(service, caller, None, &key).await?;
            check_repeat(service, &known, &wish, share_key(&wish)).await?;
            now(service, known).await
        }
        Err(error) => Err(error),
    }
}

/// How an order stands.
pub(crate) async fn find(service: &Service, caller: &Caller, named: NamedPayment) -> Result<OrderNow, ServiceError> {
    caller.must(Permission::PaymentsRead)?;
    let key = payments::key_of(service, caller, None, named).await?.key;
    now(service, payments::named(service, caller, None, &key).await?).await
}

/// Closes an order that nobody has paid.
pub(crate) async fn close(service: &Service, caller: &Caller, named: NamedPayment) -> Result<OrderNow, ServiceError> {
    caller.must(Permission::PaymentsCapture)?;
    let key = payments::key_of(service, caller, None, named).await?.key;
    let known = payments::named(service, caller, None, &key).await?;
    if known.status != PaymentStatus::Pending {
        return Err(Refusal::PaymentStatusForbids { status: known.status }.into());
    }
    let payment = unpaid(known, PaymentStatus::Closed);
    let left_to_terms = LeftToTerms { fee: true, reserved: true };
    let act = RecordPayment { payment, left_to_terms, order: Some(OrderStep::default()), plan: Vec::new() };
    match service.transact(caller, Act::RecordPayment(Box::new(act))).await? {
        Outcome::Payment { payment, .. } => now(service, *payment).await,
        _ => Err(Fault::Broken.into()),
    }
}

/// What is left of a payment to share and to refund, all of it as it stood at one instant.
pub(crate) async fn balance(service: &Service, caller: &Caller, named: NamedPayment) -> Result<OrderBalance, ServiceError> {
    caller.must(Permission::PaymentsRead)?;
    let key = payments::key_of(service, caller, None, named).await?.key;
    for _ in 0..READS_MAX {
        let payment = payments::named(service, caller, None, &key).await?;
        let refunded = refunded(service, &payment).await?;
        // What a refund adds to the payment or takes from it changes the payment's row: it stood still while its refunds were read.
        if payments::named(service, caller, None, &key).await? == payment {
            return Ok(OrderBalance {
                unshared: payment.unshared(),
                refunding: Money::new(payment.refunded.minor().saturating_sub(refunded.minor()).max(0), payment.currency()),
                refunded,
                total: if payment.status == PaymentStatus::Captured { payment.captured } else { payment.authorised },
                payment_reference: payment.payment_reference,
                order_number: payment.merchant_reference,
            });
        }
    }
    Err(Fault::Busy.into())
}

async fn now(service: &Service, payment: Payment) -> Result<OrderNow, ServiceError> {
    Ok(OrderNow { refunded: refunded(service, &payment).await?, payment: Box::new(payment) })
}

/// Σ of the refunds that succeeded.
async fn refunded(service: &Service, payment: &Payment) -> Result<Money, ServiceError> {
    let filter = RefundFilter {
        merchant_id: Some(payment.merchant_id),
        payment_id: Some(payment.id),
        state: Some(RefundStateName::Succeeded),
        ..RefundFilter::default()
    };
    let mut sum = Money::zero(payment.currency());
    if payment.refund_count == 0 {
        return Ok(sum);
    }
    let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
    loop {
        let read = service.world.store.refunds(&filter, page).await?;
        for refund in &read.rows {
            sum = sum.checked_add(refund.amount).map_err(|_| Refusal::OutOfRange)?;
        }
        let Some(next) = read.next else { return Ok(sum) };
        page.after = Some(next);
    }
}

/// The same number is the same order, whatever time its retry carries: what it costs, how it is paid and how it is shared must be the same.
async fn check_repeat(
    service: &Service,
    known: &Payment,
    wish: &OrderWish,
    planned: Option<(IdempotencyKey, ComparedFields)>,
) -> Result<(), ServiceError> {
    let mut fields =
        vec![("total", known.authorised.to_string(), wish.amount.to_string()), ("method", known.method.clone(), wish.method.clone())];
    if known.status != PaymentStatus::Failed {
        fields.push(("marketing", known.marketing.to_string(), wish.marketing.to_string()));
    }
    if let Some((field, first, now)) = fields.into_iter().find(|(_, first, now)| first != now) {
        return Err(Refusal::RepeatInconsistent { field: field.to_owned(), first, now }.into());
    }
    // Nothing is planned for an order that failed at once.
    let Some((key, compared)) = planned.filter(|_| known.status != PaymentStatus::Failed) else { return Ok(()) };
    let first = service.world.store.remembered(&key).await?.map(|remembered| remembered.compared).unwrap_or_default();
    match first_difference(&first, &compared) {
        Some((field, first, now)) => Err(Refusal::RepeatInconsistent { field, first, now }.into()),
        None => Ok(()),
    }
}

fn told(service: &Service, wish: OrderWish, reference: String) -> NewPayment {
    let rule = order_rule_for(wish.amount.minor() - wish.marketing.minor());
    let nothing = Money::zero(wish.amount.currency());
    let (status, captured, marketing) = match rule {
        OrderRule::Pay => (PaymentStatus::Captured, wish.amount, wish.marketing),
        OrderRule::PayLater | OrderRule::StayWaiting => (PaymentStatus::Pending, nothing, wish.marketing),
        OrderRule::Fail => (PaymentStatus::Failed, nothing, nothing),
    };
    let plan = match rule {
        OrderRule::Pay | OrderRule::PayLater | OrderRule::StayWaiting => plan_of(&wish),
        OrderRule::Fail => Vec::new(),
    };
    NewPayment {
        merchant_id: None,
        terminal_id: None,
        payment_reference: reference,
        merchant_reference: wish.number,
        method: wish.method,
        status,
        paid_at: service.world.now(),
        authorised: wish.amount,
        captured,
        marketing: Some(marketing),
        fee: None,
        reserved: None,
        quote: None,
        notify_url: wish.notify_url,
        sharing: Some(NewSharing { fee_mode: FeeMode::FromAccount, plan }),
        details: PaymentDetails::default(),
    }
}

/// When the acquirer is asked about an order that waits.
fn later(service: &Service, wish: &OrderWish) -> OrderStep {
    let now = service.world.now();
    let look_at = match order_rule_for(wish.amount.minor() - wish.marketing.minor()) {
        OrderRule::Pay | OrderRule::Fail => now,
        OrderRule::PayLater => now.plus_ms(LATER_MS),
        OrderRule::StayWaiting => now.plus_seconds(i64::from(wish.expires_minutes) * 60),
    };
    OrderStep { look_at: Some(look_at) }
}

fn plan_of(wish: &OrderWish) -> Vec<NewPlan> {
    let Some(sharing) = &wish.sharing else { return Vec::new() };
    let line = |part: &refundry_dialects::sharing::AskedPart| NamedLine { receiver: part.account.clone(), amount: part.amount };
    vec![NewPlan {
        number: sharing.number.clone(),
        compared: sharing.compared.clone(),
        lines: sharing.lines.iter().map(line).collect(),
        due_at: sharing.due_at,
        notify_url: sharing.notify_url.clone(),
        asked_at_text: wish.asked_at_text.clone(),
    }]
}
