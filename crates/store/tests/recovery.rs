//! What becomes of a store that is opened again; and on SQLite, of one whose disk is full, whose file is locked, damaged, or not ours. What can happen
//! to a database on a server is in `outages.rs`.

use std::path::Path;

use futures::executor::block_on;
use refundry_engine::MerchantId;
use refundry_engine::command::Act;
use refundry_store::{RefundFilter, SqliteOptions, SqliteStore, Store, StoreError};
use rusqlite::Connection;

use crate::stage::{self, Engine, Stage, also_in_shards, on_both};

also_in_shards! {
    everything_is_there_when_it_is_opened_again
}

on_both! {
    everything_is_there_when_it_is_opened_again
    a_merchant_without_a_lock_gets_one
    a_closed_store_does_not_say_that_it_can_serve
}

fn everything_is_there_when_it_is_opened_again(engine: Engine) {
    let stage = Stage::new(engine);
    let acme = stage.merchant(7);
    let payment = stage.payment(acme, "p1", 10_000);
    let refund = stage.refund(&payment, "r1", 100);
    let stage = stage.reopened();
    assert_eq!(block_on(stage.store.refund(acme, refund.id)).unwrap(), Some(refund));
    let again = stage.refund(&payment, "r2", 100);
    assert_eq!(again.payment_id, payment.id);
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

/// The lock of a merchant is a row, which a database that somebody repaired may lack.
fn a_merchant_without_a_lock_gets_one(engine: Engine) {
    let stage = Stage::new(engine);
    let acme = stage.merchant(7);
    assert_eq!(stage.spoil("DELETE FROM counters"), u64::from(engine == Engine::Postgres), "on SQLite the writer is alone");
    let payment = stage.payment(acme, "p1", 10_000);
    stage.refund(&payment, "r1", 100);
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

fn a_closed_store_does_not_say_that_it_can_serve(engine: Engine) {
    let stage = Stage::new(engine);
    assert!(block_on(stage.store.ping()).is_ok());
    block_on(stage.store.close()).unwrap();
    let read = block_on(stage.store.ping());
    assert!(matches!(read, Err(StoreError::Closed)), "{read:?}");
}

#[test]
fn a_full_disk_is_passing_and_the_store_recovers_by_itself() {
    let stage = Stage::on_sqlite_with(|options| options.pages_max = Some(80));
    let acme = stage.merchant(7);
    let payment = stage.payment(acme, "p1", 1_000_000);
    // What fills the disk beside us, until somebody removes it.
    let direct = Connection::open(stage.file()).unwrap();
    direct.execute_batch("CREATE TABLE others (content BLOB); INSERT INTO others VALUES (zeroblob(40000))").unwrap();
    let mut accepted = 0;
    let error = loop {
        let ask = stage.ask(&payment, &format!("r{accepted}"), 100);
        match stage.act(Act::CreateRefund(Box::new(ask))) {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
        assert!(accepted < 5_000, "the limit of pages holds");
    };
    assert!(matches!(error, StoreError::TryAgain(_)), "{error:?}");
    assert!(error.is_passing());
    assert!(stage.act(Act::CreateRefund(Box::new(stage.ask(&payment, "still full", 100)))).is_err());
    assert!(block_on(stage.store.payment(acme, &refundry_engine::payment::PaymentKey::Id(payment.id))).unwrap().is_some(), "reads go on");

    // Space is made: nobody opens the store again, the next command just passes.
    direct.execute("DELETE FROM others", []).unwrap();
    drop(direct);
    let refund = stage.refund(&payment, &format!("r{accepted}"), 100);
    assert_eq!(refund.merchant_id, acme);
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

#[test]
fn a_file_that_another_process_locks_is_passing() {
    let stage = Stage::on_sqlite_with(|options| options.busy_timeout_ms = 0);
    let acme = stage.merchant(7);
    let direct = Connection::open(stage.file()).unwrap();
    direct.execute_batch("BEGIN IMMEDIATE").unwrap();
    let put = || Act::PutMerchant(Box::new(stage::merchant(MerchantId::new(8))));
    let locked = stage.act(put());
    assert!(matches!(locked, Err(StoreError::TryAgain(_))), "{locked:?}");
    assert_eq!(block_on(stage.store.merchant(acme)).unwrap(), Some(stage::merchant(acme)), "reads go on");
    direct.execute_batch("ROLLBACK").unwrap();
    stage.must(put());
}

#[test]
fn what_another_process_writes_is_seen() {
    let stage = Stage::on_sqlite();
    let acme = stage.merchant(7);
    let payment = stage.payment(acme, "p1", 10_000);
    stage.refund(&payment, "r1", 100);
    let direct = Connection::open(stage.file()).unwrap();
    direct.execute("UPDATE merchants SET body = replace(body, '\"active\"', '\"suspended\"')", []).unwrap();
    let refused = stage.act(Act::CreateRefund(Box::new(stage.ask(&payment, "r2", 100)))).unwrap();
    let suspended = refundry_engine::Refusal::MerchantSuspended;
    assert_eq!(refused, refundry_engine::Outcome::Refused { refusal: suspended, replayed: false });
}

#[test]
fn the_log_begins_anew_under_load() {
    let stage = Stage::on_sqlite_with(|options| {
        options.checkpoint_interval_ms = 1;
        options.log_limit_mib = 1;
        options.batch_max = 1;
    });
    let acme = stage.merchant(7);
    let payments: Vec<_> = (0..20).map(|number| stage.payment(acme, &format!("p{number}"), 1_000_000)).collect();
    // All wait at once, and one makes a commit: the lane is never idle.
    let asks = (0..60).flat_map(|round| payments.iter().map(move |payment| (round, payment)));
    let tickets: Vec<_> = asks
        .map(|(round, payment)| {
            let ask = stage.ask(payment, &format!("r{round}.{}", payment.payment_reference), 100);
            stage.store.transact(stage.command(Act::CreateRefund(Box::new(ask))))
        })
        .collect();
    tickets.into_iter().for_each(|ticket| drop(block_on(ticket).unwrap()));
    let mut log = stage.file().into_os_string();
    log.push("-wal");
    let mib = std::fs::metadata(&log).unwrap().len() >> 20;
    assert!(mib < 16, "twelve hundred commits left a log of {mib} MiB");
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

fn open(file: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(&SqliteOptions::file(file))
}

/// What opening a file says, after `spoil` had its way with it.
fn refusal_after(spoil: impl FnOnce(&Path)) -> String {
    let stage = Stage::on_sqlite();
    let payment = stage.payment(stage.merchant(7), "p1", 10_000);
    stage.refund(&payment, "r1", 100);
    let file = stage.file();
    block_on(stage.store.close()).unwrap();
    spoil(&file);
    match open(&file) {
        Err(StoreError::Damaged(why)) => why,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("the file was opened"),
    }
}

fn with_sql(sql: &'static str) -> impl FnOnce(&Path) {
    move |file| Connection::open(file).unwrap().execute_batch(sql).unwrap()
}

#[test]
fn files_that_are_damaged_or_not_ours_are_refused_with_the_reason() {
    let overwrite = |file: &Path| std::fs::write(file, "a letter to my aunt, and no database at all".repeat(10)).unwrap();
    let cut = |file: &Path| {
        let length = std::fs::metadata(file).unwrap().len();
        std::fs::OpenOptions::new().write(true).open(file).unwrap().set_len(length / 2).unwrap();
    };
    for (why, said) in [
        ("not a SQLite database", refusal_after(overwrite)),
        ("cut off", refusal_after(cut)),
        ("another program's", refusal_after(with_sql("PRAGMA application_id = 1"))),
        ("newer program", refusal_after(with_sql("PRAGMA user_version = 999"))),
        ("another content", refusal_after(with_sql("UPDATE meta SET value = 'edited' WHERE name LIKE 'migration:%'"))),
    ] {
        assert!(said.contains(why), "{said:?} should say {why:?}");
    }
}

/// Keys, people and shoppers stand in them.
#[cfg(unix)]
#[test]
fn files_are_made_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::on_sqlite();
    stage.merchant(7);
    let backup = stage.file().with_file_name("backup.db");
    block_on(stage.store.backup(&backup)).unwrap();
    let folder = stage.file().parent().unwrap().to_owned();
    let mut seen = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        seen.push(entry.file_name().into_string().unwrap());
        assert_eq!(mode, 0o600, "{:?} can be read by others: {mode:o}", entry.file_name());
    }
    seen.sort_unstable();
    assert_eq!(seen, ["backup.db", "refundry.db", "refundry.db-shm", "refundry.db-wal"]);
}

#[test]
fn an_empty_file_is_a_new_database() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.db");
    std::fs::write(&file, "").unwrap();
    let store = open(&file).unwrap();
    assert_eq!(block_on(store.refunds(&RefundFilter::default(), refundry_store::PageRequest::default())).unwrap().rows, []);
}
