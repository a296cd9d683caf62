//! A server that says nothing is harder than one that is gone: connections stand, and nobody answers.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::executor::block_on;
use refundry_engine::command::Act;
use refundry_engine::payment::PaymentKey;
use refundry_engine::{MerchantId, Outcome};
use refundry_store::{PostgresOptions, PostgresStore, Store as _, StoreError};
use tokio::time::Instant;

use crate::stage::{self, Stage};

/// What ends a transaction of a lane: a plain statement with its length.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";
/// Longer than any time limit of these tests.
const LONG: Duration = Duration::from_secs(25);

/// Stands between a store and its server.
struct Between {
    address: SocketAddr,
    shared: Arc<Shared>,
    kept: Receiver<(TcpStream, Vec<u8>)>,
}

#[derive(Default)]
struct Shared {
    server: String,
    /// The next COMMIT, with everything that came along with it, is kept back, and whoever sent it is cut off.
    keeps_commit: AtomicBool,
    /// Connections are cut off as soon as they come.
    refuses: AtomicBool,
    /// Ends of the connections so far; nothing is brought from one to the other once they are taken.
    open: Mutex<Vec<Arc<AtomicBool>>>,
}

impl Between {
    fn and(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let shared = Arc::new(Shared { server: host(url).to_owned(), ..Shared::default() });
        let (address, (keep, kept)) = (listener.local_addr().unwrap(), channel());
        let forwarding = shared.clone();
        // It ends with the process of the test.
        std::thread::spawn(move || listener.incoming().flatten().for_each(|client| forwarding.forward(client, &keep)));
        Self { address, shared, kept }
    }

    fn url(&self, url: &str) -> String {
        url.replace(host(url), &self.address.to_string())
    }

    /// Every connection that there is falls silent. Those that come later do not.
    fn fall_silent(&self) {
        self.shared.open.lock().unwrap().drain(..).for_each(|speaks| speaks.store(false, Ordering::SeqCst));
    }
}

impl Shared {
    fn forward(self: &Arc<Self>, client: TcpStream, keep: &Sender<(TcpStream, Vec<u8>)>) {
        if self.refuses.load(Ordering::SeqCst) {
            return;
        }
        let server = TcpStream::connect(&self.server).unwrap();
        let speaks = Arc::new(AtomicBool::new(true));
        self.open.lock().unwrap().push(speaks.clone());
        let (mut to_client, mut from_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let (still, shared) = (speaks.clone(), self.clone());
        std::thread::spawn(move || {
            bring(&mut from_server, |bytes| {
                !shared.refuses.load(Ordering::SeqCst) && (!still.load(Ordering::SeqCst) || to_client.write_all(bytes).is_ok())
            });
            drop(to_client.shutdown(Shutdown::Both));
        });
        let (shared, keep, mut from_client, mut to_server) = (self.clone(), keep.clone(), client, server);
        std::thread::spawn(move || {
            let sender = from_client.try_clone().unwrap();
            bring(&mut from_client, |bytes| {
                let commits = bytes.windows(COMMIT.len()).any(|window| window == COMMIT);
                if commits && shared.keeps_commit.swap(false, Ordering::SeqCst) {
                    drop(sender.shutdown(Shutdown::Both));
                    keep.send((to_server.try_clone().unwrap(), bytes.to_vec())).unwrap();
                    return false;
                }
                !speaks.load(Ordering::SeqCst) || to_server.write_all(bytes).is_ok()
            });
        });
    }
}

fn bring(from: &mut TcpStream, mut to: impl FnMut(&[u8]) -> bool) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if !to(&bytes[..count]) {
            return;
        }
    }
}

fn host(url: &str) -> &str {
    url.split_once('@').and_then(|(_, rest)| rest.split_once('/')).unwrap().0
}

#[test]
fn a_commit_that_arrives_after_it_was_settled_is_not_made() {
    let stage = Stage::on_postgres();
    let payment = stage.payment(stage.merchant(7), "p1", 10_000);
    let between = Between::and(&stage.url());
    let one_lane = PostgresOptions { lanes: 1, readers: 1, lock_timeout: LONG, ..PostgresOptions::url(between.url(&stage.url())) };
    let other = PostgresStore::open(&PostgresOptions { statement_timeout: LONG, ..one_lane }).unwrap();
    // What follows is sent at once: the statements are known to the connection.
    let ask = |number: &str| stage.command(Act::CreateRefund(Box::new(stage.ask(&payment, number, 100))));
    block_on(other.transact(ask("before"))).unwrap();

    between.shared.keeps_commit.store(true, Ordering::SeqCst);
    let ticket = other.transact(ask("r1"));
    let (mut server, late) = between.kept.recv_timeout(LONG).unwrap();
    // The lane has settled it when the row says so; then what it settled arrives after all, and would be a second commit of the same batch.
    let direct = stage::Direct::to(&stage.url());
    let begin = Instant::now();
    while direct.execute("UPDATE commits SET at = at WHERE at = 0") == 0 {
        assert!(begin.elapsed() < LONG, "the lane does not settle its commit");
    }
    server.write_all(&late).unwrap();
    let outcome = block_on(ticket).unwrap();
    assert!(matches!(outcome, Outcome::Refund { replayed: false, .. }), "{outcome:?}");
    assert_eq!(block_on(stage.store.check_books()).unwrap().faults, []);
    let found = block_on(stage.store.payment(payment.merchant_id, &PaymentKey::Id(payment.id))).unwrap().unwrap();
    assert_eq!(found.refund_count, 2);
}

