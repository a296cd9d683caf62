//! What a merchant does about its authorisations: it takes the money, gives it up, or gives up a sale at a till.

use refundry_engine::command::VoidWhat;
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_ledger::Money;
use refundry_service::error::ServiceError;
use refundry_service::{Service, authorisations, payments};

use super::{Try, merchant_id, operator, unless_busy};
use crate::stage::Stage;

/// Takes so much of it; the rest is released.
pub async fn capture(stage: &Stage, service: &Service, (merchant, reference): (usize, &str), minor: i64) -> Try {
    let (merchant_id, key) = (merchant_id(stage, merchant), PaymentKey::Reference(reference.to_owned()));
    let payment = match payments::find(service, &operator(), Some(merchant_id), &key).await {
        Ok(payment) => payment,
        Err(error) => return unless_busy(stage, "capture", &error),
    };
    stage.model().wants_to_capture(merchant, reference, minor);
    let amount = Money::new(minor, payment.currency());
    let captured = authorisations::capture(service, &operator(), Some(merchant_id), &key, amount.into()).await;
    told(stage, merchant, captured)
}

/// Gives it up.
pub async fn void(stage: &Stage, service: &Service, (merchant, reference): (usize, &str), is_sale: bool) -> Try {
    let key = PaymentKey::Reference(reference.to_owned());
    let what = if is_sale { VoidWhat::OfflineSale } else { VoidWhat::Authorisation };
    stage.model().wants_to_void(merchant, reference);
    let voided = authorisations::void(service, &operator(), Some(merchant_id(stage, merchant)), &key, what).await;
    told(stage, merchant, voided)
}

fn told(stage: &Stage, merchant: usize, payment: Result<Payment, ServiceError>) -> Try {
    match payment {
        Ok(payment) => {
            stage.trace.line(&format!("{} is {} with {}", payment.payment_reference, payment.status.word(), payment.captured));
            stage.model().authorisation_ended(merchant, &payment.payment_reference, payment.captured.minor());
            Try::Done
        }
        Err(error) => unless_busy(stage, "authorisation", &error),
    }
}
