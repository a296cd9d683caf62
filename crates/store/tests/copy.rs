//! Copies between the kinds of databases: whole, interrupted, refused, verified.

use std::path::Path;

use futures::executor::block_on;
use refundry_engine::command::{Act, CancelRefund};
use refundry_engine::merchant::Mode;
use refundry_engine::{MerchantId, RefundId};
use refundry_scratch::ScratchDatabase;
use refundry_store::{
    CopyError, CopyOptions, CopyPhase, PageRequest, PostgresOptions, PostgresStore, RefundFilter, SqliteOptions, SqliteStore, Store,
    StoreError, copy_to_postgres, copy_to_sqlite, give_up,
};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::stage::{Stage, postgres_database};

/// A file with refunds of several merchants in several states, closed; and an empty database.
struct Play {
    folder: TempDir,
    database: ScratchDatabase,
    refunds: Vec<(MerchantId, RefundId)>,
}

impl Play {
    fn set() -> Self {
        let stage = Stage::on_sqlite();
        let mut refunds = Vec::new();
        for merchant in [3, 1, 2].map(|number| stage.merchant(number)) {
            for number in 0..4 {
                let payment = stage.payment(merchant, &format!("p{number} 破损 \u{1f6d2}"), 10_000);
                let refund = stage.refund(&payment, &format!("r{number}"), 100 + number);
                refunds.push((merchant, refund.id));
                match number {
                    0 => drop(stage.succeed(&refund)),
                    1 => {
                        drop(stage.must(Act::CancelRefund(CancelRefund { merchant_id: merchant, mode: Mode::Live, refund_id: refund.id })))
                    }
                    _ => {}
                }
            }
        }
        // A merchant of whom nothing was written yet but the settings.
        stage.merchant(9);
        let (folder, file) = (tempfile::tempdir().unwrap(), stage.file());
        block_on(stage.store.close()).unwrap();
        std::fs::copy(file, folder.path().join("refundry.db")).unwrap();
        Self { folder, database: ScratchDatabase::create(), refunds }
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("refundry.db")
    }

    fn to(&self) -> PostgresOptions {
        PostgresOptions { lanes: 2, readers: 2, ..PostgresOptions::url(self.database.url()) }
    }

