//! OpenTelemetry traces: one span per sampled request, sent to a collector over OTLP/HTTP.

use crate::config::Tracing;
use anyhow::{Context, Result};
use http::{HeaderMap, Request};
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use std::time::Duration;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

/// The target of request spans: only the exporter listens to it.
pub const TARGET: &str = "refundry_requests";
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// Sends spans from a thread of its own.
pub struct Exporter {
    provider: SdkTracerProvider,
}

impl Exporter {
    /// `None` when there is no endpoint.
    pub fn start(tracing: &Tracing) -> Result<Option<Exporter>> {
        let Some(endpoint) = tracing.otlp_endpoint.clone() else { return Ok(None) };
        // The exporter's HTTP client blocks and must not be made on an async thread.
        let built = std::thread::spawn(move || {
            let exporter = SpanExporter::builder().with_http();
            let exporter = exporter.with_protocol(Protocol::HttpBinary).with_endpoint(endpoint);
            exporter.with_timeout(EXPORT_TIMEOUT).build()
        });
        let exporter = built.join().map_err(|_| anyhow::anyhow!("the trace exporter panicked"))?;
        let exporter = exporter.context("tracing.otlp_endpoint cannot be used / tracing.otlp_endpoint 无法使用")?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(share(tracing.sample_per_mille)))))
            .with_resource(Resource::builder().with_service_name("refundry").build())
            .build();
        Ok(Some(Exporter { provider }))
    }

    /// The layer that turns request spans into traces.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + Send + Sync + for<'a> LookupSpan<'a>,
    {
        let layer = tracing_opentelemetry::layer().with_tracer(self.provider.tracer("refundry"));
        layer.with_filter(Targets::new().with_target(TARGET, LevelFilter::INFO))
    }

    /// Sends what waits.
    pub fn end(self) {
        if let Err(error) = self.provider.shutdown_with_timeout(EXPORT_TIMEOUT) {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// The span of a request, below the caller's own when it sent a `traceparent`; disabled when nobody listens.
pub fn request_span<B>(request: &Request<B>) -> Span {
    let span = tracing::info_span!(
        target: TARGET,
        "request",
        otel.kind = "server",
        http.request.method = %request.method(),
        url.path = request.uri().path(),
        http.response.status_code = tracing::field::Empty,
    );
    if !span.is_disabled() && request.headers().contains_key("traceparent") {
        let parent = TraceContextPropagator::new().extract(&Headers(request.headers()));
        // It fails only when the span has begun, and this one has not been entered.
        let _ = span.set_parent(parent);
    }
    span
}

/// Notes the answer's status in the span.
pub fn record_status(span: &Span, status: u16) {
    span.record("http.response.status_code", status);
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

#[expect(clippy::float_arithmetic, reason = "the library takes the sampled share as a float; it is no money")]
fn share(per_mille: u32) -> f64 {
    f64::from(per_mille) / 1_000.0
}
