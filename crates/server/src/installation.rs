//! A configuration put to work: the store opened, the keys read, the acquirers made, the service standing.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use refundry_service::acquirer::Acquirer;
use refundry_service::acquirers::http::{HttpAcquirer, HttpAcquirerSettings};
use refundry_service::acquirers::simulated::Simulated;
use refundry_service::cpu_pool::CpuPool;
use refundry_service::ids::Ids;
use refundry_service::node_number::NodeNumber;
use refundry_service::outgoing::Notifier;
use refundry_service::random::{Random, SystemRandom};
use refundry_service::signatures::webhook_secret;
use refundry_service::terminals::SIMULATED_ACQUIRER;
use refundry_service::workers::WorkerSettings;
use refundry_service::world::{Clock, World};
use refundry_service::{Observer, Service, install};
use tokio::task::JoinHandle;

use crate::config::{self, AcquirerKind, Config, Role};
use crate::database::open_store;
use crate::outgoing_http::HttpNotifier;
use crate::system_clock::SystemClock;
use crate::telemetry::metrics::{CountingObserver, Metrics};
use crate::{config::ENVIRONMENT_MASTER_KEY, master_key};

/// Tasks that may wait between a commit and the workers of this process; more are found by looking.
const INBOX_LENGTH: usize = 65_536;

/// What a process works with.
pub struct Installation {
    /// Requests and workers.
    pub service: Arc<Service>,
    /// Figures for Prometheus.
    pub metrics: Arc<Metrics>,
    /// Acquirers that take reports over HTTP, by name.
    pub http_acquirers: BTreeMap<String, Arc<HttpAcquirer>>,
    node_number: Arc<NodeNumber>,
    keeping_number: JoinHandle<()>,
}

impl Installation {
    /// Gives the number of this process back and closes the database.
    pub async fn close(&self) -> anyhow::Result<()> {
        self.keeping_number.abort();
        self.node_number.give_back().await;
        self.service.world.store.close().await.context("close the database")
    }
}

/// Opens everything that the configuration names. `works` says whether this process carries tasks out.
pub async fn open(config: &Config, works: bool) -> anyhow::Result<Installation> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let metrics = Arc::new(Metrics::new());
    let observer = Observer::new(clock.clone(), if works { INBOX_LENGTH } else { 0 });
    let counting = Arc::new(CountingObserver::new(metrics.clone(), observer.clone()));
    let store = open_store(config, works, counting)?;
    let environment = std::env::var(ENVIRONMENT_MASTER_KEY).ok();
    let master_keys = master_key::open_or_create(&config.secrets.master_key_file, environment.as_deref(), &SystemRandom)?;
    let notifier: Arc<dyn Notifier> = Arc::new(HttpNotifier::new(&config.outgoing));
    let (acquirers, http_acquirers) = acquirers(config, &clock, &notifier)?;
    let world = World { store, clock, ids: Arc::new(Ids::unnumbered()), random, acquirers: Arc::new(acquirers), notifier };
    let node_number = Arc::new(NodeNumber::new(world.clone(), config.server.node_lease_ms));
    let no_number = "get a number for the ids of this process from the database / 从数据库获取本进程的节点号";
    node_number.take_first().await.context(no_number)?;
    let cpu = CpuPool::new(config.server.cpu_threads).context("start the threads that make signatures")?;
    let mut service = Service::new(world, observer, Arc::new(master_keys), Arc::new(cpu));
    service.stand_in_seconds = config.limits.unnumbered_replay_seconds;
    let service = Arc::new(service);
    install(&service).await.context("make what a fresh database needs")?;
    let keeper = node_number.clone();
    let keeping_number = tokio::spawn(async move { keeper.keep().await });
    Ok(Installation { service, metrics, http_acquirers, node_number, keeping_number })
}

type Acquirers = (BTreeMap<String, Arc<dyn Acquirer>>, BTreeMap<String, Arc<HttpAcquirer>>);

fn acquirers(config: &Config, clock: &Arc<dyn Clock>, notifier: &Arc<dyn Notifier>) -> anyhow::Result<Acquirers> {
    let mut all: BTreeMap<String, Arc<dyn Acquirer>> = BTreeMap::new();
    let mut over_http = BTreeMap::new();
    all.insert(SIMULATED_ACQUIRER.to_owned(), Arc::new(Simulated::new(clock.clone())));
    for (name, settings) in &config.acquirers {
        match settings.kind {
            AcquirerKind::Simulated => {
                all.insert(name.clone(), Arc::new(Simulated::new(clock.clone())));
            }
            AcquirerKind::Http if name == SIMULATED_ACQUIRER => {
                bail!(
                    "acquirer.{SIMULATED_ACQUIRER}: sandbox terminals use it, so its kind is \"simulated\"; give this one another name \
                     / 沙箱终端使用该名称，其 kind 只能是 \"simulated\"；请为此收单机构另取名称"
                );
            }
            AcquirerKind::Http => {
                let acquirer = Arc::new(HttpAcquirer::new(over_http_settings(config, settings), notifier.clone(), clock.clone()));
                all.insert(name.clone(), acquirer.clone());
                over_http.insert(name.clone(), acquirer);
            }
        }
    }
    Ok((all, over_http))
}

fn over_http_settings(config: &Config, settings: &config::Acquirer) -> HttpAcquirerSettings {
    HttpAcquirerSettings {
        url: settings.url.clone(),
        secret: webhook_secret(&settings.secret),
        timeout_ms: u64::try_from(config.workers.acquirer_timeout_ms).unwrap_or(0),
        recognises_duplicates: settings.recognises_duplicates,
        unknown_is_final_after_ms: settings.unknown_is_final_after_ms,
    }
}

/// Times and numbers of the workers, from the configuration.
pub const fn worker_settings(config: &Config) -> WorkerSettings {
    WorkerSettings {
        lease_ms: config.workers.lease_ms,
        acquirer_timeout_ms: config.workers.acquirer_timeout_ms,
        retry_delay_ms_min: config.workers.retry_delay_ms_min,
        retry_delay_ms_max: config.workers.retry_delay_ms_max,
        concurrency: config.workers.concurrency,
        poll_ms: config.workers.poll_interval_ms,
        delivery_timeout_ms: config.outgoing.timeout_ms,
    }
}

/// Whether a process of this configuration has a role.
pub fn has_role(config: &Config, role: Role) -> bool {
    config.server.roles.contains(&role)
}
