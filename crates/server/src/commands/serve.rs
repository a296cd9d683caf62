//! `refundry serve`: answers requests, carries tasks out, and ends without losing either.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use refundry_engine::Timestamp;
use refundry_service::Service;
use refundry_service::workers::WorkerSettings;
use refundry_service::workers::crew::Crew;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::ConfigFile;
use crate::acquirer_reports::Reporters;
use crate::app::App;
use crate::config::{Alarms, Config, Role};
use crate::installation::{Installation, has_role, open, worker_settings};
use crate::telemetry::late::late_before;
use crate::telemetry::metrics::Metrics;
use crate::{listen, router, telemetry};

/// Loops that carry tasks out side by side: more than one, so that more than one core can work on them.
const CREW_LOOPS: usize = 2;
/// How often the figures about tasks are read.
const FIGURES_SECONDS: u64 = 15;

/// Serve requests and carry refunds out.
#[derive(Args, Debug)]
pub struct Serve {
    #[command(flatten)]
    config: ConfigFile,
    /// What this process does, instead of `server.roles`: `api`, `workers` or both.
    #[arg(long, value_delimiter = ',')]
    roles: Vec<String>,
    /// The database, instead of `database.url`, such as `sqlite:///var/lib/refundry/refundry.db` or `postgres://user@host/refundry`.
    #[arg(long)]
    database: Option<String>,
}

impl Serve {
    /// Serves until SIGTERM or SIGINT.
    pub fn run(self) -> anyhow::Result<()> {
        let mut environment: Vec<(String, String)> = std::env::vars().collect();
        if !self.roles.is_empty() {
            environment.push(("REFUNDRY_SERVER_ROLES".to_owned(), self.roles.join(",")));
        }
        if let Some(database) = self.database {
            environment.push(("REFUNDRY_DATABASE_URL".to_owned(), database));
        }
        let config = Config::load(self.config.config.as_deref(), environment)?;
        serve(&config, |_| {})
    }
}

/// Serves a configuration until SIGTERM or SIGINT. `ready` is told the addresses once they are bound.
pub fn serve(config: &Config, ready: impl FnOnce(&[String])) -> anyhow::Result<()> {
    let telemetry = telemetry::start(&config.log, &config.tracing)?;
    let served = runtime(config)?.block_on(serve_until_stopped(config, ready));
    telemetry.end();
    served
}

/// The threads that serve connections.
pub fn runtime(config: &Config) -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if config.server.io_threads > 0 {
        builder.worker_threads(config.server.io_threads);
    }
    builder.thread_name("http").enable_all().build().context("start the threads that serve connections")
}

async fn serve_until_stopped(config: &Config, ready: impl FnOnce(&[String])) -> anyhow::Result<()> {
    let (answers, works) = (has_role(config, Role::Api), has_role(config, Role::Workers));
    let installation = open(config, works).await?;
    let (stop, stopped) = watch::channel(false);
    let mut loops = JoinSet::new();
    let crew = works.then(|| start_crew(config, &installation, &stopped, &mut loops));
    loops.spawn(keep_figures(installation.service.clone(), installation.metrics.clone(), config.alarms, stopped.clone()));
    // A process without the API still says how it is.
    let metrics = installation.metrics.clone();
    let mut app = App::new(installation.service.clone(), metrics.clone(), config);
    app.reporters = Reporters { acquirers: installation.http_acquirers.clone(), settings: worker_settings(config) };
    let app = Arc::new(app);
    let router = if answers { router::router(app.clone()) } else { router::health_only(app.clone()) };
    let listening = listen::bind(&config.server, &config.tls, metrics, router::is_unhurried)?;
    let scheme = |tls: bool| if tls { "https" } else { "http" };
    let addresses: Vec<String> = listening.addresses().iter().map(|(address, tls)| format!("{}://{address}", scheme(*tls))).collect();
    let signals = signals().context("listen for signals")?;
    tracing::info!(addresses = addresses.join(" "), answers, works, "ready");
    ready(&addresses);
    let leaving = async {
        asked(signals.clone(), 1).await;
        app.drain();
        tracing::info!("about to end; not ready any more");
    };
    // Nobody spreads requests over processes that only work.
    let drain = Duration::from_millis(if answers { config.server.drain_ms } else { 0 });
    let forgotten = async {
        tokio::select! {
            () = tokio::time::sleep(drain) => {}
            // A person does not wait.
            () = asked(signals.clone(), 2) => {}
        }
    };
    let drained = listening.serve(router, leaving, forgotten).await;
    tracing::info!(cut_off = drained.cut_off, "no more requests; finishing what is under way");
    // The receivers live in the loops; if all have ended there is nobody left to tell.
    let _nobody_left = stop.send(true);
    let grace = Duration::from_millis(config.server.shutdown_grace_ms);
    if tokio::time::timeout(grace, loops.join_all()).await.is_err() {
        tracing::warn!("some tasks did not finish in time; others take them over when their leases end");
    }
    if let Some(crew) = crew {
        crew.leave().await;
    }
    installation.close().await
}

fn start_crew(config: &Config, installation: &Installation, stopped: &watch::Receiver<bool>, loops: &mut JoinSet<()>) -> Arc<Crew> {
    let settings = worker_settings(config);
    let of_each_loop = settings.concurrency.div_ceil(CREW_LOOPS);
    let crew = Arc::new(Crew::new(installation.service.clone(), WorkerSettings { concurrency: of_each_loop, ..settings }));
    for _ in 0..CREW_LOOPS {
        let (crew, stopped) = (crew.clone(), stopped.clone());
        loops.spawn(async move { crew.run(stop_of(stopped)).await });
    }
    for acquirer in installation.service.world.acquirers.values() {
        let (acquirer, crew, stopped) = (acquirer.clone(), crew.clone(), stopped.clone());
        loops.spawn(async move { crew.listen(acquirer.as_ref(), Box::pin(stop_of(stopped))).await });
    }
    crew
}

async fn stop_of(mut stopped: watch::Receiver<bool>) {
    // A sender that is gone means the same as one that says stop.
    let _gone = stopped.wait_for(|stop| *stop).await;
}

async fn keep_figures(service: Arc<Service>, metrics: Arc<Metrics>, alarms: Alarms, stopped: watch::Receiver<bool>) {
    let mut stop = std::pin::pin!(stop_of(stopped));
    loop {
        let now: Timestamp = service.world.now();
        match service.world.store.task_figures(now).await {
            Ok(figures) => metrics.note_tasks(&figures, now.ms()),
            Err(error) => tracing::warn!(cause = &error as &dyn std::error::Error, "the figures about tasks could not be read"),
        }
        match service.world.store.late(late_before(&alarms, now)).await {
            Ok(figures) => metrics.late.note(&figures, now),
            Err(error) => tracing::warn!(cause = &error as &dyn std::error::Error, "the figures about what is late could not be read"),
        }
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(Duration::from_secs(FIGURES_SECONDS)) => {}
        }
    }
}

/// How often the process was asked to end.
fn signals() -> anyhow::Result<watch::Receiver<u32>> {
    let (mut terminated, mut interrupted) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (count, counted) = watch::channel(0);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = interrupted.recv() => {}
            }
            count.send_modify(|asked| *asked += 1);
        }
    });
    Ok(counted)
}

async fn asked(mut signals: watch::Receiver<u32>, times: u32) {
    // Whoever counts ends with the runtime, and nobody waits any more then.
    let _gone = signals.wait_for(|asked| *asked >= times).await;
}
