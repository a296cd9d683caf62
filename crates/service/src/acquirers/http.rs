//! The operator's own payment system as acquirer: signed JSON over HTTP, with Standard Webhooks headers.
//!
//! A submission is a POST of `refund.submit`; a question is a POST of `refund.ask` to the same address. The answer is JSON with an
//! `outcome`. Only an answer that is understood decides anything: every other status, body or broken connection is unclear, and is asked
//! about. Later answers come to `POST /acquirers/NAME/reports`, signed with the same secret. `docs/operating/acquirers.md` has an example receiver.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use refundry_engine::refund::{AcquirerAnswer, Arn};
use refundry_engine::{MerchantId, RefundId};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::acquirer::{Acquirer, AcquirerReport, Asked, SubmittedRefund};
use crate::outgoing::{Notifier, OutgoingError, OutgoingRequest};
use crate::signatures::{verify_webhook, webhook_signature};
use crate::world::Clock;

/// Letters of the acquirer's words that are kept.
pub const TEXT_LENGTH_MAX: usize = 256;
/// Seconds that a report's own time may be off.
pub const REPORT_AGE_SECONDS_MAX: i64 = 300;

/// How to reach it.
pub struct HttpAcquirerSettings {
    /// Where to post.
    pub url: String,
    /// The shared secret, decoded.
    pub secret: Zeroizing<Vec<u8>>,
    /// Time for one request, in milliseconds.
    pub timeout_ms: u64,
    /// Whether a second submission with the same `refund_id` is not paid again.
    pub recognises_duplicates: bool,
    /// Milliseconds after which "unknown" is final.
    pub unknown_is_final_after_ms: i64,
}

/// The operator's own payment system.
pub struct HttpAcquirer {
    settings: HttpAcquirerSettings,
    notifier: Arc<dyn Notifier>,
    clock: Arc<dyn Clock>,
}

/// What goes out.
#[derive(Serialize)]
struct Message<'a> {
    r#type: &'static str,
    refund_id: RefundId,
    merchant_id: MerchantId,
    mode: refundry_engine::Mode,
    attempt: u32,
    payment_reference: &'a str,
    number: &'a str,
    amount_minor: i64,
    currency: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acquirer_reference: Option<&'a str>,
}

/// What comes back, at once or as a report.
#[derive(Deserialize)]
struct Reply {
    outcome: String,
    #[serde(default)]
    reference: Option<String>,
    #[serde(default)]
    arn: Option<String>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    text: Option<String>,
}

/// A report as it comes.
#[derive(Deserialize)]
struct Report {
    merchant_id: MerchantId,
    refund_id: RefundId,
    #[serde(default)]
    attempt: Option<u32>,
    #[serde(flatten)]
    reply: Reply,
}

/// Why a report was not taken. Nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// Not signed with the secret, or signed too long ago.
    #[error("webhook-signature or webhook-timestamp does not hold; sign \"id.timestamp.body\" with the acquirer's secret, now")]
    NotSigned,
    /// Not a report.
    #[error("the body is not a report: {0}")]
    Malformed(String),
}

impl HttpAcquirer {
    /// With this address and secret.
    pub fn new(settings: HttpAcquirerSettings, notifier: Arc<dyn Notifier>, clock: Arc<dyn Clock>) -> Self {
        Self { settings, notifier, clock }
    }

    /// Reads a report that came to us. `id`, `timestamp` and `signature` are its three Standard Webhooks headers.
    pub fn read_report(&self, id: &str, timestamp: &str, signature: &str, body: &[u8]) -> Result<AcquirerReport, ReportError> {
        let seconds: i64 = timestamp.parse().map_err(|_| ReportError::NotSigned)?;
        let age = (self.clock.now().ms() / 1_000).saturating_sub(seconds);
        if age.abs() > REPORT_AGE_SECONDS_MAX || !verify_webhook(&self.settings.secret, id, seconds, body, signature) {
            return Err(ReportError::NotSigned);
        }
        let report: Report = serde_json::from_slice(body).map_err(|error| ReportError::Malformed(error.to_string()))?;
        let (merchant_id, refund_id) = (report.merchant_id, report.refund_id);
        match report.reply.outcome.as_str() {
            "arn" => {
                let arn = report
                    .reply
                    .arn
                    .as_deref()
                    .unwrap_or_default()
                    .parse()
                    .map_err(|error| ReportError::Malformed(format!("arn: {error}")))?;
                Ok(AcquirerReport::Arn { merchant_id, refund_id, arn })
            }
            "returned" => Ok(AcquirerReport::Returned { merchant_id, refund_id, reason: shortened(report.reply.text) }),
            _ => match understood(report.reply) {
                Some(Asked::Answer(answer @ (AcquirerAnswer::Approved { .. } | AcquirerAnswer::Declined { .. }))) => {
                    Ok(AcquirerReport::Result { merchant_id, refund_id, attempt: report.attempt.unwrap_or(1), answer })
                }
                Some(_) | None => Err(ReportError::Malformed("outcome: approved, declined, arn or returned".to_owned())),
            },
        }
    }

