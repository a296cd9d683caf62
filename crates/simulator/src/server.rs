//! A PostgreSQL database of one thread, which its runs use one after the other.

use refundry_scratch::ScratchDatabase;
use refundry_store::{PostgresOptions, PostgresStore};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::tables;

/// Which of two tasks comes first that are free since the same instant is nobody's promise. Here it is the one that SQLite takes first, so that one
/// process does the same on both.
const ORDER_OF_TASKS: &str = "DROP INDEX tasks_claimable; \
    CREATE INDEX tasks_claimable ON tasks (lane, kind, claimable_at, merchant_id, task_id)";

/// The database, with a connection beside those of the store.
pub struct Server {
    runtime: Runtime,
    client: Client,
    /// Dropped last.
    database: ScratchDatabase,
}

impl Server {
    /// A new database in the cluster that the environment names.
    ///
    /// # Panics
    /// When there is no cluster.
    pub fn create() -> Self {
        let database = ScratchDatabase::create();
        let migrated = PostgresStore::open(&PostgresOptions::stepped(database.url()));
        drop(migrated.expect("an empty database of the cluster can be brought to this program's version"));
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime of one thread needs two file descriptors");
        let connected = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&database.url(), NoTls).await?;
            tokio::spawn(connection);
            Ok::<Client, tokio_postgres::Error>(client)
        });
        let client = connected.expect("the database that was opened a moment ago can be opened again");
        let server = Self { runtime, client, database };
        server.ask(ORDER_OF_TASKS);
        // Cutting off what an emptied table leaves at its end locks the whole table, at a moment that no seed decides.
        server.tables().iter().for_each(|table| drop(server.ask(&format!("ALTER TABLE {table} SET (vacuum_truncate = off)"))));
        server
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.database.url()
    }

    /// Forgets every row of earlier runs.
    pub fn clear(&self) {
        let deletes: String = self.tables().iter().map(|table| format!("DELETE FROM {table};")).collect();
        self.ask(&deletes);
    }

    /// Every row of every table that both engines have.
    pub fn rows(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for table in self.tables().iter().filter(|table| tables::is_compared(table)) {
            for message in self.ask(&format!("SELECT * FROM {table}")) {
                if let SimpleQueryMessage::Row(row) = message {
                    let columns = row.columns().iter().enumerate();
                    lines.push(tables::line(table, columns.map(|(place, column)| (column.name(), row.get(place).map(str::to_owned)))));
                }
            }
        }
        tables::sorted(lines)
    }

    /// All tables but the one that says what the database is.
    fn tables(&self) -> Vec<String> {
        let found = self.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'meta' ORDER BY 1");
        let names = found.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        names.collect()
    }

    fn ask(&self, sql: &str) -> Vec<SimpleQueryMessage> {
        let answered = self.runtime.block_on(self.client.simple_query(sql));
        answered.unwrap_or_else(|error| panic!("PostgreSQL refused {sql:?}: {error:?}"))
    }
}
