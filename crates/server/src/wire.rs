//! Requests of the dialects as bytes: kept as they were sent, because signatures are over bytes; answered with exactly the dialect's headers.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use refundry_dialects::wire::Headers;
use refundry_dialects::{WireRequest, WireResponse};

use crate::app::App;
use crate::caller_address::caller_address;
use crate::listen::{BodyError, read_body};

/// Has the front door answer a request in its dialect.
pub async fn serve(app: &App, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let limit = app.limits.body_bytes_max;
    // An absolute-form target is reduced to path and query, which is what its sender signed.
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let headers = SentHeaders(&parts.headers);
    let peer = caller_address(&parts, &app.trusted_proxies);
    let whole = read_body(&parts.headers, body, limit).await;
    let answer = match &whole {
        Ok(bytes) => {
            let request = WireRequest { method: parts.method.as_str(), path, headers: &headers, body: bytes, peer };
            app.service.answer(request).await
        }
        Err(BodyError::TooLong { limit }) => {
            let request = WireRequest { method: parts.method.as_str(), path, headers: &headers, body: &[], peer };
            app.service.answer_too_large(request, *limit).await
        }
        Err(BodyError::Incomplete) => return broken(),
    };
    response(answer)
}

/// An answer to a request whose body never came whole; usually nobody is there to read it.
fn broken() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

fn response(answer: WireResponse) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    response
}

/// The headers of a request as the dialects look at them.
struct SentHeaders<'a>(&'a HeaderMap);

impl Headers for SentHeaders<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(|value| value.to_str().ok())
    }
}

impl std::fmt::Debug for SentHeaders<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values may be secrets.
        f.debug_set().entries(self.0.keys()).finish()
    }
}
