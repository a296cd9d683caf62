use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime as PoolRuntime, Timeouts};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Row};

use super::arrays::Param;
use super::connect::{ANSWER_MARGIN, Connector, Use, connect_fault, patiently};
use super::fault::fault;
use super::options::{PostgresOptions, SentStatement};
use super::placement::Placement;
use super::session::Call;
use super::{catalogue, copying, migrations};
use crate::StoreError;

/// How long a read waits for a connection, also while the database is away: most callers wait that long.
const CONNECTION_WAIT: Duration = Duration::from_secs(10);

/// Connections that read beside the lanes, on threads of their own: whoever asks may be on any runtime or none.
pub struct Readers {
    runtime: Option<Runtime>,
    /// Whether a read is over when it is asked for: for callers that are on no runtime.
    at_once: bool,
    pool: Pool,
    connector: Connector,
    /// The database did not come back in that time. Nobody waits any more, until it is there again.
    given_up: Arc<AtomicBool>,
}

/// One connection, for as long as a read takes.
pub struct Reader {
    /// There until it is dropped.
    client: Option<deadpool_postgres::Object>,
    /// An answer is under way. Whoever drops the reader then did not wait for it, because it took too long: nobody shall have that connection again.
    waits: AtomicBool,
    wait_max: Duration,
    connector: Connector,
}

impl Readers {
    /// For at most `count` connections, each of which is made when it is first needed; 0 reads on the caller's thread.
    pub fn start(connector: Connector, count: usize) -> Result<Self, StoreError> {
        let at_once = count == 0;
        let mut builder = if at_once { Builder::new_current_thread() } else { Builder::new_multi_thread() };
        let started = builder.worker_threads(1).thread_name("store reads").enable_all().build();
        let runtime = started.map_err(|error| StoreError::TryAgain(Arc::new(error)))?;
        // The connector knows the hosts by itself.
        let manager = Manager::from_connect(Config::new(), connector.clone(), ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let settings = connector.settings(Use::Read);
        let set = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
            let settings = settings.clone();
            let set = async move { client.batch_execute(&settings).await.map_err(HookError::Backend) };
            Box::pin(timeout(CONNECTION_WAIT, set).map(|set| set.unwrap_or_else(|_| Err(HookError::message("the server says nothing")))))
        });
        let pool = Pool::builder(manager)
            .max_size(count.max(1))
            .post_create(set)
            .runtime(PoolRuntime::Tokio1)
            .timeouts(Timeouts { wait: Some(CONNECTION_WAIT), create: Some(CONNECTION_WAIT), recycle: Some(CONNECTION_WAIT) })
            .build()
            .map_err(|error| StoreError::Statement(Arc::new(error)))?;
        Ok(Self { runtime: Some(runtime), at_once, pool, connector, given_up: Arc::default() })
    }

    /// Runs a read; its statements begin when a connection is free.
    pub fn read<T, F>(&self, read: impl FnOnce(Reader) -> F + Send + 'static) -> BoxFuture<'static, Result<T, StoreError>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let (pool, given_up, wait_max) = (self.pool.clone(), self.given_up.clone(), self.wait_max());
        let connector = self.connector.clone();
        self.spawn(async move {
            let client = match given_up.load(Ordering::Relaxed) {
                true => connection(&pool).await,
                false => patiently(CONNECTION_WAIT, || connection(&pool)).await,
            };
            given_up.store(client.is_err(), Ordering::Relaxed);
            read(Reader { client: Some(client?), waits: AtomicBool::new(false), wait_max, connector }).await
        })
    }

    /// As [`Readers::read`], for those who want to know whether the database is there.
    pub fn read_at_once<T, F>(&self, read: impl FnOnce(Reader) -> F + Send + 'static) -> BoxFuture<'static, Result<T, StoreError>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let (pool, wait_max) = (self.pool.clone(), self.wait_max());
        let connector = self.connector.clone();
        self.spawn(async move {
            read(Reader { client: Some(connection(&pool).await?), waits: AtomicBool::new(false), wait_max, connector }).await
        })
    }

    /// How long an answer may take before its connection counts as lost.
    pub fn wait_max(&self) -> Duration {
        self.connector.options().statement_timeout + ANSWER_MARGIN
    }

    /// Runs a read that may take long on a connection of its own.
    pub fn read_long<T, F>(&self, read: impl FnOnce(Client) -> F + Send + 'static) -> BoxFuture<'static, Result<T, StoreError>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let (connector, pool) = (self.connector.clone(), self.pool.clone());
        self.spawn(async move {
            if pool.is_closed() {
                return Err(StoreError::Closed);
            }
            read(connector.connect(Use::Long).await?).await
        })
    }

    /// Brings the database to this program's version, on the caller's thread, which may be of any runtime. Says where rows are.
    pub fn migrate(&self) -> Result<Placement, StoreError> {
        let connector = self.connector.clone();
        let migrated = async move {
            let mut client = connector.connect_patiently(Use::Long).await?;
            migrations::migrate(&mut client).await?;
            copying::refuse_while_copied(&client).await?;
            catalogue::placement(&client, connector.options().lanes).await
        };
        let runtime = self.runtime.as_ref().ok_or(StoreError::Closed)?;
        if self.at_once {
            return runtime.block_on(migrated);
        }
        let (answer, receiver) = mpsc::channel();
        runtime.spawn(async move { drop(answer.send(migrated.await)) });
        receiver.recv().unwrap_or(Err(StoreError::Closed))
    }

    /// How the database is reached.
    pub fn options(&self) -> &PostgresOptions {
        self.connector.options()
    }

    /// What is closed when nobody is to read any more, from whichever thread.
    pub fn ending(&self) -> Pool {
        self.pool.clone()
    }

    fn spawn<T: Send + 'static>(
        &self,
        read: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        if let Some(runtime) = self.runtime.as_ref().filter(|_| self.at_once) {
            return futures::future::ready(runtime.block_on(read)).boxed();
        }
        let (answer, receiver) = oneshot::channel();
        match &self.runtime {
            // Whoever asked may have gone away meanwhile.
            Some(runtime) => drop(runtime.spawn(async move { drop(answer.send(read.await)) })),
            None => drop(answer),
        }
        receiver.map(|received| received.unwrap_or(Err(StoreError::Closed))).boxed()
    }
}

