//! `POST /acquirers/NAME/reports`: what an acquirer over HTTP says on its own. It proves itself by its signature; nobody else may call.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use refundry_engine::Outcome;
use refundry_service::acquirers::http::{HttpAcquirer, ReportError};
use refundry_service::workers::{WorkerSettings, record_reports};

use crate::app::App;
use crate::listen::read_body;

/// Who may report, and how a report that is not an end is followed up.
#[derive(Default)]
pub struct Reporters {
    /// The acquirers over HTTP, by name.
    pub acquirers: BTreeMap<String, Arc<HttpAcquirer>>,
    /// Times of the workers.
    pub settings: WorkerSettings,
}

/// Takes a report: 204 when it is recorded or was known before, 409 when it contradicts what is known, 401 when it is not proved.
pub async fn take(State(app): State<Arc<App>>, Path(name): Path<String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(acquirer) = app.reporters.acquirers.get(&name) else { return refused(StatusCode::NOT_FOUND, "no such acquirer") };
    let Ok(body) = read_body(&parts.headers, body, app.limits.body_bytes_max).await else {
        return refused(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long");
    };
    let [id, timestamp, signature] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|header| text(&parts.headers, header));
    let report = match acquirer.read_report(id, timestamp, signature, &body) {
        Ok(report) => report,
        Err(error @ ReportError::NotSigned) => return refused(StatusCode::UNAUTHORIZED, &error.to_string()),
        Err(error @ ReportError::Malformed(_)) => return refused(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    match record_reports::record_of(&app.service.world, &app.reporters.settings, &name, report).await {
        Ok(Outcome::Refused { refusal, .. }) => refused(StatusCode::CONFLICT, &format!("{}: nothing was changed", refusal.code())),
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => {
            tracing::warn!(
                acquirer = name,
                cause = &error as &dyn std::error::Error,
                "a report could not be recorded; the acquirer may repeat it"
            );
            refused(StatusCode::SERVICE_UNAVAILABLE, "try again")
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn refused(status: StatusCode, why: &str) -> Response {
    (status, format!("{why}\n")).into_response()
}
