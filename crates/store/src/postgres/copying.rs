//! A PostgreSQL as one side of a copy.

use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use futures::{SinkExt as _, StreamExt as _};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::Client;

use super::connect::{Connector, Use};
use super::fault::fault;
use super::migrations;
use super::options::PostgresOptions;
use crate::StoreError;
use crate::copy::form::{Batch, CopyError, Side, Table, Wanted, row_length};
use crate::copy::{SOURCE, TARGET, refuse_if_withheld};

/// What stands before and behind the rows of COPY in its binary form.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: &[u8] = &[0xff, 0xff];
/// Whoever copies holds this advisory lock of the database: "RFNC".
const LOCK: i64 = 0x5246_4E43;

/// A copy waits between two statements for the other side, however long that takes. What is lost with the server is written again: the progress is lost
/// with it.
const SETTINGS: &str = "SET idle_in_transaction_session_timeout = 0; SET synchronous_commit = off; SET lock_timeout = 0";
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const META: &str = "SELECT value FROM meta WHERE name = $1";
const PUT_META: &str = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
const SERVED: &str = "SELECT EXISTS (SELECT FROM nodes WHERE holder <> '' \
    AND leased_until > (extract(epoch FROM clock_timestamp()) * 1000000)::int8)";
/// Every merchant has the row that is locked by whoever writes anything of the merchant, and what was written of the copy's progress goes.
const FINISH: &str = "BEGIN; SET LOCAL synchronous_commit = on; \
    INSERT INTO counters (merchant_id, name, value) SELECT merchant_id, 'last_sequence', 0 FROM merchants ON CONFLICT DO NOTHING; \
    DELETE FROM meta WHERE name LIKE 'copy:table:%'";

/// A connection that reads a database, or fills one, and what moves its bytes.
pub struct PostgresSide {
    client: Client,
    runtime: Runtime,
    batch_rows: u64,
}

