//! The configuration as the program reads it. What each value means is said once, in the table of keys.

use super::values::Values;
use refundry_service::outgoing::addresses::Network;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The whole configuration, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each section and each field is documented in config/keys.rs under the same name")]
pub struct Config {
    pub server: Server,
    pub tls: Tls,
    pub database: Database,
    pub secrets: Secrets,
    pub outgoing: Outgoing,
    pub workers: Workers,
    pub alarms: Alarms,
    pub acquirers: BTreeMap<String, Acquirer>,
    pub log: Log,
    pub tracing: Tracing,
    pub limits: Limits,
}

/// Section `[server]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in config/keys.rs under the same names")]
pub struct Server {
    pub listen: Vec<SocketAddr>,
    pub roles: Vec<Role>,
    pub trusted_proxies: Vec<Network>,
    pub lang: String,
    pub node_lease_ms: i64,
    pub io_threads: usize,
    pub cpu_threads: usize,
    pub connections_max: usize,
    pub header_bytes_max: usize,
    pub header_read_timeout_ms: u64,
    pub keep_alive_timeout_ms: u64,
    pub body_bytes_max: usize,
    pub import_bytes_max: u64,
    pub request_timeout_ms: u64,
    pub drain_ms: u64,
    pub shutdown_grace_ms: u64,
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Answers requests.
    Api,
    /// Carries out tasks.
    Workers,
}

/// Section `[server.tls]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in config/keys.rs under the same names")]
pub struct Tls {
    pub listen: Vec<SocketAddr>,
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// Section `[database]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in config/keys.rs under the same names")]
pub struct Database {
    pub url: String,
    pub sync: Sync,
    pub checkpoint_interval_ms: u64,
    pub wal_bytes_max: u64,
    pub batch_max: usize,
    pub queue_max: usize,
    pub readers: usize,
    pub cache_bytes: u64,
    pub reader_cache_bytes: u64,
    pub busy_timeout_ms: u32,
    pub password: String,
    pub certificates: String,
    pub lanes: usize,
    pub connect_timeout_ms: u64,
    pub statement_timeout_ms: u64,
    pub lock_timeout_ms: u64,
    pub recover_for_ms: u64,
}

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// Until the disk has it.
    Full,
    /// Until the operating system has it.
    Normal,
}

/// Section `[secrets]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in config/keys.rs under the same names")]
pub struct Secrets {
    pub master_key_file: PathBuf,
}

/// Section `[outgoing]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in config/keys.rs under the same names")]
pub struct Outgoing {
    pub networks_allowed: Vec<Network>,
    pub connect_timeout_ms: u64,
    pub timeout_ms: u64,
    pub response_bytes_max: usize,
    pub idle_connections_max: usize,
    pub idle_timeout_ms: u64,
}

/// Section `[workers]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in config/keys.rs under the same names")]
pub struct Workers {
    pub lease_ms: i64,
    pub concurrency: usize,
    pub poll_interval_ms: i64,
    pub acquirer_timeout_ms: i64,
    pub retry_delay_ms_min: i64,
    pub retry_delay_ms_max: i64,
}

/// Section `[alarms]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in config/keys.rs under the same names")]
pub struct Alarms {
    pub hand_over_minutes: u32,
    pub review_hours: u32,
}

/// One section `[acquirer.NAME]`.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in config/keys.rs under the same names")]
pub struct Acquirer {
    pub kind: AcquirerKind,
    pub url: String,
    pub secret: String,
    pub recognises_duplicates: bool,
    pub unknown_is_final_after_ms: i64,
}

/// Which adapter speaks to an acquirer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcquirerKind {
    /// Outcomes by documented rules.
    Simulated,
    /// The operator's own payment system.
    Http,
}

/// Section `[log]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in config/keys.rs under the same names")]
pub struct Log {
    pub format: LogFormat,
    pub level: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Section `[tracing]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in config/keys.rs under the same names")]
pub struct Tracing {
    pub otlp_endpoint: Option<String>,
    pub sample_per_mille: u32,
}

/// Section `[limits]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in config/keys.rs under the same names")]
pub struct Limits {
    pub import_line_bytes_max: usize,
    pub unnumbered_replay_seconds: u32,
}

impl std::fmt::Debug for Acquirer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Acquirer").field("kind", &self.kind).field("url", &self.url).finish_non_exhaustive()
    }
}

impl Config {
    pub(super) fn from_values(values: &Values) -> Config {
        Config {
            server: Server::from_values(values),
            tls: Tls {
                listen: parsed(values.list("server.tls", "listen")),
                cert: values.text("server.tls", "cert").into(),
                key: values.text("server.tls", "key").into(),
            },
            database: Database::from_values(values),
            secrets: Secrets { master_key_file: values.text("secrets", "master_key_file").into() },
            outgoing: Outgoing::from_values(values),
            workers: Workers::from_values(values),
            alarms: Alarms {
                hand_over_minutes: values.number("alarms", "hand_over_minutes"),
                review_hours: values.number("alarms", "review_hours"),
            },
            acquirers: values.acquirers().into_iter().map(|name| Acquirer::from_values(values, name)).collect(),
            log: Log {
                format: if values.text("log", "format") == "json" { LogFormat::Json } else { LogFormat::Text },
                level: values.text("log", "level"),
            },
            tracing: Tracing {
                otlp_endpoint: Some(values.text("tracing", "otlp_endpoint")).filter(|endpoint| !endpoint.is_empty()),
                sample_per_mille: values.number("tracing", "sample_per_mille"),
            },
            limits: Limits {
                import_line_bytes_max: values.number("limits", "import_line_bytes_max"),
                unnumbered_replay_seconds: values.number("limits", "unnumbered_replay_seconds"),
            },
        }
    }
}

