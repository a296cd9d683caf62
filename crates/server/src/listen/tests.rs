use super::*;
use crate::config::Config;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{any, get};
use bytes::Bytes;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(5);

/// A running listener; [`stop`](Running::stop) ends it.
struct Running {
    address: SocketAddr,
    leave: oneshot::Sender<()>,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Drained>,
    metrics: Arc<Metrics>,
}

impl Running {
    async fn start(change: impl FnOnce(&mut config::Server)) -> Running {
        Running::with_router(router(), change).await
    }

    async fn with_router(router: Router, change: impl FnOnce(&mut config::Server)) -> Running {
        let Config { mut server, tls, .. } = Config::default();
        server.listen = vec!["127.0.0.1:0".parse().unwrap()];
        change(&mut server);
        let metrics = Arc::new(Metrics::new());
        let listening = bind(&server, &tls, metrics.clone(), |path| path == "/import").unwrap();
        let (address, _) = listening.addresses()[0];
        let (leave, leaving) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let either = async move { leaving.await.unwrap_or(()) };
        let ended = tokio::spawn(listening.serve(router, either, async move { stopped.await.unwrap_or(()) }));
        Running { address, leave, stop, ended, metrics }
    }

    async fn connect(&self) -> Client<TcpStream> {
        Client(TcpStream::connect(self.address).await.unwrap())
    }

    async fn stop(self) -> Drained {
        self.leave.send(()).unwrap_or_default();
        self.stop.send(()).unwrap();
        timeout(SOON, self.ended).await.expect("the listener ends").unwrap()
    }
}

/// One raw connection.
struct Client<S>(S);

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // The server may have cut the connection already; the test sees that when it reads.
        let _ = self.0.write_all(bytes.as_ref()).await;
        let _ = self.0.flush().await;
    }

    /// One answer with a content-length: its status line's code and its body.
    async fn answer(&mut self) -> (u16, String) {
        let (head, body) = self.whole_answer().await;
        (head[9..12].parse().unwrap(), body)
    }

    async fn whole_answer(&mut self) -> (String, String) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(timeout(SOON, self.0.read_u8()).await.expect("an answer comes").expect("an answer"));
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        let mut body = vec![0; length.parse().unwrap()];
        timeout(SOON, self.0.read_exact(&mut body)).await.expect("a body comes").unwrap();
        (head, String::from_utf8(body).unwrap())
    }

    async fn ask(&mut self, request: &str) -> (u16, String) {
        self.send(request).await;
        self.answer().await
    }

    /// Waits for the server to close; gives what it still sent.
    async fn closed(&mut self) -> String {
        let mut rest = Vec::new();
        // A reset is as good as an orderly end here.
        let _ = timeout(SOON, self.0.read_to_end(&mut rest)).await.expect("the server closes the connection");
        String::from_utf8_lossy(&rest).into_owned()
    }

    /// Whether the server says something or closes.
    async fn stirs_within_a_tick(&mut self) -> bool {
        timeout(TICK, self.0.read_u8()).await.is_ok()
    }
}

fn router() -> Router {
    let read = |request: Request| async move {
        let path = request.uri().path().to_owned();
        let (head, body) = request.into_parts();
        match read_body(&head.headers, body, 1_000).await {
            Ok(bytes) => (StatusCode::OK, format!("{path} {}", bytes.len())).into_response(),
            Err(BodyError::TooLong { .. }) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
            Err(BodyError::Incomplete) => StatusCode::BAD_REQUEST.into_response(),
        }
    };
    let refuse = any(|| async { (StatusCode::UNAUTHORIZED, "no") });
    Router::new().route("/", get(|| async { "hello" })).route("/import", any(read)).route("/closed", refuse).fallback(read)
}

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

#[tokio::test]
async fn a_slow_head_is_cut_off() {
    let server = Running::start(|server| server.header_read_timeout_ms = 50).await;
    for beginning in ["", "G", "GET / HTTP/1.1\r\nhost: a\r\n"] {
        let mut client = server.connect().await;
        client.send(beginning).await;
        assert_eq!(client.closed().await, "", "{beginning}");
    }
    let mut trickling = server.connect().await;
    trickling.send("GET / HTTP/1.1\r\nx: ").await;
    let mut bytes = 0;
    while !trickling.stirs_within_a_tick().await {
        trickling.send("y").await;
        bytes += 1;
        assert!(bytes < 500, "each byte won more time");
    }
    assert_eq!(server.connect().await.ask(GET).await, (200, "hello".into()), "others are served");
}

