//! Errors of the native API as bodies of RFC 9457. What a client may read is here; what an operator needs is in the log, under the request id.

pub mod kinds;
mod of_refusal;
pub mod pages;
mod rules;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use refundry_service::error::{Fault, ServiceError};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::language::Language;
pub use kinds::Kind;
pub use rules::in_chinese;

/// The media type of RFC 9457.
pub const MEDIA_TYPE: &str = "application/problem+json";
/// Seconds after which a busy server is asked again.
pub const RETRY_AFTER_SECONDS: u32 = 1;

/// Why a request was not done.
#[derive(Clone, Debug)]
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    kind: &'static Kind,
    detail: Option<[String; 2]>,
    field: Option<String>,
    facts: Vec<(&'static str, Value)>,
    replayed: bool,
}

/// A problem as it is sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Problem")]
pub struct ProblemBody {
    /// Stable address of the kind of problem; a page with the cure is there.
    #[serde(rename = "type")]
    #[schema(example = "/problems/exceeds_refundable")]
    pub type_path: String,
    /// A few words in the caller's language.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong with this request, in the caller's language.
    pub detail: String,
    /// What to do about it, in the caller's language.
    pub cure: String,
    /// The stable code, for programs.
    #[schema(example = "exceeds_refundable")]
    pub code: String,
    /// The field, parameter or header that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What the decision was made from, such as the amount that is really left.
    #[schema(value_type = Object)]
    pub facts: serde_json::Map<String, Value>,
    /// Names this answer in our log.
    pub request_id: String,
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Refused(refusal) => refusal.into(),
            ServiceError::Fault(fault) => fault.into(),
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::new(if fault.is_passing() { &kinds::OVERLOADED } else { &kinds::FAULT })
    }
}

impl Problem {
    /// A problem of this kind.
    pub fn new(kind: &'static Kind) -> Self {
        Self(Box::new(Parts { kind, detail: None, field: None, facts: Vec::new(), replayed: false }))
    }

    /// What is wrong with a field: its name, the limit in English and Chinese.
    pub fn field(name: impl Into<String>, english: impl Into<String>, chinese: impl Into<String>) -> Self {
        Self::new(&kinds::FIELD_INVALID).about(name).saying(english, chinese)
    }

    /// What is wrong with a query parameter or header.
    pub fn parameter(name: impl Into<String>, english: impl Into<String>, chinese: impl Into<String>) -> Self {
        Self::new(&kinds::PARAMETER_INVALID).about(name).saying(english, chinese)
    }

    /// More bytes than this path takes.
    pub fn too_large(limit: u64) -> Self {
        Self::new(&kinds::BODY_TOO_LARGE)
            .saying(format!("The limit is {limit} bytes."), format!("上限为 {limit} 字节。"))
            .fact("limit_bytes", limit)
    }

    /// In a sentence about this request, in English and Chinese.
    #[must_use]
    pub fn saying(mut self, english: impl Into<String>, chinese: impl Into<String>) -> Self {
        self.0.detail = Some([english.into(), chinese.into()]);
        self
    }

    /// About this field, parameter or header.
    #[must_use]
    pub fn about(mut self, field: impl Into<String>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    /// With a fact for programs.
    #[must_use]
    pub fn fact(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.facts.push((name, value.into()));
        self
    }

    /// Remembered from an earlier request with the same idempotency key.
    #[must_use]
    pub fn replayed(mut self, replayed: bool) -> Self {
        self.0.replayed = replayed;
        self
    }

    /// The kind of problem.
    pub fn kind(&self) -> &'static Kind {
        self.0.kind
    }

    /// The body in a language.
    pub fn body(&self, language: Language, request_id: &str) -> ProblemBody {
        let Parts { kind, detail, field, facts, .. } = &*self.0;
        let pick = |texts: &[&'static str; 2]| language.pick(texts[0], texts[1]).to_owned();
        ProblemBody {
            type_path: format!("/problems/{}", kind.code),
            title: pick(&kind.title),
            status: kind.status,
            detail: detail.as_ref().map_or_else(|| pick(&kind.meaning), |texts| language.pick(&texts[0], &texts[1]).clone()),
            cure: pick(&kind.cure),
            code: kind.code.to_owned(),
            field: field.clone(),
            facts: facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            request_id: request_id.to_owned(),
        }
    }

    /// The answer in a language.
    pub fn answer(&self, language: Language, request_id: &str) -> Response {
        let body = serde_json::to_vec(&self.body(language, request_id)).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(self.0.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        match self.0.kind.status {
            401 => _ = headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"refundry\"")),
            503 => _ = headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS)),
            _ => {}
        }
        if self.0.replayed {
            headers.insert(super::call::IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}
