use super::*;
use refundry_service::outgoing::Notifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nX-Kind: fine\r\n\r\nOK";
const CA: &[u8] = include_bytes!("../../tests/tls/ca.pem");
const CERT: &[u8] = include_bytes!("../../tests/tls/first.pem");
const KEY: &[u8] = include_bytes!("../../tests/tls/first.key");

fn settings(allowed: &[&str]) -> config::Outgoing {
    config::Outgoing {
        networks_allowed: allowed.iter().map(|text| text.parse().unwrap()).collect(),
        connect_timeout_ms: 5_000,
        timeout_ms: 5_000,
        response_bytes_max: 1_000,
        idle_connections_max: 4,
        idle_timeout_ms: 60_000,
    }
}

fn notifier() -> HttpNotifier {
    HttpNotifier::new(&settings(&["127.0.0.1"]))
}

fn request(url: impl Into<String>) -> OutgoingRequest {
    let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    OutgoingRequest { url: url.into(), headers, body: Bytes::from_static(b"{}"), timeout_ms: 5_000 }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Reads one request with the body `{}` and gives it as text.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n{}") {
        let byte = stream.read_u8().await.expect("the request is complete");
        text.push(byte);
    }
    String::from_utf8(text).unwrap()
}

async fn answer(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), reply: &str) -> String {
    let text = read_request(stream).await;
    stream.write_all(reply.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    text
}

async fn accept(listener: &TcpListener) -> TcpStream {
    listener.accept().await.unwrap().0
}

#[tokio::test]
async fn two_requests_share_one_connection() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener).await;
        (answer(&mut stream, OK).await, answer(&mut stream, OK).await)
    });
    let notifier = notifier();
    for _ in 0..2 {
        let response = notifier.post(request(format!("http://{address}//notify?x=%2F"))).await.unwrap();
        assert_eq!((response.status, response.body.as_ref()), (200, &b"OK"[..]));
        assert!(response.headers.contains(&("x-kind".to_owned(), "fine".to_owned())));
    }
    let (first, second) = server.await.unwrap();
    let lines: Vec<_> = first.lines().collect();
    assert_eq!(lines[0], "POST //notify?x=%2F HTTP/1.1");
    for line in [&format!("host: {address}"), "content-type: application/json", "content-length: 2"] {
        assert!(lines.contains(&line), "{first}");
    }
    assert_eq!(first, second);
}

#[tokio::test]
async fn forbidden_addresses_are_never_connected_to() {
    let (listener, address) = listen().await;
    let notifier = HttpNotifier::new(&settings(&["10.0.0.0/8"]));
    let port = address.port();
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1", "0x7f.1"] {
        let error = notifier.post(request(format!("http://{host}:{port}/"))).await.unwrap_err();
        assert!(matches!(error, OutgoingError::NeverSent(NeverSent::Forbidden { .. })), "{host}: {error}");
    }
    let error = notifier.post(request("http://169.254.169.254/latest/meta-data")).await.unwrap_err();
    assert!(error.to_string().contains("169.254.169.254 is a cloud metadata service"), "{error}");
    assert!(listener.accept().now_or_never().is_none(), "nobody came");
}

#[tokio::test]
async fn what_was_never_sent_is_known_as_such() {
    let (listener, closed) = listen().await;
    drop(listener);
    let (silent, silent_address) = listen().await;
    let mut hurried = settings(&["127.0.0.1"]);
    hurried.connect_timeout_ms = 20;
    let rows = [
        (notifier(), "http://nowhere.invalid/".to_owned(), "the name does not resolve"),
        (notifier(), format!("http://{closed}/"), "no connection"),
        (notifier(), "ftp://127.0.0.1/".to_owned(), "does not begin with http"),
        (HttpNotifier::new(&hurried), format!("https://{silent_address}/"), "no connection in time"),
    ];
    for (notifier, url, expected) in rows {
        let error = notifier.post(request(&url)).await.unwrap_err();
        assert!(matches!(error, OutgoingError::NeverSent(_)), "{url}: {error}");
        assert!(error.to_string().contains(expected), "{url}: {error}");
    }
    let mut odd = request(format!("http://{closed}/"));
    odd.headers.push(("x".to_owned(), "line\r\nbreak".to_owned()));
    let error = notifier().post(odd).await.unwrap_err();
    assert_eq!(error, OutgoingError::NeverSent(NeverSent::Malformed("a header's value cannot be sent")));
    drop(silent);
}

#[tokio::test]
async fn what_may_have_been_received_is_unclear() {
    let long = format!("HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n{}", "x".repeat(2_000));
    let rows = [
        (Some(""), "the connection was lost"),
        (Some("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort"), "the connection was lost"),
        (Some("nonsense\r\n\r\n"), "the connection was lost"),
        (Some(long.as_str()), "the answer is longer than 1000 bytes"),
        (None, "no answer in time"),
    ];
    for (reply, expected) in rows {
        let (listener, address) = listen().await;
        let reply = reply.map(str::to_owned);
        let server = tokio::spawn(async move {
            let mut stream = accept(&listener).await;
            match reply {
                Some(reply) => drop(answer(&mut stream, &reply).await),
                None => {
                    read_request(&mut stream).await;
                    let _ = stream.read_u8().await;
                }
            }
        });
        let mut asked = request(format!("http://{address}/"));
        asked.timeout_ms = if expected == "no answer in time" { 50 } else { 5_000 };
        let error = notifier().post(asked).await.unwrap_err();
        assert!(matches!(error, OutgoingError::Unclear(_)), "{expected}: {error}");
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        server.await.unwrap();
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_a_closed_connection_is_replaced() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        for _ in 0..2 {
            let mut stream = accept(&listener).await;
            answer(&mut stream, "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n").await;
        }
        listener
    });
    let notifier = notifier();
    for _ in 0..2 {
        let response = notifier.post(request(format!("http://{address}/"))).await.unwrap();
        assert_eq!(response.status, 302);
    }
    server.await.unwrap();
}

#[tokio::test]
async fn https_needs_a_certificate_for_that_name_from_a_trusted_authority() {
    let (listener, address) = listen().await;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from_pem_slice(CERT).unwrap()], PrivateKeyDer::from_pem_slice(KEY).unwrap())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        loop {
            let stream = accept(&listener).await;
            if let Ok(mut stream) = acceptor.accept(stream).await {
                answer(&mut stream, OK).await;
            }
        }
    });
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(CA).unwrap()).unwrap();
    let settings = settings(&["127.0.0.0/8"]);
    let trusting = HttpNotifier::with_roots(&settings, roots);
    let port = address.port();
    assert_eq!(trusting.post(request(format!("https://localhost:{port}/"))).await.unwrap().status, 200);
    assert_eq!(trusting.post(request(format!("https://127.0.0.1:{port}/"))).await.unwrap().status, 200);

    let distrusting = HttpNotifier::with_roots(&settings, rustls::RootCertStore::empty());
    let error = distrusting.post(request(format!("https://localhost:{port}/"))).await.unwrap_err();
    assert!(matches!(error, OutgoingError::NeverSent(NeverSent::Insecure(_))), "{error}");
}
