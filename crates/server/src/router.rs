//! Who answers which path: the table of the native API, the dialects, the pages, and what is said to everybody else.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{Path, RawPathParams, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, get, post};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use refundry_service::authenticate;
use refundry_service::caller::Caller;

use crate::app::App;
use crate::call::{Call, CallBody, REQUEST_ID};
use crate::endpoint::{Audience, Body, Endpoint, Method};
use crate::html::html_response;
use crate::language::Language;
use crate::listen::{BodyError, read_body};
use crate::problem::{Kind, Problem, kinds, pages};
use crate::{acquirer_reports, docs_page, endpoints, health, wire};

/// Everything that this server answers over HTTP.
pub fn router(app: Arc<App>) -> Router {
    let mut paths: BTreeMap<&'static str, MethodRouter<Arc<App>>> = BTreeMap::new();
    for endpoint in endpoints::all() {
        let methods = paths.remove(endpoint.path).unwrap_or_default();
        paths.insert(endpoint.path, methods.on(filter(endpoint.method), action(Arc::new(endpoint))));
    }
    let mut router = Router::new();
    for (path, methods) in paths {
        router = router.route(path, methods.fallback(wrong_method));
    }
    router
        .merge(health_routes())
        .route("/acquirers/{name}/reports", post(acquirer_reports::take))
        .route("/api/v1/openapi.json", get(open_api).fallback(wrong_method))
        .route("/docs", get(docs))
        .route("/problems", get(problem_list))
        .route("/problems/{code}", get(problem_page))
        .fallback(elsewhere)
        .with_state(app)
}

/// What a process without the API answers: how it is.
pub fn health_only(app: Arc<App>) -> Router {
    health_routes().with_state(app)
}

fn health_routes() -> Router<Arc<App>> {
    Router::new().route("/healthz", get(health::alive)).route("/readyz", get(health::ready)).route("/metrics", get(health::metrics))
}

/// Whether a request to this path may take as long as its bytes move: imports.
pub fn is_unhurried(path: &str) -> bool {
    path == endpoints::IMPORT_PATH
}

fn filter(method: Method) -> MethodFilter {
    match method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Delete => MethodFilter::DELETE,
    }
}

/// A request before its caller is proved.
struct Asked {
    path: Vec<(String, String)>,
    request: Request,
    language: Language,
    request_id: String,
}

/// One endpoint as axum calls it.
fn action(
    endpoint: Arc<Endpoint>,
) -> impl Fn(State<Arc<App>>, Result<RawPathParams, RawPathParamsRejection>, Request) -> BoxFuture<'static, Response>
+ Clone
+ Send
+ Sync
+ 'static {
    move |State(app): State<Arc<App>>, path: Result<RawPathParams, RawPathParamsRejection>, request: Request| {
        let endpoint = endpoint.clone();
        let named = |path: RawPathParams| path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>();
        let path = path.map(named);
        Box::pin(async move {
            let language = wished_language(&app, request.headers());
            let request_id = request_id(&app);
            // A path that is not UTF-8 names nothing.
            let Ok(path) = path else { return Problem::new(&kinds::PATH_UNKNOWN).answer(language, &request_id) };
            let asked = Asked { path, request, language, request_id: request_id.clone() };
            let called = AssertUnwindSafe(call(app.clone(), &endpoint, asked)).catch_unwind().await;
            let mut response = match called {
                Ok(Ok(response)) => response,
                Ok(Err(problem)) => problem.answer(language, &request_id),
                Err(_) => {
                    tracing::error!(request_id, path = endpoint.path, "the program stopped in the middle of a request");
                    Problem::new(&kinds::FAULT).answer(language, &request_id)
                }
            };
            if let Ok(value) = HeaderValue::from_str(&request_id) {
                response.headers_mut().insert(REQUEST_ID, value);
            }
            // Tokens and the merchant's business are for nobody's cache.
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        })
    }
}

