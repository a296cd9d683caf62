//! notifyRefund: said once a refund has ended, in the words that were true when it ended.

use refundry_engine::event::EventKind;
use refundry_engine::refund::{Refund, RefundState};
use serde::Deserialize;

use super::response::{Body, known_arn};
use super::{auth, codes};
use crate::time_text::iso_8601;
use crate::{Announcement, Context, NotificationRequest, Subject};

/// The notification of an ended refund; an ARN that comes later and money that comes back have no word here.
pub fn notify(announcement: &Announcement<'_>, context: &Context<'_>) -> Option<NotificationRequest> {
    let event = announcement.event;
    let Subject::Refund(refund) = announcement.subject else { return None };
    let result = result_of(event.kind, refund)?;
    let succeeded = event.kind == EventKind::RefundSucceeded;
    let body = Body {
        notify_type: Some("REFUND_RESULT"),
        refund_status: Some(if succeeded { "SUCCESS" } else { "FAIL" }),
        refund_time: succeeded.then(|| iso_8601(event.at)),
        arn: known_arn(&refund.state).filter(|(_, came_at)| *came_at <= event.at).map(|(arn, _)| arn),
        metadata: refund.metadata.clone(),
        ..Body::about(refund, result.into())
    };
    let body = as_php_writes_it(&body.json());
    let time = iso_8601(context.now);
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("client-id", context.lookup.to_owned()),
        ("signature", auth::signature_header(context, context.path, &time, &body)),
        ("request-time", time),
    ];
    Some(NotificationRequest { headers, body })
}

/// The result of an end; `None` for what has no word here.
fn result_of(kind: EventKind, refund: &Refund) -> Option<codes::ResultCode> {
    Some(match kind {
        EventKind::RefundSucceeded => codes::SUCCESS,
        EventKind::RefundCancelled => codes::PROCESS_FAIL,
        EventKind::RefundFailed => match &refund.state {
            RefundState::Failed { reason, .. } => codes::of_failure(reason),
            RefundState::Pending { .. }
            | RefundState::Submitted { .. }
            | RefundState::Unresolved { .. }
            | RefundState::Succeeded { .. }
            | RefundState::Cancelled { .. }
            | RefundState::Returned { .. } => codes::PROCESS_FAIL,
        },
        EventKind::PaymentRecorded
        | EventKind::PaymentUpdated
        | EventKind::PaymentCaptured
        | EventKind::PaymentVoided
        | EventKind::PaymentSettled
        | EventKind::PaymentReviewed
        | EventKind::PaymentReconciled
        | EventKind::ReserveReleased
        | EventKind::TrackingRecorded
        | EventKind::ShipmentChanged
        | EventKind::FixedReserveReleased
        | EventKind::ToppedUp
        | EventKind::PayoutPrepared
        | EventKind::PayoutSent
        | EventKind::PayoutPaid
        | EventKind::PayoutFailed
        | EventKind::PayoutReturned
        | EventKind::PayoutCancelled
        | EventKind::FundsAdjusted
        | EventKind::RefundAccepted
        | EventKind::RefundApproved
        | EventKind::RefundEdited
        | EventKind::RefundUndoEnded
        | EventKind::RefundReleased
        | EventKind::RefundSubmitted
        | EventKind::RefundUnresolved
        | EventKind::RefundArnRecorded
        | EventKind::RefundReturned
        | EventKind::ChargebackOpened
        | EventKind::ChargebackRepresented
        | EventKind::ChargebackAccepted
        | EventKind::ChargebackWon
        | EventKind::ChargebackLost
        | EventKind::ChargebackWithdrawn
        | EventKind::DisputeOpened
        | EventKind::DisputeRepresented
        | EventKind::DisputeAccepted
        | EventKind::DisputeWon
        | EventKind::DisputeLost
        | EventKind::DisputeWithdrawn
        | EventKind::DisputeClosed
        | EventKind::RetrievalOpened
        | EventKind::RetrievalAnswered
        | EventKind::RetrievalAccepted
        | EventKind::RetrievalReversed
        | EventKind::RetrievalClosed
        | EventKind::FraudReported
        | EventKind::FraudAccepted
        | EventKind::FraudClosed => return None,
        EventKind::SharePlanned | EventKind::ShareAccepted | EventKind::ShareSucceeded | EventKind::ShareCancelled => return None,
        EventKind::ShareFailed | EventKind::ShareReceived | EventKind::ShareReturned | EventKind::ShareRestored => return None,
        EventKind::AdvanceRecovered => return None,
    })
}

/// Whether the merchant has understood: HTTP 200 and the fixed result. Its signature, if any, is not looked at.
pub fn acknowledged(status: u16, body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Reply {
        result: ReplyResult,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ReplyResult {
        result_code: String,
        result_status: String,
    }
    let fits = |reply: Reply| reply.result.result_code == "SUCCESS" && reply.result.result_status == "S";
    status == 200 && serde_json::from_slice(body).is_ok_and(fits)
}

/// Compact JSON as PHP's `json_encode` would write it: the vendor's shop plugin verifies over its own re-encoding. Slashes are in texts only.
fn as_php_writes_it(json: &[u8]) -> Vec<u8> {
    let mut text = String::with_capacity(json.len() + json.len() / 4);
    for letter in String::from_utf8_lossy(json).chars() {
        match letter {
            '/' => text.push_str("\\/"),
            letter if letter.is_ascii() => text.push(letter),
            letter => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    text.into_bytes()
}
