//! What is told unasked: how a refund, a share or an ordered payment ended. A form goes out, signed over its `dataContent`.

use refundry_engine::event::EventKind;
use refundry_engine::payment::{Payment, PaymentStatus};
use refundry_engine::refund::Refund;
use refundry_engine::share::{Share, ShareState};
use serde_json::{Map, Value};

use super::content::{payment_state, refund_state, share_state, succeeded_at};
use super::kept::Kept;
use super::response::{FIXED, SERIALS, sign_type, signature};
use super::{codes, message, trade_no};
use crate::time_text::{day, digits};
use crate::{Announcement, Context, NotificationRequest, Subject, form};

/// What a receiver answers when it has understood.
const ACKNOWLEDGEMENT: &[u8] = b"OK";

/// The notification of an end; nothing for what the vendor has no word for.
pub fn notify(announcement: &Announcement<'_>, context: &Context<'_>) -> Option<NotificationRequest> {
    let (account, terminal) = context.lookup.split_once('/').unwrap_or((context.lookup, ""));
    let mut content = Map::new();
    put(&mut content, "merId", account);
    put(&mut content, "terId", terminal);
    let notify_type = match announcement.subject {
        Subject::Refund(refund) => of_refund(&mut content, announcement, refund)?,
        Subject::Share(share) => of_share(&mut content, announcement.event.kind, share)?,
        Subject::Order(payment) => of_payment(&mut content, payment)?,
        Subject::Dispute(_) => return None,
    };
    let content = as_form_readers_take_it(&Value::Object(content).to_string());
    let signature = signature(&content, context.scheme, context);
    let mut fields = vec![("merId", account), ("terId", terminal)];
    fields.extend(FIXED);
    fields.extend([("notifyType", notify_type), ("signType", sign_type(context.scheme))]);
    fields.extend(SERIALS);
    fields.extend([("signStr", signature.as_str()), ("dataContent", content.as_str())]);
    let headers = vec![("content-type", "application/x-www-form-urlencoded;charset=UTF-8".to_owned())];
    Some(NotificationRequest { headers, body: form::write(fields) })
}

/// Whether the receiver has understood: exactly the vendor's word, with HTTP 200.
pub fn acknowledged(status: u16, body: &[u8]) -> bool {
    status == 200 && body.trim_ascii() == ACKNOWLEDGEMENT
}

fn of_refund(content: &mut Map<String, Value>, announcement: &Announcement<'_>, refund: &Refund) -> Option<&'static str> {
    let kind = announcement.event.kind;
    let returned = kind == EventKind::RefundReturned && announcement.settings.announces_returns;
    let failed = matches!(kind, EventKind::RefundFailed | EventKind::RefundCancelled);
    if kind != EventKind::RefundSucceeded && !failed && !returned {
        return None;
    }
    let kept = Kept::parse(refund.metadata.as_deref());
    for (name, text) in [("agentMerId", &kept.agent_mer_id), ("agentTerId", &kept.agent_ter_id)] {
        if let Some(text) = text {
            put(content, name, text.as_str());
        }
    }
    put(content, "tradeNo", trade_no::of_refund(refund.id));
    put(content, "outTradeNo", refund.number.as_str());
    match succeeded_at(refund).filter(|_| kind == EventKind::RefundSucceeded) {
        Some(at) => {
            put(content, "resultCode", "SUCCESS");
            put(content, "refundState", refund_state(refund));
            put(content, "finishTime", digits(at));
            put(content, "succAmt", refund.amount.minor());
        }
        None => {
            let (code, message) =
                message::of_refund(refund).unwrap_or_else(|| (codes::CHANNEL_RETURN_ERR, codes::CHANNEL_RETURN_ERR.text.to_owned()));
            put(content, "resultCode", "FAIL");
            put(content, "refundState", "REFUND_ERROR");
            put(content, "errCode", code.code);
            put(content, "errMsg", message);
        }
    }
    put(content, "txnTime", kept.txn_time.unwrap_or_else(|| digits(refund.created_at)));
    Some("REFUND")
}

fn of_share(content: &mut Map<String, Value>, kind: EventKind, share: &Share) -> Option<&'static str> {
    if !matches!(kind, EventKind::ShareSucceeded | EventKind::ShareCancelled | EventKind::ShareFailed) {
        return None;
    }
    put(content, "tradeNo", trade_no::of_share(share.id));
    put(content, "outTradeNo", share.number.as_str());
    put(content, "txnState", share_state(share));
    match &share.state {
        ShareState::Succeeded { at } => {
            put(content, "finishTime", digits(*at));
            put(content, "succAmt", share.sum_minor());
            put(content, "resultCode", "SUCCESS");
            put(content, "clearingDate", day(*at));
        }
        ShareState::Failed { reason, .. } => {
            put(content, "resultCode", "FAIL");
            put(content, "errCode", codes::SHARE_INFO_NOT_CORRECT.code);
            put(content, "errMsg", format!("{}：{}", codes::SHARE_INFO_NOT_CORRECT.text, reason.code()));
        }
        ShareState::Planned { .. } | ShareState::Running | ShareState::Cancelled { .. } => put(content, "resultCode", "SUCCESS"),
    }
    Some("SHARING")
}

/// A payment that was closed has no result, because nothing was paid and nothing failed.
fn of_payment(content: &mut Map<String, Value>, payment: &Payment) -> Option<&'static str> {
    put(content, "tradeNo", payment.payment_reference.as_str());
    put(content, "outTradeNo", payment.merchant_reference.as_str());
    put(content, "txnState", payment_state(payment, refundry_ledger::Money::zero(payment.currency())));
    match payment.status {
        PaymentStatus::Captured => {
            put(content, "finishTime", digits(payment.paid_at));
            put(content, "succAmt", payment.captured.minor());
            put(content, "feeAmt", payment.fee.minor());
            put(content, "resultCode", "SUCCESS");
        }
        PaymentStatus::Failed => {
            put(content, "resultCode", "FAIL");
            put(content, "errCode", codes::CHANNEL_RETURN_ERR.code);
            put(content, "errMsg", payment.details.response_text.as_deref().unwrap_or(codes::CHANNEL_RETURN_ERR.text));
        }
        PaymentStatus::Cancelled | PaymentStatus::Closed => {}
        PaymentStatus::Pending | PaymentStatus::Authorised => return None,
    }
    put(content, "payCode", payment.method.as_str());
    Some("PAYMENT")
}

/// One client decodes the form twice. JSON's own escapes survive that; none of these letters stands outside of JSON's texts.
fn as_form_readers_take_it(json: &str) -> String {
    json.replace('&', "\\u0026").replace('+', "\\u002b").replace('%', "\\u0025")
}

fn put(content: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    content.insert(name.to_owned(), value.into());
}
