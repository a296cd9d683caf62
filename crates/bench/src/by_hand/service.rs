//! The HTTP side: requests in, one call, answers out.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use clap::ValueEnum;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, NoTls};

use super::answer::{Outcome, answered, problem};
use super::ids::{Ids, now_us};
use super::known::Known;
use super::order::{Order, Wish};
use super::{function, interactive};

/// How often a refund is tried that loses a conflict.
const TRIES_MAX: usize = 3;
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Ids of a refund: itself and its entry.
const IDS_PER_REFUND: i64 = 2;

/// Every statement finds its rows by a key, also those that were first planned while their tables were empty; and is planned once.
const PLANS: &str = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan -c jit=off";

/// How a refund is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// A stored function per refund.
    Function,
    /// An interactive transaction per refund.
    Interactive,
}

/// The service.
pub struct Service {
    /// Its connections.
    pub pool: Pool,
    /// What it knows.
    pub known: Known,
    /// What makes its ids.
    pub ids: Ids,
    way: Way,
}

impl Service {
    /// On a database that has the schema and its merchants.
    pub async fn open(database: &str, connections: usize, way: Way) -> anyhow::Result<Self> {
        let mut config: Config = database.parse()?;
        config.options(PLANS);
        let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let pool = Pool::builder(manager).max_size(connections).build()?;
        let client = pool.get().await?;
        function::install(&client).await?;
        let known = Known::read(&client).await?;
        drop(client);
        Ok(Self { pool, known, ids: Ids::new(1_000), way })
    }

    /// Its routes.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/api/v1/refunds", post(create_refund))
            .route("/healthz", get(|| async { "ok" }))
            .route("/readyz", get(|| async { "ready" }))
            .with_state(self)
    }

    async fn refund(&self, order: &Order<'_>) -> anyhow::Result<Outcome> {
        let mut tries = 0;
        loop {
            tries += 1;
            let outcome = match self.way {
                Way::Function => function::refund(&self.pool, order).await,
                Way::Interactive => interactive::refund(&self.pool, order).await,
            };
            match outcome {
                Err(error) if tries < TRIES_MAX && is_conflict(&error) => {}
                outcome => return outcome,
            }
        }
    }
}

async fn create_refund(State(service): State<Arc<Service>>, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(caller) = text(header::AUTHORIZATION).and_then(|authorization| service.known.proved(authorization)) else {
        return problem(StatusCode::UNAUTHORIZED, "unauthenticated");
    };
    let Some(number) = text(IDEMPOTENCY_KEY).filter(|number| !number.is_empty() && number.len() <= 64) else {
        return problem(StatusCode::BAD_REQUEST, "idempotency_key_missing");
    };
    let Ok(wish) = serde_json::from_slice::<Wish>(&body) else {
        return problem(StatusCode::BAD_REQUEST, "malformed");
    };
    let made = (service.ids.take(IDS_PER_REFUND), now_us());
    let order = Order::new(caller, &service.known, (number, &wish), made);
    match service.refund(&order).await {
        Ok(outcome) => answered(&order, &outcome),
        Err(error) => {
            eprintln!("a refund was not made: {error:#}");
            problem(StatusCode::INTERNAL_SERVER_ERROR, "try_again")
        }
    }
}

/// A conflict is over when the same is tried again; a number that was taken meanwhile is then found.
fn is_conflict(error: &anyhow::Error) -> bool {
    let state = error.downcast_ref::<tokio_postgres::Error>().and_then(tokio_postgres::Error::code);
    state.is_some_and(|state| {
        [SqlState::UNIQUE_VIOLATION, SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(state)
    })
}
