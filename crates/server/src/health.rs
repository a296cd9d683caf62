//! What machines ask: are you alive, may I send you requests, how are you.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};

use crate::app::App;

/// Alive: the process answers.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// Ready: storage answers, and the process is not about to end.
pub async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response();
    }
    match app.service.world.store.ping().await {
        Ok(()) => "ready\n".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response(),
    }
}

/// Figures in Prometheus' text form.
pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    match &app.metrics {
        Some(draw) => ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], draw()).into_response(),
        None => (StatusCode::NOT_FOUND, "metrics are switched off\n").into_response(),
    }
}