#[tokio::test]
async fn a_slow_body_is_cut_off_unless_the_path_is_unhurried() {
    let server = Running::start(|server| server.request_timeout_ms = 100).await;
    for (path, finishes) in [("/refund", false), ("/import", true)] {
        let mut client = server.connect().await;
        client.send(format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: 40\r\n\r\n")).await;
        let mut sent = 0;
        while sent < 40 && !client.stirs_within_a_tick().await {
            client.send("x").await;
            sent += 1;
        }
        if finishes {
            assert_eq!(client.answer().await, (200, "/import 40".into()));
        } else {
            assert!(sent < 40, "{path} was cut off while the body trickled in");
        }
    }
    let mut silent = server.connect().await;
    silent.send("POST /import HTTP/1.1\r\nhost: a\r\ncontent-length: 40\r\n\r\nx").await;
    silent.closed().await;
}

#[tokio::test]
async fn who_is_turned_away_before_its_body_was_read_sees_why_and_may_ask_again() {
    let server = Running::start(|_| {}).await;
    let mut client = server.connect().await;
    for pieces in
        [vec!["0123456789".to_owned()], vec!["01234".to_owned(), "56789".to_owned()], vec!["x".repeat(70_000), "y".repeat(70_000)]]
    {
        let length: usize = pieces.iter().map(String::len).sum();
        client.send(format!("POST /closed HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n")).await;
        for piece in pieces {
            // Nothing is answered while the client is still sending.
            assert!(!client.stirs_within_a_tick().await);
            client.send(piece).await;
        }
        let (head, body) = client.whole_answer().await;
        assert!(head.starts_with("http/1.1 401") && !head.contains("connection: close"), "{head}");
        assert_eq!(body, "no");
    }
    assert_eq!(client.ask(GET).await, (200, "hello".into()), "the connection serves on");

    client.send("POST /closed HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 10\r\n\r\n").await;
    let (head, _) = client.whole_answer().await;
    assert!(head.starts_with("http/1.1 401") && head.contains("connection: close"), "{head}");
    client.closed().await;
}

#[tokio::test]
async fn an_idle_connection_has_its_own_time() {
    let patient = Running::start(|server| server.header_read_timeout_ms = 30).await;
    let mut client = patient.connect().await;
    for _ in 0..3 {
        assert_eq!(client.ask(GET).await, (200, "hello".into()));
        for _ in 0..10 {
            assert!(!client.stirs_within_a_tick().await);
        }
    }
    client.send("GET").await;
    assert_eq!(client.closed().await, "", "a begun head has the short time again");

    let hurried = Running::start(|server| server.keep_alive_timeout_ms = 30).await;
    let mut client = hurried.connect().await;
    assert_eq!(client.ask(GET).await, (200, "hello".into()));
    assert_eq!(client.closed().await, "");
}

#[tokio::test]
async fn a_client_that_does_not_take_its_answer_is_cut_off() {
    struct Told(Option<oneshot::Sender<()>>);
    impl Drop for Told {
        fn drop(&mut self) {
            let _ = self.0.take().map(|sender| sender.send(()));
        }
    }
    let (dropped, was_dropped) = oneshot::channel();
    let told = Arc::new(Mutex::new(Some(Told(Some(dropped)))));
    let endless = get(move || {
        let told = told.lock().unwrap().take();
        async move {
            let stream = futures::stream::repeat_with(move || {
                let _hold = &told;
                Ok::<_, std::io::Error>(Bytes::from_static(&[0; 65536]))
            });
            Body::from_stream(stream)
        }
    });
    let router = Router::new().route("/", endless);
    let server = Running::with_router(router, |server| server.keep_alive_timeout_ms = 50).await;
    let mut client = server.connect().await;
    client.send(GET).await;
    timeout(SOON, was_dropped).await.expect("the server gave up").unwrap();
}

#[tokio::test]
async fn garbage_gets_a_clear_answer_and_the_process_lives_on() {
    let server = Running::start(|server| server.header_bytes_max = 8192).await;
    let long = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(20_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(200));
    let rows = [
        ("nonsense\r\n\r\n", "400"),
        ("GET / HTTP/9.9\r\n\r\n", "400"),
        ("GET /\u{0} HTTP/1.1\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nno colon\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n", "400"),
        ("\u{16}\u{3}\u{1}\u{2}\u{0}\r\n\r\n", "400"),
        (&long, "431"),
        (&many, "431"),
    ];
    for (bytes, status) in rows {
        let mut client = server.connect().await;
        client.send(bytes).await;
        let answer = client.closed().await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{bytes:.60}: {answer}");
    }
    let broken_chunk = "POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n";
    assert_eq!(server.connect().await.ask(broken_chunk).await.0, 400);
    assert_eq!(server.connect().await.ask(GET).await, (200, "hello".into()));
}

#[tokio::test]
async fn a_body_that_is_too_long_gets_413() {
    let server = Running::start(|_| ()).await;
    let long = "x".repeat(1_001);
    let rows = [
        format!("POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 1001\r\n\r\n{long}"),
        format!("POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n{long}\r\n0\r\n\r\n"),
        "POST /x HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 1001\r\n\r\n".to_owned(),
    ];
    for request in rows {
        assert_eq!(server.connect().await.ask(&request).await.0, 413, "{request:.80}");
    }
    let mebibytes = vec![b'x'; 2 * 1024 * 1024];
    let mut client = server.connect().await;
    client.send("POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 2097152\r\n\r\n").await;
    client.send(&mebibytes).await;
    assert_eq!(client.answer().await.0, 413, "the answer arrives although the client sends everything first");
    let exact = format!("POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n{}", &long[1..]);
    assert_eq!(client.ask(&exact).await, (200, "/x 1000".into()), "and the connection goes on");
}

#[tokio::test]
async fn every_form_of_request_target_reaches_a_route() {
    let server = Running::start(|_| ()).await;
    let rows = [
        ("POST https://host.example/ams/api HTTP/1.1\r\nhost: host.example", (200, "/ams/api 0")),
        ("POST https://host.example:443//ams//api?q=1 HTTP/1.1\r\nhost: other", (200, "//ams//api 0")),
        ("GET http://host.example HTTP/1.1\r\nhost: a", (200, "hello")),
        ("POST //ams/api HTTP/1.1\r\nhost: a", (200, "//ams/api 0")),
        ("POST /a%2Fb/../c HTTP/1.1\r\nhost: a", (200, "/a%2Fb/../c 0")),
        ("OPTIONS * HTTP/1.1\r\nhost: a", (200, "* 0")),
        ("BREW /pot HTTP/1.1\r\nhost: a", (200, "/pot 0")),
        ("DELETE / HTTP/1.1\r\nhost: a", (405, "")),
        ("GET / HTTP/1.0", (200, "hello")),
    ];
    for (head, (status, body)) in rows {
        let answer = server.connect().await.ask(&format!("{head}\r\ncontent-length: 0\r\n\r\n")).await;
        assert_eq!(answer, (status, body.to_owned()), "{head}");
    }
    let (status, _) = server.connect().await.ask("CONNECT a.example:443 HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!((400..500).contains(&status) || status == 200, "{status}");
    let mut client = server.connect().await;
    client.send(format!("{GET}POST /second HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx{GET}")).await;
    for body in ["hello", "/second 1", "hello"] {
        assert_eq!(client.answer().await, (200, body.to_owned()), "pipelined requests are answered in order");
    }
}

#[tokio::test]
async fn shutdown_finishes_what_is_in_flight_and_closes_the_rest() {
    let (entered, mut has_entered) = tokio::sync::mpsc::unbounded_channel();
    let finish = Arc::new(tokio::sync::Notify::new());
    let waiting = finish.clone();
    let route = get(move || {
        entered.send(()).unwrap();
        let waiting = waiting.clone();
        async move {
            waiting.notified().await;
            "finished"
        }
    });
    let router = Router::new().route("/", route).route("/idle", get(|| async { "idle" }));
    let server = Running::with_router(router, |_| ()).await;
    let (mut idle, mut fresh, mut busy) = (server.connect().await, server.connect().await, server.connect().await);
    assert_eq!(idle.ask("GET /idle HTTP/1.1\r\nhost: a\r\n\r\n").await, (200, "idle".into()));
    busy.send(GET).await;
    has_entered.recv().await.unwrap();
    let address = server.address;
    let stopping = tokio::spawn(server.stop());
    assert_eq!((idle.closed().await, fresh.closed().await), (String::new(), String::new()));
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    finish.notify_one();
    let answer = busy.closed().await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
    assert!(answer.ends_with("finished"), "{answer}");
    assert_eq!(stopping.await.unwrap(), Drained { cut_off: 0 });
}

#[tokio::test]
async fn a_process_that_leaves_goes_on_accepting_and_sends_everybody_elsewhere() {
    let server = Running::start(|_| ()).await;
    let mut kept = server.connect().await;
    kept.send(GET).await;
    assert!(!kept.whole_answer().await.0.contains("connection: close"));
    let Running { address, leave, stop, ended, .. } = server;
    leave.send(()).unwrap();
    // The news spreads within the process; until it has, answers keep their connections.
    loop {
        let mut fresh = Client(TcpStream::connect(address).await.unwrap());
        fresh.send(GET).await;
        if fresh.whole_answer().await.0.contains("connection: close") {
            break;
        }
    }
    kept.send(GET).await;
    let last = kept.closed().await;
    assert!(last.starts_with("HTTP/1.1 200") && last.contains("connection: close"), "{last}");
    stop.send(()).unwrap();
    assert_eq!(timeout(SOON, ended).await.unwrap().unwrap(), Drained { cut_off: 0 });
}

#[tokio::test]
async fn shutdown_does_not_wait_for_ever() {
    let router = Router::new().route("/", get(std::future::pending::<&str>));
    let (entered, has_entered) = oneshot::channel();
    let entered = Arc::new(Mutex::new(Some(entered)));
    let router = router.layer(axum::middleware::map_request(move |request: Request| {
        let _ = entered.lock().unwrap().take().map(|entered| entered.send(()));
        async move { request }
    }));
    let server = Running::with_router(router, |server| server.shutdown_grace_ms = 20).await;
    let mut client = server.connect().await;
    client.send(GET).await;
    has_entered.await.unwrap();
    assert_eq!(server.stop().await, Drained { cut_off: 1 });
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_free_place() {
    let server = Running::start(|server| server.connections_max = 1).await;
    let mut first = server.connect().await;
    assert_eq!(first.ask(GET).await, (200, "hello".into()));
    let mut second = server.connect().await;
    second.send(GET).await;
    assert!(timeout(TICK * 4, second.0.read_u8()).await.is_err(), "the second waits");
    drop(first);
    assert_eq!(second.answer().await, (200, "hello".into()));
}

#[tokio::test]
async fn answers_and_connections_are_counted() {
    let server = Running::start(|_| ()).await;
    let mut client = server.connect().await;
    client.ask(GET).await;
    client.ask("DELETE / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let (text, metrics) = (server.metrics.render(), server.metrics.clone());
    for line in [
        "refundry_connections 1",
        "refundry_requests_total{route=\"other\",status=\"2xx\"} 1",
        "refundry_requests_total{route=\"other\",status=\"4xx\"} 1",
        "refundry_request_seconds_count{route=\"other\"} 2",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    server.stop().await;
    assert!(metrics.render().contains("refundry_connections 0"));
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let server = Running::start(|_| ()).await;
    let Config { server: mut settings, tls, .. } = Config::default();
    settings.listen = vec![server.address];
    let error = bind(&settings, &tls, Arc::default(), |_| false).err().expect("the address is taken");
    assert!(format!("{error:#}").contains(&format!("cannot listen on {}", server.address)), "{error:#}");
}

#[tokio::test]
async fn tls_serves_certificate_files_that_can_be_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls");
    let install = |name: &str| {
        std::fs::copy(fixtures.join(format!("{name}.pem")), &cert).unwrap();
        std::fs::copy(fixtures.join(format!("{name}.key")), &key).unwrap();
    };
    install("first");
    let Config { mut server, mut tls, .. } = Config::default();
    (server.listen, server.header_read_timeout_ms) = (vec![], 200);
    (tls.listen, tls.cert, tls.key) = (vec!["127.0.0.1:0".parse().unwrap()], cert.clone(), key.clone());
    let listening = bind(&server, &tls, Arc::default(), |_| false).unwrap();
    let (address, secure) = listening.addresses()[0];
    assert!(secure);
    let files = listening.sockets[0].2.clone().unwrap();
    tokio::spawn(listening.serve(router(), std::future::pending(), std::future::pending()));

    let mut silent = Client(TcpStream::connect(address).await.unwrap());
    let mut plain = Client(TcpStream::connect(address).await.unwrap());
    plain.send(GET).await;
    plain.closed().await;
    for (round, name) in [("first", "first.test"), ("second", "second.test")] {
        install(round);
        files.reload().unwrap();
        let mut client = Client(connect_tls(address, name).await.unwrap());
        assert_eq!(client.ask(GET).await, (200, "hello".into()));
        assert_eq!(client.ask(GET).await, (200, "hello".into()));
    }
    assert!(connect_tls(address, "first.test").await.is_err(), "the first certificate is gone");
    silent.closed().await;

    std::fs::copy(fixtures.join("first.key"), &key).unwrap();
    assert!(format!("{:#}", files.reload().unwrap_err()).contains("do not belong together"));
    std::fs::remove_file(&cert).unwrap();
    assert!(format!("{:#}", files.reload().unwrap_err()).contains("server.tls.cert"));
    connect_tls(address, "second.test").await.expect("the last good certificate stays");
}

async fn connect_tls(address: SocketAddr, name: &'static str) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(include_bytes!("../../tests/tls/ca.pem")).unwrap();
    roots.add(authority).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(name).unwrap();
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await
}