async fn connection(pool: &Pool) -> Result<deadpool_postgres::Object, StoreError> {
    pool.get().await.map_err(|error| match error {
        PoolError::Closed => StoreError::Closed,
        PoolError::Backend(error) => connect_fault(error),
        other => StoreError::TryAgain(Arc::new(other)),
    })
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.pool.close();
        // A runtime must not wait for its end inside another one.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Reader {
    /// The rows of a statement, which is parsed once per connection.
    pub async fn rows(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, StoreError> {
        self.tell(sql, &[]);
        self.query(sql, params).await
    }

    /// The rows of a call. It may change rows: whatever was in the way, it may be made again.
    pub async fn call(&self, call: Call) -> Result<Vec<Row>, StoreError> {
        self.tell(call.sql, &call.params);
        let params: Vec<&(dyn ToSql + Sync)> = call.params.iter().map(|param| param as &(dyn ToSql + Sync)).collect();
        self.query(&self.placement().text_of(call.sql), &params).await
    }

    /// Where rows are.
    pub fn placement(&self) -> &Placement {
        self.connector.placement()
    }

    fn tell(&self, sql: &str, params: &[Param]) {
        if let Some(observer) = &self.connector.options().statements {
            let numbers: Vec<Vec<i64>> = params.iter().map(Param::ints).collect();
            observer.sent(SentStatement { lane: None, sql, numbers: &numbers });
        }
    }

    async fn query(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, StoreError> {
        let Some(client) = &self.client else { return Err(StoreError::Closed) };
        let asked = async {
            let statement = client.prepare_cached(sql).await.map_err(read_fault)?;
            client.query(&statement, params).await.map_err(read_fault)
        };
        self.waits.store(true, Ordering::Relaxed);
        let rows = timeout(self.wait_max, asked).await.map_err(|elapsed| StoreError::TryAgain(Arc::new(elapsed)))?;
        self.waits.store(false, Ordering::Relaxed);
        match rows {
            // A text that no column can hold, as one with a NUL, is in no row.
            Err(StoreError::Statement(cause)) if is_unstorable_text(cause.as_ref()) => Ok(Vec::new()),
            rows => rows,
        }
    }

    /// All rows of a statement, read.
    pub async fn all<T>(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
        read: impl Fn(&Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.rows(sql, params).await?.iter().map(read).collect()
    }

    /// The first row of a statement, read.
    pub async fn first<T>(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
        read: impl Fn(&Row) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.rows(sql, params).await?.first().map(read).transpose()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if self.waits.load(Ordering::Relaxed) {
            drop(self.client.take().map(deadpool_postgres::Object::take));
        }
    }
}

fn is_unstorable_text(error: &(dyn std::error::Error + 'static)) -> bool {
    let code = error.downcast_ref::<tokio_postgres::Error>().and_then(tokio_postgres::Error::code);
    code.is_some_and(|code| *code == SqlState::CHARACTER_NOT_IN_REPERTOIRE)
}

/// A read writes nothing, so whatever was in the way it may be asked again.
pub fn read_fault(error: tokio_postgres::Error) -> StoreError {
    match fault(error) {
        StoreError::Conflict(cause) => StoreError::TryAgain(cause),
        other => other,
    }
}
