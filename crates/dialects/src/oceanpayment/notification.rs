//! Business order notifications: how a refund ended, its number in the network, what issuers dispute. XML, or a form where the terminal says so.

use refundry_engine::event::EventKind;
use refundry_engine::merchant::NoticeForm;
use refundry_engine::payment::{Payment, PaymentStatus};
use refundry_engine::refund::Refund;

use super::response::{arn, document};
use super::{amount_text, orders_response, refund_id, remark};
use crate::orders::{DisputeKind, DisputeNote, DisputeStanding};
use crate::time_text::plain;
use crate::{Announcement, Context, NotificationRequest, Subject, form, hex};

/// What a receiver answers when it has understood.
const ACKNOWLEDGEMENT: &[u8] = b"receive-ok";

/// What a notice says beside the order.
struct Notice<'a> {
    notice_type: &'static str,
    push_status: &'static str,
    push_details: String,
    push_id: String,
    payment_id: &'a str,
    refund: Option<&'a Refund>,
    /// When a dispute was opened.
    disputed_at: Option<String>,
}

/// The notice of an event; nothing when the vendor has no word for it.
pub fn notify(announcement: &Announcement<'_>, context: &Context<'_>) -> Option<NotificationRequest> {
    let notice = match announcement.subject {
        Subject::Refund(refund) => of_refund(announcement, refund)?,
        Subject::Dispute(dispute) => of_dispute(announcement.payment, dispute)?,
        Subject::Share(_) | Subject::Order(_) => return None,
    };
    let fields = fields(announcement, context, &notice);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (content_type, body) = match announcement.settings.notice_form {
        NoticeForm::Xml => ("application/xml;charset=UTF-8", document("response", &fields)),
        NoticeForm::Form => ("application/x-www-form-urlencoded;charset=UTF-8", form::write(fields)),
    };
    Some(NotificationRequest { headers: vec![("content-type", content_type.to_owned())], body })
}

/// Whether the receiver has understood: exactly the vendor's word, with a status of success.
pub fn acknowledged(status: u16, body: &[u8]) -> bool {
    matches!(status, 200..=299) && body == ACKNOWLEDGEMENT
}

fn of_refund<'a>(announcement: &Announcement<'_>, refund: &'a Refund) -> Option<Notice<'a>> {
    let (notice_type, push_status, push_details) = said_of_refund(announcement, refund)?;
    let (push_id, payment_id) = (refund_id::render(refund.id), refund.payment_reference.as_str());
    Some(Notice { notice_type, push_status, push_details, push_id, payment_id, refund: Some(refund), disputed_at: None })
}

/// The type of the notice, its status and its words.
fn said_of_refund(announcement: &Announcement<'_>, refund: &Refund) -> Option<(&'static str, &'static str, String)> {
    let whole = announcement.payment.is_none_or(|payment| payment.captured == refund.amount);
    let ended = if whole { "refund" } else { "partialRefund" };
    Some(match announcement.event.kind {
        EventKind::RefundSucceeded => (ended, "1", remark::REFUNDED.to_owned()),
        EventKind::RefundFailed | EventKind::RefundCancelled => (ended, "0", remark::of_failure(&refund.state).to_owned()),
        EventKind::RefundReturned if announcement.settings.announces_returns => (ended, "0", remark::RETURNED.to_owned()),
        EventKind::RefundArnRecorded => ("ARN", "1", arn(refund)?),
        EventKind::RefundReturned
        | EventKind::PaymentRecorded
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

/// Where the dispute stood right after the event says which notice it is; disputes of a method's own are listed, not announced.
fn of_dispute<'a>(payment: Option<&'a Payment>, dispute: &DisputeNote) -> Option<Notice<'a>> {
    let (notice_type, push_status) = match (dispute.kind, dispute.standing) {
        (DisputeKind::Chargeback, DisputeStanding::Open) => ("chargeBack", "1"),
        (DisputeKind::Chargeback, DisputeStanding::Represented) => ("re-presentment", "2"),
        (DisputeKind::Chargeback, DisputeStanding::Won | DisputeStanding::Withdrawn) => ("re-presentment", "1"),
        (DisputeKind::Chargeback, DisputeStanding::Lost) => ("re-presentment", "0"),
        // Nothing is told of what the merchant did itself.
        (DisputeKind::Chargeback, DisputeStanding::Accepted) => return None,
        (DisputeKind::Retrieval, DisputeStanding::Open) => ("retrieval", "1"),
        (DisputeKind::Retrieval, DisputeStanding::Won | DisputeStanding::Withdrawn) => ("reversal-retrieval", "1"),
        (DisputeKind::FraudReport, DisputeStanding::Open) => ("fraud", "1"),
        (DisputeKind::Retrieval | DisputeKind::FraudReport | DisputeKind::Dispute, _) => return None,
    };
    Some(Notice {
        notice_type,
        push_status,
        push_details: dispute.reason.clone(),
        push_id: dispute.id.clone(),
        payment_id: payment.map_or("", |payment| &payment.payment_reference),
        refund: None,
        disputed_at: (notice_type != "reversal-retrieval").then(|| plain(dispute.opened_at)),
    })
}

/// In the order of the vendor's page.
fn fields(announcement: &Announcement<'_>, context: &Context<'_>, notice: &Notice<'_>) -> Vec<(&'static str, String)> {
    let Announcement { event, payment, settings, .. } = announcement;
    let of = |text: fn(&Payment) -> Option<String>| payment.and_then(text).unwrap_or_default();
    let account = settings.account.clone().unwrap_or_default();
    let order_number = of(|payment| Some(payment.merchant_reference.clone()));
    let Notice { payment_id, push_id, push_status, push_details, .. } = notice;
    let signed = [account.as_str(), context.lookup, &order_number, payment_id, push_id, push_status, push_details].concat();
    let digest = context.signer.secret_sha256(signed.as_bytes()).map(|digest| hex::encode(&digest).to_ascii_uppercase());
    let mut fields = vec![
        ("account", account),
        ("terminal", context.lookup.to_owned()),
        ("signValue", digest.unwrap_or_default()),
        ("payment_dateTime", of(|payment| Some(plain(payment.paid_at)))),
        ("payment_debitTime", of(|payment| (payment.status == PaymentStatus::Captured).then(|| plain(payment.paid_at)))),
        ("push_dateTime", plain(event.at)),
        ("order_number", order_number),
        ("order_currency", of(|payment| Some(payment.currency().code().to_owned()))),
        ("order_amount", of(|payment| Some(amount_text::render(orders_response::order_amount(payment))))),
        ("order_notes", of(|payment| payment.details.note.clone())),
        ("card_type", of(|payment| payment.details.card_scheme.clone())),
        ("card_country", of(|payment| payment.details.issuer_country.clone())),
        ("payment_id", (*payment_id).to_owned()),
        ("refund_number", notice.refund.map(|refund| refund.number.clone()).unwrap_or_default()),
        ("refund_reference", notice.refund.and_then(|refund| refund.merchant_reference.clone()).unwrap_or_default()),
        ("notice_type", notice.notice_type.to_owned()),
        ("push_status", (*push_status).to_owned()),
        ("push_details", push_details.clone()),
        ("push_id", push_id.clone()),
    ];
    fields.extend(notice.disputed_at.clone().map(|at| ("payment_cpdTime", at)));
    fields.extend(notice.refund.map(|refund| ("refund_amount", amount_text::render(refund.amount))));
    fields.extend(notice.refund.and_then(arn).map(|arn| ("refund_arn", arn)));
    fields
}
