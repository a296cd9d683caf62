//! Scratch databases are apart from each other, and gone afterwards.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use refundry_scratch::ScratchDatabase;
use tokio::runtime::Builder;
use tokio_postgres::{Client, Error, NoTls};

#[test]
fn two_databases_are_apart() {
    let (one, other) = (ScratchDatabase::create(), ScratchDatabase::create());
    run(&one, "CREATE TABLE refunds (refund_id bigint)").unwrap();
    assert!(run(&one, "SELECT * FROM refunds").is_ok());
    assert!(run(&other, "SELECT * FROM refunds").is_err());
}

#[test]
fn a_dropped_database_is_gone_though_somebody_is_connected() {
    let dropped = ScratchDatabase::create();
    let (witness, url) = (ScratchDatabase::create(), dropped.url());
    let name = url.rsplit_once('/').unwrap().1.to_owned();
    Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let client = connect(&url).await.unwrap();
        drop(dropped);
        assert!(client.batch_execute("SELECT 1").await.is_err(), "the connection should have been cut");
        let client = connect(&witness.url()).await.unwrap();
        let left = client.query("SELECT FROM pg_database WHERE datname = $1", &[&name]).await.unwrap();
        assert!(left.is_empty(), "{name} is still there");
    });
}

#[test]
fn a_template_is_prepared_once_and_its_copies_are_apart() {
    static PREPARED: AtomicU64 = AtomicU64::new(0);
    let template = format!("template_of_process_{}", std::process::id());
    let copy = || {
        ScratchDatabase::from_template(&template, |url| {
            PREPARED.fetch_add(1, Ordering::Relaxed);
            run_at(url, "CREATE TABLE payments (payment_id bigint PRIMARY KEY)").unwrap();
        })
    };
    let copies: Vec<ScratchDatabase> = thread::scope(|scope| {
        (0..4).map(|_| scope.spawn(copy)).collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for copy in &copies {
        run(copy, "INSERT INTO payments VALUES (1)").unwrap();
    }
    assert_eq!(PREPARED.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn async_tests_may_use_it() {
    let database = ScratchDatabase::create();
    connect(&database.url()).await.unwrap().batch_execute("SELECT 1").await.unwrap();
}

fn run(database: &ScratchDatabase, statement: &str) -> Result<(), Error> {
    run_at(&database.url(), statement)
}

fn run_at(url: &str, statement: &str) -> Result<(), Error> {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime needs two file descriptors");
    runtime.block_on(async { connect(url).await?.batch_execute(statement).await })
}

async fn connect(url: &str) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
