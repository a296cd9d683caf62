//! Figures for Prometheus. All label values are known beforehand, so that no caller can make the list grow.

use super::late::LateGauges;
use super::process::ProcessFigures;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use refundry_dialects::ALL;
use refundry_engine::event::EventKind;
use refundry_engine::task::TaskKind;
use refundry_engine::verdict::Changes;
use refundry_store::{CommitObserver, TaskFigures};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;
use tokio::time::Instant;

/// The nouns of the native API that are counted apart.
const NOUNS: [&str; 6] = ["refunds", "payments", "events", "notifications", "merchants", "terminals"];
const NATIVE_PREFIX: &str = "/api/v1/";
const HEALTH_PATHS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];
const STATUS_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// From 100 µs to 10 s.
const SECONDS: [f64; 16] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// How many commands share a commit.
const COMMANDS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// All figures of the process.
pub struct Metrics {
    registry: Registry,
    routes: Vec<Route>,
    connections: Gauge,
    node: Gauge,
    commits: Counter,
    batch_commands: Histogram,
    batch_seconds: Histogram,
    commit_seconds: Histogram,
    events: Vec<Counter>,
    deliveries: [Counter; 2],
    tasks: Vec<(TaskKind, Gauge)>,
    /// What is late.
    pub late: LateGauges,
    parked_notifications: Gauge,
    oldest_due_seconds: Gauge<i64, AtomicI64>,
}

/// Requests of one kind.
struct Route {
    seconds: Histogram,
    statuses: [Counter; STATUS_CLASSES.len()],
}

/// Which kind of request; see [`Metrics::route`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteIndex(usize);