#[test]
fn a_host_that_takes_connections_and_says_nothing_is_passed_over() {
    let stage = Stage::on_postgres();
    // Nobody takes the connections out of its queue.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = stage.url();
    let both = url.replace(host(&url), &format!("{},{}", mute.local_addr().unwrap(), host(&url)));
    let limits = PostgresOptions { connect_timeout: Duration::from_millis(200), recover_for: LONG, ..PostgresOptions::url(both) };
    let begin = Instant::now();
    let store = PostgresStore::open(&PostgresOptions { lanes: 1, readers: 1, ..limits }).unwrap();
    let put = stage.command(Act::PutMerchant(Box::new(stage::merchant(MerchantId::new(7)))));
    assert_eq!(block_on(store.transact(put)).unwrap(), Outcome::Done);
    assert!(block_on(store.merchant(MerchantId::new(7))).unwrap().is_some());
    assert!(begin.elapsed() < LONG, "somebody waited for the mute host: {:?}", begin.elapsed());
}

#[test]
fn connections_that_fall_silent_are_given_up() {
    let stage = Stage::on_postgres();
    let between = Between::and(&stage.url());
    let limits = PostgresOptions { statement_timeout: Duration::from_millis(100), ..PostgresOptions::url(between.url(&stage.url())) };
    let store = PostgresStore::open(&PostgresOptions { lanes: 1, readers: 1, ..limits }).unwrap();
    let put = |number| stage.command(Act::PutMerchant(Box::new(stage::merchant(MerchantId::new(number)))));
    assert_eq!(block_on(store.transact(put(7))).unwrap(), Outcome::Done);
    assert!(block_on(store.merchant(MerchantId::new(7))).unwrap().is_some());

    between.fall_silent();
    let (written, read) = (store.transact(put(8)), store.merchant(MerchantId::new(7)));
    assert!(matches!(block_on(read), Err(StoreError::TryAgain(_))), "a read cannot wait for ever");
    assert_eq!(block_on(written).unwrap(), Outcome::Done, "a lane goes on over another connection");
    assert!(block_on(store.merchant(MerchantId::new(8))).unwrap().is_some(), "nobody reads over the silent connection again");
}

#[test]
fn only_the_first_batch_waits_for_a_database_that_does_not_come_back() {
    let stage = Stage::on_postgres();
    let between = Between::and(&stage.url());
    let limits = PostgresOptions { recover_for: Duration::from_secs(2), ..PostgresOptions::url(between.url(&stage.url())) };
    let store = PostgresStore::open(&PostgresOptions { lanes: 1, readers: 1, ..limits }).unwrap();
    let put = |number| stage.command(Act::PutMerchant(Box::new(stage::merchant(MerchantId::new(number)))));
    let timed = |number| {
        let begin = Instant::now();
        (block_on(store.transact(put(number))), begin.elapsed())
    };
    assert_eq!(timed(7).0.unwrap(), Outcome::Done);

    between.shared.refuses.store(true, Ordering::SeqCst);
    let (first, waited) = timed(8);
    assert!(matches!(first, Err(StoreError::TryAgain(_) | StoreError::Unsure(_))), "{first:?}");
    assert!(waited >= Duration::from_secs(2), "it may come back meanwhile: {waited:?}");
    let (second, waited) = timed(9);
    assert!(matches!(second, Err(StoreError::TryAgain(_))), "{second:?}");
    assert!(waited < Duration::from_secs(1), "one was waited for already: {waited:?}");

    // Whoever wants to know whether it is there is told so at once; whoever reads waits a while for it, as everybody did before.
    let begin = Instant::now();
    assert!(block_on(store.ping()).is_err());
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    let read = store.merchant(MerchantId::new(7));
    between.shared.refuses.store(false, Ordering::SeqCst);
    assert!(block_on(read).unwrap().is_some());
    assert_eq!(timed(9).0.unwrap(), Outcome::Done, "it is there again");
}
