use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Connect;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::{Client, Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::fault::{fault, is_lost};
use super::hosts;
use super::options::PostgresOptions;
use super::placement::Placement;
use crate::StoreError;

/// Time that a transaction may lie idle before the server ends it and gives its locks back: the writer that held it is gone.
const IDLE_IN_TRANSACTION_MS: u64 = 5_000;
/// Waits between two tries to reach a database that is gone: the first, and the longest to which they double.
const RECONNECT_WAITS: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));
/// Time without an answer of the other machine after which a connection counts as lost.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// How much longer than a statement may take to wait for its answer before the connection counts as lost.
pub const ANSWER_MARGIN: Duration = Duration::from_secs(2);

/// The shortest time to wait for what somebody else has locked.
const LOCK_WAIT_MIN: Duration = Duration::from_millis(20);

/// Opens connections to one database.
#[derive(Clone)]
pub struct Connector {
    /// One for each host, in the order in which they are tried.
    hosts: Vec<Config>,
    tls: MakeRustlsConnect,
    options: Arc<PostgresOptions>,
    placement: Arc<Placement>,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A lane.
    Write,
    /// Short reads.
    Read,
    /// Migrations, checks and copies: they take as long as they take.
    Long,
}

impl Connector {
    /// For the database that the options name.
    pub fn new(options: &PostgresOptions) -> Result<Self, StoreError> {
        let unusable = |why: String| StoreError::Damaged(format!("database.url: {why}"));
        // The driver knows `require`, which here always checks the server's certificate.
        let url = options.url.replace("sslmode=verify-full", "sslmode=require").replace("sslmode=verify-ca", "sslmode=require");
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| unusable(chain(&error)))?;
        if config.get_application_name().is_none() {
            config.application_name("refundry");
        }
        if let Some(password) = &options.password {
            config.password(password);
        }
        // A standby that is being promoted takes connections before it takes writes, and what it shows may be old.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.connect_timeout(options.connect_timeout).tcp_user_timeout(SILENCE_MAX);
        config.keepalives_idle(SILENCE_MAX).keepalives_interval(SILENCE_MAX / 4).keepalives_retries(3);
        let hosts = hosts::one_each(&config);
        if hosts.is_empty() {
            return Err(unusable("it names no host".to_owned()));
        }
        let placement = Arc::new(Placement::OnePlace(options.lanes));
        Ok(Self { hosts, tls: tls(options)?, options: Arc::new(options.clone()), placement })
    }

    /// For a database whose rows are placed like this.
    pub fn placed(self, placement: Placement) -> Self {
        Self { placement: Arc::new(placement), ..self }
    }

    /// Where rows are.
    pub const fn placement(&self) -> &Arc<Placement> {
        &self.placement
    }

    /// What is said on a new connection. Plans are made once and never depend on values; tables are small when the plans of a new installation are
    /// made, and a plan that reads a whole table must not stay when they are not.
    pub fn settings(&self, purpose: Use) -> String {
        let millis = |time: Duration| time.as_millis();
        let Self { options, .. } = self;
        let limits = match purpose {
            Use::Write | Use::Read => format!("SET statement_timeout = {};", millis(options.statement_timeout)),
            Use::Long => "SET statement_timeout = 0;".to_owned(),
        };
        let plans = match purpose {
            Use::Write => {
                "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_bitmapscan = off; \
                SET jit = off; SET random_page_cost = 0.5; SET cpu_operator_cost = 0.1;"
            }
            Use::Read => "SET enable_seqscan = off; SET jit = off;",
            Use::Long => "",
        };
        let kept = match purpose {
            Use::Write | Use::Read => format!("SET plan_cache_mode = {};", self.placement.plan_cache_mode()),
            Use::Long => String::new(),
        };
        let waits = match purpose {
            // A row is not waited for; what the server itself does for a moment is no reason to give up.
            Use::Write => millis(options.lock_timeout.max(LOCK_WAIT_MIN)),
            // Zero is no limit but that of the statement.
            Use::Read | Use::Long => millis(options.lock_timeout),
        };
        format!("{limits} {kept} {plans} SET lock_timeout = {waits}; SET idle_in_transaction_session_timeout = {IDLE_IN_TRANSACTION_MS};")
    }

    /// One more connection, to the first host that gives one in time. What drives it runs on the runtime of the caller.
    pub async fn connect(&self, purpose: Use) -> Result<Client, StoreError> {
        let mut passing = None;
        let mut refused = None;
        for host in &self.hosts {
            match timeout(self.options.connect_timeout, self.connect_to(host, purpose)).await {
                Ok(Ok(client)) => return Ok(client),
                // Another host may do what this one will not.
                Ok(Err(error)) if error.is_passing() => passing = Some(error),
                Ok(Err(error)) => refused = Some(error),
                Err(elapsed) => passing = Some(StoreError::TryAgain(Arc::new(elapsed))),
            }
        }
        Err(passing.or(refused).unwrap_or(StoreError::Closed))
    }

    async fn connect_to(&self, host: &Config, purpose: Use) -> Result<Client, StoreError> {
        let (client, _) = self.open(host).await.map_err(connect_fault)?;
        client.batch_execute(&self.settings(purpose)).await.map_err(fault)?;
        Ok(client)
    }

    async fn open(&self, host: &Config) -> Result<(Client, JoinHandle<()>), Error> {
        let (client, connection) = host.connect(self.tls.clone()).await?;
        let driven = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(cause = &error as &dyn std::error::Error, "a connection to the database ended");
            }
        });
        Ok((client, driven))
    }

    /// As [`Connector::connect`], however long the database takes to come back, within the limit of the options.
    pub async fn connect_patiently(&self, purpose: Use) -> Result<Client, StoreError> {
        patiently(self.options.recover_for, || self.connect(purpose)).await
    }

    /// How it was asked for.
    pub fn options(&self) -> &PostgresOptions {
        &self.options
    }
}

