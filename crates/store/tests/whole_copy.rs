//! A copy of a database in which every table has rows and every column has values: nothing is lost on the way, and whoever asks again is answered as before.

use futures::executor::block_on;
use refundry_engine::Outcome;
use refundry_engine::command::Act;
use refundry_engine::payment::PaymentKey;
use refundry_scratch::ScratchDatabase;
use refundry_store::{CopyOptions, PostgresOptions, PostgresStore, SqliteOptions, SqliteStore, Store, copy_to_postgres, copy_to_sqlite};
use rusqlite::Connection;

use crate::stage::Stage;
use crate::stage::everything::PLAYERS;
use crate::stage::reading::everything_of;

/// What belongs to processes, not to the books, so that nothing of it is copied.
const NOT_COPIED: [&str; 1] = ["nodes"];

fn texts(file: &Connection, sql: &str) -> Vec<String> {
    let mut statement = file.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Each table and each column that the source has nothing in.
fn empty_places(file: &Connection) -> Vec<String> {
    let mut empty = Vec::new();
    for table in texts(file, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") {
        if NOT_COPIED.contains(&table.as_str()) {
            continue;
        }
        for column in texts(file, &format!("SELECT name FROM pragma_table_info('{table}')")) {
            let filled: i64 = file.query_row(&format!("SELECT count({column}) FROM {table}"), [], |row| row.get(0)).unwrap();
            if filled == 0 {
                empty.push(format!("{table}.{column}"));
            }
        }
    }
    empty
}

/// What asks for a refund again.
fn again(stage: &Stage) -> Act {
    let key = PaymentKey::Reference("shared".to_owned());
    let shared = block_on(stage.store.payment(PLAYERS[0], &key)).unwrap().unwrap();
    stage.ask_back(&shared, "back", 500, (&[(PLAYERS[1], 500)], 0)).act
}

#[test]
fn everything_is_there_and_back_again() {
    let stage = Stage::on_sqlite();
    stage.play_everything();
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
    let now = stage.now();
    let before = everything_of(stage.store.as_ref(), &PLAYERS, now);
    let first_answer = replayed(stage.act(again(&stage)).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("refundry.db");
    block_on(stage.store.close()).unwrap();
    std::fs::copy(stage.file(), &file).unwrap();
    assert_eq!(empty_places(&Connection::open(&file).unwrap()), Vec::<String>::new(), "nothing is tried by a column that has nothing");

    let database = ScratchDatabase::create();
    let to = PostgresOptions { lanes: 2, readers: 2, ..PostgresOptions::url(database.url()) };
    let options = CopyOptions { batch_rows: 3, threads: 2, ..CopyOptions::new("sqlite:///here", "postgres://there") };
    let there = copy_to_postgres(&file, &to, &options).unwrap().expect("it was not complete before");
    assert!(there.tables.iter().all(|(_, tally)| tally.rows > 0), "{:?}", there.tables);
    let served = Stage::on(PostgresStore::open(&to).unwrap(), None);
    assert_eq!(everything_of(served.store.as_ref(), &PLAYERS, now), before);
    assert_eq!(block_on(served.store.check_books()).unwrap().faults, []);
    assert_eq!(replayed(served.act(again(&served)).unwrap()), first_answer, "whoever asks again is answered as before");
    block_on(served.store.close()).unwrap();

    let back = folder.path().join("back.db");
    copy_to_sqlite(&to, &back, &options).unwrap();
    let returned = SqliteStore::open(&SqliteOptions::file(&back)).unwrap();
    assert_eq!(everything_of(&returned, &PLAYERS, now), before);
    assert_eq!(block_on(returned.check_books()).unwrap().faults, []);
}

fn replayed(outcome: Outcome) -> String {
    match outcome {
        Outcome::Refund { refund, replayed: true, .. } => format!("{refund:?}"),
        other => panic!("{other:?}"),
    }
}
