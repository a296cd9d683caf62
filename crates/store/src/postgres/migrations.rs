//! Brings a database to the version of this program. Nodes of the version before go on serving meanwhile: a migration that they could not live with is
//! marked as such, and waits until none of them is left.

use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::fault::fault;
use crate::StoreError;

/// All migrations, oldest first. One that was ever applied is never edited: its checksum stands in every database.
const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_first_schema", include_str!("../../migrations/postgres/0001_first_schema.sql")),
    ("0002_several_nodes", include_str!("../../migrations/postgres/0002_several_nodes.sql")),
    ("0003_lifecycle_and_funds", include_str!("../../migrations/postgres/0003_lifecycle_and_funds.sql")),
    ("0004_shares", include_str!("../../migrations/postgres/0004_shares.sql")),
    ("0005_statement_lines", include_str!("../../migrations/postgres/0005_statement_lines.sql")),
];

/// How many migrations this program knows.
pub const KNOWN: usize = MIGRATIONS.len();

/// Whoever migrates holds this advisory lock of the database: "RFND".
const LOCK: i64 = 0x5246_4E44;
/// What begins the first line of a migration that takes something away that the program of the version before needs.
const CONTRACT: &str = "-- contract:";

/// How long a migration waits for a table while others wait behind it, and how long it lets them pass then.
const TABLE_WAIT: &str = "500ms";
const TABLE_PAUSE: Duration = Duration::from_millis(500);

const CREATE_META: &str = "CREATE TABLE IF NOT EXISTS meta (name TEXT COLLATE \"C\" PRIMARY KEY, value TEXT NOT NULL); \
    INSERT INTO meta (name, value) VALUES ('installation', md5(gen_random_uuid()::text)) ON CONFLICT DO NOTHING;";

/// Applies what is missing, one transaction each. Another process that does the same is waited for.
pub async fn migrate(client: &mut Client) -> Result<(), StoreError> {
    if applied(client).await? == MIGRATIONS.len() {
        return Ok(());
    }
    client.batch_execute(&format!("SET lock_timeout = 0; SELECT pg_advisory_lock({LOCK})")).await.map_err(fault)?;
    let result = apply_missing(client).await;
    let freed = client.batch_execute(&format!("SELECT pg_advisory_unlock({LOCK})")).await.map_err(fault);
    result.and(freed)
}

/// Whether the schema is exactly that of this program: nothing is missing, and nothing was added by a newer one.
pub async fn is_current(client: &Client) -> Result<bool, StoreError> {
    if applied(client).await? != KNOWN {
        return Ok(false);
    }
    let all: i64 = client.query_one("SELECT count(*) FROM meta WHERE name LIKE 'migration:%'", &[]).await.map_err(fault)?.get(0);
    Ok(usize::try_from(all) == Ok(KNOWN))
}

async fn apply_missing(client: &mut Client) -> Result<(), StoreError> {
    // Somebody else may have done it while this process waited for the lock.
    let applied = applied(client).await?;
    for (number, (name, sql)) in (1..).zip(MIGRATIONS).skip(applied) {
        if sql.starts_with(CONTRACT) {
            refuse_while_older_nodes_serve(client, name, number).await?;
        }
        let marked = format!("INSERT INTO meta (name, value) VALUES ('migration:{name}', '{}')", checksum(sql));
        let first = if number == 1 { CREATE_META } else { "" };
        apply_one(client, &format!("BEGIN; SET LOCAL lock_timeout = '{TABLE_WAIT}'; {first} {sql}; {marked}; COMMIT")).await?;
        tracing::info!(migration = name, "migrated");
    }
    Ok(())
}

/// Applies a migration as soon as nobody reads or writes the tables that it changes. Whoever comes while it waits for a table waits behind it, so it
/// waits for moments only, and lets everybody pass in between.
async fn apply_one(client: &Client, sql: &str) -> Result<(), StoreError> {
    loop {
        let Err(error) = client.batch_execute(sql).await else { return Ok(()) };
        if error.code() != Some(&SqlState::LOCK_NOT_AVAILABLE) {
            return Err(fault(error));
        }
        client.batch_execute("ROLLBACK").await.map_err(fault)?;
        tracing::info!("a migration waits until a table is free for a moment");
        tokio::time::sleep(TABLE_PAUSE).await;
    }
}

/// How many of the migrations that this program knows are applied; a newer program may have applied more.
async fn applied(client: &Client) -> Result<usize, StoreError> {
    let tables =
        client.query_one("SELECT to_regclass('meta') IS NOT NULL, to_regclass('refunds') IS NOT NULL", &[]).await.map_err(fault)?;
    let (ours, others): (bool, bool) = (tables.get(0), tables.get(1));
    if !ours {
        let foreign = "the database holds tables of another program; name an empty one".to_owned();
        return if others { Err(StoreError::Damaged(foreign)) } else { Ok(0) };
    }
    let sql = "SELECT substr(name, 11), value FROM meta WHERE name LIKE 'migration:%' ORDER BY name";
    let rows = client.query(sql, &[]).await.map_err(fault)?;
    let mut applied = 0;
    for row in &rows {
        let (name, stored): (&str, &str) = (row.get(0), row.get(1));
        match MIGRATIONS.get(applied) {
            Some((known, sql)) if *known == name && checksum(sql) == stored => applied += 1,
            Some(_) => {
                return Err(StoreError::Damaged(format!(
                    "migration {name} was applied with another content; restore the program or a backup"
                )));
            }
            // A newer program was here. What it added does not concern this one, and what it takes away waits until this one is gone.
            None => break,
        }
    }
    Ok(applied)
}

async fn refuse_while_older_nodes_serve(client: &Client, name: &str, number: i32) -> Result<(), StoreError> {
    let sql = "SELECT count(*) FROM nodes WHERE migrations < $1 AND leased_until > (extract(epoch FROM clock_timestamp()) * 1000000)::int8";
    let older: i64 = client.query_one(sql, &[&number]).await.map_err(fault)?.get(0);
    if older > 0 {
        let why = format!("migration {name} waits until {older} nodes of an older version have ended; end or update them first");
        return Err(StoreError::Damaged(why));
    }
    Ok(())
}

/// FNV-1a of 64 bits: it guards against an edit by mistake, not against an attacker.
fn checksum(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}