impl PostgresSide {
    /// Connects. The caller's thread must not be one of a runtime's.
    pub fn connect(options: &PostgresOptions, batch_rows: u64) -> Result<Self, CopyError> {
        let connector = Connector::new(options)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| StoreError::TryAgain(Arc::new(error)))?;
        let client = runtime.block_on(connector.connect_patiently(Use::Long))?;
        let side = Self { client, runtime, batch_rows };
        side.run(SETTINGS)?;
        Ok(side)
    }

    /// Brings the database to this program's version.
    pub fn migrate(&mut self) -> Result<(), CopyError> {
        Ok(self.runtime.block_on(migrations::migrate(&mut self.client))?)
    }

    /// Refuses a schema of another version: it may have columns that this program knows nothing of.
    pub fn must_be_current(&self) -> Result<(), CopyError> {
        if self.runtime.block_on(migrations::is_current(&self.client))? { Ok(()) } else { Err(CopyError::OtherVersion) }
    }

    /// Whether no other process copies; nobody else will until this connection ends.
    pub fn lock(&self) -> Result<bool, CopyError> {
        self.is(&format!("SELECT pg_try_advisory_lock({LOCK})"))
    }

    /// Whether nodes have leases that have not ended.
    pub fn is_served(&self) -> Result<bool, CopyError> {
        self.is(SERVED)
    }

    /// The first of the tables that has rows. Nobody writes to any of them until the transaction ends, which is begun here.
    pub fn begin_alone(&self, tables: &[Table]) -> Result<Option<&'static str>, CopyError> {
        let names: Vec<&str> = tables.iter().map(|table| table.name).collect();
        self.run(&format!("BEGIN; LOCK TABLE {}, meta IN SHARE ROW EXCLUSIVE MODE", names.join(", ")))?;
        for name in names {
            if self.is(&format!("SELECT EXISTS (SELECT FROM {name})"))? {
                self.run("ROLLBACK")?;
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// Reads from now on as of this instant, whatever others write.
    pub fn begin_snapshot(&self) -> Result<(), CopyError> {
        self.run(SNAPSHOT)
    }

    /// Puts the last mark, and what a store needs beside the rows.
    pub fn finish(&mut self, mark: (&str, &str)) -> Result<(), CopyError> {
        self.run(FINISH)?;
        self.put_meta(&[mark])?;
        self.run("COMMIT")
    }

    /// Puts rows of `meta`, in the transaction that is under way.
    pub fn put_meta(&self, rows: &[(&str, &str)]) -> Result<(), CopyError> {
        for (name, value) in rows {
            self.runtime.block_on(self.client.execute(PUT_META, &[name, value])).map_err(fault)?;
        }
        Ok(())
    }

    /// Runs statements that give nothing.
    pub fn run(&self, sql: &str) -> Result<(), CopyError> {
        Ok(self.runtime.block_on(self.client.batch_execute(sql)).map_err(fault)?)
    }

    fn is(&self, sql: &str) -> Result<bool, CopyError> {
        Ok(self.runtime.block_on(self.client.query_one(sql, &[])).map_err(fault)?.get(0))
    }
}

impl Side for PostgresSide {
    fn count(&mut self, table: &Table) -> Result<u64, CopyError> {
        let sql = format!("SELECT count(*) FROM {}", table.name);
        let count: i64 = self.runtime.block_on(self.client.query_one(&sql, &[])).map_err(fault)?.get(0);
        Ok(count.unsigned_abs())
    }

    fn rows(&mut self, table: &Table, wanted: Wanted<'_>, each: &mut dyn FnMut(&Batch) -> Result<(), CopyError>) -> Result<(), CopyError> {
        let order = match wanted {
            Wanted::All => String::new(),
            Wanted::After([]) => format!(" ORDER BY {}", table.key_names()),
            // Another connection would read another instant.
            Wanted::After(_) => return Err(CopyError::unreadable(table, "a copy from PostgreSQL cannot go on later".to_owned())),
        };
        let sql = format!("COPY (SELECT {} FROM {}{order}) TO STDOUT (FORMAT binary)", table.column_names(), table.name);
        let (client, batch_rows) = (&self.client, self.batch_rows);
        self.runtime.block_on(async {
            let mut pieces = std::pin::pin!(client.copy_out(&sql).await.map_err(fault)?);
            let (mut rest, mut batch, mut begun) = (BytesMut::new(), Batch::default(), false);
            while let Some(piece) = pieces.next().await {
                rest.extend_from_slice(&piece.map_err(fault)?);
                if !begun && rest.len() >= HEADER.len() {
                    drop(rest.split_to(HEADER.len()));
                    begun = true;
                }
                while let Some(length) = row_length(&rest).filter(|_| begun) {
                    batch.row(&rest.split_to(length));
                    if batch.is_full(batch_rows) {
                        each(&std::mem::take(&mut batch))?;
                    }
                }
            }
            if rest.as_ref() != TRAILER {
                return Err(CopyError::unreadable(table, "the rows do not end as they should".to_owned()));
            }
            if batch.rows() > 0 { each(&batch) } else { Ok(()) }
        })
    }

    fn meta(&mut self, name: &str) -> Result<Option<String>, CopyError> {
        let row = self.runtime.block_on(self.client.query_opt(META, &[&name])).map_err(fault)?;
        Ok(row.map(|row| row.get(0)))
    }

    fn write(&mut self, rows: Option<(&Table, &Batch)>, meta: (&str, &str)) -> Result<(), CopyError> {
        self.run("BEGIN")?;
        if let Some((table, batch)) = rows {
            let sql = format!("COPY {} ({}) FROM STDIN (FORMAT binary)", table.name, table.column_names());
            let mut bytes = BytesMut::with_capacity(HEADER.len() + batch.bytes().len() + TRAILER.len());
            bytes.put_slice(HEADER);
            bytes.put_slice(batch.bytes());
            bytes.put_slice(TRAILER);
            let sent = self.runtime.block_on(async {
                let mut sink = std::pin::pin!(self.client.copy_in::<_, Bytes>(&sql).await?);
                sink.send(bytes.freeze()).await?;
                sink.finish().await
            });
            sent.map_err(fault)?;
        }
        self.put_meta(&[meta])?;
        self.run("COMMIT")
    }

    /// The planner knows what is there, and readers need not look whether they may see it.
    fn settle(&mut self, table: &Table) -> Result<(), CopyError> {
        self.run(&format!("VACUUM (ANALYZE) {}", table.name))
    }
}

/// Refuses to serve a database that a copy is being made into.
pub async fn refuse_while_copied(client: &Client) -> Result<(), StoreError> {
    let mark = async |name: &str| -> Result<Option<String>, StoreError> {
        let row = client.query_opt(META, &[&name]).await.map_err(fault)?;
        Ok(row.map(|row| row.get(0)))
    };
    refuse_if_withheld("", mark(SOURCE).await?, mark(TARGET).await?)
}
