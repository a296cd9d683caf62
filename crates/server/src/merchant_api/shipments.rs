//! Tracking numbers, one by one and many at once, and whether the goods arrived.

use axum::response::Response;
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::{MerchantId, PaymentId};
use refundry_service::ServiceError;
use refundry_service::shipments::{self, PaymentNames, TrackingRow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MerchantQuery;
use super::payment_view::PaymentView;
use super::settling_view::ShipmentStateView;
use crate::call::{Call, ok};
use crate::problem::{Problem, ProblemBody, kinds};

/// The tracking numbers of one payment; told again, they take the place of those before.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrackingRequest {
    /// The carrier's numbers, letters and digits only; several have commas between them.
    #[schema(example = "LX123456789CN,LX123456790CN")]
    pub tracking_numbers: String,
    /// The carrier's own page about them, not that of a site which collects many carriers.
    #[schema(example = "https://carrier.example/track")]
    pub carrier_url: String,
}

/// Where the goods of a payment are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipmentStateRequest {
    /// `under_way`, `delivered` or `exception`.
    pub state: ShipmentStateView,
}

/// The tracking numbers of many payments.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrackingBatchRequest {
    /// For keys that act for more than one merchant.
    #[schema(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// 1 to 10,000 rows.
    #[schema(max_items = 10_000)]
    pub rows: Vec<TrackingRowRequest>,
}

/// One row of a batch. The payment is named by its own number, by the order number, or by both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrackingRowRequest {
    /// The number that the merchant was given.
    pub payment_reference: Option<String>,
    /// The merchant's order number; alone, it must name one payment only.
    pub merchant_reference: Option<String>,
    /// The carrier's numbers, letters and digits only; several have commas between them.
    pub tracking_numbers: String,
    /// The carrier's own page about them.
    pub carrier_url: String,
}

/// What became of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchResult {
    /// Rows that were taken.
    pub imported: u64,
    /// Rows that were not, each with its reason.
    pub rejected: Vec<RejectedBatchRow>,
}

/// A row that was not taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct RejectedBatchRow {
    /// Its number, from 1.
    pub row: u64,
    /// Why.
    pub problem: Box<ProblemBody>,
}

/// Tells the tracking numbers of one payment.
pub async fn track(call: Call) -> Result<Response, Problem> {
    let (merchant_id, payment_id) = named(&call)?;
    let TrackingRequest { tracking_numbers, carrier_url } = call.json()?;
    let key = PaymentKey::Id(payment_id);
    let tracked = shipments::record_tracking(&call.app.service, &call.caller, (merchant_id, &key), &tracking_numbers, carrier_url).await?;
    ok(&PaymentView::from(tracked))
}

/// Tells where the goods of a payment are.
pub async fn change_state(call: Call) -> Result<Response, Problem> {
    let (merchant_id, payment_id) = named(&call)?;
    let ShipmentStateRequest { state } = call.json()?;
    ok(&PaymentView::from(shipments::record_state(&call.app.service, &call.caller, merchant_id, payment_id, state.into()).await?))
}

/// Tells the tracking numbers of many payments; a row that is rejected stops no other.
pub async fn track_many(call: Call) -> Result<Response, Problem> {
    let TrackingBatchRequest { merchant_id, rows } = call.json()?;
    let rows = rows.into_iter().map(TrackingRow::from).collect();
    let results = shipments::import_tracking(&call.app.service, &call.caller, merchant_id, rows).await?;
    ok(&BatchResult::of(results, &call)?)
}

impl BatchResult {
    /// Sums results up. A fault of ours is no row's reason: the whole batch can be sent again.
    pub fn of(results: Vec<Result<Payment, ServiceError>>, call: &Call) -> Result<Self, Problem> {
        let mut sum = Self { imported: 0, rejected: Vec::new() };
        for (row, result) in (1..).zip(results) {
            match result {
                Ok(_) => sum.imported += 1,
                Err(ServiceError::Refused(refusal)) => {
                    let problem = Box::new(Problem::from(refusal).body(call.language, &call.request_id));
                    sum.rejected.push(RejectedBatchRow { row, problem });
                }
                Err(fault @ ServiceError::Fault(_)) => return Err(fault.into()),
            }
        }
        Ok(sum)
    }
}

impl From<TrackingRowRequest> for TrackingRow {
    fn from(row: TrackingRowRequest) -> Self {
        let TrackingRowRequest { payment_reference, merchant_reference, tracking_numbers, carrier_url } = row;
        Self { names: PaymentNames { payment_reference, merchant_reference }, tracking_numbers, carrier_url }
    }
}

fn named(call: &Call) -> Result<(Option<MerchantId>, PaymentId), Problem> {
    let query: MerchantQuery = call.query()?;
    Ok((query.merchant_id, call.path_id("payment_id", &kinds::UNKNOWN_PAYMENT)?))
}
