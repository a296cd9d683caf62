//! The way of a payment's money to the merchant, in JSON.

use refundry_engine::settlement::{SettlementCondition, Settling, Shipment, ShipmentState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::operator_api::policy_view::SettlementConditionView;
use crate::views::Rfc3339;

/// When a payment's money becomes available, and what that waits for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Settling)]
pub struct SettlingView {
    /// When its unsettled money is settled; absent while something is waited for, without a cycle, and once it is settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settle_at: Option<Rfc3339>,
    /// The day of its cycle, whatever is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycle_at: Option<Rfc3339>,
    /// What must have happened to the goods.
    pub condition: SettlementConditionView,
    /// Whether a person of the operator looks at it first.
    pub review_wanted: bool,
    /// When somebody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_at: Option<Rfc3339>,
    /// When what is left of its rolling reserve is released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserve_release_at: Option<Rfc3339>,
    /// When it was found in the bank's own list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciled_at: Option<Rfc3339>,
    /// The parcels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipment: Option<ShipmentView>,
    /// Where they are.
    pub shipment_state: ShipmentStateView,
}

/// What was told of the parcels of a payment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Shipment)]
pub struct ShipmentView {
    /// The carrier's numbers.
    pub tracking_numbers: Vec<String>,
    /// The carrier's own page about them.
    pub carrier_url: String,
    /// When they were told last.
    pub recorded_at: Rfc3339,
}

/// Where the goods are.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ShipmentState)]
pub enum ShipmentStateView {
    /// Nobody said.
    None,
    /// On their way.
    UnderWay,
    /// They have arrived.
    Delivered,
    /// Lost, refused or sent back.
    Exception,
}

impl From<Settling> for SettlingView {
    fn from(settling: Settling) -> Self {
        Self {
            settle_at: settling.settle_at.map(Into::into),
            cycle_at: settling.cycle_at.map(Into::into),
            condition: settling.condition.into(),
            review_wanted: settling.review_wanted,
            reviewed_at: settling.reviewed_at.map(Into::into),
            reserve_release_at: settling.reserve_release_at.map(Into::into),
            reconciled_at: settling.reconciled_at.map(Into::into),
            shipment: settling.shipment.map(ShipmentView::from),
            shipment_state: settling.shipment_state.into(),
        }
    }
}

impl From<Shipment> for ShipmentView {
    fn from(Shipment { numbers, carrier_url, recorded_at }: Shipment) -> Self {
        Self { tracking_numbers: numbers, carrier_url, recorded_at: recorded_at.into() }
    }
}

impl From<ShipmentState> for ShipmentStateView {
    fn from(state: ShipmentState) -> Self {
        match state {
            ShipmentState::None => Self::None,
            ShipmentState::UnderWay => Self::UnderWay,
            ShipmentState::Delivered => Self::Delivered,
            ShipmentState::Exception => Self::Exception,
        }
    }
}

impl From<ShipmentStateView> for ShipmentState {
    fn from(view: ShipmentStateView) -> Self {
        match view {
            ShipmentStateView::None => Self::None,
            ShipmentStateView::UnderWay => Self::UnderWay,
            ShipmentStateView::Delivered => Self::Delivered,
            ShipmentStateView::Exception => Self::Exception,
        }
    }
}

impl From<SettlementCondition> for SettlementConditionView {
    fn from(condition: SettlementCondition) -> Self {
        match condition {
            SettlementCondition::None => Self::None,
            SettlementCondition::TrackingUploaded => Self::TrackingUploaded,
            SettlementCondition::Delivered => Self::Delivered,
        }
    }
}
