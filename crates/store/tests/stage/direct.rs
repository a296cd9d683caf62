//! A connection to the database that the store knows nothing of.

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls};

/// Says what is to be done at once, on the caller's thread.
pub struct Direct {
    runtime: Runtime,
    client: Client,
}

impl Direct {
    /// A connection of its own.
    pub fn to(url: &str) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
            tokio::spawn(connection);
            client
        });
        Self { runtime, client }
    }

    /// Runs a statement, and gives the number of rows that it changed.
    pub fn execute(&self, sql: &str) -> u64 {
        self.runtime.block_on(self.client.execute(sql, &[])).unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    /// The number that a statement gives.
    pub fn number(&self, sql: &str) -> i64 {
        self.runtime.block_on(self.client.query_one(sql, &[])).unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
    }

    /// Asks so often until the answer is not 0, and gives it. The case's own limit of time ends what never comes.
    pub fn await_number(&self, sql: &str) -> i64 {
        loop {
            match self.number(sql) {
                0 => std::thread::yield_now(),
                number => return number,
            }
        }
    }

    /// Runs statements that take no parameters and give nothing.
    pub fn run(&self, sql: &str) {
        self.runtime.block_on(self.client.batch_execute(sql)).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}
