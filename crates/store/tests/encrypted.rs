//! Connections to PostgreSQL that nobody can listen to.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::executor::block_on;
use refundry_store::{PostgresOptions, PostgresStore, Store as _, StoreError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::stage::Stage;

/// How a client asks PostgreSQL whether it speaks TLS.
const MAY_I_ENCRYPT: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Speaks TLS in front of a server that does not, as PostgreSQL does: with a certificate for 127.0.0.1.
struct Front {
    address: SocketAddr,
    encrypted: Arc<AtomicUsize>,
    plain: Arc<AtomicUsize>,
}

impl Front {
    fn of(server: String) -> Self {
        let (encrypted, plain) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let front = Self { address: listener.local_addr().unwrap(), encrypted: encrypted.clone(), plain: plain.clone() };
        listener.set_nonblocking(true).unwrap();
        // It ends with the process of the test.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(forward(client, server.clone(), (encrypted.clone(), plain.clone())));
                }
            });
        });
        front
    }
}

async fn forward(mut client: TcpStream, server: String, (encrypted, plain): (Arc<AtomicUsize>, Arc<AtomicUsize>)) {
    let mut first = [0; 8];
    client.read_exact(&mut first).await.unwrap();
    if first != MAY_I_ENCRYPT {
        plain.fetch_add(1, Ordering::SeqCst);
        return;
    }
    client.write_all(b"S").await.unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions().unwrap();
    let chain = vec![CertificateDer::from_pem_file(fixture("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(fixture("server.key")).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap()));
    // Who does not trust the certificate says so by going away.
    let Ok(mut client) = acceptor.accept(client).await else { return };
    encrypted.fetch_add(1, Ordering::SeqCst);
    let mut server = TcpStream::connect(server).await.unwrap();
    drop(copy_bidirectional(&mut client, &mut server).await);
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)
}

/// Opens a store by way of a front; and whether anything was said encrypted, and in plain.
fn opened(words: &str, trusts: bool) -> (Result<(), StoreError>, (bool, bool)) {
    let stage = Stage::on_postgres();
    let url = stage.url();
    let host = url.split_once('@').and_then(|(_, rest)| rest.split_once('/')).unwrap().0;
    let front = Front::of(host.to_owned());
    let options = PostgresOptions {
        certificates: trusts.then(|| fixture("ca.pem")),
        recover_for: Duration::from_secs(30),
        ..PostgresOptions::url(format!("{}{words}", url.replace(host, &front.address.to_string())))
    };
    let outcome = PostgresStore::open(&options).and_then(|store| block_on(store.ping()));
    (outcome, (front.encrypted.load(Ordering::SeqCst) > 0, front.plain.load(Ordering::SeqCst) > 0))
}

#[test]
fn whoever_is_proved_by_a_certificate_is_spoken_to_in_secret() {
    for words in ["?sslmode=require", "?sslmode=verify-ca", "?sslmode=verify-full", "?sslmode=prefer", ""] {
        let (outcome, said) = opened(words, true);
        assert!(outcome.is_ok(), "{words}: {outcome:?}");
        assert_eq!(said, (true, false), "{words}");
    }
}

#[test]
fn whoever_is_not_proved_by_a_certificate_is_told_nothing() {
    for words in ["?sslmode=require", "?sslmode=verify-full", "?sslmode=prefer", ""] {
        let (outcome, said) = opened(words, false);
        // It is said at once, and what to do about it: waiting does not help.
        assert!(matches!(&outcome, Err(StoreError::Damaged(why)) if why.contains("database.certificates")), "{words}: {outcome:?}");
        assert_eq!(said, (false, false), "{words}");
    }
}

#[test]
fn a_server_without_a_certificate_is_told_nothing_where_one_is_required() {
    let stage = Stage::on_postgres();
    let recover_for = Duration::from_millis(300);
    let options = PostgresOptions { recover_for, ..PostgresOptions::url(format!("{}?sslmode=require", stage.url())) };
    assert!(PostgresStore::open(&options).is_err());
}

#[test]
fn certificates_that_cannot_be_read_are_named() {
    let options = PostgresOptions { certificates: Some(fixture("nobody.pem")), ..PostgresOptions::url("postgres://nobody@127.0.0.1/none") };
    match PostgresStore::open(&options) {
        Err(StoreError::Damaged(why)) => assert!(why.contains("database.certificates") && why.contains("nobody.pem"), "{why}"),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was opened"),
    }
}