    async fn post(&self, kind: &'static str, submission: &SubmittedRefund) -> Result<Option<Asked>, OutgoingError> {
        let message = Message {
            r#type: kind,
            refund_id: submission.refund_id,
            merchant_id: submission.merchant_id,
            mode: submission.mode,
            attempt: submission.attempt,
            payment_reference: &submission.payment_reference,
            number: &submission.number,
            amount_minor: submission.amount.minor(),
            currency: submission.amount.currency().code(),
            reason: submission.reason.as_deref(),
            acquirer_reference: submission.acquirer_reference.as_deref(),
        };
        let body = serde_json::to_vec(&message).expect("strings and numbers are JSON");
        let seconds = self.clock.now().ms() / 1_000;
        let id = format!("{}.{}.{kind}", submission.refund_id, submission.attempt);
        let signature = webhook_signature(&self.settings.secret, &id, seconds, &body);
        let headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("webhook-id".to_owned(), id),
            ("webhook-timestamp".to_owned(), seconds.to_string()),
            ("webhook-signature".to_owned(), signature),
        ];
        let (url, timeout_ms) = (self.settings.url.clone(), self.settings.timeout_ms);
        let response = self.notifier.post(OutgoingRequest { url, headers, body: Bytes::from(body), timeout_ms }).await?;
        let reply = (response.status == 200).then(|| serde_json::from_slice::<Reply>(&response.body).ok()).flatten();
        Ok(reply.and_then(understood))
    }
}

impl Acquirer for HttpAcquirer {
    fn submit<'a>(&'a self, submission: &'a SubmittedRefund) -> BoxFuture<'a, AcquirerAnswer> {
        Box::pin(async move {
            match self.post("refund.submit", submission).await {
                Ok(Some(Asked::Answer(answer))) => answer,
                // "unknown" is no answer to a submission; whatever was meant, asking finds out.
                Ok(Some(Asked::Unknown) | None) | Err(OutgoingError::Unclear(_)) => AcquirerAnswer::Unclear,
                Err(OutgoingError::NeverSent(_)) => AcquirerAnswer::NeverSent,
            }
        })
    }

    fn ask<'a>(&'a self, submission: &'a SubmittedRefund) -> BoxFuture<'a, Asked> {
        Box::pin(async move {
            match self.post("refund.ask", submission).await {
                // A question that was not sent says nothing about the submission.
                Ok(Some(Asked::Answer(AcquirerAnswer::NeverSent))) | Ok(None) | Err(_) => Asked::Answer(AcquirerAnswer::Unclear),
                Ok(Some(asked)) => asked,
            }
        })
    }

    fn recognises_duplicates(&self) -> bool {
        self.settings.recognises_duplicates
    }

    fn unknown_is_final_after_ms(&self) -> i64 {
        self.settings.unknown_is_final_after_ms
    }
}

fn understood(reply: Reply) -> Option<Asked> {
    let answer = match reply.outcome.as_str() {
        "approved" => {
            AcquirerAnswer::Approved { reference: reference_of(reply.reference), arn: reply.arn.and_then(|arn| arn.parse::<Arn>().ok()) }
        }
        "declined" => AcquirerAnswer::Declined { code: shortened(reply.code), text: shortened(reply.text) },
        "processing" => AcquirerAnswer::Acknowledged { reference: reference_of(reply.reference) },
        "not_taken" => AcquirerAnswer::NeverSent,
        "unknown" => return Some(Asked::Unknown),
        _ => return None,
    };
    Some(Asked::Answer(answer))
}

fn reference_of(text: Option<String>) -> Option<String> {
    Some(shortened(text)).filter(|reference| !reference.is_empty())
}

fn shortened(text: Option<String>) -> String {
    text.unwrap_or_default().chars().filter(|letter| !letter.is_control()).take(TEXT_LENGTH_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acquirers_texts_are_kept_without_what_no_database_keeps() {
        let reply = |body: &str| understood(serde_json::from_str(body).unwrap());
        let Some(Asked::Answer(AcquirerAnswer::Approved { reference, .. })) = reply(r#"{"outcome":"approved","reference":"a\u0000b"}"#)
        else {
            panic!("an approval")
        };
        assert_eq!(reference.as_deref(), Some("ab"));
        let Some(Asked::Answer(AcquirerAnswer::Acknowledged { reference })) = reply(r#"{"outcome":"processing","reference":"\u0000"}"#)
        else {
            panic!("an acknowledgement")
        };
        assert_eq!(reference, None);
    }
}