    fn copy(&self, change: impl FnOnce(&mut CopyOptions<'_>)) -> Result<Option<refundry_store::CopyReport>, CopyError> {
        let mut options = CopyOptions { batch_rows: 2, threads: 2, ..CopyOptions::new("sqlite:///here", "postgres://there") };
        change(&mut options);
        copy_to_postgres(&self.file(), &self.to(), &options)
    }

    fn serve_file(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(&SqliteOptions::file(self.file()))
    }
}

fn refused<T>(result: Result<T, StoreError>) -> String {
    match result {
        Err(StoreError::Withheld(why)) => why,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it is served"),
    }
}

#[test]
fn a_copy_goes_on_where_it_was_interrupted_and_is_the_same_store() {
    let play = Play::set();
    let before = {
        let store = play.serve_file().unwrap();
        all_of(&store, &play.refunds)
    };
    let mut calls = 0;
    let report = loop {
        calls += 1;
        match play.copy(|options| options.batches_max = Some(7)) {
            Ok(report) => break report.expect("it was not complete before"),
            Err(CopyError::Ended(_)) => {}
            Err(other) => panic!("{other:?}"),
        }
        let from_the_source = refused(play.serve_file());
        assert!(from_the_source.contains("--give-up --from sqlite:///") && from_the_source.contains("放弃迁移"), "{from_the_source}");
        assert!(refused(PostgresStore::open(&play.to())).contains("尚未完成"));
    };
    assert!(calls > 5, "it was interrupted {calls} times");
    assert!(report.rows_before > 20, "{}", report.rows_before);
    let of = |name: &str| &report.tables.iter().find(|(table, _)| *table == name).unwrap().1;
    assert_eq!((of("refunds").rows, of("payments").rows, of("merchants").rows), (12, 12, 4));
    assert_eq!(of("refunds").sums.get(&("amount_minor", "EUR".to_owned())), Some(&(3 * (100 + 101 + 102 + 103))));
    assert!(of("postings").rows > 0 && of("postings").hash != 0);

    assert!(refused(play.serve_file()).contains("--although-moved"));
    let store = PostgresStore::open(&play.to()).unwrap();
    assert_eq!(all_of(&store, &play.refunds), before);
    assert_eq!(block_on(store.check_books()).unwrap().faults, []);
    assert_eq!(play.copy(|_| {}).unwrap(), None, "what is complete is left alone");

    // It lives on: everybody, also who had no row to be locked, can be written to.
    let stage = Stage::on(store, None);
    // Its ids begin behind those of the stage before.
    (0..1_000).for_each(|_| drop(stage.stamp()));
    for number in [1, 2, 3, 9] {
        let payment = stage.payment(MerchantId::new(number), "new", 1_000);
        stage.refund(&payment, "new", 10);
    }
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
}

/// What can be read of refunds, with their timelines, tasks and payments.
fn all_of(store: &dyn Store, refunds: &[(MerchantId, RefundId)]) -> Vec<String> {
    let mut found = Vec::new();
    for (merchant_id, id) in refunds {
        let refund = block_on(store.refund(*merchant_id, *id)).unwrap().unwrap();
        let key = refundry_engine::payment::PaymentKey::Id(refund.payment_id);
        found.push(format!("{:?}", block_on(store.payment(*merchant_id, &key)).unwrap().unwrap()));
        found.push(format!("{:?}", block_on(store.timeline(*merchant_id, *id)).unwrap()));
        found.push(format!("{:?}", block_on(store.task(*merchant_id, refundry_engine::TaskId::new(id.get()))).unwrap()));
        found.push(format!("{refund:?}"));
    }
    for number in [1, 2, 3] {
        found.push(format!("{:?}", block_on(store.balances(MerchantId::new(number))).unwrap()));
    }
    found
}

#[test]
fn what_changed_behind_the_copys_back_is_found() {
    let play = Play::set();
    assert!(matches!(play.copy(|options| options.batches_max = Some(40)), Err(CopyError::Ended(_))));
    let source = Connection::open(play.file()).unwrap();
    source.execute("UPDATE events SET kind = 'forged' WHERE merchant_id = 1 AND sequence = 1", []).unwrap();
    drop(source);
    match play.copy(|_| {}).unwrap_err() {
        CopyError::Different(found) => {
            assert_eq!(found.iter().map(|found| (found.table, found.what.as_str())).collect::<Vec<_>>(), [("events", "hash")]);
        }
        other => panic!("{other:?}"),
    }
    assert!(refused(PostgresStore::open(&play.to())).contains("not finished"), "nobody serves what differs");
}

#[test]
fn amounts_that_differ_are_named_with_their_currency() {
    let play = Play::set();
    let changed = std::sync::atomic::AtomicBool::new(false);
    let change = |progress: refundry_store::CopyProgress| {
        if progress.phase == CopyPhase::Verifying && !changed.swap(true, std::sync::atomic::Ordering::SeqCst) {
            // In the source, after it was copied.
            let source = Connection::open(play.file()).unwrap();
            source.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
            source.execute("UPDATE refunds SET amount_minor = amount_minor + 5 WHERE merchant_id = 2", []).unwrap();
        }
    };
    let options = CopyOptions { threads: 1, observer: &change, ..CopyOptions::new("a", "b") };
    match copy_to_postgres(&play.file(), &play.to(), &options).unwrap_err() {
        CopyError::Different(found) => {
            let named: Vec<_> = found.iter().map(|found| (found.table, found.what.as_str())).collect();
            assert_eq!(named, [("refunds", "amount_minor EUR"), ("refunds", "hash")]);
            assert_ne!(found[0].source, found[0].target);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_that_is_open_or_missing_is_not_moved() {
    let play = Play::set();
    let store = play.serve_file().unwrap();
    assert!(matches!(play.copy(|_| {}), Err(CopyError::InUse(_))));
    assert!(matches!(give_up(&play.file(), false), Err(CopyError::InUse(_))));
    drop(store);
    assert!(!give_up(&play.file(), false).unwrap(), "nothing was begun");
    drop(play.serve_file().unwrap());
    let nowhere = copy_to_postgres(Path::new("/nowhere/refundry.db"), &play.to(), &CopyOptions::new("a", "b"));
    assert!(matches!(nowhere, Err(CopyError::Missing(_))));
    let nodes = Play { database: postgres_database(), ..play };
    let served = PostgresStore::open(&nodes.to()).unwrap();
    let wish = refundry_store::NodeWish {
        holder: "somebody".to_owned(),
        now: Stage::in_memory().now().plus_ms(i64::from(u32::MAX) * 200),
        lease_ms: 60_000,
    };
    block_on(served.lease_node(wish)).unwrap().unwrap();
    assert!(matches!(nodes.copy(|_| {}), Err(CopyError::Served(_))));
    drop(nodes.serve_file().expect("what was refused left the source as it was"));
}

#[test]
fn a_target_with_rows_or_of_another_copy_is_refused() {
    let play = Play::set();
    Stage::on(PostgresStore::open(&play.to()).unwrap(), None).merchant(77);
    assert!(matches!(play.copy(|_| {}), Err(CopyError::NotEmpty { .. })));
    drop(play.serve_file().expect("what was refused left the source as it was"));

    let play = Play { database: ScratchDatabase::create(), ..play };
    assert!(matches!(play.copy(|options| options.batches_max = Some(3)), Err(CopyError::Ended(_))));
    assert!(matches!(play.copy(|options| options.to = "postgres://elsewhere"), Err(CopyError::Ended(_)) | Ok(_)), "known by its own mark");
    let elsewhere = ScratchDatabase::create();
    let other = PostgresOptions::url(elsewhere.url());
    let options = CopyOptions::new("sqlite:///here", "postgres://elsewhere");
    assert!(matches!(copy_to_postgres(&play.file(), &other, &options), Err(CopyError::MovingElsewhere(_))));

    let play = Play { database: ScratchDatabase::create(), ..Play::set() };
    assert!(matches!(play.copy(|options| options.batches_max = Some(3)), Err(CopyError::Ended(_))));
    assert!(give_up(&play.file(), false).unwrap());
    drop(play.serve_file().expect("what was given up is served again"));
    assert!(matches!(play.copy(|_| {}), Err(CopyError::OtherCopy(_))), "the source may have changed meanwhile");
}

#[test]
fn a_complete_copy_is_taken_back_only_when_that_is_said() {
    let play = Play::set();
    play.copy(|_| {}).unwrap().unwrap();
    assert!(matches!(give_up(&play.file(), false), Err(CopyError::Moved(_))));
    refused(play.serve_file());
    assert!(give_up(&play.file(), true).unwrap());
    drop(play.serve_file().unwrap());
}

#[test]
fn there_and_back_it_is_the_same() {
    let play = Play::set();
    let there = play.copy(|_| {}).unwrap().unwrap();
    let back = play.folder.path().join("back.db");
    let options = CopyOptions { batch_rows: 2, ..CopyOptions::new("postgres://there", "sqlite:///back") };
    let returned = copy_to_sqlite(&play.to(), &back, &options).unwrap();
    for ((name, ours), (_, theirs)) in there.tables.iter().zip(&returned.tables).filter(|((name, _), _)| *name != "counters") {
        assert_eq!(ours, theirs, "{name}");
    }
    assert!(copy_to_sqlite(&play.to(), &back, &options).is_err(), "no file is overwritten");
    let store = SqliteStore::open(&SqliteOptions::file(&back)).unwrap();
    assert_eq!(block_on(store.check_books()).unwrap().faults, []);
    assert_eq!(block_on(store.refunds(&RefundFilter::default(), PageRequest::default())).unwrap().rows.len(), 12);
    let unfinished = play.folder.path().join("unfinished.db");
    let ended = copy_to_sqlite(&play.to(), &unfinished, &CopyOptions { batches_max: Some(2), ..options });
    assert!(matches!(ended, Err(CopyError::Ended(_))), "{ended:?}");
    let left: Vec<String> =
        std::fs::read_dir(play.folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(left.iter().all(|name| !name.starts_with("unfinished")), "{left:?}");
}
