//! What every request needs: the service, and the limits of the configuration.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Bytes;
use refundry_service::Service;
use refundry_service::outgoing::addresses::Network;

use crate::acquirer_reports::Reporters;
use crate::config::Config;
use crate::language::Language;
use crate::telemetry::metrics::Metrics;

/// The application that the router serves.
pub struct App {
    /// What requests are carried out by.
    pub service: Arc<Service>,
    /// The language of answers to callers who wish for none.
    pub language: Language,
    /// Limits of requests.
    pub limits: Limits,
    /// Reverse proxies that say where a request came from.
    pub trusted_proxies: Vec<Network>,
    /// Figures of requests and of everything else.
    pub metrics: Arc<Metrics>,
    /// Acquirers that may report over HTTP.
    pub reporters: Reporters,
    /// The OpenAPI document as it is served.
    pub open_api: Bytes,
    draining: AtomicBool,
}

/// Limits of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body.
    pub body_bytes_max: usize,
    /// Bytes of an import.
    pub import_bytes_max: u64,
    /// Bytes of one line of an import.
    pub import_line_bytes_max: usize,
}

impl App {
    /// Over a service, with the limits of the configuration.
    pub fn new(service: Arc<Service>, metrics: Arc<Metrics>, config: &Config) -> Self {
        let limits = Limits {
            body_bytes_max: config.server.body_bytes_max,
            import_bytes_max: config.server.import_bytes_max,
            import_line_bytes_max: config.limits.import_line_bytes_max,
        };
        Self {
            service,
            language: Language::of_tag(&config.server.lang).unwrap_or(Language::English),
            limits,
            trusted_proxies: config.server.trusted_proxies.clone(),
            metrics,
            reporters: Reporters::default(),
            open_api: Bytes::from(crate::openapi::document_text()),
            draining: AtomicBool::new(false),
        }
    }

    /// Says on `/readyz` from now on that this process is about to end, so that nothing new is sent to it, and ends long waits.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
        // Whoever waits for events is answered now.
        self.service.observer.news.notify_waiters();
    }

    /// Whether it is about to end.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }
}
