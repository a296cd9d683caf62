//! What becomes of authorised payments on request: they are captured, in whole or in part, or voided; and sales at a till that are given up.

use refundry_dialects::orders::AuthorisationWish;
use refundry_engine::asked::AskedAmount;
use refundry_engine::command::{CapturePayment, VoidPayment, VoidWhat};
use refundry_engine::payment::{Payment, PaymentKey, PaymentStatus};
use refundry_engine::{Act, MerchantId, Outcome, Refusal, TerminalId};
use refundry_store::{PageRequest, PaymentFilter};

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::permissions::Permission;
use crate::texts::check_kept;

/// Takes the money of an authorised payment, or a part of it; the rest is released.
pub async fn capture(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    key: &PaymentKey,
    amount: AskedAmount,
) -> Result<Payment, ServiceError> {
    caller.must(Permission::PaymentsCapture)?;
    let payment = find(service, caller, caller.merchant_id(merchant_id)?, key).await?;
    let amount = amount.of_payment_in(payment.currency()).ok_or_else(|| Refusal::FieldInvalid {
        field: "amount".to_owned(),
        rule: format!("at most {} decimals, as {} has", payment.currency().exponent(), payment.currency()),
    })?;
    let act = CapturePayment { merchant_id: payment.merchant_id, mode: caller.mode, payment_id: payment.id, amount };
    payment_after(service.transact(caller, Act::CapturePayment(act)).await?)
}

/// Gives an authorisation up, or a sale at a till of which nothing has moved since.
pub async fn void(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    key: &PaymentKey,
    what: VoidWhat,
) -> Result<Payment, ServiceError> {
    caller.must(Permission::PaymentsCapture)?;
    let payment = find(service, caller, caller.merchant_id(merchant_id)?, key).await?;
    let act = VoidPayment { merchant_id: payment.merchant_id, mode: Some(caller.mode), payment_id: payment.id, what };
    payment_after(service.transact(caller, Act::VoidPayment(act)).await?)
}

/// What a dialect's caller wishes of an authorisation of its own terminal.
pub(crate) async fn carry_out(service: &Service, caller: &Caller, wish: &AuthorisationWish) -> Result<Payment, ServiceError> {
    match wish {
        AuthorisationWish::Capture { payment, amount } => capture(service, caller, None, payment, *amount).await,
        AuthorisationWish::Void { payment } => void(service, caller, None, payment, VoidWhat::Authorisation).await,
        AuthorisationWish::VoidSale { merchant_reference } => {
            caller.must(Permission::PaymentsCapture)?;
            let sale = sale_of(service, caller, merchant_reference).await?;
            void(service, caller, None, &PaymentKey::Id(sale.id), VoidWhat::OfflineSale).await
        }
    }
}

/// The sale of an order number: the newest attempt that took money, or that was given up before.
async fn sale_of(service: &Service, caller: &Caller, merchant_reference: &str) -> Result<Payment, ServiceError> {
    check_kept("merchant_reference", merchant_reference)?;
    let filter = PaymentFilter {
        merchant_id: Some(caller.merchant_id(None)?),
        mode: Some(caller.mode),
        merchant_reference: Some(merchant_reference.to_owned()),
        ..PaymentFilter::default()
    };
    let found = service.world.store.payments(&filter, PageRequest::default()).await?;
    let is_sale = |payment: &Payment| matches!(payment.status, PaymentStatus::Captured | PaymentStatus::Cancelled);
    let sale = found.rows.into_iter().find(|payment| is_sale(payment) && is_own(caller, payment.terminal_id));
    Ok(sale.ok_or(Refusal::UnknownPayment)?)
}

async fn find(service: &Service, caller: &Caller, merchant_id: MerchantId, key: &PaymentKey) -> Result<Payment, ServiceError> {
    if let PaymentKey::Reference(reference) = key {
        check_kept("payment_reference", reference)?;
    }
    let payment = service.world.store.payment(merchant_id, key).await?;
    let own = payment.filter(|payment| payment.mode == caller.mode && is_own(caller, payment.terminal_id));
    Ok(own.ok_or(Refusal::UnknownPayment)?)
}

/// A terminal's credential speaks for that terminal's payments alone.
fn is_own(caller: &Caller, terminal_id: TerminalId) -> bool {
    caller.terminal.as_ref().is_none_or(|terminal| terminal.id == terminal_id)
}

fn payment_after(outcome: Outcome) -> Result<Payment, ServiceError> {
    match outcome {
        Outcome::Payment { payment, .. } => Ok(*payment),
        other => unreachable!("a payment is changed or refused, not {other:?}"),
    }
}
