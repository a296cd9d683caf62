//! The cluster in which the databases are made, and the statements that make them.

use std::{env, thread};

use tokio::runtime;
use tokio_postgres::{Client, NoTls};
use url::Url;

const VARIABLE: &str = "REFUNDRY_TEST_POSTGRES";

/// Where the cluster is, and as whom to connect: a role that may create databases.
#[derive(Debug, Clone)]
pub struct Cluster {
    url: Url,
}

impl Cluster {
    /// The cluster that the environment names.
    pub fn from_environment() -> Cluster {
        let Ok(url) = env::var(VARIABLE) else {
            panic!(
                "{VARIABLE} is not set, so there is no PostgreSQL for this test: run `make test`, or `scripts/with-postgres cargo test`"
            );
        };
        let url = Url::parse(&url).unwrap_or_else(|error| panic!("{VARIABLE} is not an address: {error}"));
        Cluster { url }
    }

    /// The address of one database of this cluster.
    pub fn url_of(&self, database: &str) -> String {
        let mut url = self.url.clone();
        url.set_path(database);
        url.into()
    }

    /// Runs the statements one by one, each in its own transaction.
    pub fn run(&self, statements: &[&str]) {
        self.try_run(statements).unwrap_or_else(|error| panic!("PostgreSQL refused a statement of {statements:?}: {error:?}"));
    }

    /// Like `run`, for those who can live without.
    pub fn try_run(&self, statements: &[&str]) -> Result<(), tokio_postgres::Error> {
        self.on_a_session(|session| session.run(statements))
    }

    /// Makes a database that can be copied, unless it is there already. Everybody else who wants it waits meanwhile.
    pub fn make_template_once(&self, template: &str, prepare: impl FnOnce(&str) + Send) {
        let made = self.on_a_session(|session| {
            // Freed when this session ends, also when its process is killed.
            session.run(&[&format!("SELECT pg_advisory_lock(hashtext('{template}'))")])?;
            if session.finds_a_row(&format!("SELECT FROM pg_database WHERE datname = '{template}' AND datistemplate"))? {
                return Ok(());
            }
            session.run(&[&drop_statement(template), &format!("CREATE DATABASE \"{template}\" TEMPLATE template0")])?;
            prepare(&self.url_of(template));
            // Nobody may be connected to what is copied. It is marked last: what is not marked is half done.
            session.run(&[
                &format!("ALTER DATABASE \"{template}\" ALLOW_CONNECTIONS false"),
                &format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{template}'"),
                &format!("ALTER DATABASE \"{template}\" IS_TEMPLATE true"),
            ])
        });
        made.unwrap_or_else(|error| panic!("the template {template} could not be made: {error:?}"));
    }

    /// Runs the work on a thread of its own, since the caller may be inside a runtime, where one must not wait for another.
    fn on_a_session<T: Send>(
        &self,
        work: impl FnOnce(&Session) -> Result<T, tokio_postgres::Error> + Send,
    ) -> Result<T, tokio_postgres::Error> {
        thread::scope(|scope| {
            let thread = scope.spawn(|| work(&Session::open(self.url.as_str())?));
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

/// The statement that makes a database disappear, with all who use it.
pub fn drop_statement(database: &str) -> String {
    format!("DROP DATABASE IF EXISTS \"{database}\" WITH (FORCE)")
}

/// One connection and the runtime that moves its bytes, for callers who know neither.
struct Session {
    runtime: runtime::Runtime,
    client: Client,
}

impl Session {
    fn open(url: &str) -> Result<Session, tokio_postgres::Error> {
        let runtime =
            runtime::Builder::new_current_thread().enable_all().build().expect("a runtime of one thread needs two file descriptors");
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            Ok(client)
        })?;
        Ok(Session { runtime, client })
    }

    fn run(&self, statements: &[&str]) -> Result<(), tokio_postgres::Error> {
        for statement in statements {
            self.runtime.block_on(self.client.batch_execute(statement))?;
        }
        Ok(())
    }

    fn finds_a_row(&self, query: &str) -> Result<bool, tokio_postgres::Error> {
        self.runtime.block_on(self.client.query_opt(query, &[])).map(|row| row.is_some())
    }
}
