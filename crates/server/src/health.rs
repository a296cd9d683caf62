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

/// Ready: storage answers, new ids can be made, and the process is not about to end.
pub async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response();
    }
    let world = &app.service.world;
    if !world.ids.are_numbered_at(world.now()) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the database does not renew this process's node number\n").into_response();
    }
    match world.store.ping().await {
        Ok(()) => "ready\n".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response(),
    }
}

/// Figures in the text form of OpenMetrics.
pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    let now = app.service.world.now();
    if let Ok(figures) = app.service.world.store.task_figures(now).await {
        app.metrics.note_tasks(&figures, now.ms());
    }
    let ids = &app.service.world.ids;
    app.metrics.note_node(ids.node().filter(|_| ids.are_numbered_at(now)));
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, media_type)], app.metrics.render()).into_response()
}
