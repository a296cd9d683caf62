//! The same data in PostgreSQL as in a SQLite file, row by row: both engines are then measured on equal rows.

use std::path::Path;

use anyhow::{Context as _, bail};
use bytes::{BufMut as _, Bytes, BytesMut};
use futures::SinkExt as _;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use crate::cluster::{Cluster, Session};

/// Bytes that are sent at once.
const PIECE_BYTES: usize = 256 * 1024;
/// Tables that belong to the engine and the process, not to the data.
const LEFT_OUT: [&str; 3] = ["nodes", "commits", "meta"];

/// Copies every table of a file into a database that has the schema; several tables at once.
pub fn copy_rows(file: &Path, cluster: &Cluster, database: &str) -> anyhow::Result<u64> {
    let session = cluster.session(database)?;
    let tables = tables_of(&session)?;
    // What making the schema wrote belongs to another installation.
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    session.run(&format!("TRUNCATE {}", names.join(", ")))?;
    let rows = std::thread::scope(|scope| {
        let copies: Vec<_> = tables.iter().map(|table| scope.spawn(move || copy_table(file, cluster, database, table))).collect();
        let mut rows = 0;
        for copy in copies {
            rows += copy.join().map_err(|_| anyhow::anyhow!("copying a table stopped by a panic"))??;
        }
        anyhow::Ok(rows)
    })?;
    copy_installation(file, &session)?;
    // As a database that has been there for a while: what is old is known to be visible, and the planner knows the sizes.
    session.run("VACUUM (FREEZE, ANALYZE)")?;
    Ok(rows)
}

struct Table {
    name: String,
    columns: Vec<String>,
}

fn tables_of(session: &Session) -> anyhow::Result<Vec<Table>> {
    let sql = "SELECT table_name::TEXT, string_agg(column_name::TEXT, ',' ORDER BY ordinal_position) FROM information_schema.columns \
        WHERE table_schema = current_schema() GROUP BY table_name ORDER BY table_name";
    let rows = session.wait(session.client().query(sql, &[]))?;
    let tables =
        rows.iter().map(|row| Table { name: row.get(0), columns: row.get::<_, String>(1).split(',').map(str::to_owned).collect() });
    Ok(tables.filter(|table| !LEFT_OUT.contains(&table.name.as_str())).collect())
}

fn copy_table(file: &Path, cluster: &Cluster, database: &str, table: &Table) -> anyhow::Result<u64> {
    let source = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    if !has_table(&source, &table.name)? {
        return Ok(0);
    }
    let columns = table.columns.join(", ");
    let mut statement = source.prepare(&format!("SELECT {columns} FROM {}", table.name)).with_context(|| table.name.clone())?;
    let session = cluster.session(database)?;
    session.wait(async {
        let sink = session.client().copy_in::<_, Bytes>(&format!("COPY {} ({columns}) FROM STDIN", table.name)).await?;
        let mut sink = Box::pin(sink);
        let mut piece = BytesMut::with_capacity(2 * PIECE_BYTES);
        let (mut rows, mut count) = (statement.query([])?, 0);
        while let Some(row) = rows.next()? {
            put_row(&mut piece, row, table.columns.len())?;
            count += 1;
            if piece.len() >= PIECE_BYTES {
                sink.send(piece.split().freeze()).await?;
            }
        }
        sink.send(piece.freeze()).await?;
        sink.as_mut().finish().await.with_context(|| format!("copy {}", table.name))?;
        anyhow::Ok(count)
    })
}

fn has_table(source: &Connection, table: &str) -> anyhow::Result<bool> {
    Ok(source.query_row("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?1", [table], |row| row.get::<_, i64>(0))? > 0)
}

/// One line of COPY's text: values apart by tabs.
fn put_row(piece: &mut BytesMut, row: &rusqlite::Row<'_>, columns: usize) -> anyhow::Result<()> {
    for column in 0..columns {
        if column > 0 {
            piece.put_u8(b'\t');
        }
        match row.get_ref(column)? {
            ValueRef::Null => piece.put_slice(b"\\N"),
            ValueRef::Integer(number) => piece.put_slice(number.to_string().as_bytes()),
            ValueRef::Text(text) => put_text(piece, text),
            ValueRef::Real(_) | ValueRef::Blob(_) => bail!("the schema has numbers and texts only"),
        }
    }
    piece.put_u8(b'\n');
    Ok(())
}

fn put_text(piece: &mut BytesMut, text: &[u8]) {
    for letter in text {
        match letter {
            b'\\' => piece.put_slice(b"\\\\"),
            b'\t' => piece.put_slice(b"\\t"),
            b'\n' => piece.put_slice(b"\\n"),
            b'\r' => piece.put_slice(b"\\r"),
            other => piece.put_u8(*other),
        }
    }
}

/// What the installation knows of itself, except for the migrations, which each engine notes on its own.
fn copy_installation(file: &Path, session: &Session) -> anyhow::Result<()> {
    if session.number("SELECT count(*) FROM information_schema.tables WHERE table_name = 'meta'")? == 0 {
        return Ok(());
    }
    let source = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = source.prepare("SELECT * FROM meta WHERE NOT (name LIKE 'migration:%')")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, value): (String, String) = (row.get(0)?, row.get(1)?);
        let sql = "INSERT INTO meta VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        session.wait(session.client().execute(sql, &[&name, &value])).context("copy what the installation knows of itself")?;
    }
    Ok(())
}
