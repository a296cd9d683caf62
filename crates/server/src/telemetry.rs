//! What the process says about itself: logs, traces, and figures for Prometheus.
//!
//! Whatever is switched off costs one comparison per request: spans of requests have a target of their own that only
//! the trace exporter listens to, and figures are atomic counters found by position.

pub mod late;
pub mod metrics;
mod process;
pub mod traces;

use crate::config::{Log, LogFormat, Tracing};
use anyhow::{Context, Result};
use traces::Exporter;
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

/// Keeps logs and traces going; [`end`](Telemetry::end) sends what is still waiting.
#[must_use]
pub struct Telemetry {
    exporter: Option<Exporter>,
}

/// Starts logging to standard error, and exporting traces when there is an endpoint. Once per process.
pub fn start(log: &Log, tracing: &Tracing) -> Result<Telemetry> {
    let exporter = Exporter::start(tracing)?;
    let subscriber = subscriber(log, exporter.as_ref(), std::io::stderr)?;
    tracing::subscriber::set_global_default(subscriber).context("logging was started twice")?;
    Ok(Telemetry { exporter })
}

impl Telemetry {
    /// Sends the traces that are still waiting; blocks for a few seconds at most.
    pub fn end(self) {
        if let Some(exporter) = self.exporter {
            exporter.end();
        }
    }
}

fn subscriber<W>(log: &Log, exporter: Option<&Exporter>, writer: W) -> Result<impl Subscriber + Send + Sync + use<W>>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let levels: Targets = log.level.parse().context("log.level was not checked")?;
    let lines = lines(log.format, writer).with_filter(levels.with_target(traces::TARGET, LevelFilter::OFF));
    // A list and not an optional layer: one that is absent would say that it wants every span.
    let mut layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = vec![lines.boxed()];
    layers.extend(exporter.map(|exporter| exporter.layer().boxed()));
    Ok(Registry::default().with(layers))
}

fn lines<S, W>(format: LogFormat, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    match format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    }
}

#[cfg(test)]
mod tests;