/// For a pool, which sets a limit to the whole by itself.
impl Connect for Connector {
    fn connect(&self, _: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        async {
            let (last, others) = self.hosts.split_last().expect("a connector without a host is not made");
            for host in others {
                if let Ok(Ok(opened)) = timeout(self.options.connect_timeout, self.open(host)).await {
                    return Ok(opened);
                }
            }
            self.open(last).await
        }
        .boxed()
    }
}

/// Tries again what may pass, until it does or its time is over.
pub async fn patiently<T, F: Future<Output = Result<T, StoreError>>>(limit: Duration, attempt: impl Fn() -> F) -> Result<T, StoreError> {
    let trying = async {
        let (mut pause, pause_max) = RECONNECT_WAITS;
        loop {
            match attempt().await {
                Err(error @ (StoreError::TryAgain(_) | StoreError::Conflict(_))) => {
                    tracing::debug!(cause = &error as &dyn std::error::Error, "the database cannot be reached yet");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(pause_max);
                }
                other => return other,
            }
        }
    };
    timeout(limit, trying).await.unwrap_or_else(|elapsed| Err(StoreError::TryAgain(Arc::new(elapsed))))
}

/// A database that cannot be reached now may be there in a moment; one that turns us away will go on doing so.
pub fn connect_fault(error: Error) -> StoreError {
    match error.code() {
        Some(code) if !is_lost(&error) && !code.code().starts_with("53") => {
            StoreError::Damaged(format!("the database turns us away: {}", chain(&error)))
        }
        None if is_untrusted(&error) => StoreError::Damaged(format!(
            "the database's certificate proves nothing to us: {}; name who signed it in database.certificates, or write sslmode=disable where nobody \
             can listen",
            chain(&error)
        )),
        Some(_) | None => StoreError::TryAgain(Arc::new(error)),
    }
}

/// The server showed a certificate that is not signed by anybody we know, is over, or is another server's. That will not pass by itself.
fn is_untrusted(error: &Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        // An error of input and output keeps its reason inside, and shows only the reason's own reason as its source.
        let inside = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let reason = inside.and_then(|inside| inside.downcast_ref()).or_else(|| error.downcast_ref());
        if matches!(reason, Some(rustls::Error::InvalidCertificate(_))) {
            return true;
        }
        cause = error.source();
    }
    false
}

fn tls(options: &PostgresOptions) -> Result<MakeRustlsConnect, StoreError> {
    let unusable = |why: String| StoreError::Damaged(format!("database.certificates: {why}"));
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = &options.certificates {
        let found = CertificateDer::pem_file_iter(file).map_err(|error| unusable(format!("{}: {error}", file.display())))?;
        for certificate in found {
            let certificate = certificate.map_err(|error| unusable(format!("{}: {error}", file.display())))?;
            roots.add(certificate).map_err(|error| unusable(format!("{}: {error}", file.display())))?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| unusable(error.to_string()))?.with_root_certificates(roots).with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// An error with its causes: the driver's own text leaves them out.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
