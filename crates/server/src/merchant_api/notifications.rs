//! What was sent to merchants, how it went, and sending it again.

use axum::response::Response;
use refundry_engine::notification::{DeliveryAttempt, Notification, NotificationState, Recipient};
use refundry_engine::{MerchantId, NotificationId, RefundId};
use refundry_service::notifications::{self, ReplayRange};
use refundry_store::NotificationFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::MerchantQuery;
use crate::call::{Call, ok};
use crate::problem::{Problem, kinds};
use crate::views::{Listed, Rfc3339, page_request};

/// One message to one address.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notification)]
pub struct NotificationView {
    /// Ours, and the receiver's means to see repeats.
    #[schema(example = "ntf_0d3m4t2ykw000")]
    pub notification_id: String,
    /// Whose.
    pub merchant_id: String,
    /// Where it stands.
    pub state: NotificationStateView,
    /// The endpoint that it goes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_id: Option<String>,
    /// The terminal in whose dialect it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminal_id: Option<String>,
    /// Where it is posted, when the request or the terminal named the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The event that it announces, by its number in the feed.
    pub event_sequence: i64,
    /// The refund that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<String>,
    /// Sends so far in this run of the schedule.
    pub tries: u32,
    /// When it was made.
    pub created_at: Rfc3339,
    /// When it was tried last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tried_at: Option<Rfc3339>,
}

/// Where a notification stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = NotificationState)]
pub enum NotificationStateView {
    /// To be sent, or sent again.
    Due,
    /// Acknowledged.
    Delivered,
    /// The schedule ended without acknowledgement.
    Parked,
}

/// A notification with the tries to deliver it.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotificationStory {
    /// As it stands.
    #[serde(flatten)]
    pub notification: NotificationView,
    /// The tries, oldest first.
    pub attempts: Vec<AttemptView>,
}

/// One try to deliver.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeliveryAttempt)]
pub struct AttemptView {
    /// When.
    pub at: Rfc3339,
    /// The HTTP status, when there was an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The beginning of the answer, or why there was none.
    pub answer: String,
    /// How long it took.
    pub took_ms: u32,
    /// Whether it was acknowledged.
    pub acknowledged: bool,
}

/// Which notifications.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct NotificationQuery {
    /// For keys that act for more than one merchant.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// In this state.
    #[param(inline)]
    pub state: Option<NotificationStateView>,
    /// About this refund.
    #[param(value_type = Option<String>)]
    pub refund_id: Option<RefundId>,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Rows, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// Which notifications are sent again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayRequest {
    /// For keys that act for more than one merchant.
    #[schema(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// Those in this state; usually `parked`.
    pub state: NotificationStateView,
    /// Made at or after.
    pub from: Option<Rfc3339>,
    /// Made before.
    pub to: Option<Rfc3339>,
}

/// What became of a range.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplayedRange {
    /// How many are sent again.
    pub replayed: usize,
    /// Whether there are more: ask again.
    pub more: bool,
}

/// Notifications, newest first.
pub async fn list(call: Call) -> Result<Response, Problem> {
    let query: NotificationQuery = call.query()?;
    let page = page_request(query.cursor.as_deref(), query.limit)?;
    let NotificationQuery { merchant_id, refund_id, .. } = query;
    let filter = NotificationFilter { merchant_id, mode: None, state: query.state.map(Into::into), refund_id };
    ok(&Listed::of(notifications::list(&call.app.service, &call.caller, filter, page).await?, NotificationView::from))
}

/// One notification with its attempts.
pub async fn find(call: Call) -> Result<Response, Problem> {
    let (merchant_id, notification_id) = named(&call)?;
    let story = notifications::story(&call.app.service, &call.caller, merchant_id, notification_id).await?;
    let attempts = story.attempts.into_iter().map(AttemptView::from).collect();
    ok(&NotificationStory { notification: story.notification.into(), attempts })
}

/// Sends one again, whatever became of it.
pub async fn replay(call: Call) -> Result<Response, Problem> {
    let (merchant_id, notification_id) = named(&call)?;
    ok(&NotificationView::from(notifications::replay(&call.app.service, &call.caller, merchant_id, notification_id).await?))
}

/// Sends those of a range again.
pub async fn replay_range(call: Call) -> Result<Response, Problem> {
    let ReplayRequest { merchant_id, state, from, to } = call.json()?;
    let range = ReplayRange { merchant_id, state: state.into(), from: from.map(|at| at.0), to: to.map(|at| at.0) };
    let replayed = notifications::replay_range(&call.app.service, &call.caller, range).await?;
    ok(&ReplayedRange { replayed: replayed.replayed, more: replayed.more })
}

impl From<Notification> for NotificationView {
    fn from(notification: Notification) -> Self {
        let (endpoint_id, terminal_id, url) = match notification.recipient {
            Recipient::Endpoint(endpoint_id) => (Some(endpoint_id.to_string()), None, None),
            Recipient::Dialect { terminal_id, url } => (None, Some(terminal_id.to_string()), Some(url)),
        };
        Self {
            notification_id: notification.id.to_string(),
            merchant_id: notification.merchant_id.to_string(),
            state: notification.state.into(),
            endpoint_id,
            terminal_id,
            url,
            event_sequence: notification.event_sequence,
            refund_id: notification.refund_id.map(|id| id.to_string()),
            tries: notification.tries,
            created_at: notification.created_at.into(),
            tried_at: notification.tried_at.map(Rfc3339),
        }
    }
}

impl From<DeliveryAttempt> for AttemptView {
    fn from(attempt: DeliveryAttempt) -> Self {
        let DeliveryAttempt { at, status, answer, took_ms, acknowledged, .. } = attempt;
        Self { at: at.into(), status, answer, took_ms, acknowledged }
    }
}

impl From<NotificationState> for NotificationStateView {
    fn from(state: NotificationState) -> Self {
        match state {
            NotificationState::Due => Self::Due,
            NotificationState::Delivered => Self::Delivered,
            NotificationState::Parked => Self::Parked,
        }
    }
}

impl From<NotificationStateView> for NotificationState {
    fn from(view: NotificationStateView) -> Self {
        match view {
            NotificationStateView::Due => Self::Due,
            NotificationStateView::Delivered => Self::Delivered,
            NotificationStateView::Parked => Self::Parked,
        }
    }
}

fn named(call: &Call) -> Result<(Option<MerchantId>, NotificationId), Problem> {
    let query: MerchantQuery = call.query()?;
    Ok((query.merchant_id, call.path_id("notification_id", &kinds::UNKNOWN)?))
}