/// Proves the caller, then checks what it may do, then reads the body: strangers cost little.
async fn call(app: Arc<App>, endpoint: &Endpoint, asked: Asked) -> Result<Response, Problem> {
    let Asked { path, request, language, request_id } = asked;
    let (parts, body) = request.into_parts();
    let caller = authenticate(&app, &parts).await?;
    if endpoint.audience == Audience::Operator && !caller.is_operator() {
        return Err(Problem::new(&kinds::NOT_ALLOWED).saying("Only the operator's keys may do this.", "仅运营方的密钥可执行该操作。"));
    }
    caller.must(endpoint.permission)?;
    let body = match endpoint.body {
        Body::Nothing => CallBody::Whole(axum::body::Bytes::new()),
        Body::Json => {
            must_be_of_type(&parts, &["application/json"])?;
            CallBody::Whole(whole_body(&parts, body, app.limits.body_bytes_max).await?)
        }
        Body::Lines => {
            must_be_of_type(&parts, &["application/x-ndjson", "application/ndjson", "application/jsonl"])?;
            CallBody::Stream(Mutex::new(body))
        }
    };
    (endpoint.action)(Call { app, caller, language, request_id, parts, path, body }).await
}

async fn authenticate(app: &App, parts: &Parts) -> Result<Arc<Caller>, Problem> {
    let sent = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = sent.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = token else { return Err(Problem::new(&kinds::UNAUTHENTICATED)) };
    let known = authenticate::bearer(&app.service, token.trim()).await?;
    known.ok_or_else(|| Problem::new(&kinds::UNAUTHENTICATED))
}

fn must_be_of_type(parts: &Parts, types: &[&str]) -> Result<(), Problem> {
    let sent = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = sent.split(';').next().unwrap_or_default().trim();
    if types.iter().any(|wanted| kind.eq_ignore_ascii_case(wanted)) {
        return Ok(());
    }
    let wanted = types[0];
    let problem = Problem::new(&kinds::MEDIA_TYPE).about("content-type");
    Err(problem.saying(format!("The Content-Type is {kind:?}; {wanted} is wanted."), format!("Content-Type 为“{kind}”，应为 {wanted}。")))
}

async fn whole_body(parts: &Parts, body: axum::body::Body, limit: usize) -> Result<axum::body::Bytes, Problem> {
    read_body(&parts.headers, body, limit).await.map_err(|error| match error {
        BodyError::TooLong { limit } => Problem::too_large(limit as u64),
        BodyError::Incomplete => Problem::new(&kinds::MALFORMED_JSON),
    })
}

/// Paths of no route: dialects by their paths and prefixes, problems below `/api`, and plain words for the rest.
async fn elsewhere(State(app): State<Arc<App>>, request: Request) -> Response {
    let path = request.uri().path();
    if refundry_dialects::find(path).is_some() {
        let served = AssertUnwindSafe(wire::serve(&app, request)).catch_unwind().await;
        return served.unwrap_or_else(|_| {
            tracing::error!("the program stopped in the middle of a dialect's request");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        });
    }
    if path == "/api" || path.starts_with("/api/") {
        return problem(&app, request.headers(), &kinds::PATH_UNKNOWN);
    }
    (StatusCode::NOT_FOUND, "not found\n").into_response()
}

async fn wrong_method(State(app): State<Arc<App>>, request: Request) -> Response {
    problem(&app, request.headers(), &kinds::METHOD_NOT_ALLOWED)
}

fn problem(app: &App, headers: &HeaderMap, kind: &'static Kind) -> Response {
    Problem::new(kind).answer(wished_language(app, headers), &request_id(app))
}

async fn open_api(State(app): State<Arc<App>>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], app.open_api.clone()).into_response()
}

async fn docs(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> Response {
    let language = page_language(&app, &uri, &headers);
    html_response(language, docs_page::docs_page(language))
}

async fn problem_list(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> Response {
    let language = page_language(&app, &uri, &headers);
    html_response(language, pages::list_page(language))
}

async fn problem_page(State(app): State<Arc<App>>, Path(code): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    let language = page_language(&app, &uri, &headers);
    let Some(kind) = Kind::find(&code) else { return (StatusCode::NOT_FOUND, "not found\n").into_response() };
    let wants_json = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("json"));
    if wants_json {
        return axum::Json(pages::kind_json(kind)).into_response();
    }
    html_response(language, pages::kind_page(kind, language))
}

/// The language of a page: `?lang=` is a person's click and wins over the browser's wish.
fn page_language(app: &App, uri: &Uri, headers: &HeaderMap) -> Language {
    let clicked = uri.query().unwrap_or_default().split('&').find_map(|pair| Language::of_tag(pair.strip_prefix("lang=")?));
    clicked.unwrap_or_else(|| wished_language(app, headers))
}

fn wished_language(app: &App, headers: &HeaderMap) -> Language {
    let wish = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Language::wished(wish, app.language)
}

fn request_id(app: &App) -> String {
    let world = &app.service.world;
    format!("req_{:x}", world.ids.mark(world.now()))
}