const OTHER: RouteIndex = RouteIndex(0);
const HEALTH: RouteIndex = RouteIndex(1);
const NATIVE_OTHER: RouteIndex = RouteIndex(2);
const FIRST_NOUN: usize = 3;
const FIRST_DIALECT: usize = FIRST_NOUN + NOUNS.len();

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabels {
    route: String,
    status: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Word(&'static str);

impl EncodeLabelValue for Word {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.0.encode(encoder)
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Metrics {
        let mut registry = Registry::with_prefix("refundry");
        let routes = register_routes(&mut registry);
        let (connections, commits) = (Gauge::default(), Counter::default());
        registry.register("connections", "Open connections", connections.clone());
        registry.register("commits", "Commits that changed something", commits.clone());
        let node = Gauge::default();
        registry.register("node", "Number of this process in the ids it makes; -1 when it has none", node.clone());
        let (batch_commands, batch_seconds, commit_seconds) = (Histogram::new(COMMANDS), Histogram::new(SECONDS), Histogram::new(SECONDS));
        registry.register("batch_commands", "Commands that shared a commit", batch_commands.clone());
        registry.register("batch_seconds", "Time to load, decide and write a batch, without its commit", batch_seconds.clone());
        registry.register("commit_seconds", "Time until the disk had a commit", commit_seconds.clone());
        let events = register_kinds(&mut registry, "events", "Events by kind", EventKind::ALL, |kind| kind.word());
        let deliveries = Family::<OutcomeLabels, Counter>::default();
        registry.register("delivery_attempts", "Tries to deliver a notification", deliveries.clone());
        let delivery = |outcome| deliveries.get_or_create(&OutcomeLabels { outcome: Word(outcome) }).clone();
        let tasks = Family::<KindLabels, Gauge>::default();
        registry.register("tasks_open", "Open tasks by kind", tasks.clone());
        let task = |kind: &TaskKind| (*kind, tasks.get_or_create(&KindLabels { kind: Word(kind.word()) }).clone());
        let (parked_notifications, oldest_due_seconds) = (Gauge::default(), Gauge::default());
        registry.register(
            "notifications_parked",
            "Notifications whose schedule ended without an acknowledgement",
            parked_notifications.clone(),
        );
        registry.register("task_overdue_seconds", "How long the oldest due task has been waiting", oldest_due_seconds.clone());
        let late = LateGauges::register(&mut registry);
        registry.register_collector(Box::new(ProcessFigures));
        Metrics {
            routes,
            connections,
            node,
            commits,
            batch_commands,
            batch_seconds,
            commit_seconds,
            events,
            deliveries: [delivery("failed"), delivery("acknowledged")],
            tasks: TaskKind::ALL.iter().map(task).collect(),
            late,
            parked_notifications,
            oldest_due_seconds,
            registry,
        }
    }

    /// Which kind of request has this path.
    pub fn route(&self, path: &str) -> RouteIndex {
        if let Some(rest) = path.strip_prefix(NATIVE_PREFIX) {
            let noun = rest.split('/').next().unwrap_or_default();
            return NOUNS.iter().position(|known| *known == noun).map_or(NATIVE_OTHER, |at| RouteIndex(FIRST_NOUN + at));
        }
        if HEALTH_PATHS.contains(&path) {
            return HEALTH;
        }
        let dialect = refundry_dialects::find(path);
        let position = dialect.and_then(|found| ALL.iter().position(|entry| entry.name == found.name));
        position.map_or(OTHER, |at| RouteIndex(FIRST_DIALECT + at))
    }

    /// Counts an answered request.
    pub fn answered(&self, route: RouteIndex, status: u16, took: Duration) {
        let route = &self.routes[route.0];
        let class = usize::from(status / 100).saturating_sub(1).min(STATUS_CLASSES.len() - 1);
        route.statuses[class].inc();
        route.seconds.observe(took.as_secs_f64());
    }

    /// A connection was opened.
    pub fn connection_opened(&self) {
        self.connections.inc();
    }

    /// A connection was closed.
    pub fn connection_closed(&self) {
        self.connections.dec();
    }

    /// Takes over the number of this process; `None` while it cannot make ids.
    pub fn note_node(&self, node: Option<u16>) {
        self.node.set(node.map_or(-1, i64::from));
    }

    /// Takes over what the store says about tasks; to be called before [`render`](Self::render). `now_ms` is the clock's.
    pub fn note_tasks(&self, figures: &TaskFigures, now_ms: i64) {
        for (kind, gauge) in &self.tasks {
            let open = figures.open.iter().find(|(open_kind, _)| open_kind == kind);
            gauge.set(open.map_or(0, |(_, count)| *count));
        }
        self.parked_notifications.set(figures.parked_notifications);
        let overdue_ms = figures.oldest_due_at.map_or(0, |due_at| now_ms.saturating_sub(due_at.ms()));
        self.oldest_due_seconds.set(overdue_ms.max(0) / 1_000);
    }

    /// Everything in the text form of OpenMetrics.
    pub fn render(&self) -> String {
        let mut text = String::with_capacity(16 * 1024);
        encode(&mut text, &self.registry).expect("writing into a String never fails");
        text
    }
}

thread_local! {
    /// What the lane of this thread is doing: each lane calls from a thread of its own.
    static BATCH: Cell<Option<Batch>> = const { Cell::new(None) };
}

/// Counts what each commit changed, then tells the next one who wants to hear of it.
pub struct CountingObserver {
    metrics: Arc<Metrics>,
    next: Arc<dyn CommitObserver>,
}

/// A batch on its way.
#[derive(Clone, Copy)]
struct Batch {
    commands: u32,
    begun_at: Instant,
    written_at: Instant,
}

impl CountingObserver {
    /// `next` hears of every commit as well.
    pub fn new(metrics: Arc<Metrics>, next: Arc<dyn CommitObserver>) -> CountingObserver {
        CountingObserver { metrics, next }
    }
}

impl CommitObserver for CountingObserver {
    fn begins(&self) {
        let now = Instant::now();
        BATCH.set(Some(Batch { commands: 0, begun_at: now, written_at: now }));
        self.next.begins();
    }

    fn commits(&self, commands: usize) {
        let counted = u32::try_from(commands).unwrap_or(u32::MAX);
        BATCH.set(BATCH.get().map(|batch| Batch { commands: counted, written_at: Instant::now(), ..batch }));
        self.next.commits(commands);
    }

    fn committed(&self, changes: &Changes) {
        self.metrics.commits.inc();
        if let Some(batch) = BATCH.take() {
            self.metrics.batch_commands.observe(f64::from(batch.commands));
            self.metrics.batch_seconds.observe((batch.written_at - batch.begun_at).as_secs_f64());
            self.metrics.commit_seconds.observe(batch.written_at.elapsed().as_secs_f64());
        }
        for event in &changes.events {
            if let Some(position) = EventKind::ALL.iter().position(|kind| *kind == event.kind) {
                self.metrics.events[position].inc();
            }
        }
        for (_, attempt) in &changes.deliveries {
            self.metrics.deliveries[usize::from(attempt.acknowledged)].inc();
        }
        self.next.committed(changes);
    }
}

fn register_routes(registry: &mut Registry) -> Vec<Route> {
    let fixed = ["other", "health", "native"].map(str::to_owned);
    let nouns = NOUNS.iter().map(|noun| format!("native_{noun}"));
    let dialects = ALL.iter().map(|entry| entry.name.to_owned());
    let answers = Family::<AnswerLabels, Counter>::default();
    registry.register("requests", "Answered requests by status class", answers.clone());
    let seconds = Family::<RouteLabels, Histogram>::new_with_constructor(|| Histogram::new(SECONDS));
    registry.register("request_seconds", "Time from a request's head to its answer's head", seconds.clone());
    let route = |route: String| Route {
        statuses: STATUS_CLASSES.map(|class| answers.get_or_create(&AnswerLabels { route: route.clone(), status: Word(class) }).clone()),
        seconds: seconds.get_or_create(&RouteLabels { route }).clone(),
    };
    fixed.into_iter().chain(nouns).chain(dialects).map(route).collect()
}

fn register_kinds<K: Copy>(registry: &mut Registry, name: &str, help: &str, kinds: &[K], word: fn(K) -> &'static str) -> Vec<Counter> {
    let family = Family::<KindLabels, Counter>::default();
    registry.register(name, help, family.clone());
    kinds.iter().map(|kind| family.get_or_create(&KindLabels { kind: Word(word(*kind)) }).clone()).collect()
}
