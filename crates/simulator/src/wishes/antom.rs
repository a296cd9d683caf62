//! A merchant that speaks Antom: bytes with a signature or an API key, and what the answer means to it.

use std::sync::OnceLock;

use refundry_dialects::WireRequest;
use refundry_engine::RefundId;
use refundry_service::Service;
use refundry_service::signatures::RsaSigner;
use refundry_service::world::Clock as _;
use serde_json::{Value, json};

use super::Try;
use crate::cast::{MERCHANT_PRIVATE_KEY, api_key, client_id};
use crate::model::Answer;
use crate::plan::RefundRequest;
use crate::stage::Stage;

const REFUND: &str = "/ams/api/v1/payments/refund";
const INQUIRY: &str = "/ams/api/v1/payments/inquiryRefund";
/// Digits of the day before the refund's number in the dialect's shape of an id.
const DAY_DIGITS: usize = 8;

pub async fn refund(stage: &Stage, service: &Service, request: &RefundRequest) -> Try {
    let body = json!({
        "refundRequestId": request.number,
        "paymentId": request.reference,
        "refundAmount": { "currency": request.currency, "value": request.minor.to_string() },
    });
    stage.model().asks(request);
    let answer = exchange(stage, service, request, REFUND, &body).await;
    let (code, status) = result_of(&answer);
    stage.trace.line(&format!("{} of {} minor: {status} {code} {}", request.number, request.minor, answer["refundId"]));
    let refund_id = answer["refundId"].as_str().and_then(refund_id);
    let is_frozen = status != "U";
    let understood = match (status, refund_id) {
        ("S" | "F", Some(refund_id)) => Answer::Accepted { refund_id, word: format!("{status} {code}"), is_frozen },
        ("U", None) if code == "REFUND_IN_PROCESS" => {
            stage.model().is_in_process(request);
            return Try::Done;
        }
        ("F", None) => Answer::Refused { word: code.to_owned(), is_frozen },
        ("U", _) => return Try::Again,
        _ => {
            stage.model().broke("answers_are_whole", format!("{} was answered {answer}", request.number));
            return Try::Done;
        }
    };
    if matches!(code, "INVALID_SIGNATURE" | "KEY_NOT_FOUND" | "CLIENT_INVALID" | "SYSTEM_ERROR" | "PARAM_ILLEGAL") {
        stage.model().broke("a_proved_caller_is_admitted", format!("{} was answered {answer}", request.number));
    }
    stage.model().answered(request, understood);
    Try::Done
}

pub async fn inquire(stage: &Stage, service: &Service, request: &RefundRequest) -> Try {
    let answer = exchange(stage, service, request, INQUIRY, &json!({ "refundRequestId": request.number })).await;
    let (code, status) = result_of(&answer);
    let refund_status = answer["refundStatus"].as_str().unwrap_or_default();
    stage.trace.line(&format!("{} inquired: {status} {code} {refund_status}", request.number));
    if status == "U" {
        return Try::Again;
    }
    stage.model().inquired(request, refund_status);
    Try::Done
}

async fn exchange(stage: &Stage, service: &Service, request: &RefundRequest, path: &str, body: &Value) -> Value {
    let body = body.to_string().into_bytes();
    let signs = stage.cast.merchants[request.merchant].signs;
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    if signs {
        let (client_id, time) = (client_id(request.merchant), stage.clock.now().ms().to_string());
        let mut signed = format!("POST {path}\n{client_id}.{time}.").into_bytes();
        signed.extend_from_slice(&body);
        let signature = percent_encoded(&signer().sign_base64(&signed));
        headers.push(("client-id".to_owned(), client_id));
        headers.push(("request-time".to_owned(), time));
        headers.push(("signature".to_owned(), format!("algorithm=RSA256,keyVersion=1,signature={signature}")));
    } else {
        headers.push(("authorization".to_owned(), format!("Bearer {}", api_key(request.merchant))));
    }
    let response = service.answer(WireRequest { method: "POST", path, headers: &headers, body: &body, peer: None }).await;
    serde_json::from_slice(&response.body).unwrap_or_default()
}

fn result_of(answer: &Value) -> (&str, &str) {
    let result = &answer["result"];
    (result["resultCode"].as_str().unwrap_or_default(), result["resultStatus"].as_str().unwrap_or_default())
}

fn refund_id(text: &str) -> Option<RefundId> {
    text.get(DAY_DIGITS..)?.parse().ok().map(RefundId::new)
}

/// The letters of base64 that mean something else in the header.
fn percent_encoded(base64: &str) -> String {
    base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

fn signer() -> &'static RsaSigner {
    static SIGNER: OnceLock<RsaSigner> = OnceLock::new();
    SIGNER.get_or_init(|| RsaSigner::parse(MERCHANT_PRIVATE_KEY).expect("the simulator's own key is an RSA key"))
}
