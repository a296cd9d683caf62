//! A database of an older program with rows in it, brought to the newest version while nodes of the older one go on writing as they know how.

use std::path::Path;

use futures::executor::block_on;
use refundry_engine::command::{Act, SettlePayment};
use refundry_engine::merchant::Merchant;
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_scratch::ScratchDatabase;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tempfile::TempDir;

use crate::stage::everything::PLAYERS;
use crate::stage::reading::everything_of;
use crate::stage::{self, Direct, Engine, Stage, on_both};

on_both! {
    a_database_from_before_shares_goes_on_as_it_was
}

/// The migrations of the program before there were shares.
const OLD: [&str; 3] = ["0001_first_schema", "0002_several_nodes", "0003_lifecycle_and_funds"];

/// What belongs to a database or to processes.
const LEFT_OUT: [&str; 2] = ["meta", "nodes"];

fn old_sql(engine: &str, name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(engine).join(format!("{name}.sql"));
    std::fs::read_to_string(file).unwrap()
}

/// The number by which an applied migration is known again: FNV-1a of its text.
fn checksum(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}

/// What makes an empty database of the old program.
fn old_schema(engine: &str) -> String {
    let mut sql =
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL); INSERT INTO meta VALUES ('installation', 'old');".to_owned();
    for name in OLD {
        let text = old_sql(engine, name);
        sql.push_str(&format!("{text}; INSERT INTO meta VALUES ('migration:{name}', '{}');", checksum(&text)));
    }
    sql
}

/// The rows of a database as the old program would insert them: the first half of each table, and the second.
fn old_rows(source: &Connection) -> [Vec<String>; 2] {
    let old = Connection::open_in_memory().unwrap();
    old.execute_batch(&old_schema("sqlite")).unwrap();
    let names = |sql: &str| -> Vec<String> {
        let mut statement = old.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let mut halves = [Vec::new(), Vec::new()];
    for table in names("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") {
        if LEFT_OUT.contains(&table.as_str()) {
            continue;
        }
        let columns = names(&format!("SELECT name FROM pragma_table_info('{table}')"));
        let mut statement = source.prepare(&format!("SELECT {} FROM {table}", columns.join(", "))).unwrap();
        let mut rows = statement.query([]).unwrap();
        let mut number = 0;
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<String> = (0..columns.len()).map(|at| literal(row.get_ref(at).unwrap())).collect();
            halves[number % 2].push(format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), values.join(", ")));
            number += 1;
        }
        assert!(number > 0, "{table} has no rows: nothing is shown of it");
    }
    halves
}

fn literal(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Text(text) => format!("'{}'", std::str::from_utf8(text).unwrap().replace('\'', "''")),
        ValueRef::Real(_) | ValueRef::Blob(_) => panic!("no table has such values"),
    }
}

/// A database of the old program with the first half of the rows, opened by this one; the second half comes from a node that is still of the old one.
fn migrated(engine: Engine, [first, second]: [Vec<String>; 2]) -> Stage {
    match engine {
        Engine::Sqlite => {
            let folder: TempDir = tempfile::tempdir().unwrap();
            let old = Connection::open(folder.path().join("refundry.db")).unwrap();
            old.execute_batch(&old_schema("sqlite")).unwrap();
            old.execute_batch("PRAGMA application_id = 1380339268; PRAGMA user_version = 3").unwrap();
            first.iter().for_each(|sql| assert_eq!(old.execute(sql, []).unwrap(), 1));
            drop(old);
            let stage = Stage::on_file(folder);
            second.iter().for_each(|sql| assert_eq!(stage.spoil(sql), 1));
            stage
        }
        Engine::Postgres | Engine::PostgresInShards => {
            let database = ScratchDatabase::create();
            let direct = Direct::to(&database.url());
            direct.run(&old_schema("postgres"));
            direct.run("INSERT INTO nodes VALUES (3, 'old', 9223372036854775807, 3)");
            first.iter().for_each(|sql| assert_eq!(direct.execute(sql), 1));
            let stage = Stage::on_database(database);
            second.iter().for_each(|sql| assert_eq!(direct.execute(sql), 1));
            stage
        }
    }
}

fn old_payment(stage: &Stage, reference: &str) -> Payment {
    block_on(stage.store.payment(PLAYERS[0], &PaymentKey::Reference(reference.to_owned()))).unwrap().unwrap()
}

fn a_database_from_before_shares_goes_on_as_it_was(engine: Engine) {
    let before = Stage::on_sqlite();
    before.play_without_shares();
    let now = before.now();
    let read = everything_of(before.store.as_ref(), &PLAYERS, now);
    let rows = old_rows(&Connection::open(before.file()).unwrap());
    let stage = migrated(engine, rows);
    assert_eq!(everything_of(stage.store.as_ref(), &PLAYERS, now), read);
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);

    // Its ids begin behind those of before.
    (0..1_000).for_each(|_| drop(stage.stamp()));
    let plain = old_payment(&stage, "plain");
    stage.succeed(&stage.refund(&plain, "new", 1_000));
    stage.must(Act::SettlePayment(SettlePayment { merchant_id: plain.merchant_id, payment_id: plain.id }));
    stage.refund(&old_payment(&stage, "abroad"), "new abroad", 1_000);
    for (id, account) in PLAYERS.into_iter().zip(["1", "2", "3"]) {
        let known = block_on(stage.store.merchant(id)).unwrap().unwrap();
        stage.must(Act::PutMerchant(Box::new(Merchant { account: Some(account.to_owned()), ..known })));
    }
    stage.shared(&plain, "s1", &[(PLAYERS[1], 2_000)]);
    let back = stage.ask_back(&plain, "shared back", 1_500, (&[(PLAYERS[1], 1_000)], 0));
    drop(block_on(stage.store.transact(back)).unwrap());
    assert_eq!(old_payment(&stage, "plain").refunded, stage::euro(2_500));
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
    let stage = stage.reopened();
    assert_eq!(old_payment(&stage, "plain").refunded, stage::euro(2_500));
}

/// The migration waits for a look at the books that takes hours, and nobody waits for the migration.
#[test]
fn a_migration_that_has_to_wait_holds_nobody_up() {
    let database = ScratchDatabase::create();
    let direct = Direct::to(&database.url());
    direct.run(&old_schema("postgres"));
    let (long_read, others) = (Direct::to(&database.url()), Direct::to(&database.url()));
    long_read.run("BEGIN; SELECT 1 FROM payments");
    std::thread::scope(|scope| {
        let opened = scope.spawn(|| Stage::on_database(database));
        others.run("SET statement_timeout = '20s'");
        // Behind a migration that waits for as long as it takes, the first of them would wait too.
        for _ in 0..3 {
            direct.await_number(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'payments'::regclass AND mode = 'AccessExclusiveLock'",
            );
            assert_eq!(others.number("SELECT count(*) FROM payments"), 0);
        }
        long_read.run("COMMIT");
        opened.join().unwrap().merchant(7);
    });
}
