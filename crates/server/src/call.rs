//! A call of the native API after the caller is proved and its permission checked: what endpoints take apart.

use std::str::FromStr;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use refundry_engine::MerchantId;
use refundry_service::caller::Caller;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::json_body;
use crate::language::Language;
use crate::problem::{Problem, kinds};

/// The header that names one attempt at one intent.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The header of an answer that was given before.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The header that names an answer in our log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request with its proved caller.
pub struct Call {
    /// The application.
    pub app: Arc<App>,
    /// Who calls.
    pub caller: Arc<Caller>,
    /// In which language it wants to be answered.
    pub language: Language,
    /// Names this answer in our log.
    pub request_id: String,
    /// Method, path and headers.
    pub parts: Parts,
    /// The values of the path's names, as they were sent.
    pub path: Vec<(String, String)>,
    /// The whole body, or what streams in.
    pub body: CallBody,
}

/// The body of a call.
pub enum CallBody {
    /// All of it.
    Whole(Bytes),
    /// As it comes; the lock is never waited for, it only lets a call be shared.
    Stream(Mutex<Body>),
}

impl Call {
    /// The id in the path; what cannot be an id names nothing.
    pub fn path_id<T: FromStr>(&self, name: &str, unknown: &'static crate::problem::Kind) -> Result<T, Problem> {
        self.path_text(name).parse().map_err(|_| Problem::new(unknown))
    }

    /// A text of the path.
    pub fn path_text(&self, name: &str) -> &str {
        self.path.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    /// The query.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        axum::extract::Query::try_from_uri(&self.parts.uri)
            .map(|query: axum::extract::Query<T>| query.0)
            .map_err(|rejection| json_body::query_problem(&rejection.body_text()))
    }

    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        match &self.body {
            CallBody::Whole(bytes) => json_body::read(bytes),
            CallBody::Stream(_) => Err(Problem::new(&kinds::MALFORMED_JSON)),
        }
    }

    /// A header; one that is not text, or is there twice, is a problem.
    pub fn header(&self, name: &'static str) -> Result<Option<&str>, Problem> {
        let mut values = self.parts.headers.get_all(name).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let once = values.next().is_none();
        match value.to_str() {
            Ok(text) if once => Ok(Some(text)),
            _ => Err(Problem::parameter(name, format!("{name} is one visible ASCII text."), format!("{name} 应为单个可见 ASCII 文本。"))),
        }
    }

    /// The merchant that is meant: the caller's own, or the one it names.
    pub fn merchant_id(&self, named: Option<MerchantId>) -> Result<MerchantId, Problem> {
        self.caller.merchant_id(named).map_err(Problem::from)
    }
}

/// An answer of JSON.
pub fn json_response(status: StatusCode, body: &impl Serialize) -> Response {
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// 200 with JSON.
pub fn ok(body: &impl Serialize) -> Result<Response, Problem> {
    Ok(json_response(StatusCode::OK, body))
}

/// 201 with JSON, or 200 when it was there before.
pub fn created(body: &impl Serialize, new: bool) -> Response {
    json_response(if new { StatusCode::CREATED } else { StatusCode::OK }, body)
}

/// 204.
pub fn nothing() -> Result<Response, Problem> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// Marks an answer that was given before.
pub fn mark_replayed(response: &mut Response) {
    response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
}