impl Server {
    fn from_values(values: &Values) -> Server {
        let role = |name: String| {
            if name == "api" { Role::Api } else { Role::Workers }
        };
        Server {
            listen: parsed(values.list("server", "listen")),
            roles: values.list("server", "roles").into_iter().map(role).collect(),
            trusted_proxies: parsed(values.list("server", "trusted_proxies")),
            lang: values.text("server", "lang"),
            node_lease_ms: values.number("server", "node_lease_ms"),
            io_threads: threads(values.number("server", "io_threads")),
            cpu_threads: threads(values.number("server", "cpu_threads")),
            connections_max: values.number("server", "connections_max"),
            header_bytes_max: values.number("server", "header_bytes_max"),
            header_read_timeout_ms: values.number("server", "header_read_timeout_ms"),
            keep_alive_timeout_ms: values.number("server", "keep_alive_timeout_ms"),
            body_bytes_max: values.number("server", "body_bytes_max"),
            import_bytes_max: values.number("server", "import_bytes_max"),
            request_timeout_ms: values.number("server", "request_timeout_ms"),
            drain_ms: values.number("server", "drain_ms"),
            shutdown_grace_ms: values.number("server", "shutdown_grace_ms"),
        }
    }
}

impl Database {
    fn from_values(values: &Values) -> Database {
        Database {
            url: values.text("database", "url"),
            sync: if values.text("database", "sync") == "full" { Sync::Full } else { Sync::Normal },
            checkpoint_interval_ms: values.number("database", "checkpoint_interval_ms"),
            wal_bytes_max: values.number("database", "wal_bytes_max"),
            batch_max: values.number("database", "batch_max"),
            queue_max: values.number("database", "queue_max"),
            readers: values.number("database", "readers"),
            cache_bytes: values.number("database", "cache_bytes"),
            reader_cache_bytes: values.number("database", "reader_cache_bytes"),
            busy_timeout_ms: values.number("database", "busy_timeout_ms"),
            password: values.text("database", "password"),
            certificates: values.text("database", "certificates"),
            lanes: values.number("database", "lanes"),
            connect_timeout_ms: values.number("database", "connect_timeout_ms"),
            statement_timeout_ms: values.number("database", "statement_timeout_ms"),
            lock_timeout_ms: values.number("database", "lock_timeout_ms"),
            recover_for_ms: values.number("database", "recover_for_ms"),
        }
    }
}

impl Outgoing {
    fn from_values(values: &Values) -> Outgoing {
        Outgoing {
            networks_allowed: parsed(values.list("outgoing", "networks_allowed")),
            connect_timeout_ms: values.number("outgoing", "connect_timeout_ms"),
            timeout_ms: values.number("outgoing", "timeout_ms"),
            response_bytes_max: values.number("outgoing", "response_bytes_max"),
            idle_connections_max: values.number("outgoing", "idle_connections_max"),
            idle_timeout_ms: values.number("outgoing", "idle_timeout_ms"),
        }
    }
}

impl Workers {
    fn from_values(values: &Values) -> Workers {
        Workers {
            lease_ms: values.number("workers", "lease_ms"),
            concurrency: values.number("workers", "concurrency"),
            poll_interval_ms: values.number("workers", "poll_interval_ms"),
            acquirer_timeout_ms: values.number("workers", "acquirer_timeout_ms"),
            retry_delay_ms_min: values.number("workers", "retry_delay_ms_min"),
            retry_delay_ms_max: values.number("workers", "retry_delay_ms_max"),
        }
    }
}

impl Acquirer {
    fn from_values(values: &Values, name: String) -> (String, Acquirer) {
        let section = format!("acquirer.{name}");
        let acquirer = Acquirer {
            kind: if values.text(&section, "kind") == "http" { AcquirerKind::Http } else { AcquirerKind::Simulated },
            url: values.text(&section, "url"),
            secret: values.text(&section, "secret"),
            recognises_duplicates: values.switch(&section, "recognises_duplicates"),
            unknown_is_final_after_ms: values.number(&section, "unknown_is_final_after_ms"),
        };
        (name, acquirer)
    }
}

/// 0 stands for one per core; who reads the configuration never sees it.
fn threads(configured: usize) -> usize {
    if configured > 0 {
        return configured;
    }
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn parsed<T: std::str::FromStr>(texts: Vec<String>) -> Vec<T> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}
