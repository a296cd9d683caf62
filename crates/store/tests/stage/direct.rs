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
}
