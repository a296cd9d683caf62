//! A merchant that speaks Oceanpayment: forms proved by a shared secret, XML that it checks, and what the answers mean to it.

use refundry_dialects::WireRequest;
use refundry_dialects::oceanpayment::client::{MerchantRefund, MerchantRequest, Sender, value_of};
use refundry_engine::RefundId;
use refundry_service::Service;

use super::{Try, amount};
use crate::cast::{SecureCode, account, terminal_number};
use crate::model::Answer;
use crate::plan::RefundRequest;
use crate::stage::Stage;

/// What a reason is when nobody gives one: the form wants one.
const USUAL_REASON: &str = "sent back";
/// Codes by which an answer says that the same must be asked again.
const AGAIN: &str = "99";
/// Codes that a proved caller with a whole form never hears.
const NEVER: [&str; 5] = ["01", "04", "05", "06", "12"];

pub async fn refund(stage: &Stage, service: &Service, request: &RefundRequest) -> Try {
    let text = amount(request).to_string();
    let (text, _) = text.split_once(' ').unwrap_or((&text, ""));
    stage.model().asks(request);
    let sent = as_merchant(request, |merchant| {
        merchant.refund(&MerchantRefund {
            payment_reference: &request.reference,
            amount: text,
            whole: request.whole,
            reason: request.reason.unwrap_or(USUAL_REASON),
            number: Some(&request.number),
            reference: None,
        })
    });
    let body = exchange(stage, service, request, sent).await;
    let value = |name: &str| value_of(&body, name).unwrap_or_default();
    let (code, refund_id) = (value("refund_results"), value("refund_id"));
    stage.trace.line(&format!("{} of {} minor: {code} {refund_id}", request.number, request.minor));
    let understood = match (code.as_str(), refund_id.parse().ok().map(RefundId::new)) {
        (AGAIN, _) => return Try::Again,
        ("00", Some(refund_id)) => Answer::Accepted { refund_id, word: code, is_frozen: true },
        ("00" | "", _) => {
            stage.model().broke("answers_are_whole", format!("{} was answered {code} {refund_id}", request.number));
            return Try::Done;
        }
        _ => Answer::Refused { word: code, is_frozen: false },
    };
    stage.model().answered(request, understood);
    Try::Done
}

pub async fn inquire(stage: &Stage, service: &Service, request: &RefundRequest) -> Try {
    let sent = as_merchant(request, |merchant| merchant.query_by_number(&request.number));
    let body = exchange(stage, service, request, sent).await;
    let code = value_of(&body, "refund_check").unwrap_or_default();
    stage.trace.line(&format!("{} inquired: {code}", request.number));
    match code.as_str() {
        AGAIN => return Try::Again,
        "00" => stage.model().inquired(request, "SUCCESS"),
        "03" => stage.model().inquired(request, "FAIL"),
        // It moves, or it is not there.
        _ => stage.model().inquired(request, &code),
    }
    Try::Done
}

fn as_merchant<T>(request: &RefundRequest, act: impl FnOnce(Sender<'_>) -> T) -> T {
    let (account, terminal) = (account(request.merchant), terminal_number(request.merchant));
    act(Sender { account: &account, terminal: &terminal, signer: &SecureCode, signed_time: None })
}

async fn exchange(stage: &Stage, service: &Service, request: &RefundRequest, sent: MerchantRequest) -> Vec<u8> {
    let headers: Vec<(String, String)> = sent.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let wire = WireRequest { method: "POST", path: &sent.path, headers: &headers, body: &sent.body, peer: None };
    let body = service.answer(wire).await.body.to_vec();
    let code = value_of(&body, "refund_results").or_else(|| value_of(&body, "refund_check")).unwrap_or_default();
    let is_signed = as_merchant(request, |merchant| std::str::from_utf8(&body).is_ok_and(|document| merchant.is_signed(document)));
    if !is_signed && code != AGAIN {
        stage.model().broke("answers_are_signed", format!("{} was answered {code} without a signature", request.number));
    }
    if NEVER.contains(&code.as_str()) && sent.path.ends_with("applyRefund") {
        stage.model().broke("a_proved_caller_is_admitted", format!("{} was answered {code}", request.number));
    }
    body
}
