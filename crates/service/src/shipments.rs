//! The goods of payments: tracking numbers, one by one or many at once, and whether they arrived.

use futures::future::join_all;
use refundry_dialects::orders::TrackingNote;
use refundry_engine::command::{RecordShipmentState, RecordTracking};
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::settlement::ShipmentState;
use refundry_engine::{Act, MerchantId, Outcome, PaymentId, Refusal};
use refundry_store::{PageRequest, PaymentFilter};

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::payouts::operator_with;
use crate::permissions::Permission;
use crate::texts::check_kept;
use crate::{merchants, payments};

/// Rows of a batch at most.
pub const BATCH_ROWS_MAX: usize = 10_000;
/// Rows that are looked up and recorded at once: they share commits.
pub(crate) const ROWS_AT_ONCE: usize = 500;

/// How a row of a batch names its payment.
#[derive(Clone, Debug, Default)]
pub struct PaymentNames {
    /// The number that the merchant was given.
    pub payment_reference: Option<String>,
    /// The merchant's order number; it must name one payment alone.
    pub merchant_reference: Option<String>,
}

/// A row of a batch of tracking numbers.
#[derive(Clone, Debug)]
pub struct TrackingRow {
    /// Which payment.
    pub names: PaymentNames,
    /// The carrier's numbers, with commas between them.
    pub tracking_numbers: String,
    /// The carrier's own page about them.
    pub carrier_url: String,
}

/// Tells the tracking numbers of one payment; several have commas between them.
pub async fn record_tracking(
    service: &Service,
    caller: &Caller,
    (merchant_id, key): (Option<MerchantId>, &PaymentKey),
    tracking_numbers: &str,
    carrier_url: String,
) -> Result<Payment, ServiceError> {
    caller.must(Permission::ShipmentsWrite)?;
    let payment = payments::named(service, caller, merchant_id, key).await?;
    record(service, caller, &payment, tracking_numbers, carrier_url).await
}

/// What a dialect's caller tells of a parcel of its own terminal.
pub(crate) async fn carry_out(service: &Service, caller: &Caller, note: &TrackingNote) -> Result<Payment, ServiceError> {
    caller.must(Permission::ShipmentsWrite)?;
    let payment = payments::named(service, caller, None, &note.payment).await?;
    if caller.terminal.as_ref().is_some_and(|terminal| terminal.id != payment.terminal_id) {
        return Err(Refusal::UnknownPayment.into());
    }
    record(service, caller, &payment, &note.number, note.site.clone()).await
}

/// Tells many; each row has its own result, in the order given.
pub async fn import_tracking(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    rows: Vec<TrackingRow>,
) -> Result<Vec<Result<Payment, ServiceError>>, ServiceError> {
    caller.must(Permission::ShipmentsWrite)?;
    let merchant_id = merchants::read(service, caller, caller.merchant_id(merchant_id)?).await?.id;
    check_rows(rows.len())?;
    let mut results = Vec::with_capacity(rows.len());
    for rows in rows.chunks(ROWS_AT_ONCE) {
        let each = rows.iter().map(async |row| {
            let payment = named(service, caller, merchant_id, &row.names).await?;
            record(service, caller, &payment, &row.tracking_numbers, row.carrier_url.clone()).await
        });
        results.extend(join_all(each).await);
    }
    Ok(results)
}

/// Tells where the goods of a payment are.
pub async fn record_state(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    payment_id: PaymentId,
    state: ShipmentState,
) -> Result<Payment, ServiceError> {
    operator_with(caller, Permission::PaymentsWrite)?;
    let payment = payments::named(service, caller, merchant_id, &PaymentKey::Id(payment_id)).await?;
    let (merchant_id, mode) = (payment.merchant_id, caller.mode);
    let act = RecordShipmentState { merchant_id, mode, payment_id, state };
    outcome(service.transact(caller, Act::RecordShipmentState(act)).await?)
}

async fn record(
    service: &Service,
    caller: &Caller,
    payment: &Payment,
    tracking_numbers: &str,
    carrier_url: String,
) -> Result<Payment, ServiceError> {
    let numbers = tracking_numbers.split(',').map(str::to_owned).collect();
    let (merchant_id, payment_id) = (payment.merchant_id, payment.id);
    let act = RecordTracking { merchant_id, mode: caller.mode, payment_id, numbers, carrier_url };
    outcome(service.transact(caller, Act::RecordTracking(act)).await?)
}

/// The payment that a row of a batch names. Both names together must name the same.
pub(crate) async fn named(
    service: &Service,
    caller: &Caller,
    merchant_id: MerchantId,
    names: &PaymentNames,
) -> Result<Payment, ServiceError> {
    let payment = match (&names.payment_reference, &names.merchant_reference) {
        (Some(reference), _) => payments::named(service, caller, Some(merchant_id), &PaymentKey::Reference(reference.clone())).await?,
        (None, Some(reference)) => of_order(service, caller, merchant_id, reference).await?,
        (None, None) => return Err(invalid("payment_reference", "name the payment by it or by the order number").into()),
    };
    match &names.merchant_reference {
        Some(reference) if *reference != payment.merchant_reference => Err(Refusal::UnknownPayment.into()),
        Some(_) | None => Ok(payment),
    }
}

async fn of_order(service: &Service, caller: &Caller, merchant_id: MerchantId, reference: &str) -> Result<Payment, ServiceError> {
    check_kept("merchant_reference", reference)?;
    let filter = PaymentFilter {
        merchant_id: Some(merchant_id),
        mode: Some(caller.mode),
        merchant_reference: Some(reference.to_owned()),
        ..PaymentFilter::default()
    };
    let mut found = service.world.store.payments(&filter, PageRequest { after: None, limit: 2 }).await?.rows;
    match (found.pop(), found.pop()) {
        (Some(payment), None) => Ok(payment),
        (None, _) => Err(Refusal::UnknownPayment.into()),
        (Some(_), Some(_)) => Err(invalid("merchant_reference", "several payments have this order number; use the payment's own").into()),
    }
}

pub(crate) fn check_rows(count: usize) -> Result<(), Refusal> {
    if (1..=BATCH_ROWS_MAX).contains(&count) { Ok(()) } else { Err(invalid("rows", &format!("1 to {BATCH_ROWS_MAX} rows"))) }
}

pub(crate) fn outcome(outcome: Outcome) -> Result<Payment, ServiceError> {
    match outcome {
        Outcome::Payment { payment, .. } => Ok(*payment),
        other => unreachable!("a payment is changed or refused, not {other:?}"),
    }
}

fn invalid(field: &str, rule: &str) -> Refusal {
    Refusal::FieldInvalid { field: field.to_owned(), rule: rule.to_owned() }
}
